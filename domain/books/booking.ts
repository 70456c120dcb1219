/** Where events become trades of books: the only place that changes `ledger.trades`. `manual` is nobody's book and has no lots. */
import { settingOf } from '../configuration.ts'
import { type Decimal, negate, sign } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import { executionOf, type Fill, type Share } from '../order.ts'
import { recall } from '../remembered.ts'
import type { LotMethod, Ratio } from './lots.ts'
import { chargeTrade, correctTrade, newTradeLog, settleTrades, type Trade, type TradeLog, takeUpRates, tradeOf } from './trades.ts'

/** Base units for one unit of a currency, by the latest snapshot; null when that does not say. */
export const rateOf = ({ snapshot }: Readonly<Ledger>, currency: string | null): Decimal | null => {
  if (snapshot === null || currency === null) return null
  if (currency === snapshot.baseCurrency) return '1'
  const rate = snapshot.exchangeRates[currency]
  return rate === undefined || sign(rate) <= 0 ? null : rate
}

/** The currency of an instrument: of its contract, else of the broker's position. */
export const currencyOf = ({ instruments, snapshot }: Readonly<Ledger>, conId: number): string | null =>
  instruments[conId]?.currency ?? snapshot?.positions.find((position) => position.conId === conId)?.currency ?? null

const logOf = (ledger: Ledger, conId: number, currency: string | null): TradeLog => {
  let log = ledger.trades[conId]
  if (log === undefined) {
    log = newTradeLog(currency)
    ledger.trades[conId] = log
  }
  log.currency ??= currency
  return log
}

/** Copies: the state is plain data, and no two places of it share any. */
const ofBooks = (shares: readonly Share[]): Share[] => {
  const copies: Share[] = []
  for (const { strategy, quantity } of shares) if (strategy !== 'manual') copies.push({ strategy, quantity })
  return copies
}

type Traded = {
  conId: number
  shares: readonly Share[]
  price: Decimal | null
  currency: string | null
  /** ISO. */
  time: string
  execution?: string
  corporateAction?: { ratio: Ratio | null }
}

/** At the rate of the latest snapshot. In place. */
export const bookTrade = (ledger: Ledger, traded: Traded, recordedAt: string): void => {
  const { conId, price, currency, time, execution, corporateAction } = traded
  const shares = ofBooks(traded.shares)
  if (shares.length === 0) return
  const rate = rateOf(ledger, currency)
  if (rate === null) ledger.unrated = true
  const method = settingOf(ledger.configuration, 'books.lotMethod') as LotMethod
  const trade: { -readonly [K in keyof Trade]: Trade[K] } = { at: recordedAt, shares, price, rate }
  if (time !== recordedAt) trade.time = time
  if (execution !== undefined) trade.execution = execution
  if (method !== 'fifo') trade.method = method
  if (corporateAction !== undefined) trade.corporateAction = corporateAction
  logOf(ledger, conId, currency).trades.push(trade)
  ledger.lastTraded = conId
}

/** To be called after a commission was remembered. One of an execution that is no fill of ours moves no book. In place. */
export const bookCommission = (ledger: Ledger, executionId: string, amount: Decimal, currency: string, recordedAt: string): void => {
  const execution = executionOf(executionId)
  let log = ledger.lastTraded === null ? undefined : ledger.trades[ledger.lastTraded]
  let trade = log?.trades.at(-1)
  if (trade?.execution !== execution) {
    const counted = recall(ledger.executions, execution)
    if (counted === undefined) ledger.earlyCommissions[execution] = recordedAt
    log = counted && ledger.trades[counted.conId]
    trade = log && tradeOf(log, execution)
  }
  if (trade === undefined) return
  const rate = rateOf(ledger, currency)
  if (rate === null) ledger.unrated = true
  chargeTrade(log!, trade, { amount, currency, rate })
}

/** Without a look-up by a text that was never seen before, which is what replay would spend its time on. */
const isEmpty = (record: object): boolean => {
  for (const _ in record) return false
  return true
}

type Filled = { conId: number; currency: string; executionId: string; price: Decimal; shares: readonly Share[]; time: string }

/** A fill of ours; with `replaced`, the corrected one in the place of what it replaces. In place. */
export const bookFill = (ledger: Ledger, fill: Filled, replaced: Fill | undefined, recordedAt: string): void => {
  const { conId, currency, executionId, price, shares } = fill
  const execution = executionOf(executionId)
  if (replaced === undefined) {
    bookTrade(ledger, { conId, currency, price, shares, time: fill.time, execution }, recordedAt)
    if (!isEmpty(ledger.earlyCommissions) && execution in ledger.earlyCommissions) {
      delete ledger.earlyCommissions[execution]
      const early = recall(ledger.commissions, execution)
      if (early !== undefined) bookCommission(ledger, early.executionId, early.commission, early.currency, recordedAt)
    }
    return
  }
  const log = logOf(ledger, conId, currency)
  const trade = tradeOf(log, execution)
  if (trade !== undefined) {
    correctTrade(log, trade, ofBooks(shares), price)
    return
  }
  // Too old to be put right where it stands: taken back and made anew.
  const back = replaced.shares.map(({ strategy, quantity }) => ({ strategy, quantity: negate(quantity) }))
  bookTrade(ledger, { conId, currency, time: fill.time, shares: back, price: replaced.price }, recordedAt)
  bookTrade(ledger, { conId, currency, time: fill.time, shares, price }, recordedAt)
}

const eachLog = (ledger: Ledger, visit: (log: TradeLog, conId: number) => void): void => {
  for (const conId in ledger.trades) visit(ledger.trades[conId]!, Number(conId))
}

/** After a snapshot: what had no rate takes its. In place. */
export const bookRates = (ledger: Ledger, position: number): void => {
  if (!ledger.unrated) return
  ledger.unrated = false
  eachLog(ledger, (log, conId) => {
    log.currency ??= currencyOf(ledger, conId)
    if (!takeUpRates(log, (currency) => rateOf(ledger, currency), position)) ledger.unrated = true
  })
}

/** In place. */
export const settleBooks = (ledger: Ledger, until: string): void => {
  eachLog(ledger, (log) => settleTrades(log, until))
  for (const execution in ledger.earlyCommissions)
    if (ledger.earlyCommissions[execution]! < until) delete ledger.earlyCommissions[execution]
}
