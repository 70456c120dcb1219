/** Closing books through the real session, sockets and gateway: halted, over a weekend, with others in the same instrument, by hand. */
import { expect } from 'chai'
import { newYorkTime, nextSession } from '../../domain/calendar.ts'
import { type Rig, type RigOptions, startTrading as startTradingOn } from '../rig.ts'
import { onEachStore } from '../stores.ts'

const conId = 756733

onEachStore('close-all', (store) => {
  let rig: Rig
  const startTrading = (options: RigOptions = {}) => startTradingOn({ store: store(), ...options })
  afterEach(() => rig?.stop())

  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const held = async (symbol = 'SPY') => (await rig.state()).positions.find((line) => line.symbol === symbol)?.quantity ?? 0
  const placed = async () => Object.values((await rig.state()).received).flat()
  const notes = (audit: unknown) => (audit as { decision: { notes: { code: string }[] } }).decision.notes.map(({ code }) => code)
  const result = (id: string) => rig.composed.documents.get(`commands/${id}`)

  it('makes one book flat while trading is halted, leaves the other, and does nothing when it is asked again', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('day-1')
    await rig.command('halt')
    expect(await rig.command('close-all', { strategies: ['trend'], reason: 'enough' }, { id: 'flat' })).to.include({ status: 'completed' })
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['0', '50', 50])
    expect((await rig.events('StandingTargetsSet')).at(-1)).to.deep.include({ strategy: 'trend' })
    expect(await rig.command('close-all', { strategies: ['trend'] }, { id: 'again' })).to.deep.include({
      status: 'completed',
      text: 'already flat',
    })
    expect((await placed()).map(({ count }) => count)).to.deep.equal([1, 1])
    expect(rig.composed.engine.ledger.trading.on, 'still halted').to.equal(false)
  })

  it('is not undone by the next decision: the signal of the day counts as carried out', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await rig.command('close-all', {}, { id: 'flat' })
    await rig.command('allocation', {}, { id: 'later' })
    expect([book('trend'), await held()]).to.deep.equal(['0', 0])
    await rig.run('next-signal')
    expect(book('trend')).to.equal('100')
  })

  it('cancels first what works, and gives the other book of a shared order back to its own next decision', async () => {
    rig = await startTrading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('evening')
    expect((await placed()).length, 'one order for both').to.equal(1)
    await rig.command('close-all', { strategies: ['trend'] }, { id: 'flat' })
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['cancelled'])
    expect(await result('flat')).to.include({ status: 'completed' })
    expect((await placed()).length, 'nothing for the other by this one').to.equal(1)
    await rig.want({ trend: 'neutral', hedge: 'neutral' })
    await rig.run('night')
    await rig.driver.runTo(nextSession('2020-02-04').open + 60_000)
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['0', '50', 50])
  })

  it('waits over a weekend for the next open, is skipped by allocation until then, and proves it on Monday', async () => {
    rig = await startTrading({ start: '2020-02-07T16:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('friday')
    await rig.driver.runTo(newYorkTime('2020-02-07', '17:00'))
    expect(await rig.command('close-all', {}, { id: 'flat' })).to.include({ status: 'accepted' })
    await rig.want({ trend: '300' })
    expect(notes(await rig.run('evening'))).to.include('CLOSING')
    await rig.restart()
    await rig.driver.runTo(newYorkTime('2020-02-09', '12:00'))
    expect([await result('flat').then((document) => document?.['status']), book('trend')]).to.deep.equal(['accepted', '100'])
    await rig.driver.runTo(nextSession('2020-02-09').open + 5 * 60_000)
    expect(await result('flat')).to.include({ status: 'completed' })
    expect([book('trend'), await held(), (await placed()).length]).to.deep.equal(['0', 0, 2])
  })

  it('is not cancelled for what another strategy wants meanwhile, however often that asks', async () => {
    rig = await startTrading({ start: '2020-02-07T16:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('friday')
    await rig.driver.runTo(newYorkTime('2020-02-07', '17:00'))
    await rig.command('close-all', { strategies: ['trend'] }, { id: 'flat' })
    await rig.want({ trend: 'neutral', hedge: '50' })
    for (const id of ['evening', 'night', 'morning']) expect(notes(await rig.run(id)), id).to.include('EXIT_FIRST')
    await rig.driver.runTo(nextSession('2020-02-09').open + 5 * 60_000)
    expect(await result('flat')).to.include({ status: 'completed' })
    expect([book('trend'), book('hedge'), await held(), (await placed()).length]).to.deep.equal(['0', '0', 0, 2])
    await rig.run('monday')
    expect([book('trend'), book('hedge')], 'wanted still, and free now').to.deep.equal(['0', '50'])
  })

  it('waits over a weekend for another that sells what it would buy, and both end flat', async () => {
    rig = await startTrading({ start: '2020-02-07T16:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '-50' })
    await rig.run('friday')
    await rig.driver.runTo(newYorkTime('2020-02-07', '17:00'))
    await rig.command('close-all', { strategies: ['trend'] }, { id: 'long' })
    await rig.command('close-all', { strategies: ['hedge'] }, { id: 'short' })
    await rig.driver.runTo(nextSession('2020-02-09').open + 5 * 60_000)
    for (const id of ['long', 'short']) expect(await result(id), id).to.include({ status: 'completed' })
    expect([book('trend'), book('hedge'), await held(), (await placed()).length]).to.deep.equal(['0', '0', 0, 3])
    expect(await rig.events('OrderCancelRequested')).to.deep.equal([])
  })

  it('survives a halt that comes while its order is at work, even one that cancels all others', async () => {
    rig = await startTrading({ start: '2020-02-07T16:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('friday')
    await rig.driver.runTo(newYorkTime('2020-02-07', '17:00'))
    await rig.command('close-all', {}, { id: 'flat' })
    await rig.command('halt', { cancelWorking: true })
    await rig.driver.runTo(nextSession('2020-02-09').open + 5 * 60_000)
    expect([book('trend'), await held()]).to.deep.equal(['0', 0])
    expect(await result('flat')).to.include({ status: 'completed' })
  })

  it('leaves what was bought by hand, unless it is asked for that too', async () => {
    rig = await startTrading()
    await rig.fault({ fault: 'handTrade', symbol: 'VIXY', quantity: 10 })
    await rig.want({ trend: '50', hedge: '0' })
    await rig.run('day-1')
    await rig.command('close-all', {}, { id: 'ours' })
    expect([await held(), await held('VIXY')]).to.deep.equal([0, 10])
    const dry = await rig.command('close-all', { includeManual: true, dryRun: true }, { id: 'dry' })
    expect(dry).to.have.nested.property('result.orders').with.length(1)
    expect(await rig.command('close-all', { includeManual: true }, { id: 'all' })).to.include({ status: 'completed' })
    expect([await held('VIXY'), { ...rig.composed.engine.ledger.manual }]).to.deep.equal([0, {}])
    expect(Object.keys(rig.composed.engine.ledger.books)).to.not.include('manual')
    await rig.command('reconcile')
    expect({ ...rig.composed.engine.ledger.unexplained }).to.deep.equal({})
  })

  it('names what the gateway refused to sell', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    for (let time = 1; time <= 3; time++)
      await rig.fault({ fault: 'rejectNext', code: 201, text: 'Order rejected - reason: no shares to borrow' })
    const document = await rig.command('close-all', {}, { id: 'flat' })
    expect(document).to.include({ status: 'failed', code: 'NOT_FLAT' })
    expect(document!['text']).to.include('trend holds 100 SPY').and.include('no shares to borrow')
    expect((await rig.events('OrderPlanned')).length).to.equal(4)
  })
})
