/** What the gateway makes of an order before it takes it: the codes and texts are IB's. */

import { comingSession, type Side } from './market.ts'
import { type Attributes, orderTypes, type PlacedOrder, timesInForce } from './order-fields.ts'
import type { ContractQuery, Listing, Universe } from './universe.ts'

export type Rejection = { code: number; text: string }
export type OrderEntry = {
  listing: Listing
  action: Side
  quantity: number
  limit?: number
  timeInForce: string
  orderRef: string
  attributes: Attributes
  algorithm: readonly string[]
  transmit: boolean
  whatIf: boolean
}

/** An exchange takes orders for its opening auction only until shortly before. */
const openingCutOff = 2 * 60_000

export const readOrderEntry = (placed: PlacedOrder, universe: Universe, account: string, now: number): OrderEntry | Rejection => {
  const { attributes } = placed
  const field = (name: string): string => attributes[name] ?? ''
  const listing = theListing(universe, queryOf(attributes))
  if ('code' in listing) return listing
  if (placed.notSimulated?.startsWith('order type'))
    return { code: 387, text: `Unsupported ${placed.notSimulated} for this exchange and security type.` }
  if (placed.notSimulated !== undefined) return rejected(`the simulator does not know ${placed.notSimulated}`)

  const [action, quantity, orderType, timeInForce] = [
    field('action'),
    Number(field('totalQuantity')),
    field('orderType'),
    field('tif') || 'DAY',
  ]
  if (action !== 'BUY' && action !== 'SELL') return invalid(`action "${action}" is neither BUY nor SELL`)
  if (!timesInForce.includes(timeInForce)) return invalid(`time in force "${timeInForce}" is not one of ${timesInForce.join(', ')}`)
  if (!['', account].includes(field('account'))) return invalid(`account "${field('account')}" is not known`)
  if (!(quantity > 0)) return { code: 434, text: 'The order size cannot be zero.' }
  if (!isMultiple(quantity, listing.sizeIncrement)) {
    return rejected(`the size ${quantity} does not conform to the size increment ${listing.sizeIncrement} of this contract`)
  }
  const limit = orderType === orderTypes[1] ? Number(field('lmtPrice') || Number.NaN) : undefined
  if (limit !== undefined && !(limit > 0)) return invalid('a limit order needs a limit price')
  if (limit !== undefined && !isMultiple(limit, listing.minTick)) {
    return { code: 110, text: 'The price does not conform to the minimum price variation for this contract.' }
  }
  const opening = comingSession(now).open
  if (timeInForce === 'OPG' && now > opening - openingCutOff) {
    return rejected('orders for the opening auction are not accepted from two minutes before the open until the close')
  }
  return {
    listing,
    action,
    quantity,
    ...(limit === undefined ? {} : { limit }),
    timeInForce,
    orderRef: field('orderRef'),
    attributes,
    algorithm: placed.algorithm,
    transmit: isSet(field('transmit')),
    whatIf: isSet(field('whatIf')),
  }
}

export const theListing = (universe: Universe, query: ContractQuery): Listing | Rejection => {
  const [listing, another] = universe.find(query)
  if (!listing) return unknownContract
  if (another) return { code: 200, text: `The contract description specified for ${query.symbol || query.localSymbol} is ambiguous.` }
  return listing
}

export const unknownContract: Rejection = { code: 200, text: 'No security definition has been found for the request' }
export const rejected = (reason: string): Rejection => ({ code: 201, text: `Order rejected - reason:${reason}` })
export const invalid = (cause: string): Rejection => ({ code: 321, text: `Error validating request.-'bW' : cause - ${cause}` })

const isSet = (text: string): boolean => text !== '' && text !== '0'

const isMultiple = (value: number, step: number): boolean => Math.abs(value / step - Math.round(value / step)) < 1e-6

const queryOf = (attributes: Attributes): ContractQuery => {
  const field = (name: string): string => attributes[name] ?? ''
  return {
    conId: field('conId'),
    symbol: field('symbol'),
    secType: field('secType'),
    exchange: field('exchange'),
    primaryExchange: field('primaryExchange'),
    currency: field('currency'),
    localSymbol: field('localSymbol'),
    tradingClass: field('tradingClass'),
  }
}
