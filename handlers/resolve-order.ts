/** `resolve-order`: a person says what became of an order that no answer of the broker names any more, where nothing says that it filled. */
import { ResolveOrderBody } from '../domain/commands.ts'
import { sign } from '../domain/decimal.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import { remainingOf } from '../domain/order.ts'
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
    // What stands unexplained on its side may be its fill: ended without it, its shares would fall to whoever explains them later.
    const unexplained = ledger.unexplained[order.conId]
    if (unexplained !== undefined && sign(unexplained.quantity) === sign(remainingOf(order)))
      return refuse(
        'UNEXPLAINED_FIRST',
        `${unexplained.quantity} ${order.symbol} stand unexplained since ${unexplained.since} and may be fills of ${orderRef}; explain them as fill, book or manual`,
      )
    return [
      event('OrderClosed', { orderRef, how: as, filled: order.filled, text: `resolved by ${command.actor ?? command.source}: ${reason}` }),
    ]
  },
})
