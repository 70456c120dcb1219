/** `cancel-order`, and the one way in which an open order is called back. */
import { CancelOrderBody } from '../domain/commands.ts'
import { refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Order } from '../domain/order.ts'
import { defineHandler, nothingToGather } from './handler.ts'

/** What never left this process is withdrawn; anything else is asked for at the broker, once for as many decisions as wish it. */
export const cancelOrWithdraw = (order: Order, notHandedOver: readonly string[], reason: string): DomainEvent[] => {
  if (notHandedOver.includes(order.orderRef) && order.status === 'planned')
    return [event('OrderClosed', { orderRef: order.orderRef, how: 'withdrawn', filled: order.filled, text: `not handed over: ${reason}` })]
  return order.cancelRequested ? [] : [event('OrderCancelRequested', { orderRef: order.orderRef, reason })]
}

export const cancelOrder = defineHandler({
  body: CancelOrderBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => {
    const { orderRef, reason = 'cancelled by command' } = command.body
    const order = ledger.orders[orderRef]
    if (order === undefined) return refuse('ORDER_UNKNOWN', orderRef)
    if (order.status === 'closed') return refuse('ORDER_CLOSED', `${orderRef} is ${order.how}`)
    // A person who asks again means it: the broker may have refused the first time.
    return cancelOrWithdraw({ ...order, cancelRequested: false }, engine.notHandedOver, reason)
  },
})
