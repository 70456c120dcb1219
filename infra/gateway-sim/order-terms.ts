/** What an order asks of the market: its type and the prices that the type goes by. */

import { type Listing, tickAt } from './listing.ts'
import type { Attributes } from './order-fields.ts'
import { roundTo, type Trail } from './path.ts'
import { invalid, offTick, type Rejection } from './rejections.ts'

export type Terms = {
  orderType: string
  /** Worst price at which it trades; absent at market. Of a trailing stop limit only known when the stop is reached. */
  limit?: number
  /** It sleeps until this price is reached: from the worse side, or of an order `ifTouched` from the better one. */
  stop?: number
  ifTouched: boolean
  /** The stop follows the price; `start` is where the client wants it first. */
  trail?: Trail & { start?: number }
  /** Of a trailing stop limit: how far the limit is behind the stop. */
  limitOffset?: number
  /** Trades in the closing auction alone. */
  atClose: boolean
}

type Kind = { limit?: true; stop?: true; ifTouched?: true; trail?: true; atClose?: true }

const kinds: Readonly<Record<string, Kind>> = {
  MKT: {},
  LMT: { limit: true },
  STP: { stop: true },
  'STP LMT': { stop: true, limit: true },
  MIT: { stop: true, ifTouched: true },
  LIT: { stop: true, limit: true, ifTouched: true },
  TRAIL: { trail: true },
  'TRAIL LIMIT': { trail: true, limit: true },
  MOC: { atClose: true },
  LOC: { limit: true, atClose: true },
}

export const simulatedOrderTypes = Object.keys(kinds)

const isMultiple = (value: number, step: number): boolean => Math.abs(value / step - Math.round(value / step)) < 1e-6
export const conforms = isMultiple

export const readTerms = (attributes: Attributes, listing: Listing): Terms | Rejection => {
  const orderType = attributes['orderType'] ?? ''
  const kind = Object.hasOwn(kinds, orderType) ? kinds[orderType] : undefined
  if (!kind) return { code: 387, text: `Unsupported order type "${orderType}" for this exchange and security type.` }
  const given = (name: string): number | undefined => {
    const text = attributes[name] ?? ''
    const value = Number(text)
    return text === '' || value === 0 || value >= 1.7e308 ? undefined : value
  }
  const terms: Terms = { orderType, ifTouched: kind.ifTouched ?? false, atClose: kind.atClose ?? false }
  const price = (name: string, what: string): number | Rejection => {
    const value = given(name)
    if (value === undefined || !(value > 0)) return invalid(`an order of type ${orderType} needs a ${what} (${name})`)
    return isMultiple(value, tickAt(listing, value)) ? value : offTick
  }
  if (kind.stop) {
    const stop = price('auxPrice', 'trigger price')
    if (typeof stop !== 'number') return stop
    terms.stop = stop
  }
  if (kind.trail) return readTrail(terms, given, price, kind.limit === true)
  if (kind.limit) {
    const limit = price('lmtPrice', 'limit price')
    if (typeof limit !== 'number') return limit
    terms.limit = limit
  }
  return terms
}

const readTrail = (
  terms: Terms,
  given: (name: string) => number | undefined,
  price: (name: string, what: string) => number | Rejection,
  limited: boolean,
): Terms | Rejection => {
  const percent = given('trailingPercent')
  if ((percent === undefined) === (given('auxPrice') === undefined)) {
    return invalid(`an order of type ${terms.orderType} needs either a trailing amount (auxPrice) or a trailingPercent`)
  }
  const distance = percent ?? price('auxPrice', 'trailing amount')
  if (typeof distance !== 'number') return distance
  if (percent !== undefined && !(percent > 0 && percent < 100)) return invalid(`trailingPercent ${percent} is not between 0 and 100`)
  const start = given('trailStopPrice') === undefined ? undefined : price('trailStopPrice', 'stop price')
  if (typeof start === 'object') return start
  const trail = {
    by: percent === undefined ? ('amount' as const) : ('percent' as const),
    distance,
    ...(start === undefined ? {} : { start }),
  }
  if (!limited) return { ...terms, trail }
  const [limit, offset] = [given('lmtPrice'), given('lmtPriceOffset')]
  if ((limit === undefined) === (offset === undefined)) return invalid('a trailing stop limit needs either lmtPrice or lmtPriceOffset')
  if (limit === undefined) return { ...terms, trail, limitOffset: offset! }
  if (start === undefined) return invalid('a trailing stop limit with lmtPrice needs trailStopPrice')
  const checked = price('lmtPrice', 'limit price')
  return typeof checked === 'number' ? { ...terms, trail, limitOffset: roundTo(Math.abs(start - limit), 1e-8) } : checked
}
