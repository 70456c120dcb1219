/**
 * Where events become trades of books: the only place that changes `ledger.lots`. `manual` is nobody's book and has no lots.
 */
import { settingOf } from '../configuration.ts'
import { absolute, add, type Decimal, isZero, negate, proportion, sign, subtract, sum } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import { executionOf, type Fill, type Share } from '../order.ts'
import { recall } from '../remembered.ts'
import { charge, correct, enter, type Holding, markAndForget, newHolding, takeUpRates, tradeOf } from './holding.ts'
import { inBase, type LotMethod, type Ratio } from './lots.ts'

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

const holdingOf = (ledger: Ledger, strategy: string, conId: number, currency: string | null): Holding => {
  let ofStrategy = ledger.lots[strategy]
  if (ofStrategy === undefined) {
    ofStrategy = {}
    ledger.lots[strategy] = ofStrategy
  }
  let holding = ofStrategy[conId]
  if (holding === undefined) {
    holding = newHolding(currency)
    ofStrategy[conId] = holding
  }
  holding.currency ??= currency
  return holding
}

type Place = { position: number; recordedAt: string }
type Traded = {
  conId: number
  shares: readonly Share[]
  price: Decimal | null
  currency: string | null
  time: string
  execution?: string
  corporateAction?: { ratio: Ratio | null }
}

const notFifo = (ledger: Readonly<Ledger>): LotMethod | undefined => {
  const method = settingOf(ledger.configuration, 'books.lotMethod') as LotMethod
  return method === 'fifo' ? undefined : method
}

/** Every share is one trade of its book, at the rate of the latest snapshot. In place. */
export const bookTrade = (ledger: Ledger, { conId, shares, price, currency, time, ...more }: Traded, at: Place): void => {
  const rate = rateOf(ledger, currency)
  const method = notFifo(ledger)
  if (rate === null && more.corporateAction === undefined) ledger.unrated = true
  for (const { strategy, quantity } of shares) {
    if (strategy === 'manual') continue
    const trade = { position: at.position, time, quantity, price, rate, ...more }
    enter(holdingOf(ledger, strategy, conId, currency), method === undefined ? trade : { ...trade, method })
  }
}

// ── Commissions ──

/** Parts of an amount in proportion to the shares of a fill, exact to 1e-8; the last one with a part takes what does not divide. */
export const splitAmount = (amount: Decimal, shares: readonly Share[]): Decimal[] => {
  const weights = shares.map(({ quantity }) => absolute(quantity))
  const whole = sum(weights)
  if (isZero(whole)) return shares.map((_, index) => (index === 0 ? amount : '0'))
  const last = weights.findLastIndex((weight) => !isZero(weight))
  const parts = weights.map((weight) => (weight === whole ? amount : proportion(amount, weight, whole, '0.00000001')))
  const rest = subtract(amount, sum(parts))
  return isZero(rest) ? parts : parts.map((part, index) => (index === last ? add(part, rest) : part))
}

/** What is known of an execution's commission, given to the books by the shares of its fill, in place of what they were given before. */
const chargeFill = (ledger: Ledger, conId: number, key: string, shares: readonly Share[]): void => {
  const report = recall(ledger.commissions, key)
  if (report === undefined) return
  const { commission, currency } = report
  const converted = inBase(commission, rateOf(ledger, currency))
  if (converted === null) ledger.unrated = true
  const amounts = splitAmount(commission, shares)
  const amountsInBase = converted === null || converted === commission ? undefined : splitAmount(converted, shares)
  shares.forEach(({ strategy }, index) => {
    const holding = ledger.lots[strategy]?.[conId]
    const trade = holding && tradeOf(holding, key)
    if (trade === undefined) return
    const amount = amounts[index]!
    charge(holding!, trade, { amount, currency, inBase: converted === null ? null : (amountsInBase?.[index] ?? amount) })
  })
}

/** To be called after a commission was remembered. One of an execution that is no fill of ours moves no book. In place. */
export const bookCommission = (ledger: Ledger, executionId: string): void => {
  const key = executionOf(executionId)
  const execution = recall(ledger.executions, key)
  if (execution === undefined || execution.orderRef === null) return
  const fill = ledger.orders[execution.orderRef]?.fills.find((candidate) => candidate.key === key)
  if (fill !== undefined) chargeFill(ledger, execution.conId, key, fill.shares)
}

// ── Fills ──

type Filled = { conId: number; currency: string; executionId: string; price: Decimal; shares: readonly Share[]; time: string }

/** A trade too old to be put right where it stands is taken back and made anew, today. */
const putRight = (ledger: Ledger, fill: Filled, before: Share, priceBefore: Decimal, quantity: Decimal, at: Place): void => {
  const { conId, currency, price, time } = fill
  const { strategy } = before
  const holding = holdingOf(ledger, strategy, conId, currency)
  const trade = tradeOf(holding, executionOf(fill.executionId))
  if (trade !== undefined) {
    correct(holding, trade, quantity, price)
    return
  }
  const anew = (of: Decimal, paid: Decimal) =>
    bookTrade(ledger, { conId, currency, time, price: paid, shares: [{ strategy, quantity: of }] }, at)
  anew(negate(before.quantity), priceBefore)
  anew(quantity, price)
}

const shareOf = (shares: readonly Share[], strategy: string): Decimal =>
  shares.find((share) => share.strategy === strategy)?.quantity ?? '0'

/** A fill of ours; with `replaced`, the corrected one in the place of what it replaces. In place. */
export const bookFill = (ledger: Ledger, fill: Filled, replaced: Fill | undefined, at: Place): void => {
  const { conId, currency, executionId, price, shares, time } = fill
  const execution = executionOf(executionId)
  if (replaced === undefined) bookTrade(ledger, { conId, currency, shares, price, time, execution }, at)
  else
    for (const strategy of new Set([...replaced.shares, ...shares].map((share) => share.strategy))) {
      if (strategy === 'manual') continue
      const before = shareOf(replaced.shares, strategy)
      putRight(ledger, fill, { strategy, quantity: before }, replaced.price, shareOf(shares, strategy), at)
    }
  chargeFill(ledger, conId, execution, shares)
}

// ── From time to time ──

const eachHolding = (ledger: Ledger, visit: (holding: Holding, conId: number) => void): void => {
  for (const strategy in ledger.lots) for (const conId in ledger.lots[strategy]) visit(ledger.lots[strategy]![conId]!, Number(conId))
}

/** After a snapshot: what had no rate takes its. In place. */
export const bookRates = (ledger: Ledger): void => {
  if (!ledger.unrated) return
  ledger.unrated = false
  eachHolding(ledger, (holding, conId) => {
    holding.currency ??= currencyOf(ledger, conId)
    if (!takeUpRates(holding, (currency) => rateOf(ledger, currency))) ledger.unrated = true
  })
}

/** Once a month: the ledger as it stands becomes a mark, and trades that nothing can correct any more are let go. In place. */
export const forgetTrades = (ledger: Ledger, until: string): void => eachHolding(ledger, (holding) => markAndForget(holding, ledger, until))
