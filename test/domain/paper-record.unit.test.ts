import { expect } from 'chai'
import { type Cause, genesisHash, type StoredCommit, store } from '../../domain/commit.ts'
import { type DomainEvent, type EventData, event, toStored } from '../../domain/events.ts'
import { paperChecklist, paperRecordOf, tradedFor } from '../../domain/paper-record.ts'
import { closed, command, configured, connected, filled, ordered, resolved, SPY } from '../given.ts'

type Written = { at: string; cause?: Cause; events: readonly DomainEvent[] }

const byBroker: Cause = { kind: 'broker', report: 'test' }

/** A journal as it stands in a store, its chain whole. */
const journalOf = (...written: Written[]): StoredCommit[] => {
  const commits: StoredCommit[] = []
  for (const { at, cause = byBroker, events } of written) {
    const previousHash = commits.at(-1)?.hash ?? genesisHash
    commits.push(store({ position: commits.length + 1, epoch: 1, recordedAt: at, cause, events: toStored(events, at), previousHash }))
  }
  return commits
}
async function* reading(commits: readonly StoredCommit[]) {
  yield* commits
}
const recordOf = (...written: Written[]) => paperRecordOf(reading(journalOf(...written)))

const evening = (date: string) => `${date}T21:05:00.000Z`
const started = (mode: 'paper' | 'live' = 'paper'): DomainEvent => event('EngineStarted', { epoch: 1, mode })
const begun: Written = { at: '2024-01-02T14:00:00.000Z', events: [started(), connected(), resolved(SPY)] }

type Decided = EventData<'AllocationDecided'>
const decided = (strategies: Decided['strategies'], more: Partial<Decided> = {}): DomainEvent =>
  event('AllocationDecided', {
    ...{ dryRun: false, round: 1, snapshot: { position: 1, takenAt: evening('2024-01-02') }, signals: {}, configuration: 0 },
    ...{ exposure: '0.9', instruments: [], strategies, targets: [], orders: [], cancels: [], notes: [] },
    ...more,
  })
const trend = { strategy: 'trend', verdict: 'targets', allocation: '0.5' } as const

/** A run of the orchestrator, from its beginning to its end. */
const ran = (
  date: string,
  { outcome = 'completed', dryRun = false, type = 'orchestrator', strategies = [trend] as Decided['strategies'], more = {} } = {},
): Written[] => {
  const id = `${type}-${date}${dryRun ? '-dry' : ''}`
  const at = evening(date)
  return [
    {
      ...{ at, cause: command(id, type) },
      events: [event('PipelineStarted', { pipeline: id, plan: { dryRun }, validUntil: null, endsBy: at })],
    },
    { at, cause: command(`${id}:allocation`, 'allocation', { pipeline: id }), events: [decided(strategies, { dryRun, ...more })] },
    {
      at,
      events: [event('PipelineEnded', { pipeline: id, outcome: outcome as EventData<'PipelineEnded'>['outcome'], text: 'test' })],
    },
  ]
}
const halted = event('TradingHalted', { reason: 'test', publishedAt: '2024-01-03T15:00:00.000Z', cancelWorking: false })
const resumed = event('TradingResumed', { reason: 'test' })

