/** An earlier system let everybody in, on every address of the machine. Where nobody is configured to vouch for callers, only this machine may ask. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect } from 'chai'
import { type Rig, startRig } from '../../rig.ts'

describe('HTTP without an issuer of tokens', function () {
  this.timeout(180_000)
  let rig: Rig
  const said: string[] = []
  before(async () => {
    const say = (_: object, text: string) => void said.push(text)
    rig = await startRig({ access: { corsOrigins: [], requestsPerMinute: 1_000 }, log: { debug: say, info: say, warn: say, error: say } })
    await rig.driver.connected()
  })
  after(() => rig?.stop())

  /** As a browser sends it, which lets no page choose the name of the host. */
  const posted = async (path: string, headers: Record<string, string>) => {
    const options = { host: '127.0.0.1', port: rig.composed.httpPort()!, method: 'POST', path }
    const asked = request({ ...options, headers: { 'content-type': 'application/json', prefer: 'wait=0', ...headers } })
    asked.end('{}')
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
    let body = ''
    for await (const part of response.setEncoding('utf8')) body += part
    return { status: response.statusCode, code: (JSON.parse(body) as { code?: string }).code }
  }

  it('is served on this machine alone, and says so', async function () {
    expect(said.join('\n')).to.match(/no issuer of tokens is configured.*only this machine may ask/)
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)
    if (outside === undefined) return this.skip()
    const socket = connect(rig.composed.httpPort()!, outside.address)
    const [error] = (await Promise.race([once(socket, 'error'), once(socket, 'connect').then(() => [undefined])])) as [
      NodeJS.ErrnoException | undefined,
    ]
    socket.destroy()
    expect(error?.code).to.equal('ECONNREFUSED')
  })

  it('takes nothing from pages of strangers in a browser on it, and leaves no trace of them', async () => {
    const { position } = await rig.composed.journal.head()
    const host = `127.0.0.1:${rig.composed.httpPort()}`
    expect(await posted('/resume', { host, origin: 'https://evil.example.org' })).to.deep.equal({ status: 403, code: 'FOREIGN_ORIGIN' })
    expect(await posted('/resume', { host, 'sec-fetch-site': 'cross-site' })).to.deep.equal({ status: 403, code: 'FOREIGN_ORIGIN' })
    expect(await posted('/resume', { host: 'evil.example.org' })).to.deep.equal({ status: 403, code: 'FOREIGN_HOST' })
    await rig.driver.settled()
    expect((await rig.composed.journal.head()).position).to.equal(position)
    expect(rig.composed.engine.ledger.trading.on).to.equal(false)
  })

  it('takes everybody on it for an admin, and writes down that it was somebody here', async () => {
    expect((await posted('/resume', { host: `localhost:${rig.composed.httpPort()}` })).status).to.equal(202)
    await rig.driver.settled()
    const cause = (await rig.commits()).at(-1)!.cause
    expect(cause).to.include({ type: 'resume', source: 'http', actor: 'local' })
  })
})
