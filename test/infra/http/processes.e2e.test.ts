/** HTTP as a process of its own, beside the engine, and what a user sees of its start and its end. */
import { connect } from 'node:net'
import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { begin, beginGateway, ibt, type Running, temporaryFolder } from '../cli/ibt.ts'

const addressIn = (running: Running): string | undefined => /HTTP is served on (http:\/\/127\.0\.0\.1:\d+);/.exec(running.errors())?.[1]
type Parts = Record<string, { ok: boolean; reason: string; heartbeat?: string }>

describe('ibt start --role api', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const running: Running[] = []
  let gateway: Awaited<ReturnType<typeof beginGateway>>
  const start = (role: string, more: Record<string, string> = {}): Running => {
    const process = begin(['start', '--role', role], { DATA_DIR: folder.path, IB_PORT: String(gateway.port), ...more })
    running.push(process)
    return process
  }
  const served = async (process: Running): Promise<string> => {
    await until('HTTP is served', () => addressIn(process) !== undefined || process.child.exitCode !== null, 60_000)
    if (process.child.exitCode !== null) throw new Error(process.errors())
    return addressIn(process)!
  }
  const ask = async (url: string, method = 'GET', headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method, headers })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> & { parts: Parts } }
  }
  before(async () => {
    gateway = await beginGateway('--start', '2020-03-02')
    running.push(gateway)
  })
  after(async () => {
    await Promise.all(running.map(({ stop }) => stop('SIGKILL')))
    folder.remove()
  })

  let engine: Running
  let api: Running
  let address: string

  it('says before any engine has run that it is alive, and what is not ready', async () => {
    api = start('api')
    address = await served(api)
    expect((await ask(`${address}/healthz`)).status).to.equal(200)
    const { status, body } = await ask(`${address}/readyz`)
    expect([status, body['status']]).to.deep.equal([503, 'not ready'])
    expect([body.parts['store']!.ok, body.parts['engine']!.ok, body.parts['gateway']!.ok]).to.deep.equal([true, false, false])
    expect(api.errors()).to.match(/no issuer of tokens is configured/)
  })

  it('takes commands meanwhile, which are carried out once an engine comes, and says where to look', async () => {
    const waiting = await ask(`${address}/resume`, 'POST', { prefer: 'wait=0', 'idempotency-key': 'early' })
    expect([waiting.status, waiting.body['status']]).to.deep.equal([202, 'published'])
    engine = start('engine')
    const projections = start('projections')
    const done = await ask(`${address}/commands/http-early`, 'GET', { prefer: 'wait=30' })
    expect(done.body).to.include({ status: 'completed', type: 'resume', actor: 'local' })
    await until('all is ready', async () => (await ask(`${address}/readyz`)).status === 200, 60_000)
    expect((await ask(`${address}/reconcile`, 'GET', { 'x-request-id': 'r-5' })).body).to.include({
      status: 'completed',
      correlationId: 'r-5',
    })
    expect((await projections.stop()).code).to.equal(0)
  })

  it('is no longer ready when the engine has gone', async () => {
    expect((await engine.stop()).code).to.equal(0)
    await until('the lease is free', async () => (await ask(`${address}/readyz`)).status === 503)
    for (const path of ['readyz', 'ready'])
      expect((await ask(`${address}/${path}`)).body.parts['engine']).to.include({ ok: false, reason: 'no engine holds the lease' })
  })

  it('names a port that is taken in one line', async () => {
    const port = new URL(address).port
    const other = await ibt(['start', '--role', 'api'], { DATA_DIR: folder.path, PORT: port, LOG_LEVEL: 'silent' })
    expect(other).to.deep.equal({ code: 1, out: '', errors: `ibt: PORT: ${port} is in use by another program\n` })
  })

  it('listens on this machine alone while nobody has to say who he is', async () => {
    const port = Number(new URL(address).port)
    const refused = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.2')
        .on('connect', () => resolve(false))
        .on('error', () => resolve(true))
      socket.unref()
    })
    expect(refused).to.equal(true)
    const rebound = await fetch(`${address}/documents/activity`, { headers: { origin: 'https://elsewhere.example.org' } })
    expect(rebound.status).to.equal(403)
  })

  it('ends at SIGTERM with its readers and those who wait, cleanly and soon', async () => {
    const stream = await fetch(`${address}/events`)
    const published = () => api.errors().split('reconcile is published').length
    const earlier = published()
    const waiting = ask(`${address}/reconcile`, 'POST')
    const reader = stream.body!.getReader()
    await reader.read()
    await until('somebody waits', () => published() > earlier)
    const before = performance.now()
    expect((await api.stop()).code).to.equal(0)
    expect(performance.now() - before).to.be.lessThan(5_000)
    expect((await waiting).status).to.equal(202)
    let piece = await reader.read()
    while (!piece.done) piece = await reader.read()
  })

  it('and one process that does everything has a sign of life of each of its parts', async () => {
    const all = start('all')
    address = await served(all)
    await until('all is ready', async () => (await ask(`${address}/readyz`)).status === 200, 60_000)
    const { parts } = (await ask(`${address}/readyz`)).body
    const { relay, ...others } = parts
    expect(relay).to.deep.equal({ ok: true, reason: 'nobody subscribes to the events here' })
    expect(Object.keys(others)).to.have.members(['store', 'bus', 'engine', 'gateway', 'projections', 'alerts', 'handEdits'])
    for (const [name, { heartbeat }] of Object.entries(others))
      expect(Date.now() - Date.parse(heartbeat ?? ''), name).to.be.within(-1_000, 30_000)
    expect((await all.stop()).code).to.equal(0)
  })
})
