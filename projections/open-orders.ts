/** `positions/{mode}/openOrders/{orderRef}`: there from the plan to the order's end, and again if its end is taken back. */
import type { DomainEvent } from '../domain/events.ts'
import { isOpen } from '../domain/order.ts'
import type { DocumentWrite } from '../domain/ports/documents.ts'
import { openOrderDocument } from './order-lines.ts'
import type { View } from './view.ts'

const orderIn = (event: DomainEvent): string | undefined => {
  switch (event.type) {
    case 'OrderPlanned':
    case 'OrderPlaced':
    case 'FillReceived':
    case 'OrderCancelRequested':
    case 'OrderUnresolved':
    case 'OrderClosed':
      return event.data.orderRef
    default:
      return undefined
  }
}

export const openOrdersView: View = ({ commit, events, ledger, mode }) => {
  const refs = new Set(events.flatMap((event) => orderIn(event) ?? []))
  const closed = new Set(events.flatMap((event) => (event.type === 'OrderClosed' ? [event.data.orderRef] : [])))
  return [...refs].flatMap((ref): DocumentWrite[] => {
    const path = `positions/${mode}/openOrders/${ref}`
    const order = ledger.orders[ref]
    if (order !== undefined && isOpen(order)) return [{ kind: 'set', path, data: openOrderDocument(order, commit.recordedAt) }]
    // A late fill of an order that ended long ago finds nothing to delete.
    return closed.has(ref) ? [{ kind: 'delete', path }] : []
  })
}
