/** Who may ask, as the environment says it. Half a setting stops the start: a door that was meant to be closed must not stand open. */
import type { Decoded } from '../../domain/decode.ts'
import type { AccessSettings } from './access.ts'
import { isRole, type Role, roles } from './roles.ts'

/** The variables as they are written; an empty one counts as not set. */
export type AccessVariables = Readonly<
  Partial<Record<'AUTH_AUDIENCE' | 'AUTH_GOOGLE_EMAILS' | 'AUTH_ISSUER' | 'AUTH_JWKS' | 'AUTH_ROLE_CLAIM' | 'CORS_ORIGINS', string>> & {
    RATE_LIMIT?: number
  }
>

export const usualRequestsPerMinute = 600
export const usualRoleClaim = 'role'

const partsOf = (list: string | undefined): string[] =>
  (list ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const wrong = (problem: string): { ok: false; problem: string } => ({ ok: false, problem })

/** `anna@example.org:admin, bert@example.org:viewer` */
const emailsOf = (list: string): Decoded<Record<string, Role>> => {
  const found: Record<string, Role> = {}
  for (const part of partsOf(list)) {
    const [, email, role] = /^([^\s:@]+@[^\s:@]+):(\w+)$/.exec(part) ?? []
    if (email === undefined) return wrong(`AUTH_GOOGLE_EMAILS: must be a list such as anna@example.org:admin, got ${JSON.stringify(part)}`)
    if (!isRole(role)) return wrong(`AUTH_GOOGLE_EMAILS: the role of ${email} must be ${roles.join(', ')}, got ${JSON.stringify(role)}`)
    if (Object.hasOwn(found, email.toLowerCase())) return wrong(`AUTH_GOOGLE_EMAILS: ${email} is named twice`)
    found[email.toLowerCase()] = role
  }
  return { ok: true, value: found }
}

const onThisMachine = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Keys that come over the network unprotected are anybody's. */
const keysProblem = (where: string): string | undefined => {
  if (!/^[a-z]+:\/\//i.test(where)) return undefined
  const { protocol, hostname } = URL.canParse(where) ? new URL(where) : { protocol: '', hostname: '' }
  if (protocol === 'https:' || (protocol === 'http:' && onThisMachine.test(hostname))) return undefined
  return `AUTH_JWKS: must be an address with https:// or the path of a file, got ${JSON.stringify(where)}`
}

const originsOf = (list: string | undefined): Decoded<string[]> => {
  const origins = partsOf(list)
  const odd = origins.find((origin) => !(URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin))
  return odd === undefined
    ? { ok: true, value: origins }
    : wrong(`CORS_ORIGINS: must be a list of origins such as https://desk.example.org, got ${JSON.stringify(odd)}`)
}

const ownOf = ({ AUTH_ISSUER: issuer, AUTH_JWKS: keys, AUTH_ROLE_CLAIM }: AccessVariables) => {
  if (issuer === undefined && keys === undefined)
    return AUTH_ROLE_CLAIM === undefined ? { ok: true as const } : wrong('AUTH_ISSUER: AUTH_ROLE_CLAIM is set and this is not')
  if (issuer === undefined) return wrong('AUTH_ISSUER: AUTH_JWKS is set and this is not: set both or none')
  if (keys === undefined) return wrong('AUTH_JWKS: AUTH_ISSUER is set and this is not: set both or none')
  const problem = keysProblem(keys)
  return problem === undefined ? { ok: true as const, own: { issuer, keys, roleClaim: AUTH_ROLE_CLAIM ?? usualRoleClaim } } : wrong(problem)
}

/** @returns the settings, or one line that names the variable and what is wrong with it */
export const accessOf = (given: AccessVariables): Decoded<AccessSettings> => {
  const origins = originsOf(given.CORS_ORIGINS)
  if (!origins.ok) return origins
  const emails = given.AUTH_GOOGLE_EMAILS === undefined ? undefined : emailsOf(given.AUTH_GOOGLE_EMAILS)
  if (emails?.ok === false) return emails
  const own = ownOf(given)
  if (!own.ok) return own
  const audience = partsOf(given.AUTH_AUDIENCE)
  const common = { corsOrigins: origins.value, requestsPerMinute: given.RATE_LIMIT ?? usualRequestsPerMinute }
  const someIssuer = emails !== undefined || own.own !== undefined
  if (!someIssuer && audience.length === 0) return { ok: true, value: common }
  if (!someIssuer) return wrong('AUTH_GOOGLE_EMAILS: AUTH_AUDIENCE is set and no issuer is: set this, or AUTH_ISSUER and AUTH_JWKS')
  if (audience.length === 0) return wrong('AUTH_AUDIENCE: an issuer of tokens is set and this is not: whom must a token be meant for?')
  const issuers = { ...(emails === undefined ? {} : { google: emails.value }), ...(own.own === undefined ? {} : { own: own.own }) }
  return { ok: true, value: { ...common, identity: { audience, ...issuers } } }
}
