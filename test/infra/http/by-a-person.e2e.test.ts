/** What only a person can say, over HTTP, at a gateway where it has really happened: a difference explained, an order resolved, a halt. */
import { expect } from 'chai'
import { type Rig, startRig } from '../../rig.ts'
import { onEachStore } from '../../stores.ts'

const conId = 756733

onEachStore('a person asks over HTTP', (store) => {
  let rig: Rig
  let asked = 0
  /** Asked once without waiting, and under the same key again when it is done: the answer of the second is what came of it. */
  const ask = async (path: string, body: object = {}) => {
    const key = `ask-${++asked}`
    const post = () =>
      fetch(`http://127.0.0.1:${rig.composed.httpPort()}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', prefer: 'wait=0', 'idempotency-key': key },
      })
    await (await post()).text()
    await rig.driver.settled()
    const response = await post()
    return { http: response.status, ...((await response.json()) as { status?: string; code?: string; text: string; result: object }) }
  }
  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const later = (minutes: number) => rig.driver.runTo(rig.clock.now() + minutes * 60_000)

  before(async () => {
    rig = await startRig({ store: store(), names: ['Trend'], access: { corsOrigins: [], requestsPerMinute: 1_000 } })
    await rig.driver.connected()
    await ask('/configure', { changes: { 'strategies.trend.allocation': 1 } })
    await ask('/resume', { reason: 'checked by hand' })
  })
  after(() => rig?.stop())

  it('and a trade by hand against a book becomes that of the book: explain succeeds, and the instrument is free', async () => {
    await rig.want({ trend: '50' })
    expect(await ask('/orchestrator')).to.include({ http: 200, status: 'completed' })
    await rig.fault({ fault: 'handTrade', symbol: 'SPY', quantity: -10 })
    await rig.driver.settled()
    await ask('/reconcile')
    expect(rig.composed.engine.ledger.discrepancies[conId]).to.include({ kind: 'againstBook', quantity: '-10' })
    const explained = await ask('/explain', { instrument: 'SPY', quantity: '-10', as: 'book', strategy: 'trend', reason: 'sold by phone' })
    expect(explained).to.include({ http: 200, status: 'completed' })
    expect(explained.text).to.match(/SPY/)
    expect([book('trend'), rig.composed.engine.ledger.discrepancies[conId]]).to.deep.equal(['40', undefined])
  })

  it('and an order of which nobody heard again is ended: resolve-order succeeds, and only then it is ordered anew', async () => {
    await rig.fault({ fault: 'swallowOrder' })
    await rig.want({ trend: '60' })
    await ask('/orchestrator')
    await later(3)
    const [doubted] = await rig.events('OrderUnresolved')
    const resolved = await ask('/resolve-order', { orderRef: doubted!.orderRef, as: 'lost', reason: 'the broker was asked by telephone' })
    expect(resolved).to.include({ http: 200, status: 'completed' })
    expect(resolved.text).to.match(/lost/)
    expect((await rig.events('OrderClosed')).at(-1)).to.include({ orderRef: doubted!.orderRef, how: 'lost' })
    await ask('/orchestrator')
    expect([book('trend'), (await rig.events('OrderPlanned')).length]).to.deep.equal(['60', 3])
  })

  it('halts a process that runs at its very next command, and what only looks goes on looking', async () => {
    expect(await ask('/halt', { reason: 'the news' })).to.include({ http: 200, status: 'completed' })
    expect(await ask('/allocation')).to.include({ http: 409, code: 'HALTED' })
    for (const look of ['/summary', '/reconcile', '/trade-reconciliation', '/risk-check', '/trend'])
      expect(await ask(look), look).to.include({ http: 200, status: 'completed' })
    await ask('/resume', { reason: 'it was nothing' })
    expect(await ask('/allocation')).to.include({ http: 200, status: 'completed' })
  })
})
