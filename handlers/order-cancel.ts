/** `cancel-order`, and the one way in which an open order is called back. */
import { CancelOrderBody } from '../domain/commands.ts'
import { type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { type Ledger, openOrders } from '../domain/ledger.ts'
import type { Order } from '../domain/order.ts'
import { defineHandler, nothingToGather } from './handler.ts'

/** What never left this process is withdrawn; anything else is asked for at the broker, once for as many decisions as wish it. */
export const cancelOrWithdraw = (order: Order, notHandedOver: readonly string[], reason: string): DomainEvent[] => {
  if (notHandedOver.includes(order.orderRef) && order.status === 'planned')
    return [event('OrderClosed', { orderRef: order.orderRef, how: 'withdrawn', filled: order.filled, text: `not handed over: ${reason}` })]
  return order.cancelRequested ? [] : [event('OrderCancelRequested', { orderRef: order.orderRef, reason })]
}

/** Somebody else's order is called back where it was given; a misspelt ref is found by those that there are. */
export const unknownOrder = (ledger: Readonly<Ledger>, orderRef: string): Refusal => {
  const open = openOrders(ledger).map((order) => order.orderRef)
  const others = ledger.snapshot?.openOrders.some((order) => order.orderRef === orderRef) === true
  const hint = others
    ? 'the broker shows it, but it is not one of ours: call it back where it was given'
    : open.length === 0
      ? 'no order of ours is open'
      : `open are ${open.slice(0, shownRefs).join(', ')}${open.length > shownRefs ? ` and ${open.length - shownRefs} more` : ''}`
  return refuse('ORDER_UNKNOWN', `${orderRef}; ${hint}`)
}
const shownRefs = 10

/** How an order ended, and when. */
export const endedOrder = ({ orderRef, how, closedAt, closedText }: Order): Refusal =>
  refuse('ORDER_CLOSED', `${orderRef} is ${how} since ${closedAt}: ${closedText}`)

export const cancelOrder = defineHandler({
  body: CancelOrderBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => {
    const { orderRef, reason = 'cancelled by command' } = command.body
    const order = ledger.orders[orderRef]
    if (order === undefined) return unknownOrder(ledger, orderRef)
    if (order.status === 'closed') return endedOrder(order)
    // A person who asks again means it: the broker may have refused the first time.
    return cancelOrWithdraw({ ...order, cancelRequested: false }, engine.notHandedOver, reason)
  },
})
