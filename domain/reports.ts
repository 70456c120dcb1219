/**
 * What the broker says of its own accord, as events. What is known already yields none: reporting twice is reporting once.
 * Fills come from executions alone; a status never moves a book, and never ends an order before executions were asked for.
 */
import { add, compare, type Decimal, isZero, sign, subtract } from './decimal.ts'
import { type DomainEvent, event } from './events.ts'
import type { Ledger } from './ledger.ts'
import { applyFill, executionOf, type Fill, fillOf, isFilled, type Order, revisionOf, sharesOfFill } from './order.ts'
import type { CommissionReport, Execution, OrderSighting } from './ports/broker.ts'
import { recall } from './remembered.ts'

/** Orders as they stand in the middle of one decision: copies, so that several executions of one order see each other. */
export type Draft = {
  ledger: Readonly<Ledger>
  orders: Map<string, Order>
  /** Counted in this decision, by id without revision. */
  executions: Map<string, Counted>
  commissions: Map<string, CommissionReport>
  /** What the executions of this decision that are not ours add to `manual`, by contract id. */
  byHand: Map<number, Decimal>
}
type Counted = { executionId: string; quantity: Decimal }

export const draftOf = (ledger: Readonly<Ledger>): Draft => ({
  ...{ ledger, orders: new Map(), executions: new Map(), commissions: new Map(), byHand: new Map() },
})

export const orderIn = (draft: Draft, orderRef: string): Order | undefined => {
  const copy = draft.orders.get(orderRef)
  if (copy !== undefined) return copy
  const order = draft.ledger.orders[orderRef]
  if (order === undefined) return undefined
  const fresh = { ...order, fills: [...order.fills] }
  draft.orders.set(orderRef, fresh)
  return fresh
}

const countedBefore = (draft: Draft, executionId: string): Counted | undefined => {
  const key = executionOf(executionId)
  return draft.executions.get(key) ?? recall(draft.ledger.executions, key)
}

/** The first evidence of any kind that the broker has the order. */
export const recordSeen = (order: Order, permId: number, evidence: string): DomainEvent[] => {
  const concluded = order.status === 'closed' && (order.how === 'lost' || order.how === 'expired')
  if (order.status !== 'planned' && order.status !== 'unresolved' && !concluded) return []
  order.status = 'working'
  order.how = null
  order.seen = true
  return [event('OrderPlaced', { orderRef: order.orderRef, orderId: order.orderId, permId, evidence })]
}

const recordOurExecution = (order: Order, execution: Execution): DomainEvent[] => {
  const shares = sharesOfFill(order, execution.executionId, execution.quantity)
  // A late fill of an order that ended otherwise counts all the same; it does not bring the order back to life.
  const seen = order.status === 'closed' ? [] : recordSeen(order, execution.permId, 'execution')
  return [...seen, ...recordFill(order, { ...execution, shares }, execution.time)]
}

/** One fill of ours, and the order's end when it was the last; changes the copy of the order it is given. */
export const recordFill = (
  order: Order,
  fill: Pick<Fill, 'executionId' | 'quantity' | 'price' | 'shares'>,
  time?: string,
): DomainEvent[] => {
  const { executionId, quantity, price, shares } = fill
  const { orderRef, conId, symbol } = order
  const replaces = fillOf(order, executionId)?.executionId
  const data = { orderRef, executionId, conId, symbol, quantity, price, shares: [...shares] }
  const received = event('FillReceived', replaces === undefined ? data : { ...data, replaces }, time)
  applyFill(order, data)
  if (order.status === 'closed' || !isFilled(order)) return [received]
  order.status = 'closed'
  order.how = 'filled'
  return [
    received,
    event('OrderClosed', { orderRef, how: 'filled', filled: order.filled, text: 'the executions reached the whole quantity' }),
  ]
}

/** Who holds how much of it after the executions of this decision so far, `manual` among them. */
const holdersAfter = ({ ledger, orders, byHand }: Draft, conId: number): Map<string, Decimal> => {
  const holders = new Map(Object.entries(ledger.books).map(([strategy, book]) => [strategy, book[conId] ?? '0']))
  holders.set('manual', add(ledger.manual[conId] ?? '0', byHand.get(conId) ?? '0'))
  const move = ({ shares }: Fill, change: typeof add): void => {
    for (const { strategy, quantity } of shares) holders.set(strategy, change(holders.get(strategy) ?? '0', quantity))
  }
  for (const order of orders.values()) {
    if (order.conId !== conId) continue
    for (const fill of ledger.orders[order.orderRef]!.fills) move(fill, subtract)
    for (const fill of order.fills) move(fill, add)
  }
  return holders
}

const recordForeignExecution = (draft: Draft, execution: Execution, before: Counted | undefined): DomainEvent[] => {
  const { ledger } = draft
  const { conId, symbol, secType } = execution.contract
  const { executionId, orderRef, quantity, price, time } = execution
  const orphan = ledger.prefix !== null && orderRef.startsWith(`${ledger.prefix}-`)
  const seen = event(
    'ForeignExecutionSeen',
    { conId, symbol, secType, executionId, orderRef, quantity, price, holder: orphan ? 'nobody' : 'manual' },
    time,
  )
  if (secType === 'CASH') return [seen]
  if (orphan) {
    const text = `execution ${executionId} of ${quantity} ${symbol} carries our order ref ${orderRef}, for which there is no plan`
    return [seen, event('DiscrepancyFound', { conId, symbol, kind: 'orphanExecution', quantity, text })]
  }
  // One order by hand is filled in several executions: the difference is what they make together.
  draft.byHand.set(conId, add(draft.byHand.get(conId) ?? '0', subtract(quantity, before?.quantity ?? '0')))
  const holders = holdersAfter(draft, conId)
  const manual = holders.get('manual')!
  if (isZero(quantity) || sign(manual) !== sign(quantity)) return [seen]
  const opposed = [...holders].flatMap(([holder, held]) => (holder !== 'manual' && sign(held) === -sign(quantity) ? [holder] : []))
  if (opposed.length === 0) return [seen]
  const text = `a trade of ${quantity} ${symbol} that is not ours stands against the book of ${opposed.join(', ')}`
  return [seen, event('DiscrepancyFound', { conId, symbol, kind: 'againstBook', quantity: manual, text })]
}

