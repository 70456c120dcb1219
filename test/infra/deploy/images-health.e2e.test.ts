/** The health check of the gateway's image, in its own words at a gateway: the simulator, which is strict about the protocol. */
import { createServer, type Server } from 'node:net'
import { resolve } from 'node:path'
import { expect } from 'chai'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { needs, type Ran, run } from './images-tools.ts'

const script = resolve(import.meta.dirname, '../../../infra/deploy/images/base/health.sh')

describe("the health of the gateway's container", function () {
  this.timeout(180_000)
  let gateway: GatewaySimulator
  const health = (port: number, variables: Record<string, string> = {}): Promise<Ran> =>
    run(script, [], { env: { IB_PORT: String(port), ...variables } })
  const fault = async (body: object): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.controlPort}/faults`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const listening = async (onConnection: Parameters<typeof createServer>[1]): Promise<[Server, number]> => {
    const server = createServer(onConnection)
    server.on('connection', (socket) => void socket.resume().on('error', () => undefined)) // reads on, so that it sees the other end leave
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return [server, (server.address() as { port: number }).port]
  }

  before(function () {
    needs(this, 'timeout')
  })
  beforeEach(async () => {
    gateway = await startGatewaySimulator()
  })
  afterEach(() => gateway.close())

  it('is good when the gateway tells the time to a client, again and again', async () => {
    for (let time = 0; time < 3; time++) expect(await health(gateway.port)).to.deep.equal({ code: 0, out: '', errors: '' })
    const state = (await (await fetch(`http://127.0.0.1:${gateway.controlPort}/state`)).json()) as { connections: unknown[] }
    expect(state.connections, 'it leaves nothing behind').to.deep.equal([])
  })

  it('does not disturb an engine: another client id', async () => {
    const inUse = { fault: 'clientIdInUse', clientId: 17 }
    await fault(inUse)
    expect((await health(gateway.port)).code).to.equal(0)
    await fault({ ...inUse, clientId: 998 })
    expect(await health(gateway.port)).to.include({ code: 1, errors: 'gateway: not healthy: client id 998 is in use\n' })
  })

  it('is bad when nobody listens, as during the login', async () => {
    const [server, port] = await listening(() => undefined)
    await new Promise((done) => server.close(done))
    expect(await health(port)).to.include({ code: 1, errors: `gateway: not healthy: nobody listens on 127.0.0.1:${port}\n` })
  })

  it('is bad when a connection is taken and nothing answers: a port that is open proves nothing', async () => {
    const [server, port] = await listening(() => undefined)
    expect(await health(port, { HEALTH_TIMEOUT: '1' })).to.include({ code: 1, errors: 'gateway: not healthy: no answer within 1 s\n' })
    await new Promise((done) => server.close(done))
  })

  it('is bad when the hand-shake is answered and the time is not', async () => {
    await fault({ fault: 'hangRequests', messages: ['reqCurrentTime'] })
    expect(await health(gateway.port, { HEALTH_TIMEOUT: '1' })).to.include({
      code: 1,
      errors: 'gateway: not healthy: no answer within 1 s\n',
    })
  })

  it('is bad when the connection is closed before the hand-shake', async () => {
    const [server, port] = await listening((socket) => socket.end())
    expect((await health(port)).errors).to.equal('gateway: not healthy: the hand-shake is not answered\n')
    await new Promise((done) => server.close(done))
  })
})
