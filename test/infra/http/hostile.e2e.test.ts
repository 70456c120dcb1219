/** Over real sockets, with nothing behind the bus: what is too large, badly sent, or signed by somebody who cannot be asked now. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import { beginIssuer, inSeconds, type Signer, signerWith, tokenOf } from './issuer.ts'
import { type ServerInHand, startServer } from './server-in-hand.ts'

describe('bad requests on the socket', function () {
  this.timeout(20_000)
  let world: ServerInHand
  let port: number
  beforeEach(async () => {
    world = await startServer()
    port = await world.server.listen(0)
  })
  afterEach(async () => {
    expect(world.published).to.deep.equal([])
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 'it goes on').to.equal(200)
    await world.server.stop()
  })

  it('whose body grows beyond the limit without having said its length are stopped on the way', async () => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    const sending = request({ host: '127.0.0.1', port, method: 'POST', path: '/halt', headers })
    sending.on('error', () => undefined) // the line may be closed while we still write
    sending.write('{"reason":"')
    for (let written = 0; written < 70_000; written += 7_000) sending.write('x'.repeat(7_000))
    const [response] = (await once(sending, 'response')) as [import('node:http').IncomingMessage]
    let body = ''
    for await (const piece of response.setEncoding('utf8')) body += piece
    expect([response.statusCode, JSON.parse(body).code]).to.deep.equal([413, 'BODY_TOO_LARGE'])
    sending.destroy()
  })

  const raw: readonly [what: string, text: string, says: RegExp][] = [
    ['that say two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\n{}x', /^HTTP\/1\.1 400 /],
    ['that say a length and that there is none', 'transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['with more headers than anybody needs', `${'x-a: b\r\n'.repeat(2_500)}content-length: 2\r\n\r\n{}`, /^HTTP\/1\.1 431 /],
    ['that are packed', 'content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00', /^HTTP\/1\.1 400 [\s\S]*JSON_INVALID/],
  ]
  for (const [what, text, says] of raw)
    it(`${what} are refused`, async () => {
      const socket = connect(port, '127.0.0.1')
      let heard = ''
      socket.setEncoding('utf8').on('data', (piece: string) => {
        heard += piece
      })
      socket.on('error', () => undefined)
      socket.end(`POST /halt HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n${text}`, 'latin1')
      await once(socket, 'close')
      expect(heard).to.match(says)
    })
})

describe('an issuer whose keys cannot be had', function () {
  this.timeout(20_000)
  const audience = 'ibt'
  let issuer: Awaited<ReturnType<typeof beginIssuer>>
  let signer: Signer
  let world: ServerInHand
  before(async () => {
    signer = await signerWith('k1', 'ES256')
    issuer = await beginIssuer([signer])
    const own = { issuer: 'https://issuer.example.org', keys: issuer.address, roleClaim: 'role' }
    world = await startServer({ identity: { audience: [audience], own } })
  })
  after(async () => {
    await world.server.stop()
    await issuer.end()
  })
  const halt = async () => {
    const token = await tokenOf(signer, {
      ...{ iss: 'https://issuer.example.org', aud: audience, sub: 'anna', role: 'trader', exp: inSeconds(300) },
    })
    const answer = await world.ask({ url: '/halt', body: {}, headers: { authorization: `Bearer ${token}`, prefer: 'wait=0' } })
    return [answer.statusCode, answer.json().code ?? answer.json().status]
  }

  it('lets nobody in until they are there, says so, and leaves the probes open', async () => {
    for (const answer of [500, { keys: 'none' }]) {
      issuer.say(answer)
      expect(await halt()).to.deep.equal([503, 'KEYS_UNAVAILABLE'])
    }
    expect(world.published).to.deep.equal([])
    expect((await world.ask({ method: 'GET', url: '/healthz' })).statusCode).to.equal(200)
    issuer.say({ keys: [signer.publicJwk] })
    expect(await halt()).to.deep.equal([202, 'published'])
  })
})
