/** The contracts that the simulated gateway knows, and how a contract that a client describes finds them. */
import { readBars } from './bars.ts'
import type { BarsFile } from './bars-file.ts'
import { createFamily, type Family } from './future-family.ts'
import type { ContractQuery, Listing, PriceStep } from './listing.ts'
import { listingOf, stockWithBars } from './listing-entry.ts'
import { builtInSeries, seriesFrom, syntheticBars } from './series.ts'
import type { SeriesSource } from './series-source.ts'
import { builtInUniverse, type DividendEntry, type ListingEntry, type SplitEntry, type UniverseFile } from './universe-file.ts'

export type { ContractQuery, Listing } from './listing.ts'

/** What happens to the shares of a listing on a date of its own. */
export type PlannedActions = { listing: Listing; dividends: readonly DividendEntry[]; splits: readonly SplitEntry[] }

export type Universe = {
  /** Every contract that is listed now, futures that expired in the last two years among them. */
  readonly listings: readonly Listing[]
  /** Every listing that fits: none is error 200, several are too vague for an order. */
  find: (query: ContractQuery) => Listing[]
  /** By the name of its series (`SPY`, `EUR.USD`, `ES201909`), else the stock in US dollars of that symbol, else by local symbol. */
  traded: (symbol: string) => Listing | undefined
  /** For somebody who types the beginning of a symbol or of a word of a name. */
  matching: (pattern: string) => Listing[]
  /** Price increments from a low edge upwards. */
  marketRules: Readonly<Record<number, readonly PriceStep[]>>
  /** The bars of a series, made when they are first asked for; undefined for one that has none. */
  bars: (series: string) => BarsFile | undefined
  /** Smallest step of the prices of a series. */
  tickOf: (series: string) => number
  actions: readonly PlannedActions[]
}

/** When nobody says what time it is; it decides which futures are listed. */
const usualStart = Date.parse('2019-06-03T04:00:00Z')

/** The contracts of a file, and one for each further symbol that has bars. Throws with one line that names what is wrong. */
export const createUniverse = (
  symbols: readonly string[],
  file: UniverseFile = builtInUniverse(),
  now: () => number = () => usualStart,
): Universe => {
  const entries = file.listings.map((entry) => ({ entry, listing: listingOf(entry, file.marketRules) }))
  const singles = entries.filter(({ entry }) => entry.secType !== 'FUT')
  const families = entries.flatMap(({ entry, listing }): Family[] => {
    if (entry.secType !== 'FUT') return []
    const underlying = singles.find(({ listing }) => listing.series === entry.underlying)?.listing
    if (entry.underlying !== undefined && !underlying)
      throw new Error(`${entry.symbol}: underlying: there is no listing ${entry.underlying}`)
    return [createFamily(entry, listing, underlying, () => base(entry, listing))]
  })
  const named = new Set(singles.map(({ listing }) => listing.series))
  const others = symbols
    .filter((symbol) => !named.has(symbol) && !families.some((family) => family.owns(symbol)))
    .map((symbol) => stockWithBars(symbol, file.marketRules))
  const fixed = [...singles.map(({ listing }) => listing), ...others]
  assertUnique([...fixed, ...families.map(({ continuous }) => continuous)])

  // ── Bars ──

  const known = new Map<string, BarsFile | undefined>()
  const once = (name: string, make: () => BarsFile | undefined): BarsFile | undefined => {
    if (!known.has(name)) known.set(name, make())
    return known.get(name)
  }
  const load = (source: SeriesSource, name: string, tick: number): BarsFile => {
    switch (source.kind) {
      case 'builtIn':
        return { daily: builtInSeries(source.name) }
      case 'file':
        return readBars(source.path)
      case 'synthetic':
        return { daily: syntheticBars(name, source, tick) }
      case 'from': {
        const other = bars(source.series)
        if (!other) throw new Error(`bars.from: there is no series ${JSON.stringify(source.series)} with bars`)
        return { daily: seriesFrom(other, source, tick) }
      }
    }
  }
  const make = (series: string): BarsFile | undefined => {
    const family = families.find((family) => family.owns(series))
    if (family) return family.bars(series)
    const single = singles.find(({ listing }) => listing.series === series)
    return single?.entry.series && load(single.entry.series, series, single.listing.minTick)
  }
  const bars: Universe['bars'] = (series) => once(series, () => make(series))
  /** What the months of a future are made from. */
  const base = ({ series, symbol }: ListingEntry, { minTick }: Listing): BarsFile | undefined =>
    series && once(`${symbol}.BASE`, () => load(series, `${symbol}.BASE`, minTick))
  assertSources(entries)
  for (const { entry, listing } of entries) {
    if (entry.series?.kind !== 'file') continue
    if (entry.secType === 'FUT') base(entry, listing)
    else bars(listing.series)
  }

  // ── Contracts ──

  const present = (includeExpired: boolean): Listing[] => [...fixed, ...families.flatMap((family) => family.listed(now(), includeExpired))]
  const bySeries = (series: string): Listing | undefined =>
    fixed.find((listing) => listing.series === series) ?? families.find((family) => family.owns(series))?.bySeries(series)

  return {
    get listings() {
      return present(true)
    },
    find: (query) => {
      const isFixed = fixed.filter((listing) => fits(listing, query))
      const mayBeFuture = query.secType.includes('FUT') || (isFixed.length === 0 && query.conId !== '' && query.conId !== '0')
      return mayBeFuture ? present(query.includeExpired ?? false).filter((listing) => fits(listing, query)) : isFixed
    },
    traded: (symbol) => {
      const usStock = fixed.find((listing) => listing.secType === 'STK' && listing.symbol === symbol && listing.currency === 'USD')
      return bySeries(symbol) ?? usStock ?? present(false).find(({ localSymbol }) => localSymbol === symbol)
    },
    matching: (pattern) => {
      const wanted = pattern.trim().toUpperCase()
      const begins = (text: string): boolean => text.toUpperCase().startsWith(wanted)
      const all = [...fixed, ...families.map(({ continuous }) => continuous)]
      return wanted === '' ? [] : all.filter(({ symbol, longName }) => begins(symbol) || longName.split(/\W+/).some(begins))
    },
    marketRules: file.marketRules,
    bars,
    tickOf: (series) => bySeries(series)?.minTick ?? 0.01,
    actions: singles.flatMap(({ entry: { dividends, splits }, listing }) =>
      dividends.length + splits.length > 0 ? [{ listing, dividends, splits }] : [],
    ),
  }
}