describe('the record on paper', () => {
  it('counts a session once, by the New York date of its completed runs', async () => {
    const { runs } = await recordOf(begun, ...ran('2024-01-03'), ...ran('2024-01-02'), ...ran('2024-01-03', { type: 'orchestrator' }))
    expect(runs).to.deep.equal(['2024-01-02', '2024-01-03'])
  })

  it('counts neither a dry run, nor one that did not complete, nor another pipeline, nor a day without a session', async () => {
    const saturday = ran('2024-01-06')
    const other = ran('2024-01-04', { type: 'close-all', strategies: [{ ...trend, verdict: 'closed' }] })
    const { runs, strategies } = await recordOf(
      begun,
      ...ran('2024-01-02', { dryRun: true }),
      ...ran('2024-01-03', { outcome: 'partial_success', more: { wouldRefuse: 'SNAPSHOT_STALE' } }),
      ...other,
      ...saturday,
    )
    expect([runs, strategies]).to.deep.equal([[], {}])
  })

  it('knows whom the commander followed with money: no shadow, nobody held, nobody without a part', async () => {
    const strategies: Decided['strategies'] = [
      trend,
      { strategy: 'carry', verdict: 'standing', allocation: '0.1' },
      { strategy: 'hedge', verdict: 'shadow', allocation: '0.5' },
      { strategy: 'late', verdict: 'held', allocation: '0.5' },
      { strategy: 'poor', verdict: 'targets', allocation: '0' },
    ]
    const record = await recordOf(begun, ...ran('2024-01-02', { strategies }))
    expect(record.strategies).to.deep.equal({ trend: ['2024-01-02'], carry: ['2024-01-02'] })
  })

  it('counts orders filled to their end, halts that were lifted again, and starts', async () => {
    const at = '2024-01-03T15:00:00.000Z'
    const record = await recordOf(
      { at, events: [started(), connected(), resolved(SPY), resumed] },
      { at, events: [ordered('abc-1', SPY, { trend: '10' }), ordered('abc-2', SPY, { trend: '5' }, { orderId: 2 })] },
      { at, events: [filled('abc-1', SPY, 'e1.01', { trend: '10' }), closed('abc-1', 'filled', '10'), closed('abc-2', 'expired')] },
      { at, events: [halted] },
      { at, events: [resumed] },
      { at, events: [started()] },
      { at, events: [halted] },
    )
    expect(record).to.include({ filled: 1, halts: 1, starts: 2, position: 7, account: 'DU1234567' })
    expect(record.doubts).to.deep.equal([])
  })

  it('names what is in doubt at its end: an unresolved order, a blocked instrument', async () => {
    const at = '2024-01-03T15:00:00.000Z'
    const doubtful = event('OrderUnresolved', { orderRef: 'abc-1', conId: SPY.conId, text: 'not found' })
    const found = event('DiscrepancyFound', { conId: SPY.conId, symbol: 'SPY', kind: 'position', quantity: '3', text: '3 too many' })
    const { doubts } = await recordOf(
      { at, events: [started(), connected(), resolved(SPY)] },
      { at, events: [ordered('abc-1', SPY, { trend: '10' }), doubtful] },
      { at, events: [found] },
    )
    expect(doubts).to.deep.equal(['order abc-1 (SPY) is unresolved', 'SPY is blocked: 3 too many'])
  })

  it('is not taken from a journal that was changed, or from that of live trading', async () => {
    const commits = journalOf(begun, ...ran('2024-01-02'))
    const changed = commits.map((one) => (one.position === 2 ? { ...one, json: one.json.replace('orchestrator', 'allocation') } : one))
    const cut = commits.filter(({ position }) => position !== 2)
    const problem = (read: StoredCommit[]) => paperRecordOf(reading(read)).catch((error: Error) => error.message)
    expect(await problem(changed)).to.contain('commit 2 was altered')
    expect(await problem(cut)).to.contain('commit 2 is missing')
    const live = journalOf({ ...begun, events: [started('live')] })
    expect(await problem(live)).to.equal('it is the journal of live trading')
  })
})

describe('the checklist before live trading', () => {
  const record = {
    ...{ position: 90, hash: 'h', account: 'DU1234567', filled: 3, halts: 1, starts: 2, doubts: [] },
    ...{ runs: ['2024-01-02', '2024-01-03'], strategies: { trend: ['2024-01-02', '2024-01-03'], hedge: ['2024-01-03'] } },
  }
  const now = Date.parse('2024-01-04T15:00:00.000Z')
  const two = { 'live.paperSessions': 2 }
  const unmet = (
    more: Partial<typeof record> = {},
    { strategies = ['trend'], at = now, configuration = two as Record<string, number> } = {},
  ) =>
    paperChecklist({ ...record, ...more }, { configuration, strategies, now: at })
      .filter(({ met }) => !met)
      .map(({ item }) => item)

  it('is met by a record that has all of it', () => {
    expect(unmet()).to.deep.equal([])
  })
  it('asks for ten sessions where nobody said otherwise', () => {
    expect(unmet({}, { configuration: {} })).to.deep.equal(['daily-runs', 'strategy-trend'])
  })
  it('asks of each strategy by itself', () => {
    expect(unmet({}, { strategies: ['trend', 'hedge', 'new'] })).to.deep.equal(['strategy-hedge', 'strategy-new'])
  })
  it('forgets what is older than 60 days', () => {
    const day = 86_400_000
    expect(unmet({}, { at: Date.parse('2024-03-02T15:00:00.000Z') })).to.deep.equal([])
    expect(unmet({}, { at: Date.parse('2024-03-02T15:00:00.000Z') + day })).to.deep.equal(['daily-runs', 'strategy-trend'])
  })
  it('wants an order filled, the switch and a restart tried, and nothing in doubt', () => {
    expect(unmet({ filled: 0 })).to.deep.equal(['order-filled'])
    expect(unmet({ halts: 0 })).to.deep.equal(['halt-tried'])
    expect(unmet({ starts: 1 })).to.deep.equal(['restart-tried'])
    expect(unmet({ doubts: ['order abc-1 (SPY) is unresolved'] as never[] })).to.deep.equal(['nothing-in-doubt'])
  })
  it('is about those who are enabled, live, and have money', () => {
    const changes = configured({
      ...{ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.2, 'strategies.hedge.mode': 'shadow' },
      ...{ 'strategies.off.allocation': 0.1, 'strategies.off.enabled': false, 'strategies.poor.mode': 'live' },
    })
    const configuration = Object.fromEntries(
      Object.entries((changes.data as EventData<'ConfigurationChanged'>).changes).map(([name, { to }]) => [name, to as number]),
    )
    expect(tradedFor(configuration)).to.deep.equal(['trend'])
  })
})
