/** A listing from what a file of a universe says about it. */
import { type Listing, ownConId } from './listing.ts'
import type { ListingEntry } from './universe-file.ts'

const usStockExchanges = ['SMART', 'NYSE', 'ARCA', 'BATS', 'NASDAQ', 'IEX']

const defaults = {
  STK: { minTick: 0.01, sizeIncrement: 1, marketRuleId: 26 },
  IND: { minTick: 0.01, sizeIncrement: 1, marketRuleId: 26 },
  FUT: { minTick: 0.01, sizeIncrement: 1, marketRuleId: 26 },
  CASH: { minTick: 0.00005, sizeIncrement: 0.01, marketRuleId: 239 },
} as const

/** Of a future the name that all its months begin with. */
const nameOfSeries = ({ secType, symbol, currency }: ListingEntry): string =>
  secType === 'CASH' || (secType === 'STK' && currency !== 'USD') ? `${symbol}.${currency}` : symbol

export const listingOf = (entry: ListingEntry): Listing => {
  const { secType, symbol, currency } = entry
  const local = secType === 'CASH' ? `${symbol}.${currency}` : symbol
  const { minTick, sizeIncrement, marketRuleId } = defaults[secType]
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
    minTick: entry.minTick ?? minTick,
    sizeIncrement: entry.sizeIncrement ?? sizeIncrement,
    marketRuleId: entry.marketRule ?? marketRuleId,
    multiplier: entry.multiplier ?? 1,
    series: nameOfSeries(entry),
    timeZone: entry.timeZone ?? 'US/Eastern',
    industry: entry.industry ?? '',
    category: entry.category ?? '',
    subcategory: entry.subcategory ?? '',
  }
}

/** A stock of which only the bars were given; its conId follows from the symbol alone. */
export const stockWithBars = (symbol: string): Listing =>
  listingOf({
    ...{ secType: 'STK', symbol, exchange: 'ARCA', currency: 'USD', name: symbol, stockType: 'ETF', conId: ownConId('bars', symbol) },
    ...{ series: undefined, carry: 0, dividends: [], splits: [] },
  })
