/**
 * What must have been true on paper before live trading is switched on. The record is folded from the paper journal; what is asked of it
 * is the same for the engine that refuses to resume without it and for a person who looks beforehand.
 */
import { newYorkDate, sessionOn } from './calendar.ts'
import type { Commit, StoredCommit } from './commit.ts'
import { type Configuration, configuredStrategies, settingOf, strategySettingOf } from './configuration.ts'
import { type DomainEvent, type EventData, fromStored } from './events.ts'
import { blockedBecause, initialLedger, type Ledger, openOrders } from './ledger.ts'
import { foldSound } from './verify.ts'

/** Dates are sessions of New York. */
export type PaperRecord = {
  /** The last commit that was read; 0 for an empty journal. */
  position: number
  hash: string
  account: string | null
  /** Sessions on which a run of the orchestrator, not a dry one, ended `completed`. */
  runs: string[]
  /** By strategy: the sessions on which the commander followed it with money. */
  strategies: Record<string, string[]>
  /** Orders of ours that were filled to their end. */
  filled: number
  /** How often trading was halted and resumed after. */
  halts: number
  starts: number
  /** Unresolved orders and blocked instruments, each in words. */
  doubts: string[]
}

// ── Folding ──

const concerns = /"(AllocationDecided|EngineStarted|OrderClosed|PipelineStarted|PipelineEnded|TradingHalted|TradingResumed)"/

const sessionOf = (recordedAt: string): string | undefined => sessionOn(newYorkDate(Date.parse(recordedAt)))?.date

const followed = ({ dryRun, wouldRefuse, strategies }: EventData<'AllocationDecided'>): string[] =>
  dryRun || wouldRefuse !== undefined
    ? []
    : strategies.flatMap(({ strategy, verdict, allocation }) =>
        (verdict === 'targets' || verdict === 'standing') && Number(allocation) > 0 ? [strategy] : [],
      )

const doubtsOf = (ledger: Ledger): string[] => {
  const unresolved = openOrders(ledger).filter(({ status }) => status === 'unresolved')
  const blocked = new Set([...Object.keys(ledger.unexplained), ...Object.keys(ledger.discrepancies)])
  return [
    ...unresolved.map(({ orderRef, symbol }) => `order ${orderRef} (${symbol}) is unresolved`),
    ...[...blocked].map((conId) => `${ledger.instruments[conId]?.symbol ?? conId} is blocked: ${blockedBecause(ledger, Number(conId))}`),
  ]
}

/** @throws BrokenJournal where the chain breaks; Error where it is not the journal of paper trading */
export const paperRecordOf = async (commits: AsyncIterable<StoredCommit>): Promise<PaperRecord> => {
  const ledger = initialLedger()
  const runs = new Set<string>()
  const strategies = new Map<string, Set<string>>()
  let [filled, halts, starts] = [0, 0, 0]
  const real = new Set<string>()

  const note = (found: DomainEvent, { cause, recordedAt }: Commit): void => {
    const session = sessionOf(recordedAt)
    if (found.type === 'EngineStarted') starts += 1
    if (found.type === 'OrderClosed' && found.data.how === 'filled') filled += 1
    if (found.type === 'PipelineStarted' && cause.kind === 'command' && cause.type === 'orchestrator' && found.data.plan['dryRun'] !== true)
      real.add(found.data.pipeline)
    if (session === undefined) return
    if (found.type === 'PipelineEnded' && found.data.outcome === 'completed' && real.has(found.data.pipeline)) runs.add(session)
    if (found.type === 'AllocationDecided')
      for (const strategy of followed(found.data)) strategies.set(strategy, (strategies.get(strategy) ?? new Set()).add(session))
  }
  for await (const stored of commits) {
    const { on, haltPublishedAt } = ledger.trading
    foldSound(ledger, stored)
    if (ledger.mode === 'live') throw new Error('it is the journal of live trading')
    if (!on && ledger.trading.on && haltPublishedAt !== null) halts += 1
    if (!concerns.test(stored.json)) continue
    const commit = JSON.parse(stored.json) as Commit
    for (const found of fromStored(commit.events)) note(found, commit)
  }
  const { position, hash, account } = ledger
  const followedOn = Object.fromEntries([...strategies].map(([strategy, dates]) => [strategy, [...dates].sort()]))
  return {
    ...{ position, hash, account, filled, halts, starts },
    ...{ runs: [...runs].sort(), strategies: followedOn, doubts: doubtsOf(ledger) },
  }
}

// ── Judging ──

export type PaperItem = { item: string; met: boolean; text: string }

/** Sessions count for so many days: what was proven long ago was proven of another engine, other strategies, another market. */
const countsForDays = 60
const dayMs = 86_400_000

/** Who would be traded for: enabled, live, with money. */
export const tradedFor = (configuration: Configuration): string[] =>
  configuredStrategies(configuration)
    .filter(
      (strategy) =>
        strategySettingOf(configuration, strategy, 'enabled') &&
        strategySettingOf(configuration, strategy, 'mode') === 'live' &&
        strategySettingOf(configuration, strategy, 'allocation') > 0,
    )
    .sort()

/** The checklist. `strategies`: who is to be traded for. */
export const paperChecklist = (
  record: PaperRecord,
  { configuration, strategies, now }: { configuration: Configuration; strategies: readonly string[]; now: number },
): PaperItem[] => {
  const wanted = settingOf(configuration, 'live.paperSessions')
  const since = newYorkDate(now - countsForDays * dayMs)
  const recent = (dates: readonly string[]): number => dates.filter((date) => date >= since).length
  const ofThem = (found: number): string => `${found} of ${wanted} sessions since ${since}`
  const runs = recent(record.runs)
  return [
    { item: 'daily-runs', met: runs >= wanted, text: `the daily run completed on ${ofThem(runs)}` },
    ...strategies.map((strategy) => {
      const found = recent(record.strategies[strategy] ?? [])
      return {
        item: `strategy-${strategy}`,
        met: found >= wanted,
        text: `the commander followed ${strategy} with money on ${ofThem(found)}`,
      }
    }),
    { item: 'order-filled', met: record.filled > 0, text: `${record.filled} orders were filled to their end` },
    { item: 'halt-tried', met: record.halts > 0, text: `trading was halted and resumed ${record.halts} times` },
    { item: 'restart-tried', met: record.starts > 1, text: `the engine was started ${record.starts} times` },
    {
      item: 'nothing-in-doubt',
      met: record.doubts.length === 0,
      text: record.doubts.length === 0 ? 'nothing is unresolved or blocked' : record.doubts.join('; '),
    },
  ]
}
