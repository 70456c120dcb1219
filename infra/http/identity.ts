/**
 * From a bearer token to the caller: ID tokens of Google for the people and schedules on a list, and tokens of the operator's own issuer,
 * whose claim names the role. Verified here, against the issuer's public keys; nobody is asked about a single token.
 */
import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, errors as jose, jwtVerify } from 'jose'
import { type ErrorCode, isRefusal, type Refusal, refuse } from '../../domain/errors.ts'
import { KeysUnavailable, keysFrom } from './keys.ts'
import { atLeast, type Caller, isRole, type Role } from './roles.ts'

export type IdentitySettings = {
  /** A token must be meant for one of these. */
  audience: readonly string[]
  /** Roles by e-mail address, in lower case. */
  google?: Readonly<Record<string, Role>>
  /** `keys`: an address or a file. `roleClaim`: name of the claim, or its path through dots. */
  own?: { issuer: string; keys: string; roleClaim: string }
}

export type Identity = {
  /** @param authorization the header of that name */
  identify(authorization: string | undefined): Promise<Caller | Refusal>
}

export const googleIssuer = 'https://accounts.google.com'
const googleKeys = 'https://www.googleapis.com/oauth2/v3/certs'

/** Public keys only: with HS256 a forger would sign with the public key, with `none` with nothing. */
const algorithms = ['RS256', 'ES256', 'EdDSA']
const clockSkewSeconds = 60
/** The actor becomes an attribute of a message, which takes at most 256 characters. */
const longestActor = 200

type Issuer = { names: readonly string[]; keys: JWTVerifyGetKey; callerOf: (claims: JWTPayload) => Caller | Refusal }

const verifiedEmail = ({ email, email_verified }: JWTPayload): string | undefined =>
  typeof email === 'string' && (email_verified === true || email_verified === 'true') ? email.toLowerCase() : undefined

const googleCaller =
  (roles: Readonly<Record<string, Role>>) =>
  (claims: JWTPayload): Caller | Refusal => {
    const email = verifiedEmail(claims)
    if (email === undefined) return refuse('CALLER_UNKNOWN', 'the token has no e-mail address that is verified')
    const role = Object.hasOwn(roles, email) ? roles[email] : undefined
    return role === undefined ? refuse('CALLER_UNKNOWN', 'its e-mail address is not on the list') : { actor: email, role }
  }

/** A claim by its whole name (issuers put addresses there, with dots in them), else along its dots. */
const claimOf = (claims: JWTPayload, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name
    .split('.')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as JWTPayload)[key] : undefined),
      claims,
    )
}

const ownCaller =
  (roleClaim: string) =>
  (claims: JWTPayload): Caller | Refusal => {
    const said = claimOf(claims, roleClaim)
    const named = (Array.isArray(said) ? said : [said]).filter(isRole)
    const role = named.find((candidate) => named.every((other) => atLeast(candidate, other)))
    return role === undefined
      ? refuse('CALLER_UNKNOWN', `its claim "${roleClaim}" names no role`)
      : { actor: (verifiedEmail(claims) ?? String(claims.sub)).slice(0, longestActor), role }
  }

const codeOfClaim = ({ claim, reason }: jose.JWTClaimValidationFailed): ErrorCode => {
  if (reason === 'missing') return 'TOKEN_INCOMPLETE'
  if (claim === 'aud') return 'TOKEN_AUDIENCE'
  if (claim === 'iss') return 'TOKEN_ISSUER'
  return claim === 'nbf' ? 'TOKEN_NOT_YET_VALID' : 'TOKEN_MALFORMED'
}

const refusalOf = (error: unknown): Refusal => {
  if (error instanceof KeysUnavailable) return refuse('KEYS_UNAVAILABLE')
  if (error instanceof jose.JWTExpired) return refuse('TOKEN_EXPIRED')
  if (error instanceof jose.JWTClaimValidationFailed) return refuse(codeOfClaim(error))
  if (error instanceof jose.JOSEAlgNotAllowed) return refuse('TOKEN_ALGORITHM')
  if (error instanceof jose.JWKSNoMatchingKey || error instanceof jose.JWKSMultipleMatchingKeys) return refuse('TOKEN_KEY_UNKNOWN')
  if (error instanceof jose.JWSSignatureVerificationFailed) return refuse('TOKEN_SIGNATURE')
  if (error instanceof jose.JOSEError || error instanceof TypeError) return refuse('TOKEN_MALFORMED')
  throw error
}

/** Read before anything is verified, and only to choose the keys. */
const issuerOf = (token: string): string | undefined | Refusal => {
  try {
    return decodeJwt(token).iss
  } catch {
    return refuse('TOKEN_MALFORMED')
  }
}

const bearerOf = (authorization: string | undefined): string | undefined => /^Bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1]

/** @param keys for tests: where Google's keys are @throws KeysUnavailable for a file of keys that is none */
export const createIdentity = ({ audience, google, own }: IdentitySettings, keys = { google: googleKeys }): Identity => {
  const issuers: Issuer[] = [
    ...(google === undefined
      ? []
      : [{ names: [googleIssuer, 'accounts.google.com'], keys: keysFrom(keys.google), callerOf: googleCaller(google) }]),
    ...(own === undefined ? [] : [{ names: [own.issuer], keys: keysFrom(own.keys), callerOf: ownCaller(own.roleClaim) }]),
  ]
  return {
    identify: async (authorization) => {
      const token = bearerOf(authorization)
      if (token === undefined) return refuse('TOKEN_MISSING')
      const name = issuerOf(token)
      if (isRefusal(name)) return name
      const issuer = issuers.find(({ names }) => names.includes(name ?? ''))
      if (issuer === undefined) return refuse('TOKEN_ISSUER')
      try {
        const { payload } = await jwtVerify(token, issuer.keys, {
          ...{ algorithms, issuer: [...issuer.names], audience: [...audience] },
          ...{ clockTolerance: clockSkewSeconds, requiredClaims: ['exp', 'sub'] },
        })
        const caller = issuer.callerOf(payload)
        return isRefusal(caller) ? caller : { ...caller, until: (payload.exp! + clockSkewSeconds) * 1_000 }
      } catch (error) {
        return refusalOf(error)
      }
    },
  }
}
