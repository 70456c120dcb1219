/** A future with all its months, each of which is made when it is first asked for and stays the same object. */
import type { BarsFile } from './bars-file.ts'
import { type Cycle, lastTradeDateOf, localSymbolOf, monthsAround } from './futures.ts'
import { type Listing, ownConId } from './listing.ts'
import { continuousBars, monthBars } from './series.ts'
import type { ListingEntry } from './universe-file.ts'

export type Family = {
  /** As it stands for no month. */
  continuous: Listing
  /** Whether that is the name of a series of its own. */
  owns: (series: string) => boolean
  bySeries: (series: string) => Listing | undefined
  bars: (series: string) => BarsFile | undefined
  /** The continuous one with the month that it stands for, and the months themselves. */
  listed: (now: number, includeExpired: boolean) => Listing[]
}

const usualMonths = 4

export const createFamily = (
  entry: ListingEntry,
  listing: Listing,
  underlying: Listing | undefined,
  base: () => BarsFile | undefined,
): Family => {
  const { symbol, currency, minTick } = listing
  const cycle: Cycle = { months: entry.months ?? [], expiry: entry.expiry ?? 'third friday' }
  const under = underlying ? { underlying: { conId: underlying.conId, symbol: underlying.symbol, secType: underlying.secType } } : {}
  const continuous: Listing = { ...listing, ...under, secType: 'CONTFUT', series: `${symbol}.CONT` }
  const made = new Map<string, Listing>()

  const monthly = (month: string): Listing => {
    const known = made.get(month)
    if (known) return known
    const own: Listing = {
      ...{ ...listing, ...under, series: `${symbol}${month}`, conId: ownConId('month', `${symbol}|${currency}|${month}`) },
      ...{ localSymbol: localSymbolOf(symbol, month), lastTradeDate: lastTradeDateOf(month, cycle) },
    }
    made.set(month, own)
    return own
  }
  const monthOf = (series: string): string | undefined => {
    const month = series.startsWith(symbol) ? series.slice(symbol.length) : ''
    return /^(199|20[0-9])\d\d\d$/.test(month) && cycle.months.includes(Number(month.slice(4))) ? month : undefined
  }
  const bySeries = (series: string): Listing | undefined => {
    const month = monthOf(series)
    return month === undefined ? (series === continuous.series ? continuous : undefined) : monthly(month)
  }

  return {
    continuous,
    owns: (series) => series === continuous.series || monthOf(series) !== undefined,
    bySeries,
    bars: (series) => {
      const daily = base()?.daily
      const { lastTradeDate } = bySeries(series) ?? {}
      if (!daily) return undefined
      return {
        daily:
          lastTradeDate === undefined
            ? continuousBars(daily, cycle, entry.carry, minTick)
            : monthBars(daily, lastTradeDate, entry.carry, minTick),
      }
    },
    listed: (now, includeExpired) => {
      const { expired, alive } = monthsAround(cycle, entry.listed ?? usualMonths, now)
      const [front, ...later] = alive.map(monthly) as [Listing, ...Listing[]]
      const { localSymbol, lastTradeDate } = front
      const standsFor = { ...continuous, localSymbol, ...(lastTradeDate === undefined ? {} : { lastTradeDate }) }
      return [standsFor, ...(includeExpired ? expired.map(monthly) : []), front, ...later]
    },
  }
}
