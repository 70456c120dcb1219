/** One contract as the simulated gateway knows it. */

export const securityTypes = ['STK', 'IND', 'FUT', 'CONTFUT', 'CASH'] as const
/** Stocks and ETFs, indices, futures of one month, the front month of futures whichever it is, currency pairs. */
export type SecurityType = (typeof securityTypes)[number]

/** From `lowEdge` upwards prices are multiples of `increment`. */
export type PriceStep = { lowEdge: number; increment: number }

export type Listing = {
  conId: number
  /** Of a currency pair the currency that is bought and sold; `currency` is the one it is paid in. */
  symbol: string
  secType: SecurityType
  currency: string
  /** Where an order is sent to: SMART for stocks. */
  exchange: string
  primaryExchange: string
  validExchanges: readonly string[]
  localSymbol: string
  tradingClass: string
  longName: string
  /** Empty for what is no stock. */
  stockType: string
  /** Smallest step of a price, in `currency`; the smallest one where its market rule has several. */
  minTick: number
  /** Smallest step of an order's size. */
  sizeIncrement: number
  marketRuleId: number
  /** The steps of that rule, from a low edge upwards. */
  priceSteps: readonly PriceStep[]
  /** Units of the underlying in one contract; 1 for what is no future. */
  multiplier: number
  /** The series of prices in the market that it trades by; empty for a contract without prices. */
  series: string
  /** `YYYY-MM-DD`, absent for what does not expire. */
  lastTradeDate?: string
  underlying?: { conId: number; symbol: string; secType: SecurityType }
  /** Zone in which its hours and its bars are told. */
  timeZone: string
  industry: string
  category: string
  subcategory: string
}

/** Smallest step of a price that high. */
export const tickAt = ({ priceSteps, minTick }: Listing, price: number): number =>
  priceSteps.findLast(({ lowEdge }) => lowEdge <= price)?.increment ?? minTick

/** Orders can be placed in it. */
export const isTradable = ({ secType }: Listing): boolean => secType !== 'IND' && secType !== 'CONTFUT'

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
  /** `YYYYMM` or `YYYYMMDD`. */
  lastTradeDate?: string
  multiplier?: string
  /** Futures of the last two years count too. */
  includeExpired?: boolean
}

/** FNV-1a, 32 bits: a stable number for a text. */
const hashOf = (text: string): number =>
  [...text].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)

const ranges = { month: 700_000_000, universe: 800_000_000, bars: 900_000_000 }

/** A contract id for what was given none; it follows from the text alone. */
export const ownConId = (kind: keyof typeof ranges, text: string): number => ranges[kind] + (hashOf(text) % 90_000_000)
