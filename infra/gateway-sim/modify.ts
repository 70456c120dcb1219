/** Which changes IB allows to an order that is on its way: its size, its prices and how long it works. All else needs a new order. */
import type { Order } from './book.ts'
import type { OrderEntry } from './order-entry.ts'
import { duplicateId, type Rejection } from './rejections.ts'

/** What must come again as it was; `action` and the contract are looked at besides. */
const fixed = ['orderRef', 'parentId', 'ocaGroup', 'ocaType', 'algoStrategy', 'openClose', 'origin', 'modelCode', 'faGroup'] as const

/** Why the order may not be changed into what came under its id; undefined when it may. */
export const refusedChange = (order: Order, entry: OrderEntry): Rejection | undefined => {
  if (order.completed) return duplicateId
  const differs = fixed.find((name) => written(order, name) !== written(entry, name))
  if (order.listing !== entry.listing || order.action !== entry.action || differs !== undefined) {
    const which = differs === undefined ? '' : ` (${differs})`
    return { code: 105, text: `Order being modified does not match original order.${which}` }
  }
  if (entry.quantity <= order.filled) return { code: 104, text: 'Cannot modify a filled order.' }
  return undefined
}

/** Empty and zero are two ways of not saying anything. */
const written = ({ attributes }: Pick<Order, 'attributes'>, name: (typeof fixed)[number]): string => {
  const text = attributes[name] ?? ''
  return text === '0' ? '' : text
}

/** What it traded stays; a stop that was reached stays reached as long as the type of the order does. */
export const applyChange = (order: Order, entry: OrderEntry): void => {
  const { quantity, terms, life, attributes, lists, allOrNone, minimum, conditions } = entry
  if (order.terms.orderType !== terms.orderType) order.triggered = false
  Object.assign(order, { quantity, terms, life, attributes, lists, allOrNone, minimum })
  if (conditions === undefined) delete order.conditions
  else order.conditions = conditions
  if (terms.limit === undefined) delete order.limit
  else order.limit = terms.limit
}
