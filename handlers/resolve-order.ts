/** `resolve-order`: a person says what became of an order that no answer of the broker names any more. */
import { ResolveOrderBody } from '../domain/commands.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import { defineHandler, nothingToGather } from './handler.ts'
import { endedOrder, unknownOrder } from './order-cancel.ts'

/** What a person can do about an order that nobody doubts. */
const whatElse = {
  planned: 'the broker has not been asked for it twice yet; reconcile asks',
  working: 'the broker shows it; cancel-order calls it back',
} as const

export const resolveOrder = defineHandler({
  body: ResolveOrderBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command }) => {
    const { orderRef, as, reason } = command.body
    const order = ledger.orders[orderRef]
    if (order === undefined) return unknownOrder(ledger, orderRef)
    if (order.status === 'closed') return endedOrder(order)
    if (order.status !== 'unresolved') return refuse('ORDER_NOT_UNRESOLVED', `${orderRef} is ${order.status}; ${whatElse[order.status]}`)
    return [
      event('OrderClosed', { orderRef, how: as, filled: order.filled, text: `resolved by ${command.actor ?? command.source}: ${reason}` }),
    ]
  },
})
