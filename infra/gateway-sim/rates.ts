/** Exchange rates from the currency pairs of the universe at the prices of the moment. */
import type { Market } from './market.ts'
import type { Universe } from './universe.ts'

/** Units of `to` for one unit of `from`. */
export type Rates = (from: string, to: string) => number

/** By their own pair either way round, else over US dollars. Before the first bar of a pair its first price holds. */
export const exchangeRates = (universe: Universe, market: Market, now: () => number): Rates => {
  const price = (one: string, other: string): number | undefined => {
    const series = `${one}.${other}`
    if (universe.traded(series)?.secType !== 'CASH') return undefined
    const [first] = market.dates(series)
    return market.price(series, now()) ?? (first === undefined ? undefined : market.day(series, first)?.bar.open)
  }
  const direct = (from: string, to: string): number | undefined => {
    if (from === to) return 1
    const inverse = price(to, from)
    return price(from, to) ?? (inverse === undefined ? undefined : 1 / inverse)
  }
  return (from, to) => {
    const own = direct(from, to)
    if (own !== undefined) return own
    const [first, second] = [direct(from, 'USD'), direct('USD', to)]
    if (first === undefined || second === undefined)
      throw new Error(`there is no way from ${from} to ${to} over the currency pairs of the universe`)
    return first * second
  }
}

/** The first currency that cannot be turned into US dollars; every contract and all cash must. */
export const withoutRate = (universe: Universe, currencies: readonly string[]): string | undefined => {
  const hasPair = (one: string, other: string): boolean =>
    universe.traded(`${one}.${other}`)?.secType === 'CASH' && universe.bars(`${one}.${other}`) !== undefined
  const all = [
    ...universe.listings.flatMap(({ secType, symbol, currency }) => (secType === 'CASH' ? [symbol, currency] : [currency])),
    ...currencies,
  ]
  return [...new Set(all)].find((currency) => currency !== 'USD' && !hasPair(currency, 'USD') && !hasPair('USD', currency))
}
