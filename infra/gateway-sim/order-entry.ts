/** What the gateway makes of an order before it takes it. */
import { type Conditions, readConditions } from './conditions.ts'
import { isSet } from './field-layout.ts'
import { type ContractQuery, isTradable, type Listing } from './listing.ts'
import type { Attributes, Lists, PlacedOrder } from './order-fields.ts'
import { conforms, readTerms, type Terms } from './order-terms.ts'
import type { Side } from './path.ts'
import { invalid, type Rejection, unknownContract } from './rejections.ts'
import { type Life, readLife } from './time-in-force.ts'
import type { Universe } from './universe.ts'

export type OrderEntry = {
  listing: Listing
  action: Side
  quantity: number
  orderRef: string
  terms: Terms
  life: Life
  /** 0 for an order on its own. */
  parentId: number
  /** One cancels all: orders of the same name belong together; empty for none. 1 cancel, 2 reduce, 3 reduce without block. */
  ocaGroup: string
  ocaType: number
  conditions?: Conditions
  allOrNone: boolean
  /** The first fill is at least so large. */
  minimum: number
  attributes: Attributes
  lists: Lists
  transmit: boolean
  whatIf: boolean
}

export const readOrderEntry = (placed: PlacedOrder, universe: Universe, account: string, now: number): OrderEntry | Rejection => {
  const { attributes, lists } = placed
  const field = (name: string): string => attributes[name] ?? ''
  const listing = theListing(universe, queryOf(attributes))
  if ('code' in listing) return listing
  if (!isTradable(listing))
    return { code: 387, text: `Unsupported order type "${field('orderType')}" for this exchange and security type.` }
  const terms = readTerms(attributes, listing)
  if ('code' in terms) return terms
  const action = field('action')
  if (action !== 'BUY' && action !== 'SELL') return invalid(`action "${action}" is neither BUY nor SELL`)
  const life = readLife(attributes, terms, now)
  if ('code' in life) return life
  if (!['', account].includes(field('account'))) return invalid(`account "${field('account')}" is not known`)
  const quantity = readSize(attributes, listing)
  if (typeof quantity === 'object') return quantity
  const [parentId, ocaType, minimum] = [Number(field('parentId')), Number(field('ocaType')), Number(field('minQty'))]
  const ocaGroup = field('ocaGroup')
  if (ocaGroup !== '' && ![0, 1, 2, 3].includes(ocaType)) return invalid(`ocaType ${ocaType} is not 1, 2 or 3`)
  if (!Number.isInteger(parentId)) return invalid(`parentId "${field('parentId')}" is not a whole number`)
  const judged = { ignoreRth: isSet(field('conditionsIgnoreRth')), cancel: isSet(field('conditionsCancelOrder')) }
  const conditions = readConditions(lists['conditions'] ?? [], judged, universe)
  if (conditions && 'code' in conditions) return conditions
  return {
    ...{ listing, action, quantity, orderRef: field('orderRef'), terms, life, parentId, ocaGroup, ocaType: ocaType || 3 },
    ...(conditions === undefined ? {} : { conditions }),
    ...{ allOrNone: isSet(field('allOrNone')), minimum: minimum > 0 && minimum < 2147483647 ? minimum : 0 },
    ...{ attributes, lists, transmit: isSet(field('transmit')), whatIf: isSet(field('whatIf')) },
  }
}

const readSize = (attributes: Attributes, { sizeIncrement }: Listing): number | Rejection => {
  const quantity = Number(attributes['totalQuantity'] || 0)
  if (quantity === 0 && isSet(attributes['cashQty'])) return { code: 10244, text: 'Cash Quantity cannot be used for this order' }
  if (!(quantity > 0)) return { code: 434, text: 'The order size cannot be zero.' }
  if (conforms(quantity, sizeIncrement)) return quantity
  if (sizeIncrement >= 1 && !Number.isInteger(quantity)) {
    const text = 'Fractional-sized order cannot be placed via API. Please use desktop version to place this order.'
    return { code: 10243, text: `${text} (size ${quantity}, size step ${sizeIncrement})` }
  }
  return { code: 355, text: `Order size does not conform to market rule. (size ${quantity}, size step ${sizeIncrement})` }
}

/** What the client asked for and the simulator leaves out: the order is told back whole and works as a plain one. */
export const leftOut = ({ attributes }: { attributes: Attributes }): string[] =>
  ['scalePriceIncrement', 'hedgeType', 'deltaNeutralOrderType', 'deltaNeutralContract', 'adjustedStopPrice'].filter((name) =>
    isSet(attributes[name]),
  )

export const theListing = (universe: Universe, query: ContractQuery): Listing | Rejection => {
  const [listing, another] = universe.find(query)
  if (!listing) return unknownContract
  if (another) return { code: 200, text: `The contract description specified for ${query.symbol || query.localSymbol} is ambiguous.` }
  return listing
}

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
    lastTradeDate: field('lastTradeDate'),
    multiplier: field('multiplier'),
  }
}
