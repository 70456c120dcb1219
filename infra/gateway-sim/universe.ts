/** The contracts that the simulated gateway knows, and how a contract that a client describes finds them. Stocks only. */

export type Listing = {
  conId: number
  symbol: string
  secType: 'STK'
  currency: string
  primaryExchange: string
  validExchanges: readonly string[]
  localSymbol: string
  tradingClass: string
  longName: string
  stockType: 'ETF' | 'COMMON'
  /** Smallest step of a price, in `currency`. */
  minTick: number
  /** Smallest step of an order's size, in shares. */
  sizeIncrement: number
  marketRuleId: number
}

/** The contract fields of a request as they came, empty where the client left them out. */
export type ContractQuery = {
  conId: string
  symbol: string
  secType: string
  exchange: string
  primaryExchange: string
  currency: string
  localSymbol: string
  tradingClass: string
}

export type Universe = {
  listings: readonly Listing[]
  /** Every listing that fits: none is error 200, several are too vague for an order. */
  find: (query: ContractQuery) => Listing[]
  /** The one in US dollars that the market data belongs to. */
  traded: (symbol: string) => Listing | undefined
}

/** IB's market rules, as price increments from a low edge upwards. */
export const marketRules: Readonly<Record<number, readonly { lowEdge: number; increment: number }[]>> = {
  26: [{ lowEdge: 0, increment: 0.01 }],
}

const stock = (conId: number, symbol: string, primaryExchange: string, more: Partial<Listing> = {}): Listing => ({
  conId,
  symbol,
  secType: 'STK',
  currency: 'USD',
  primaryExchange,
  validExchanges: ['SMART', 'NYSE', 'ARCA', 'BATS', 'NASDAQ', 'IEX'],
  localSymbol: symbol,
  tradingClass: symbol,
  longName: symbol,
  stockType: 'ETF',
  minTick: 0.01,
  sizeIncrement: 1,
  marketRuleId: 26,
  ...more,
})

const mexican = { currency: 'MXN', validExchanges: ['SMART', 'MEXI'] }

const known: readonly Listing[] = [
  stock(756733, 'SPY', 'ARCA', { longName: 'SPDR S&P 500 ETF TRUST' }),
  stock(38590758, 'SPY', 'MEXI', { ...mexican, longName: 'SPDR S&P 500 ETF TRUST' }),
  stock(80274416, 'VIXY', 'BATS', { longName: 'PROSHARES VIX SHORT-TERM FUTURES ETF' }),
  stock(265598, 'AAPL', 'NASDAQ', { tradingClass: 'NMS', longName: 'APPLE INC', stockType: 'COMMON', sizeIncrement: 0.0001 }),
  stock(38708077, 'AAPL', 'MEXI', { ...mexican, longName: 'APPLE INC', stockType: 'COMMON' }),
]

/** The built-in contracts and one for each further symbol that has bars; its conId follows from the symbol alone. */
export const createUniverse = (symbols: readonly string[]): Universe => {
  const added = symbols.filter((symbol) => !known.some((listing) => listing.symbol === symbol))
  const listings = [...known, ...added.map((symbol) => stock(900_000_000 + (hashOf(symbol) % 90_000_000), symbol, 'ARCA'))]
  return {
    listings,
    find: (query) => listings.filter((listing) => fits(listing, query)),
    traded: (symbol) => listings.find((listing) => listing.symbol === symbol && listing.currency === 'USD'),
  }
}

const fits = (listing: Listing, query: ContractQuery): boolean => {
  const traded = query.exchange === '' || listing.validExchanges.includes(query.exchange)
  if (query.conId !== '' && query.conId !== '0') return traded && String(listing.conId) === query.conId
  const same = (asked: string, has: string): boolean => asked === '' || asked === has
  return (
    traded &&
    (query.symbol !== '' || query.localSymbol !== '') &&
    same(query.symbol, listing.symbol) &&
    query.secType === listing.secType &&
    same(query.primaryExchange, listing.primaryExchange) &&
    same(query.currency, listing.currency) &&
    same(query.localSymbol, listing.localSymbol) &&
    same(query.tradingClass, listing.tradingClass)
  )
}

/** FNV-1a, 32 bits: a stable number for a text. */
export const hashOf = (text: string): number =>
  [...text].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
