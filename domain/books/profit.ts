/**
 * What each book has made, from the lots in the ledger and the market prices and rates of its latest snapshot. Pure questions; all money is in
 * base currency, profit before commissions. What is not known is named and left out of the sums: it is never counted as 0 by anybody who asks.
 */
import { add, type Decimal, divide, isZero, multiply, sign, subtract } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import { currencyOf, rateOf } from './booking.ts'
import { costOf, inBase, type Lot, quantityOf } from './lots.ts'
import { type Holding, holdingsOf, type TradeLog } from './trades.ts'

/**
 * `cost`: what a lot cost, or a closed one was worth. `exchangeRate`: of a trade, or today. `marketPrice`: the snapshot has none.
 * `multiplier`: the contract was never resolved. `commission`: of at least one execution not reported yet.
 * `quantity`: something in the instrument is unexplained, so that price and quantity may be of different days.
 */
export type Missing = 'cost' | 'exchangeRate' | 'marketPrice' | 'multiplier' | 'commission' | 'quantity'
export type Unknown = { conId: number; what: Missing }

/** One book in one instrument, as its trades made it. Null is unknown; why stands in `unknown`. */
export type BookLine = {
  conId: number
  /** Signed, the sum of its lots. */
  quantity: Decimal
  currency: string | null
  multiplier: Decimal | null
  lots: readonly Lot[]
  /** Of one unit, in the instrument's currency. */
  averageCost: Decimal | null
  /** Of the closings whose profit is known: in the instrument's currency, and in base currency. */
  realizedInCurrency: Decimal | null
  realized: Decimal | null
  /** As far as reported. */
  commissions: Decimal
  unknown: readonly Missing[]
}

/** The same, with what the lots are worth by the latest snapshot. */
export type InstrumentProfit = BookLine & { marketPrice: Decimal | null; exchangeRate: Decimal | null; unrealized: Decimal | null }

/** The known parts, summed. `currency` is the base currency, null before any snapshot told it. */
export type Profit = { realized: Decimal; unrealized: Decimal; commissions: Decimal; currency: string | null; unknown: Unknown[] }

/** An instrument that was never resolved: a stock counts once, of anything else nobody knows. */
const multiplierOf = (ledger: Readonly<Ledger>, conId: number): Decimal | null => {
  const known = ledger.instruments[conId]?.multiplier
  if (known !== undefined) return sign(known) > 0 ? known : null
  const secType = ledger.snapshot?.positions.find((position) => position.conId === conId)?.secType
  return secType === 'STK' ? '1' : null
}

const times = (amount: Decimal | null, factor: Decimal | null): Decimal | null =>
  amount === null || factor === null ? null : multiply(amount, factor)
const minus = (amount: Decimal | null, other: Decimal | null): Decimal | null =>
  amount === null || other === null ? null : subtract(amount, other)

const marketPriceOf = ({ snapshot }: Readonly<Ledger>, conId: number): Decimal | null => {
  const price = snapshot?.positions.find((position) => position.conId === conId)?.marketPrice
  return price === undefined || sign(price) <= 0 ? null : price
}

const missing = (...all: readonly [Missing, boolean][]): Missing[] => [...new Set(all.flatMap(([what, is]) => (is ? [what] : [])))]

const bookLine = (ledger: Readonly<Ledger>, conId: number, log: Readonly<TradeLog>, holding: Holding): BookLine => {
  const { lots, realized, realizedInBase, unknown, unknownInBase, commissions, uncharged, chargesUnknown } = holding
  const quantity = quantityOf(holding)
  const [cost, costInBase] = [costOf(holding, 'cost'), costOf(holding, 'costInBase')]
  const neverClosed = isZero(realized) && isZero(realizedInBase)
  const multiplier = multiplierOf(ledger, conId)
  return {
    ...{ conId, quantity, lots, commissions, multiplier },
    currency: log.currency ?? currencyOf(ledger, conId),
    averageCost: isZero(quantity) || cost === null ? null : divide(cost, quantity),
    realizedInCurrency: neverClosed ? '0' : times(realized, multiplier),
    realized: neverClosed ? '0' : times(realizedInBase, multiplier),
    unknown: missing(
      ['cost', cost === null || unknown > 0],
      ['exchangeRate', (cost !== null && costInBase === null) || unknownInBase > unknown || chargesUnknown > 0],
      ['multiplier', multiplier === null && !(neverClosed && isZero(quantity))],
      ['commission', uncharged > 0],
    ),
  }
}

const atMarket = (ledger: Readonly<Ledger>, line: BookLine): InstrumentProfit => {
  const { conId, quantity } = line
  const [marketPrice, exchangeRate] = [marketPriceOf(ledger, conId), rateOf(ledger, line.currency)]
  const flat = isZero(quantity)
  const doubtful = conId in ledger.unexplained
  const value = inBase(marketPrice === null ? null : multiply(quantity, marketPrice), exchangeRate)
  const unrealized = times(minus(value, costOf(line, 'costInBase')), line.multiplier)
  const unknown = missing(
    ['exchangeRate', !flat && exchangeRate === null],
    ['marketPrice', !flat && marketPrice === null],
    ['quantity', doubtful],
  )
  return {
    ...{ ...line, marketPrice, exchangeRate },
    unrealized: flat ? '0' : doubtful ? null : unrealized,
    unknown: [...new Set([...line.unknown, ...unknown])],
  }
}

/** One line an instrument that the book ever traded, by contract id: lots, average cost and what was realised. */
export const bookLines = (ledger: Readonly<Ledger>, strategy: string): BookLine[] =>
  Object.entries(ledger.trades)
    .flatMap(([conId, log]) => {
      const holding = holdingsOf(log)[strategy]
      return holding === undefined ? [] : [bookLine(ledger, Number(conId), log, holding)]
    })
    .sort((left, right) => left.conId - right.conId)

/** The same with what is not realised yet. */
export const profitLines = (ledger: Readonly<Ledger>, strategy: string): InstrumentProfit[] =>
  bookLines(ledger, strategy).map((line) => atMarket(ledger, line))

/**
 * Realised and unrealised profit and commissions of one book, in base currency: what the book has made is realized + unrealized − commissions.
 * Sums of what is known; ask `unknown` before you rely on them.
 */
export const profitOf = (ledger: Readonly<Ledger>, strategy: string): Profit => {
  const lines = profitLines(ledger, strategy)
  const total = (figure: (line: InstrumentProfit) => Decimal | null): Decimal =>
    lines.reduce((sum, line) => add(sum, figure(line) ?? '0'), '0')
  return {
    realized: total((line) => line.realized),
    unrealized: total((line) => line.unrealized),
    commissions: total((line) => line.commissions),
    currency: ledger.snapshot?.baseCurrency ?? null,
    unknown: lines.flatMap(({ conId, unknown }) => unknown.map((what) => ({ conId, what }))),
  }
}
