/**
 * One order, from the plan to its end.
 * State → evolve → questions, top to bottom. Pure. The events are in events.ts; the fold of the whole account is in fold.ts.
 */
import { type Cause, correlationOf } from './commit.ts'
import { absolute, add, compare, type Decimal, divide, isZero, multiply, negate, sign, subtract, toNumber } from './decimal.ts'
import type { EventData, OrderOutcome } from './events.ts'

/** Part of an order, or of a fill, that belongs to one strategy. */
export type Share = { readonly strategy: string; readonly quantity: Decimal }

/** What one execution brought, by its latest revision. `key` is its id without the revision. */
export type Fill = { key: string; executionId: string; quantity: Decimal; price: Decimal; shares: readonly Share[] }

/**
 * `planned`: durable, perhaps handed over, not yet seen at the broker. `working`: the broker showed it.
 * `unresolved`: asked for twice and not found; neither dead nor alive until evidence or a person says so.
 */
export type OrderStatus = 'planned' | 'working' | 'unresolved' | 'closed'

export type Order = {
  readonly orderRef: string
  readonly orderId: number
  readonly account: string
  readonly conId: number
  readonly symbol: string
  readonly secType: string
  readonly exchange: string
  readonly currency: string
  /** Signed. */
  readonly quantity: Decimal
  readonly type: EventData<'OrderPlanned'>['type']
  readonly limitPrice: Decimal | null
  readonly referencePrice: Decimal
  readonly timeInForce: EventData<'OrderPlanned'>['timeInForce']
  /** ISO times between which the broker works it, where they are not those of the time in force. */
  readonly goodAfter: string | null
  readonly goodTill: string | null
  /** The broker is asked under this order id what it would take, before it goes out. */
  readonly previewId: number | null
  readonly outsideRegularHours: boolean
  readonly algo: { strategy: string; parameters: Readonly<Record<string, string>> } | null
  readonly reduces: boolean
  /** Of a close-all: it goes out though trading is halted. */
  readonly closing: boolean
  readonly sizeStep: Decimal
  readonly shares: readonly Share[]
  readonly inForceUntil: string
  /** The command that decided it: the execution audit it belongs to. */
  readonly decision: string
  /** Of the request that it came of, where that had one. */
  readonly correlationId?: string
  readonly plannedAt: string
  /** Position and epoch of its plan: a snapshot asked for earlier judges it not; an earlier epoch's order is never withdrawn. */
  readonly position: number
  readonly epoch: number
  status: OrderStatus
  permId: number | null
  /** Whether the broker ever showed it. */
  seen: boolean
  cancelRequested: boolean
  /** When its cancel was asked for the last time. */
  cancelRequestedAt: string | null
  /** Since when answers of the broker do not name it. */
  missingSince: string | null
  /** One entry an execution, by its latest revision; a handful, so they are looked through. */
  fills: Fill[]
  filled: Decimal
  how: OrderOutcome | null
  closedAt: string | null
  /** Position of its end in the journal. */
  closedPosition: number | null
  closedText: string | null
}

export const plannedOrder = (
  data: EventData<'OrderPlanned'>,
  at: { position: number; epoch: number; recordedAt: string; cause?: Cause },
): Order => ({
  orderRef: data.orderRef,
  orderId: data.orderId,
  account: data.account,
  conId: data.conId,
  symbol: data.symbol,
  secType: data.secType,
  exchange: data.exchange,
  currency: data.currency,
  quantity: data.quantity,
  type: data.type,
  limitPrice: data.limitPrice ?? null,
  referencePrice: data.referencePrice,
  timeInForce: data.timeInForce,
  goodAfter: data.goodAfter ?? null,
  goodTill: data.goodTill ?? null,
  previewId: data.previewId ?? null,
  outsideRegularHours: data.outsideRegularHours,
  algo: data.algo ?? null,
  reduces: data.reduces,
  closing: data.closing ?? false,
  sizeStep: data.sizeStep,
  shares: data.shares,
  inForceUntil: data.inForceUntil,
  decision: data.decision,
  ...correlationOf(at.cause),
  plannedAt: at.recordedAt,
  position: at.position,
  epoch: at.epoch,
  status: 'planned',
  permId: null,
  seen: false,
  cancelRequested: false,
  cancelRequestedAt: null,
  missingSince: null,
  fills: [],
  filled: '0',
  how: null,
  closedAt: null,
  closedPosition: null,
  closedText: null,
})

