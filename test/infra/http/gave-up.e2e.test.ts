import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { startTradingWorld, type TradingWorld } from './trading-world.ts'

describe('a client that gives up and asks again', () => {
  let world: TradingWorld
  beforeEach(async () => {
    world = await startTradingWorld()
    await post('/resume', {})
    await post('/configure', { changes: { 'strategies.dummy.allocation': 0.5 } })
  })
  afterEach(() => world.stop())
  const post = (path: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${world.address}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
      ...(signal === undefined ? {} : { signal }),
    })
  const placed = async (): Promise<number> => {
    const state = (await (await fetch(`http://127.0.0.1:${world.simulator.controlPort}/state`)).json()) as {
      received: Record<string, unknown[]>
    }
    return Object.values(state.received).flat().length
  }

  it('has one order, where an earlier system answered a time-out, went on, and placed a second one for the second try', async () => {
    const headers = { 'idempotency-key': 'first' }
    const gone = new AbortController()
    const first = post('/orchestrator', { strategies: ['dummy'] }, headers, gone.signal).catch((error: Error) => error.name)
    await until('it is on its way', async () => (await world.process.journal.marker('http-first')) !== undefined)
    gone.abort()
    await first
    const again = await Promise.all([1, 2].map(() => post('/orchestrator', { strategies: ['dummy'] }, headers)))
    for (const answer of again) expect(await answer.json()).to.include({ id: 'http-first', status: 'completed' })
    await world.driver.settled()
    expect(await placed()).to.equal(1)
  })

  it('has two commands where it asked under two keys', async () => {
    const ids = await Promise.all(
      ['a', 'b'].map(async (key) => ((await (await post('/reconcile', {}, { 'idempotency-key': key })).json()) as { id: string }).id),
    )
    expect(ids).to.deep.equal(['http-a', 'http-b'])
    for (const id of ids) expect(await world.process.journal.marker(id)).not.to.equal(undefined)
  })
})
