/**
 * The state of one trading mode: what the fold of its commits (fold.ts) gives, and nothing else.
 * Everything in it is plain JSON, so two ledgers compare by their canonical text.
 */
import type { TradeLog } from './books/trades.ts'
import type { Value } from './configuration.ts'
import { add, type Decimal } from './decimal.ts'
import type { EventData } from './events.ts'
import { isOpen, type Order } from './order.ts'
import type { Remembered } from './remembered.ts'
import type { Performance } from './risk/track.ts'

export type Instrument = EventData<'InstrumentResolved'>
export type Signal = EventData<'SignalGenerated'> & { position: number; at: string }
export type SignalFailure = EventData<'SignalFailed'> & { position: number; at: string }
/** `signal`: the position of the signal that set it; `factor`: exposure × allocation at that time. */
export type StandingTarget = { quantity: Decimal; signal: number; factor: Decimal }
export type Snapshot = EventData<'PositionReconciled'> & { position: number }
/** Reported − books − manual of one instrument. `found`: a second snapshot repeated it. */
export type Unexplained = { symbol: string; quantity: Decimal; since: string; found: boolean }
export type Breach = EventData<'RiskBreached'> & { position: number; since: string }
export type Discrepancy = EventData<'DiscrepancyFound'> & { position: number; since: string }

/** What became of one step of a pipeline. `text`: why it was refused or failed, in words. */
export type StepOutcome = { position: number; outcome: 'done' | 'refused' | 'failed'; code?: string; text?: string }
export type Pipeline = {
  readonly id: string
  readonly type: string
  readonly plan: Readonly<Record<string, unknown>>
  readonly publishedAt: string
  /** The trigger of the command, as its cause names it. */
  readonly source: string
  readonly actor: string | null
  readonly correlationId: string | null
  readonly job: string | null
  readonly startedAt: string
  /** After this nothing more is planned. Null: no end. */
  readonly validUntil: string | null
  readonly endsBy: string
  steps: Record<string, StepOutcome>
  /** Order refs its decisions planned, and those it asked to cancel, by round. */
  orders: string[]
  cancels: string[]
  rounds: number
  /** What a dry run's own signal steps said; no real decision reads it. */
  drySignals: Record<string, Signal>
  dryFailures: Record<string, SignalFailure>
}

/** A commit: where it stands and when it was recorded. */
export type Moment = { position: number; recordedAt: string }

export type Ledger = {
  position: number
  hash: string
  recordedAt: string
  epoch: number
  mode: 'paper' | 'live' | null
  /** First 6 characters of the first commit's hash: the prefix of our order refs. */
  prefix: string | null
  account: string | null
  /** `phase`: of the session, as far as the journal was told: `connecting`, `syncing` until the first reconcile, `ready`, `down`, `degraded` … */
  gateway: { connected: boolean; since: string | null; reason: string | null; phase: string }
  nextValidId: number
  highestOrderId: number
  trading: { on: boolean; reason: string; haltPublishedAt: string | null }
  /** Strategies whose record on paper was looked at when live trading was resumed; null before the first time, and on paper. */
  provenOnPaper: string[] | null
  configuration: Record<string, Value>
  configuredAt: number
  /** The commits that made switch, configuration and account what they are; the first one until something did. */
  changedBy: { trading: Moment; configuration: Moment; account: Moment }
  /** Contract id by declared instrument, and contracts by id. */
  declared: Record<string, number>
  instruments: Record<string, Instrument>
  /** The latest real signal of a strategy, and its latest failure; the one with the higher position counts. */
  signals: Record<string, Signal>
  failures: Record<string, SignalFailure>
  /** `setAt`: ISO, when it was decided. */
  standing: Record<string, Record<string, StandingTarget & { setAt: string }>>
  books: Record<string, Record<string, Decimal>>
  /** What made the books, by contract id; their lots follow from it. `unrated`: a trade or commission has no exchange rate yet. */
  trades: Record<string, TradeLog>
  unrated: boolean
  /** The instrument of the last trade: where a commission nearly always belongs. */
  lastTraded: number | null
  /** Commissions that came before their execution, by its id without revision: when. */
  earlyCommissions: Record<string, string>
  manual: Record<string, Decimal>
  /** Since when the instrument's shares and prices are others, by its last corporate action: when the difference was seen first. */
  corporateActions: Record<string, string>
  unexplained: Record<string, Unexplained>
  discrepancies: Record<string, Discrepancy>
  /** Instruments that a book or an order of ours ever named. */
  ours: Record<string, true>
  /** Position of the last report (execution of ours or foreign) that touched the instrument. */
  reportedAt: Record<string, number>
  snapshot: Snapshot | null
  orders: Record<string, Order>
  /** Executions that are in the books or in `manual`, by id without revision: the revision counted, and `at`: when it happened. */
  executions: Remembered<{
    executionId: string
    conId: number
    quantity: Decimal
    orderRef: string | null
    holder: 'books' | 'manual' | 'nobody'
    at: string
  }>
  /** By execution id without revision. */
  commissions: Remembered<{ executionId: string; commission: Decimal; currency: string }>
  pipelines: Record<string, Pipeline>
  /** How the account and its books went since the day began and since their best; null until a snapshot told the net liquidation. */
  performance: Performance | null
  /** Breaches that were told and have not been found over, by rule and scope. */
  breaches: Record<string, Breach>
  /** The session that was closed last by an eod-check. */
  dayClosed: string | null
}

