/**
 * Where nobody has to say who he is, everything on this machine may ask, and a browser on it shows pages of strangers. Their requests
 * betray themselves: by the name in Host where a name was rebound to 127.0.0.1, by Origin or Sec-Fetch-Site where they come from elsewhere.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { type Refusal, refuse } from '../../domain/errors.ts'

const namesOfThisMachine = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i
const addressesOfThisMachine = /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/i

/** Undefined when the request comes from this machine, and not from a page of another origin than those that are allowed. */
export const strangeness = (
  { host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders,
  address: string,
  allowedOrigins: readonly string[],
): Refusal | undefined => {
  if (!addressesOfThisMachine.test(address) || host === undefined || !namesOfThisMachine.test(host)) return refuse('FOREIGN_HOST')
  if (origin !== undefined) return allowedOrigins.includes(origin) || origin === `http://${host}` ? undefined : refuse('FOREIGN_ORIGIN')
  // Without Origin comes what a page may fetch blindly, such as an image: also a GET can be an intent.
  return site === undefined || site === 'same-origin' || site === 'none' ? undefined : refuse('FOREIGN_ORIGIN')
}
