/** Orders that should have moved on by now: somebody ought to look at them. */
import { type Ledger, openOrders } from '../ledger.ts'
import type { Order } from '../order.ts'

/** `unseen`: the broker never showed it. `outlived`: at work after its time in force. `cancelUnanswered`: asked to end, and still there. */
export type Stuck = 'unseen' | 'unresolved' | 'outlived' | 'cancelUnanswered'
export type StuckOrder = { orderRef: string; conId: number; symbol: string; status: Order['status']; why: Stuck; since: string }

/** The broker shows an order, or answers a cancel, within seconds. */
const answerMs = 60_000
/** The broker takes its time to say that the orders of a day have expired. */
const expiryMs = 5 * 60_000

const reasonOf = (order: Order, now: number): { why: Stuck; since: string } | undefined => {
  const { status, seen, plannedAt, missingSince, inForceUntil, cancelRequestedAt } = order
  const isPast = (since: string, patience: number): boolean => now > Date.parse(since) + patience
  if (status === 'unresolved') return { why: 'unresolved', since: missingSince ?? plannedAt }
  if (!seen) return isPast(plannedAt, answerMs) ? { why: 'unseen', since: plannedAt } : undefined
  if (isPast(inForceUntil, expiryMs)) return { why: 'outlived', since: inForceUntil }
  if (cancelRequestedAt !== null && isPast(cancelRequestedAt, answerMs)) return { why: 'cancelUnanswered', since: cancelRequestedAt }
  return undefined
}

/** @param now epoch milliseconds of market time */
export const stuckOrders = (ledger: Readonly<Ledger>, now: number): StuckOrder[] =>
  openOrders(ledger).flatMap((order) => {
    const { orderRef, conId, symbol, status } = order
    const reason = reasonOf(order, now)
    return reason === undefined ? [] : [{ orderRef, conId, symbol, status, ...reason }]
  })
