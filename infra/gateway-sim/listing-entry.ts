/** A listing from what a file of a universe says about it. */
import { type Listing, ownConId } from './listing.ts'
import type { ListingEntry, UniverseFile } from './universe-file.ts'

const usStockExchanges = ['SMART', 'NYSE', 'ARCA', 'BATS', 'NASDAQ', 'IEX']

const defaults = {
  STK: { sizeIncrement: 1, marketRuleId: 26 },
  IND: { sizeIncrement: 1, marketRuleId: 26 },
  FUT: { sizeIncrement: 1, marketRuleId: 26 },
  CASH: { sizeIncrement: 0.01, marketRuleId: 239 },
} as const

/** Of a future the name that all its months begin with. */
const nameOfSeries = ({ secType, symbol, currency }: ListingEntry): string =>
  secType === 'CASH' || (secType === 'STK' && currency !== 'USD') ? `${symbol}.${currency}` : symbol

/** Throws with one line when its tick and its market rule do not agree. */
export const listingOf = (entry: ListingEntry, rules: UniverseFile['marketRules']): Listing => {
  const { secType, symbol, currency } = entry
  const local = secType === 'CASH' ? `${symbol}.${currency}` : symbol
  const { sizeIncrement } = defaults[secType]
  const marketRuleId = entry.marketRule ?? defaults[secType].marketRuleId
  const priceSteps = rules[marketRuleId]
  if (!priceSteps) throw new Error(`${symbol}: marketRule: there is no rule ${marketRuleId}`)
  const smallest = Math.min(...priceSteps.map(({ increment }) => increment))
  const minTick = entry.minTick ?? smallest
  if (minTick !== smallest)
    throw new Error(`${symbol}: minTick: ${minTick} is not the smallest step of market rule ${marketRuleId}, ${smallest}`)
  return {
    conId: entry.conId ?? ownConId('universe', `${secType}|${symbol}|${currency}`),
    ...{ symbol, secType, currency },
    exchange: secType === 'STK' ? 'SMART' : entry.exchange,
    primaryExchange: entry.exchange,
    validExchanges: entry.validExchanges ?? (secType === 'STK' ? usStockExchanges : [entry.exchange]),
    localSymbol: entry.localSymbol ?? local,
    tradingClass: entry.tradingClass ?? local,
    longName: entry.name,
    stockType: secType === 'STK' ? (entry.stockType ?? 'COMMON') : '',
    minTick,
    sizeIncrement: entry.sizeIncrement ?? sizeIncrement,
    marketRuleId,
    priceSteps,
    multiplier: entry.multiplier ?? 1,
    series: nameOfSeries(entry),
    timeZone: entry.timeZone ?? 'US/Eastern',
    industry: entry.industry ?? '',
    category: entry.category ?? '',
    subcategory: entry.subcategory ?? '',
  }
}

/** A stock of which only the bars were given; its conId follows from the symbol alone. */
export const stockWithBars = (symbol: string, rules: UniverseFile['marketRules']): Listing =>
  listingOf(
    {
      ...{ secType: 'STK', symbol, exchange: 'ARCA', currency: 'USD', name: symbol, stockType: 'ETF', conId: ownConId('bars', symbol) },
      ...{ series: undefined, carry: 0, dividends: [], splits: [] },
    },
    rules,
  )
