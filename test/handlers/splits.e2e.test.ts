/** A split while an order waits and two strategies hold, through the real session and sockets: proposed, applied by a person, traded on. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { type Rig, startTrading as startTradingOn } from '../rig.ts'
import { onEachStore } from '../stores.ts'

const conId = 756733

onEachStore('when a stock is split overnight', (store) => {
  let rig: Rig
  const startTrading = () => startTradingOn({ store: store() })
  afterEach(() => rig?.stop())

  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const held = async () => (await rig.state()).positions.find(({ symbol }) => symbol === 'SPY')?.quantity ?? 0
  const announce = async (body: object) => {
    const url = `http://127.0.0.1:${rig.simulator.controlPort}/corporate-actions`
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    expect(response.ok, await response.text()).to.equal(true)
  }
  const profit = (strategy: string): Promise<Document | undefined> =>
    rig.composed.documents.get(`positions/paper/holdings/${strategy}/profit/latest`)
  const lineOf = async (strategy: string) => ((await profit(strategy))!['instruments'] as Record<string, number>[])[0]!

  it('the books wait for a person, who applies its ratio; what was paid stays, what was wanted is in new shares, and nothing drifts', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '51' })
    await rig.run('day-1')
    const before = await lineOf('trend')
    await announce({ symbol: 'SPY', kind: 'split', date: '2020-02-05', ratio: 1.5 })
    await rig.driver.runTo(newYorkTime('2020-02-04', '17:00'))
    await rig.want({ trend: '120', hedge: 'neutral' })
    await rig.run('evening')

    await rig.driver.runTo(newYorkTime('2020-02-05', '10:00'))
    await rig.command('reconcile')
    await rig.driver.runTo(rig.clock.now() + 61_000)
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['filled', 'cancelled'])
    const found = (await rig.events('DiscrepancyFound'))[0]
    expect(found).to.deep.include({ kind: 'position', quantity: '75', proposedCorporateAction: { ratio: '3:2' } })
    expect([book('trend'), book('hedge'), await held()], 'never applied silently').to.deep.equal(['100', '51', 226])

    const answer = await rig.command('explain', { instrument: 'SPY', as: 'corporateAction', ratio: '3:2' })
    expect(answer).to.include({ status: 'completed' })
    expect([book('trend'), book('hedge')]).to.deep.equal(['150', '76'])
    expect(rig.composed.engine.ledger.unexplained[conId]).to.equal(undefined)
    const after = await lineOf('trend')
    expect(after['quantity']).to.equal(150)
    expect(after['average_cost']! * 150).to.be.closeTo(before['average_cost']! * 100, 0.001)

    await rig.want({ trend: 'neutral' })
    await rig.run('day-2')
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['180', '76', 256])
    await rig.command('reconcile')
    expect((await rig.events('PositionReconciled')).at(-1)!.differences).to.deep.equal([])
  })

  it('an order that waits for the open at the time of the explanation is named and called back', async () => {
    rig = await startTrading()
    await rig.want({ trend: '20', hedge: '0' })
    await rig.run('day-1')
    await rig.driver.runTo(newYorkTime('2020-02-04', '17:00'))
    await rig.want({ trend: '30' })
    await rig.run('evening')
    const [waiting] = Object.values(rig.composed.engine.ledger.orders).filter(({ status }) => status !== 'closed')
    // The broker books the split in the evening and leaves the order as it is.
    await rig.driver.runTo(newYorkTime('2020-02-04', '18:00'))
    await rig.fault({ fault: 'position', symbol: 'SPY', quantity: 20 })
    await rig.command('reconcile')
    const answer = await rig.command('explain', { instrument: 'SPY', as: 'corporateAction', ratio: '2:1' })
    expect((answer!['result'] as Record<string, unknown>)['open_orders']).to.deep.equal([waiting!.orderRef])
    expect(answer!['text']).to.include(waiting!.orderRef)
    await rig.driver.runTo(newYorkTime('2020-02-05', '10:00'))
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['filled', 'cancelled'])
    await rig.want({ trend: 'neutral' })
    await rig.run('day-2')
    expect([book('trend'), await held()]).to.deep.equal(['60', 60])
  })

  it('refuses another ratio, and without a difference any', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    const split = { instrument: 'SPY', as: 'corporateAction', ratio: '2:1' }
    expect(await rig.command('explain', split)).to.include({ status: 'refused', code: 'NOTHING_TO_EXPLAIN' })
    await rig.fault({ fault: 'position', symbol: 'SPY', quantity: 200 })
    await rig.command('reconcile')
    expect(await rig.command('explain', split)).to.include({ status: 'refused', code: 'RATIO_MISMATCH' })
    expect(await rig.command('explain', { ...split, ratio: '3:1' })).to.include({ status: 'completed' })
    expect(book('trend')).to.equal('300')
  })

  it('and a quantity moves between manual and a book, so that the next decision counts it', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await rig.fault({ fault: 'handTrade', symbol: 'SPY', quantity: 10 })
    await rig.driver.settled()
    await rig.command('reconcile')
    const move = { instrument: 'SPY', quantity: '10', as: 'book', strategy: 'trend', from: 'manual' }
    expect(await rig.command('explain', { ...move, quantity: '11' })).to.include({ status: 'refused', code: 'NOT_HELD' })
    expect(await rig.command('explain', move)).to.include({ status: 'completed' })
    expect([book('trend'), { ...rig.composed.engine.ledger.manual }, await held()]).to.deep.equal(['110', {}, 110])
    await rig.want({ trend: '110' })
    await rig.run('day-1-again')
    expect((await rig.events('OrderPlanned')).length, 'there is nothing left to buy').to.equal(1)
    expect(await rig.command('explain', { instrument: 'SPY', quantity: '110', as: 'manual', from: 'trend' })).to.include({
      status: 'completed',
    })
    expect([book('trend'), rig.composed.engine.ledger.manual[conId]]).to.deep.equal(['0', '110'])
  })
})
