/** Who closes everything on a Saturday is told at once that it is under way, and where to look; at the next open it is done. */
import { expect } from 'chai'
import { type Rig, startTrading } from '../../rig.ts'
import { onEachStore } from '../../stores.ts'

const conId = 756733
/** In New York: Saturday noon, Sunday noon, and Monday before and after the open. */
const [saturday, sunday, beforeOpen, afterOpen] = [
  '2020-02-08T17:00:00.000Z',
  '2020-02-09T17:00:00.000Z',
  '2020-02-10T14:25:00.000Z',
  '2020-02-10T14:35:00.000Z',
].map((time) => Date.parse(time)) as [number, number, number, number]

onEachStore('close-all on a weekend over HTTP', (store) => {
  let rig: Rig
  before(async () => {
    const access = { corsOrigins: [], requestsPerMinute: 1_000 }
    rig = await startTrading({ store: store(), names: ['Trend'], access })
    await rig.want({ trend: '50' })
    await rig.run('first')
    expect(book()).to.equal('50')
    await rig.driver.runTo(saturday)
  })
  after(() => rig?.stop())

  const book = (): string => rig.composed.engine.ledger.books['trend']?.[conId] ?? '0'
  const ask = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const request = body === undefined ? { headers } : { method: 'POST', body: JSON.stringify(body), headers }
    const response = await fetch(`http://127.0.0.1:${rig.composed.httpPort()}${path}`, request)
    const answer = (await response.json()) as Record<string, unknown>
    return { status: response.status, location: response.headers.get('location'), answer }
  }
  const json = { 'content-type': 'application/json' }
  const looked = async () => (await ask('/commands/http-saturday')).answer

  it('is 202 with the place to look, and its order waits at the broker', async () => {
    const { status, location, answer } = await ask('/close-all', {}, { ...json, prefer: 'wait=1', 'idempotency-key': 'saturday' })
    expect([status, location, answer['status']]).to.deep.equal([202, '/commands/http-saturday', 'accepted'])
    await rig.driver.settled()
    const open = (await ask('/documents/positions/paper/openOrders')).answer as unknown as { data: object }[]
    expect(open).to.have.length(1)
    expect(open[0]!.data).to.include({ action: 'SELL', totalQuantity: 50 })
  })

  it('stays under way over the weekend, and asked again under its key it is the same one', async () => {
    for (const time of [sunday, beforeOpen]) {
      await rig.driver.runTo(time)
      expect(await looked()).to.include({ status: 'accepted', ended_at: null })
      const again = await ask('/close-all', {}, { ...json, prefer: 'wait=0', 'idempotency-key': 'saturday' })
      expect([again.status, again.answer['id']]).to.deep.equal([202, 'http-saturday'])
      expect(book()).to.equal('50')
    }
    expect(await rig.events('OrderPlanned')).to.have.length(2)
  })

  it('is completed after the next open, with its book at 0', async () => {
    await rig.driver.runTo(afterOpen)
    await rig.driver.settled()
    const done = await looked()
    expect(done, JSON.stringify(done)).to.include({ status: 'completed', type: 'close-all' })
    expect(done['text']).to.match(/^flat, by 1 order/)
    expect(Date.parse(String(done['ended_at']))).to.be.within(Date.parse('2020-02-10T14:30:00.000Z'), afterOpen)
    expect(book()).to.equal('0')
    expect((await ask('/documents/positions/paper/holdings/trend')).answer).to.deep.equal({})
    const again = await ask('/close-all', {}, { ...json, 'idempotency-key': 'saturday' })
    expect([again.status, again.answer['status']]).to.deep.equal([200, 'completed'])
    expect(await rig.events('OrderPlanned')).to.have.length(2)
  })
})
