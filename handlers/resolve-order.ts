/** `resolve-order`: a person says what became of an order that no answer of the broker names any more. */
import { ResolveOrderBody } from '../domain/commands.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import { defineHandler, nothingToGather } from './handler.ts'

export const resolveOrder = defineHandler({
  body: ResolveOrderBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command }) => {
    const { orderRef, as, reason } = command.body
    const order = ledger.orders[orderRef]
    if (order === undefined) return refuse('ORDER_UNKNOWN', orderRef)
    if (order.status === 'closed') return refuse('ORDER_CLOSED', `${orderRef} is ${order.how}`)
    if (order.status !== 'unresolved') return refuse('ORDER_NOT_UNRESOLVED', `${orderRef} is ${order.status}`)
    return [
      event('OrderClosed', { orderRef, how: as, filled: order.filled, text: `resolved by ${command.actor ?? command.source}: ${reason}` }),
    ]
  },
})
