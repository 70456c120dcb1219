/** The public keys of an issuer: from an address, kept for a while, or from a file, read again when it changes. */
import { readFileSync, statSync } from 'node:fs'
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, jwksCache } from 'jose'

/** The keys cannot be had now; says nothing about the token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
}

const keptForMs = 10 * 60_000
/** A token with an unknown key makes us ask again, but not more often than this: forged ones must not become a flood at the issuer. */
const askAgainAfterMs = 30_000
const answersWithinMs = 5_000
/** An issuer that is away must not keep anybody from halting: its last keys count so long. */
const lastKnownForMs = 24 * 60 * 60_000

const isAboutTheToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported

const remoteKeys = (url: URL, cacheMaxAge: number): JWTVerifyGetKey => {
  const cache: { jwks?: JSONWebKeySet; uat?: number } = {}
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge,
    cooldownDuration: askAgainAfterMs,
    timeoutDuration: answersWithinMs,
    [jwksCache]: cache as Record<string, never>,
  })
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      if (isAboutTheToken(error)) throw error
      const { jwks, uat = 0 } = cache
      if (jwks === undefined || Date.now() - uat > lastKnownForMs)
        throw new KeysUnavailable(`${url.origin}${url.pathname} does not give the keys: ${(error as Error).message}`, { cause: error })
      return createLocalJWKSet(jwks)(header, token)
    }
  }
}

/** @throws KeysUnavailable when the file cannot be read or holds no keys */
const fileKeys = (path: string): JWTVerifyGetKey => {
  let read: { modified: number; keys: JWTVerifyGetKey } | undefined
  const keysNow = (): JWTVerifyGetKey => {
    try {
      const { mtimeMs } = statSync(path)
      if (read?.modified !== mtimeMs)
        read = { modified: mtimeMs, keys: createLocalJWKSet(JSON.parse(readFileSync(path, 'utf8')) as JSONWebKeySet) }
      return read.keys
    } catch (error) {
      throw new KeysUnavailable(`${path} holds no key set: ${(error as Error).message}`, { cause: error })
    }
  }
  keysNow() // at the start, so that a wrong path stops it
  return async (header, token) => keysNow()(header, token)
}

const isAddress = (where: string): boolean => /^https?:\/\//.test(where)

/**
 * @param where an address (https, or http on this machine) or the path of a file
 * @param keptFor milliseconds for which the keys of an address count as fresh
 * @throws KeysUnavailable for a file that is none
 */
export const keysFrom = (where: string, keptFor = keptForMs): JWTVerifyGetKey =>
  isAddress(where) ? remoteKeys(new URL(where), keptFor) : fileKeys(where)