/** Names come from outside: an object without a prototype knows no `constructor`. */
const record = <T>(): Record<string, T> => Object.create(null)

const beginning = (): Moment => ({ position: 0, recordedAt: '1970-01-01T00:00:00.000Z' })

export const initialLedger = (): Ledger => ({
  position: 0,
  hash: '0'.repeat(64),
  recordedAt: '1970-01-01T00:00:00.000Z',
  epoch: 0,
  mode: null,
  prefix: null,
  account: null,
  gateway: { connected: false, since: null, reason: null, phase: 'down' },
  nextValidId: 0,
  highestOrderId: 0,
  trading: { on: false, reason: 'trading is off until the first resume', haltPublishedAt: null },
  provenOnPaper: null,
  configuration: record(),
  configuredAt: 0,
  changedBy: { trading: beginning(), configuration: beginning(), account: beginning() },
  declared: record(),
  instruments: record(),
  signals: record(),
  failures: record(),
  standing: record(),
  books: record(),
  trades: record(),
  unrated: false,
  lastTraded: null,
  earlyCommissions: record(),
  manual: record(),
  corporateActions: record(),
  unexplained: record(),
  discrepancies: record(),
  ours: record(),
  reportedAt: record(),
  snapshot: null,
  orders: record(),
  executions: record(),
  commissions: record(),
  pipelines: record(),
  performance: null,
  breaches: record(),
  dayClosed: null,
})

/** Name of a declared instrument: strategies that declare the same thing mean the same thing. */
export const declaredKey = (declared: { symbol: string; secType: string; exchange: string; currency: string }): string =>
  `${declared.symbol}.${declared.secType}.${declared.exchange}.${declared.currency}`

// ── Questions ──

export const openOrders = (ledger: Ledger): Order[] => Object.values(ledger.orders).filter(isOpen)
export const openOrdersIn = (ledger: Ledger, conId: number): Order[] => openOrders(ledger).filter((order) => order.conId === conId)

/** The sum of all books in one instrument. */
export const booksIn = (ledger: Ledger, conId: number): Decimal => {
  let total: Decimal = '0'
  for (const strategy in ledger.books) total = add(total, ledger.books[strategy]![conId] ?? '0')
  return total
}

/** Why nothing may be ordered or crossed in the instrument, either way; undefined when it is free. */
export const blockedBecause = (ledger: Ledger, conId: number): string | undefined => {
  const discrepancy = ledger.discrepancies[conId]
  if (discrepancy !== undefined) return discrepancy.text
  const unexplained = ledger.unexplained[conId]
  if (unexplained !== undefined) return `${unexplained.quantity} unexplained since ${unexplained.since}`
  const unresolved = openOrdersIn(ledger, conId).find((order) => order.status === 'unresolved')
  return unresolved === undefined ? undefined : `order ${unresolved.orderRef} is unresolved`
}

/** Whether a signal speaks of an instrument as it was before a corporate action, in its prices and its quantities. */
export const isBeforeCorporateAction = (ledger: Readonly<Ledger>, signal: Signal, conId: number): boolean =>
  signal.at < (ledger.corporateActions[conId] ?? '')

/** What the strategy last said: the later of its signal and its failure. */
export const lastWord = (ledger: Ledger, strategy: string): Signal | SignalFailure | undefined => {
  const signal = ledger.signals[strategy]
  const failure = ledger.failures[strategy]
  if (signal === undefined || failure === undefined) return signal ?? failure
  return signal.position > failure.position ? signal : failure
}