/** A login may manage several accounts: what the broker says of the others is not ours to book. */
const isOfOtherAccount = ({ ledger }: Draft, account: string | undefined): boolean =>
  ledger.account !== null && account !== undefined && account !== ledger.account

/** One execution, live or asked for. */
export const recordExecution = (draft: Draft, execution: Execution): DomainEvent[] => {
  if (isOfOtherAccount(draft, execution.account)) return []
  const before = countedBefore(draft, execution.executionId)
  if (before !== undefined && revisionOf(execution.executionId) <= revisionOf(before.executionId)) return []
  draft.executions.set(executionOf(execution.executionId), execution)
  const order = orderIn(draft, execution.orderRef)
  const ours = order !== undefined && order.conId === execution.contract.conId
  return ours ? recordOurExecution(order, execution) : recordForeignExecution(draft, execution, before)
}

/** A commission, once a value; it may come before its execution, late, or never. */
export const recordCommission = (draft: Draft, report: CommissionReport): DomainEvent[] => {
  const { executionId, commission, currency, realizedProfit } = report
  if (isOfOtherAccount(draft, report.account)) return []
  const key = executionOf(executionId)
  const known = draft.commissions.get(key) ?? recall(draft.ledger.commissions, key)
  if (known !== undefined && known.executionId === executionId && compare(known.commission, commission) === 0) return []
  if (known !== undefined && revisionOf(executionId) < revisionOf(known.executionId)) return []
  draft.commissions.set(key, report)
  return [event('CommissionReported', { executionId, commission, currency, ...(realizedProfit === undefined ? {} : { realizedProfit }) })]
}

const atWork = new Set(['ApiPending', 'PendingSubmit', 'PreSubmitted', 'Submitted', 'PendingCancel', 'Filled', 'Inactive'])
const ended = new Set(['Cancelled', 'ApiCancelled'])

/** Whether a status word says that the order is over, unfilled in part or whole. It still has to be confirmed by a question. */
export const saysEnded = (status: string): boolean => ended.has(status)

/** An open order or a status: evidence that the broker has it, no more. */
export const recordSighting = (draft: Draft, sighting: OrderSighting): DomainEvent[] => {
  const order = sighting.orderRef === undefined ? undefined : orderIn(draft, sighting.orderRef)
  if (order === undefined || isOfOtherAccount(draft, sighting.account)) return []
  if (order.status === 'closed' && !atWork.has(sighting.status)) return []
  return recordSeen(order, sighting.permId, `status ${sighting.status}`)
}

const alive = new Set(['ApiPending', 'PendingSubmit', 'PreSubmitted', 'Submitted'])

/**
 * An open order in an answer that was asked for at a position of the journal. One that was closed before that and is at work all the same
 * has not ended, whoever said so: taken for ended, it would be ordered a second time.
 */
export const recordOpenOrder = (draft: Draft, sighting: OrderSighting, asked: number): DomainEvent[] => {
  const order = sighting.orderRef === undefined ? undefined : orderIn(draft, sighting.orderRef)
  const returned =
    order?.status === 'closed' && order.how !== 'filled' && (order.closedPosition ?? 0) <= asked && alive.has(sighting.status)
  if (!returned || isOfOtherAccount(draft, sighting.account)) return recordSighting(draft, sighting)
  const { orderRef, orderId, how } = order
  order.status = 'working'
  order.how = null
  return [event('OrderPlaced', { orderRef, orderId, permId: sighting.permId, evidence: `${sighting.status}, though it was ${how}` })]
}

/** A rejection of an order that the broker never showed. A rejection of one that was seen proves nothing: it is asked for. */
export const recordRejection = (draft: Draft, message: { orderId: number; code: number; text: string }): DomainEvent[] => {
  const found = Object.values(draft.ledger.orders).find((candidate) => candidate.orderId === message.orderId)
  const order = found && orderIn(draft, found.orderRef)
  if (order === undefined || order.status === 'closed' || order.seen || !isZero(order.filled)) return []
  order.status = 'closed'
  return [event('OrderClosed', { orderRef: order.orderRef, how: 'rejected', filled: '0', text: message.text, code: message.code })]
}

/** What the sum of new fills in these events adds to our holdings of one instrument. */
export const addedBy = (draft: Draft, events: readonly DomainEvent[], conId: number): Decimal => {
  let total: Decimal = '0'
  const counted = new Map<string, Decimal>() // an execution and its correction may come in one answer
  for (const item of events) {
    if ((item.type !== 'FillReceived' && item.type !== 'ForeignExecutionSeen') || item.data.conId !== conId) continue
    if (item.type === 'ForeignExecutionSeen' && (item.data.secType === 'CASH' || item.data.holder === 'nobody')) continue
    if (item.type === 'FillReceived' && orderIn(draft, item.data.orderRef)?.secType === 'CASH') continue
    const key = executionOf(item.data.executionId)
    const before = counted.get(key) ?? recall(draft.ledger.executions, key)?.quantity ?? '0'
    counted.set(key, item.data.quantity)
    total = add(total, subtract(item.data.quantity, before))
  }
  return total
}
