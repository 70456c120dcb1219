/** What an HTTP answer says of a command: pure, so that each rule can be read and tested by itself. */
import type { IncomingHttpHeaders } from 'node:http'
import { canonical, sha256 } from '../../domain/commit.ts'
import { errors } from '../../domain/errors.ts'
import type { Document } from '../../domain/ports/documents.ts'

// ── How long a caller waits ──

export const usualWaitSeconds = 30
export const longestWaitSeconds = 300

/**
 * `Prefer: wait=30` in seconds; `respond-async` alone does not wait. What cannot be understood is ignored, as a preference may be (RFC 7240).
 * @param usual where nothing is preferred
 */
export const waitSecondsOf = (prefer: string | string[] | undefined, usual = usualWaitSeconds): number => {
  const preferences = [prefer ?? []]
    .flat()
    .flatMap((line) => line.split(/[,;]/))
    .map((part) => part.trim().toLowerCase())
  const wait = preferences.map((part) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(part)?.[1]).find((seconds) => seconds !== undefined)
  if (wait !== undefined) return Math.min(Number(wait), longestWaitSeconds)
  return preferences.includes('respond-async') ? 0 : usual
}

// ── Names ──

const plainKey = /^[A-Za-z0-9._@-]{1,60}$/

/**
 * The id of the command that a caller asks for under a key: the same for the same caller and key, for ever. A key that may not stand in an id
 * stands there as its hash; so does the name of a caller, so that two callers may use the same key.
 * @returns undefined when nobody could mean such a key
 */
export const commandIdOf = (actor: string, key: string): string | undefined => {
  if (key.trim() === '' || key.length > 255) return undefined
  const part = plainKey.test(key) && !key.includes('..') ? key : `sha256:${sha256(key).slice(0, 40)}`
  return actor === 'local' ? `http-${part}` : `http:${sha256(actor).slice(0, 12)}-${part}`
}

/** What was asked, so that another request under the same key can be told from the same one asked again. */
export const digestOf = (type: string, body: object): string => sha256(canonical({ type, body }))

const requestIdShape = /^[\x21-\x7e]{1,128}$/
const traceShape = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The one id of a request, through command, events, orders and log lines: `X-Request-Id`, else the trace of `traceparent`. */
export const requestIdOf = (headers: IncomingHttpHeaders): string | undefined => {
  const [given] = [headers['x-request-id'] ?? []].flat()
  if (given !== undefined && requestIdShape.test(given)) return given
  const [trace] = [headers['traceparent'] ?? []].flat()
  return trace === undefined ? undefined : traceShape.exec(trace)?.[1]
}

// ── The status ──

/** Mistakes of ours, which nobody who asks can put right. */
const ourMistakes: ReadonlySet<unknown> = new Set(['UNEXPECTED', 'UNKNOWN_PIPELINE'])

/**
 * 200 for what came to its end: done, done in part, or failed, as its `status` says (a signal without its bars, a strategy that threw, orders
 * that the broker refused); 202 while it is under way; for a refusal what the table of errors says, else 409; 409 for what expired;
 * 500 for what failed by a mistake of ours.
 */
export const statusOf = ({ status, code }: Document): number => {
  switch (status) {
    case 'completed':
    case 'partial_success':
      return 200
    case 'accepted':
      return 202
    case 'failed':
      return ourMistakes.has(code) ? 500 : 200
    default:
      return typeof code === 'string' && Object.hasOwn(errors, code) ? errors[code as keyof typeof errors].http : 409
  }
}
