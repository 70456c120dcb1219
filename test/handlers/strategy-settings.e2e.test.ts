/** What is configured for one strategy: it reads back as written, also after a restart, and each decision goes by it. */
import { expect } from 'chai'
import { newYorkTime, nextSession } from '../../domain/calendar.ts'
import type { Configuration } from '../../domain/configuration.ts'
import { type Rig, type RigOptions, startTrading as startTradingOn } from '../rig.ts'
import { onEachStore } from '../stores.ts'

const conId = 756733

onEachStore('the settings of a strategy', (store) => {
  let rig: Rig
  const startTrading = (options: RigOptions = {}) => startTradingOn({ store: store(), ...options })
  afterEach(() => rig?.stop())

  const configure = async (changes: Configuration) =>
    expect(await rig.command('configure', { changes })).to.include({ status: 'completed' })
  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const notes = (audit: unknown) =>
    (audit as { decision: { notes: { code: string; strategy: string }[] } }).decision.notes.map(
      ({ code, strategy }) => `${strategy} ${code}`,
    )

  it('read back as they were written, over HTTP and as a document, after a restart too', async () => {
    rig = await startTrading({ access: { corsOrigins: [], requestsPerMinute: 1_000 } })
    const written = {
      ...{ enabled: false, mode: 'shadow', window: '09:45-15:30', weekend: 'flat', allocation: 0.25 },
      ...{ 'limits.gross': 0.8, 'limits.net': 0.6, 'limits.singleName': 0.5, 'limits.positions': 3 },
      ...{ 'risk.dailyDrawdown': 0.02, 'risk.peakDrawdown': 0.1 },
    }
    await configure(Object.fromEntries(Object.entries(written).map(([name, value]) => [`strategies.trend.${name}`, value])))
    const shown = async () => {
      const listed = (await (await fetch(`http://127.0.0.1:${rig.composed.httpPort()}/strategies`)).json()) as Record<string, unknown>[]
      const document = await rig.composed.documents.get('strategies/trend')
      return [listed.find((each) => each['id'] === 'trend')?.['settings'], document?.['settings'], document?.['capital_allocation']]
    }
    expect(await shown()).to.deep.equal([written, written, 0.25])
    await rig.restart()
    expect(await shown()).to.deep.equal([written, written, 0.25])
  })

  it('a time window stops what increases outside of it, and no exit', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await configure({ 'strategies.trend.window': '11:00-15:30' })
    await rig.want({ trend: '130' })
    expect(notes(await rig.run('early'))).to.include('trend OUTSIDE_WINDOW')
    expect(book('trend')).to.equal('100')
    await rig.want({ trend: '40' })
    await rig.run('exit')
    expect(book('trend')).to.equal('40')
    await rig.driver.runTo(newYorkTime('2020-02-04', '11:00'))
    await rig.want({ trend: '130' })
    await rig.run('open')
    expect(book('trend')).to.equal('130')
  })

  it('a weekend rule makes it flat on Friday and takes it up again on Monday, while another holds', async () => {
    rig = await startTrading({ start: '2020-02-06T16:00:00.000Z' })
    await configure({ 'strategies.trend.weekend': 'flat' })
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('thursday')
    expect([book('trend'), book('hedge')]).to.deep.equal(['100', '50'])
    await rig.driver.runTo(newYorkTime('2020-02-07', '11:00'))
    expect(notes(await rig.run('friday'))).to.include('trend WEEKEND_FLAT')
    expect([book('trend'), book('hedge')]).to.deep.equal(['0', '50'])
    await rig.driver.runTo(nextSession('2020-02-09').open + 60_000)
    await rig.want({ trend: 'neutral', hedge: 'neutral' })
    await rig.run('monday')
    expect([book('trend'), book('hedge')]).to.deep.equal(['100', '50'])
  })

  it('one that is disabled keeps its book, by name, and goes on when it is enabled again', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('day-1')
    await configure({ 'strategies.trend.enabled': false })
    await rig.want({ trend: '0' })
    await rig.command('orchestrator', {}, { id: 'without' })
    expect(notes(await rig.composed.documents.get('executions/without'))).to.include('trend BOOK_WITHOUT_STRATEGY')
    expect(book('trend')).to.equal('100')
    await configure({ 'strategies.trend.enabled': true })
    await rig.run('again')
    expect(book('trend')).to.equal('0')
  })
})
