/** Rules on orders and modes of strategies through the real session, socket and simulated gateway. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import type { Configuration } from '../../domain/configuration.ts'
import { type Rig, startTrading as startTradingOn } from '../rig.ts'
import { onEachStore } from '../stores.ts'

onEachStore('risk, end to end', (store) => {
  let rig: Rig
  const startTrading = () => startTradingOn({ store: store() })
  afterEach(() => rig?.stop())

  const configure = async (changes: Configuration) =>
    expect(await rig.command('configure', { changes })).to.include({ status: 'completed' })
  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[756733] ?? '0'
  const received = async () => Object.values((await rig.state()).received).flat()
  const greedy = {
    ...{ 'exposure.overall': 4, 'limits.gross': 4, 'limits.singleName': 4, 'orders.whatIf': 'always' },
    ...{ 'strategies.trend.limits.gross': 4, 'strategies.trend.limits.singleName': 4 },
  }

  it('an increase that would take more than the account has is asked about, withdrawn with its numbers, and never sent', async () => {
    rig = await startTrading()
    await configure(greedy)
    await rig.want({ trend: '1100', hedge: '0' })
    const audit = await rig.run('too-much')
    const [closed] = await rig.events('OrderClosed')
    expect(closed).to.deep.include({ how: 'withdrawn', filled: '0' })
    expect(closed!.text).to.match(/too little buying power: the initial margin would be \d+.* of an equity of \d+.*, available funds -\d+/)
    expect(audit).to.include({ status: 'failed' })
    expect(await received()).to.deep.equal([])
    expect((await rig.state()).executions).to.deep.equal([])
  })

  it('one for which there is enough goes out after it was asked about, and a reduction goes without', async () => {
    rig = await startTrading()
    await configure({ 'orders.whatIf': 'always' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    expect(book('trend')).to.equal('100')
    const [bought] = await rig.events('OrderPlanned')
    expect(bought!.orderId).to.equal(bought!.previewId! + 1)
    await rig.want({ trend: '40', hedge: '0' })
    await rig.run('day-2')
    expect(book('trend')).to.equal('40')
    expect((await rig.events('OrderPlanned'))[1]).not.to.have.property('previewId')
    expect((await received()).map(({ count }) => count)).to.deep.equal([1, 1])
  })

  it('an order that is to wait until 10:30 New York does so at the broker', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('patient', { orderProperties: { goodAfterTime: '10:30 New York', limitOffset: 0.02 } })
    expect([book('trend'), (await rig.state()).executions]).to.deep.equal(['0', []])
    await rig.driver.runTo(newYorkTime('2020-02-04', '10:31'))
    expect(book('trend')).to.equal('100')
  })

  it('wishes that do not go together are refused at once, by name', async () => {
    rig = await startTrading()
    expect(await rig.command('allocation', { orderProperties: { type: 'MOC', timeInForce: 'GTC' } })).to.include({
      ...{ status: 'refused', code: 'ORDER_PROPERTIES_INVALID' },
    })
    expect(await rig.command('orchestrator', { orderProperties: { goodAfterTime: '17:00 New York' } })).to.include({
      ...{ status: 'refused', code: 'ORDER_PROPERTIES_INVALID' },
    })
    expect(await rig.command('allocation', { orderProperties: { type: 'STOP' } })).to.include({ status: 'refused', code: 'BODY_INVALID' })
  })

  it('a strategy in the shadow is decided about and never trades; a dry one only records', async () => {
    rig = await startTrading()
    await configure({ 'strategies.trend.mode': 'shadow', 'strategies.hedge.mode': 'dry' })
    await rig.want({ trend: '100', hedge: '50' })
    const audit = await rig.run('day-1')
    expect(await received()).to.deep.equal([])
    const [decided] = await rig.events('AllocationDecided')
    expect(decided!.strategies.map(({ strategy, verdict }) => `${strategy} ${verdict}`)).to.deep.equal(['hedge held', 'trend shadow'])
    expect(decided!.shadows![0]).to.deep.include({ strategy: 'trend' })
    expect(decided!.shadows![0]!.orders.map(({ symbol, quantity }) => `${symbol} ${quantity}`)).to.deep.equal(['SPY 100'])
    expect((await rig.events('SignalGenerated')).map(({ strategy, dryRun }) => [strategy, dryRun])).to.deep.include(['hedge', true])
    expect(audit).to.include({ status: 'completed' })
    await configure({ 'strategies.trend.mode': 'live' })
    await rig.run('day-2')
    expect([book('trend'), book('hedge')]).to.deep.equal(['100', '0'])
  })

  it('a large reduction goes in several orders, each with a ref of its own', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await configure({ 'orders.maximumNotional': 9000 })
    await rig.want({ trend: '0', hedge: '0' })
    await rig.run('day-2')
    expect(book('trend')).to.equal('0')
    const refs = (await rig.events('OrderPlanned')).filter(({ reduces }) => reduces).map(({ orderRef }) => orderRef)
    expect(refs.length).to.equal(4)
    expect(new Set(refs).size).to.equal(4)
  })
})
