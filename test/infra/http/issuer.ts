/** An issuer of tokens on this machine: keys that are made for the test, and a server that shows the public ones. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export type Algorithm = 'RS256' | 'ES256' | 'EdDSA'
export type Signer = { kid: string; algorithm: Algorithm; privateKey: CryptoKey; publicJwk: Record<string, unknown> }

export const signerWith = async (kid: string, algorithm: Algorithm): Promise<Signer> => {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  return { kid, algorithm, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } }
}

type Claims = Readonly<Record<string, unknown>>

/** Claims that are undefined are left out. */
export const tokenOf = ({ kid, algorithm, privateKey }: Signer, claims: Claims): Promise<string> =>
  new SignJWT(JSON.parse(JSON.stringify(claims)) as JWTPayload).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey)

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** Counts how often it was asked; `say` changes what it answers, a number being a status. */
export const beginIssuer = async (keys: readonly Signer[]) => {
  let answer: object | number = { keys: keys.map(({ publicJwk }) => publicJwk) }
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}/certs`,
    asked: () => asked,
    say: (changed: object | number) => {
      answer = changed
    },
    end: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
