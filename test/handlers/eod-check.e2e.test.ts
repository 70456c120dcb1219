/** The end of the day through the real session, sockets and gateway, and the schedules that bring it. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import { type Rig, type RigOptions, startTrading as startTradingOn } from '../rig.ts'
import { onEachStore } from '../stores.ts'

const conId = 756733

onEachStore('eod-check', (store) => {
  let rig: Rig
  const startTrading = (options: RigOptions = {}) => startTradingOn({ store: store(), ...options })
  afterEach(() => rig?.stop())

  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const held = async () => (await rig.state()).positions.find(({ symbol }) => symbol === 'SPY')?.quantity ?? 0

  it('tells the day by book, once a session, and leaves the books alone', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await rig.driver.runTo(newYorkTime('2020-02-04', '15:55'))
    expect(await rig.command('eod-check', {}, { id: 'eod' })).to.include({ status: 'completed' })
    const [day] = await rig.events('DayClosed')
    expect(day).to.deep.include({ session: '2020-02-04', flat: false, enforcedFlat: false, openOrders: [], mismatches: [] })
    const shown = (await rig.composed.documents.get('executions/eod')) as unknown as {
      day: { profit: number; books: { profit: number }[] }
    }
    expect(shown.day.books).to.have.nested.property('[0].strategy', 'trend')
    expect(shown.day.profit, 'one book, so the account made what it made').to.be.closeTo(shown.day.books[0]!.profit, 0.01)
    expect(await rig.command('eod-check', {}, { id: 'again' })).to.include({ status: 'completed', text: '2020-02-04 was closed already' })
    expect([await rig.events('DayClosed').then(({ length }) => length), book('trend')]).to.deep.equal([1, '100'])
  })

  it('makes all of ours flat before the close where that is configured, halted or not', async () => {
    rig = await startTrading({ allocations: { 'eod.enforceFlat': true } })
    await rig.want({ trend: '100', hedge: '-30' })
    await rig.run('day-1')
    await rig.command('halt')
    await rig.driver.runTo(newYorkTime('2020-02-04', '15:55'))
    expect(await rig.command('eod-check', {}, { id: 'eod' })).to.include({ status: 'completed' })
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['0', '0', 0])
    expect((await rig.events('DayClosed'))[0]).to.include({ flat: true, enforcedFlat: true })
  })

  it('does not hold over night what was opened after somebody closed the day early', async () => {
    rig = await startTrading({ allocations: { 'eod.enforceFlat': true } })
    await rig.command('eod-check', {}, { id: 'early' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('noon')
    expect(book('trend')).to.equal('100')
    await rig.driver.runTo(newYorkTime('2020-02-04', '15:55'))
    expect(await rig.command('eod-check', {}, { id: 'late' })).to.include({ status: 'completed' })
    expect([book('trend'), await held(), (await rig.events('DayClosed')).length]).to.deep.equal(['0', 0, 1])
    expect(await rig.command('eod-check', {}, { id: 'later' })).to.include({ text: '2020-02-04 was closed already' })
  })

  it('sells nothing after the close, when it would only wait for the next open', async () => {
    rig = await startTrading({ allocations: { 'eod.enforceFlat': true } })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await rig.driver.runTo(newYorkTime('2020-02-04', '16:30'))
    const document = await rig.command('eod-check', {}, { id: 'late' })
    expect(document).to.include({ status: 'partial_success', code: 'SESSION_OVER' })
    expect(document!['text']).to.include('trend holds 100 SPY')
    expect([(await rig.events('OrderPlanned')).length, (await rig.events('DayClosed')).length]).to.deep.equal([1, 1])
  })

  it('comes by its schedule, as risk-check at noon and the audit before it, on a half day too and on no holiday', async () => {
    rig = await startTrading({ start: '2019-11-27T13:00:00.000Z', schedules: true })
    await rig.driver.runTo(newYorkTime('2019-11-29', '18:00'))
    const jobs = (await rig.commits()).flatMap(({ cause, events }) =>
      cause.kind === 'command' && cause.job !== undefined && cause.id.startsWith(`${cause.job}@`) && cause.pipeline === undefined
        ? [`${cause.id} ${(events[0]?.data as { code?: string } | undefined)?.code ?? 'done'}`]
        : [],
    )
    expect(jobs).to.deep.equal([
      'risk-check@2019-11-27T17:00:00Z done',
      'trade-reconciliation@2019-11-27T20:50:00Z done',
      'eod-check@2019-11-27T20:55:00Z done',
      'orchestrator@2019-11-27T21:05:00Z done',
      'risk-check@2019-11-28T17:00:00Z NO_SESSION',
      'risk-check@2019-11-29T17:00:00Z done',
      'trade-reconciliation@2019-11-29T17:50:00Z done',
      'eod-check@2019-11-29T17:55:00Z done',
      'orchestrator@2019-11-29T18:05:00Z done',
    ])
    expect((await rig.events('DayClosed')).map(({ session }) => session)).to.deep.equal(['2019-11-27', '2019-11-29'])
  })
})