/** Counts one execution, in place; a revision replaces the earlier one, which is returned. */
export const applyFill = (
  order: Order,
  data: Pick<EventData<'FillReceived'>, 'executionId' | 'quantity' | 'price' | 'shares'>,
): Fill | undefined => {
  const { executionId, quantity, price, shares } = data
  const fill = { key: executionOf(executionId), executionId, quantity, price, shares }
  const index = order.fills.findIndex(({ key }) => key === fill.key)
  const replaced = order.fills[index]
  if (replaced === undefined) order.fills.push(fill)
  else {
    order.fills[index] = fill
    order.filled = subtract(order.filled, replaced.quantity)
  }
  order.filled = add(order.filled, data.quantity)
  order.seen = true
  order.missingSince = null
  return replaced
}

/** IB revises an execution by the digits after the last dot: `0001.02` replaces `0001.01`. */
export const executionOf = (executionId: string): string => {
  const dot = executionId.lastIndexOf('.')
  return dot <= 0 ? executionId : executionId.slice(0, dot)
}
export const revisionOf = (executionId: string): number => {
  const revision = Number(executionId.slice(executionId.lastIndexOf('.') + 1))
  return Number.isFinite(revision) ? revision : 0
}

/** The fill of an execution, whatever the revision. */
export const fillOf = (order: Order, executionId: string): Fill | undefined => {
  const execution = executionOf(executionId)
  return order.fills.find(({ key }) => key === execution)
}

export const isOpen = (order: Order): boolean => order.status !== 'closed'

/** What is still to come, signed; 0 once it is closed. */
export const remainingOf = (order: Order): Decimal => (order.status === 'closed' ? '0' : subtract(order.quantity, order.filled))

const sharesFilled = (order: Order, strategy: string): Decimal => {
  let total: Decimal = '0'
  for (const { shares } of order.fills) for (const share of shares) if (share.strategy === strategy) total = add(total, share.quantity)
  return total
}

/** The part of an open order that one strategy still waits for, signed. */
export const inFlightOf = (order: Order, strategy: string): Decimal => {
  if (order.status === 'closed') return '0'
  const share = order.shares.find((candidate) => candidate.strategy === strategy)
  return share === undefined ? '0' : subtract(share.quantity, sharesFilled(order, strategy))
}

/**
 * The seats that each share has for certain, so that only the last few are given one by one: with highest averages nobody ends
 * further below his proportion than half a seat for himself and half of one for each of all shares.
 */
const certainSeats = (weights: readonly number[], whole: number): number[] => {
  if (weights.length === 1) return [whole]
  const all = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => Math.max(0, Math.floor((whole * weight) / all - (weights.length + 1) / 2)))
}

/**
 * Splits a cumulative filled quantity over the order's shares by highest averages (Sainte-Laguë), seat by seat in size steps.
 * A larger quantity never takes back what a smaller one gave, and the whole quantity gives each share exactly.
 * What is smaller than a size step goes to the share that is next in turn.
 */
export const splitFilled = (shares: readonly Share[], filled: Decimal, sizeStep: Decimal): Share[] => {
  if (shares.length === 0) return [] // a currency pair belongs to nobody
  const direction = sign(filled)
  const weights = shares.map((share) => toNumber(absolute(share.quantity)))
  const whole = Math.floor(toNumber(divide(absolute(filled), sizeStep)))
  const seats = certainSeats(weights, whole)
  const next = (): number => {
    let best = 0
    for (let index = 1; index < seats.length; index++) {
      // Ties go to the first share, so that the same order always splits alike.
      if (weights[index]! * (2 * seats[best]! + 1) > weights[best]! * (2 * seats[index]! + 1)) best = index
    }
    return best
  }
  for (let seat = seats.reduce((total, count) => total + count, 0); seat < whole; seat++) seats[next()]!++
  const given: Decimal[] = seats.map((count) => multiply(sizeStep, String(count)))
  const rest = subtract(absolute(filled), given.reduce(add, '0'))
  if (!isZero(rest)) {
    const index = next()
    given[index] = add(given[index]!, rest)
  }
  return shares.map((share, index) => ({ strategy: share.strategy, quantity: direction < 0 ? negate(given[index]!) : given[index]! }))
}

/**
 * The shares of one more execution (or of a corrected one): the split of the new cumulative quantity,
 * less what the other fills gave already.
 */
export const sharesOfFill = (order: Order, executionId: string, quantity: Decimal): Share[] => {
  const replaced = fillOf(order, executionId)
  const cumulative = add(subtract(order.filled, replaced?.quantity ?? '0'), quantity)
  return splitFilled(order.shares, cumulative, order.sizeStep).map((share) => {
    const before = sharesFilled(order, share.strategy)
    const ofReplaced = replaced?.shares.find((candidate) => candidate.strategy === share.strategy)?.quantity ?? '0'
    return { strategy: share.strategy, quantity: subtract(share.quantity, subtract(before, ofReplaced)) }
  })
}

/** Whether the executions have reached the whole quantity. */
export const isFilled = (order: Order, filled: Decimal = order.filled): boolean => compare(absolute(filled), absolute(order.quantity)) >= 0
