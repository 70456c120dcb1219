/**
 * Orders by what views ask for: the open ones, and those of one decision. Kept beside the ledger while it is folded,
 * because looking through all orders of five weeks at every commit would make the replay quadratic.
 */
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { isOpen, type Order } from '../domain/order.ts'

export type OrderIndex = {
  /** By order id, ascending. */
  open(): Order[]
  /** By order id, ascending, as far as the ledger remembers them. */
  of(decision: string): Order[]
}

/** Never by who came first: an index made from a restored ledger answers like one that was there all the time. */
const byOrderId = (left: Order, right: Order): number => left.orderId - right.orderId || (left.orderRef < right.orderRef ? -1 : 1)

/** @param ledger as far as it is folded: what it knows already is in the index from the beginning */
export const createOrderIndex = (ledger: Readonly<Ledger>): OrderIndex & { note(events: readonly DomainEvent[]): void } => {
  const open = new Set<string>()
  const decided = new Map<string, Set<string>>()
  const note = (order: Order): void => {
    if (isOpen(order)) open.add(order.orderRef)
    else open.delete(order.orderRef)
    decided.set(order.decision, (decided.get(order.decision) ?? new Set()).add(order.orderRef))
  }
  for (const ref in ledger.orders) note(ledger.orders[ref]!)
  const present = (refs: Iterable<string>): Order[] => [...refs].flatMap((ref) => ledger.orders[ref] ?? []).sort(byOrderId)
  return {
    open: () => present(open),
    of: (decision) => present(decided.get(decision) ?? []).filter((order) => order.decision === decision),
    /** To be called after the events were folded. */
    note: (events) => {
      for (const { type, data } of events) {
        if (type !== 'OrderPlanned' && type !== 'OrderPlaced' && type !== 'OrderClosed') continue
        const order = ledger.orders[data.orderRef]
        if (order === undefined) continue
        note(order)
      }
    },
  }
}
