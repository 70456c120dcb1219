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

/** One book in one instrument. Null is unknown; why stands in `unknown`. */
export type InstrumentProfit = {
  conId: number
  /** Signed, the sum of its lots. */
  quantity: Decimal
  currency: string | null
  lots: readonly Lot[]
  /** Of one unit, in the instrument's currency. */
  averageCost: Decimal | null
  marketPrice: Decimal | null
  exchangeRate: Decimal | null
  /** Of the closings whose profit is known: in the instrument's currency, and in base currency. */
  realizedInCurrency: Decimal | null
  realized: Decimal | null
  unrealized: Decimal | null
  /** As far as reported. */
  commissions: Decimal
  unknown: readonly Missing[]
}

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

const instrumentProfit = (ledger: Readonly<Ledger>, conId: number, log: Readonly<TradeLog>, holding: Holding): InstrumentProfit => {
  const currency = log.currency ?? currencyOf(ledger, conId)
  const multiplier = multiplierOf(ledger, conId)
  const exchangeRate = rateOf(ledger, currency)
  const marketPrice = marketPriceOf(ledger, conId)
  const quantity = quantityOf(holding)
  const flat = isZero(quantity)
  const [cost, costInBase] = [costOf(holding, 'cost'), costOf(holding, 'costInBase')]
  const doubtful = conId in ledger.unexplained
  const value = inBase(marketPrice === null ? null : multiply(quantity, marketPrice), exchangeRate)
  const neverTraded = flat && isZero(holding.realized) && holding.unknown === 0 && holding.unknownInBase === 0
  const missing: [Missing, boolean][] = [
    ['cost', cost === null || holding.unknown > 0],
    ['exchangeRate', (cost !== null && costInBase === null) || holding.unknownInBase > holding.unknown || holding.chargesUnknown > 0],
    ['exchangeRate', !flat && exchangeRate === null],
    ['marketPrice', !flat && marketPrice === null],
    ['multiplier', !neverTraded && multiplier === null],
    ['commission', holding.uncharged > 0],
    ['quantity', doubtful],
  ]
  return {
    conId,
    quantity,
    currency,
    lots: holding.lots,
    averageCost: flat || cost === null ? null : divide(cost, quantity),
    marketPrice,
    exchangeRate,
    realizedInCurrency: times(holding.realized, neverTraded ? '1' : multiplier),
    realized: times(holding.realizedInBase, neverTraded ? '1' : multiplier),
    unrealized: flat ? '0' : doubtful ? null : times(minus(value, costInBase), multiplier),
    commissions: holding.commissions,
    unknown: [...new Set(missing.flatMap(([what, is]) => (is ? [what] : [])))],
  }
}

/** One line an instrument that the book ever traded, by contract id. */
export const profitLines = (ledger: Readonly<Ledger>, strategy: string): InstrumentProfit[] =>
  Object.entries(ledger.trades)
    .flatMap(([conId, log]) => {
      const holding = holdingsOf(log)[strategy]
      return holding === undefined ? [] : [instrumentProfit(ledger, Number(conId), log, holding)]
    })
    .sort((left, right) => left.conId - right.conId)

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