const assertUnique = (listings: readonly Listing[]): void => {
  for (const field of ['conId', 'series'] as const) {
    const seen = new Map<string | number, Listing>()
    for (const listing of listings) {
      const other = seen.get(listing[field])
      if (other)
        throw new Error(
          `${other.symbol} (${other.secType}) and ${listing.symbol} (${listing.secType}) have the same ${field} ${listing[field]}`,
        )
      seen.set(listing[field], listing)
    }
  }
}

type Entries = readonly { entry: ListingEntry; listing: Listing }[]

/** Every series that another is made from must be there, and not be made from that one itself. */
const assertSources = (entries: Entries): void => {
  const sourceOf = (series: string) =>
    entries.find(({ entry, listing }) => entry.secType !== 'FUT' && listing.series === series)?.entry.series
  for (const { entry, listing } of entries) {
    const passed = new Set(entry.secType === 'FUT' ? [] : [listing.series])
    for (let source = entry.series; source?.kind === 'from'; source = sourceOf(source.series)) {
      if (!sourceOf(source.series)) throw new Error(`${entry.symbol}: bars.from: there is no series ${source.series} with bars in the file`)
      if (passed.has(source.series)) throw new Error(`${entry.symbol}: bars.from: ${source.series} is made from itself`)
      passed.add(source.series)
    }
  }
}

const fits = (listing: Listing, query: ContractQuery): boolean => {
  const traded = query.exchange === '' || listing.validExchanges.includes(query.exchange)
  if (query.conId !== '' && query.conId !== '0') return traded && String(listing.conId) === query.conId
  const same = (asked: string, has: string): boolean => asked === '' || asked === has
  const { lastTradeDate = '', multiplier = '' } = query
  const expires = (listing.lastTradeDate ?? '').replaceAll('-', '')
  return (
    traded &&
    (query.symbol !== '' || query.localSymbol !== '') &&
    same(query.symbol, listing.symbol) &&
    query.secType.split('+').includes(listing.secType) &&
    same(query.primaryExchange, listing.primaryExchange) &&
    same(query.currency, listing.currency) &&
    same(query.localSymbol, listing.localSymbol) &&
    same(query.tradingClass, listing.tradingClass) &&
    (lastTradeDate === '' || lastTradeDate === expires || lastTradeDate === expires.slice(0, 6)) &&
    ['', '0', String(listing.multiplier)].includes(multiplier)
  )
}
