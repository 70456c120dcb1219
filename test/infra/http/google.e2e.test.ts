/** The same interface on Pub/Sub and Firestore: a few lines of the table, with HTTP in the process of the engine and beside it. */
import { expect } from 'chai'
import { usesEmulators } from '../../emulators.ts'
import { addressOf, startTradingWorld, type TradingWorld } from './trading-world.ts'

describe('HTTP on Google’s stores', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let world: TradingWorld
  let beside: string
  before(async () => {
    world = await startTradingWorld({ kind: 'google', ...emulators.store() })
    beside = addressOf(await world.another('api'))
  })
  after(() => world?.stop())
  const ask = async (address: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const request =
      body === undefined
        ? { headers }
        : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
    const response = await fetch(`${address}${path}`, request)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('carries commands out and answers with their result, from either process', async () => {
    expect((await ask(world.address, '/resume', { reason: 'checked by hand' })).body).to.include({ status: 'completed', type: 'resume' })
    expect((await ask(beside, '/configure', { changes: { 'strategies.dummy.allocation': 0.5 } })).status).to.equal(200)
    const run = await ask(beside, '/orchestrator', { strategies: ['dummy'] }, { 'idempotency-key': 'first', 'x-request-id': 'r-9' })
    expect(run.body, JSON.stringify(run.body)).to.include({ status: 'completed', id: 'http-first', correlationId: 'r-9' })
    expect((await ask(world.address, '/documents/executions/http-first')).body['summary']).to.match(/Placed 1 order: BUY \d+ SPY/)
  })

  it('is idempotent across processes, and knows another request under the same key', async () => {
    const again = await ask(world.address, '/orchestrator', { strategies: ['dummy'] }, { 'idempotency-key': 'first' })
    expect(again.body).to.include({ status: 'completed', id: 'http-first', correlationId: 'r-9' })
    const other = await ask(world.address, '/orchestrator', { strategies: [] }, { 'idempotency-key': 'first' })
    expect([other.status, other.body['code']]).to.deep.equal([422, 'KEY_REUSED'])
  })

  it('refuses as it does elsewhere', async () => {
    expect((await ask(beside, '/allocation', { dryrun: true })).body['code']).to.equal('BODY_INVALID')
    expect((await ask(beside, '/cancel-order', { orderRef: 'nobody-knows' })).status).to.equal(404)
    expect((await ask(beside, '/halt', { reason: 'the news' })).status).to.equal(200)
    expect((await ask(world.address, '/allocation', {})).body['code']).to.equal('HALTED')
  })

  it('is ready in both processes, the relay too', async () => {
    for (const address of [world.address, beside]) {
      const { status, body } = await ask(address, '/readyz')
      expect(status, JSON.stringify(body)).to.equal(200)
      expect(body['parts']).to.have.nested.property('relay.position').that.is.greaterThan(0)
    }
  })

  it('streams the events from the beginning', async () => {
    const response = await fetch(`${beside}/events?after=0`)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('event: TradingHalted')) text += (await reader.read()).value
    await reader.cancel()
    const positions = [...text.matchAll(/^id: (\d+)\./gm)].map(([, position]) => Number(position))
    expect(positions[0]).to.equal(1)
    expect(positions).to.deep.equal([...positions].sort((left, right) => left - right))
  })
})
