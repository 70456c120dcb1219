/** What all parts of the simulated broker share, and the few things that can happen to an order from several sides. */
import { type Book, isWorking, type Order } from './book.ts'
import { childrenOf, waitsForParent } from './bracket.ts'
import { isSet } from './field-layout.ts'
import type { Frictions } from './frictions.ts'
import { comingExtended, extendedHours, type Market, openSession } from './market.ts'
import type { Report, Trading } from './trading.ts'
import { isSleeping, setStop } from './triggers.ts'

export type Floor = {
  book: Book
  market: Market
  trading: Trading
  frictions: Frictions
  seed: number
  now: () => number
  report: (report: Report) => void
}

/** Why an order does not work yet, in IB's words: `child`, `trigger`, both or nothing. */
export const whyHeld = (book: Book, order: Order): string =>
  isWorking(order) ? [...(waitsForParent(book, order) ? ['child'] : []), ...(isSleeping(order) ? ['trigger'] : [])].join(',') : ''

/** Conditions that end an order do not hold it back. */
export const awaitsConditions = ({ conditions, conditionsMet }: Order): boolean =>
  conditions !== undefined && !conditions.cancel && !conditionsMet

/** It is at the exchange, and the exchange is open for it. */
export const isLive = ({ book, now }: Floor, order: Order): boolean => {
  if (!isWorking(order) || whyHeld(book, order) !== '' || order.life.activeFrom > now() || awaitsConditions(order)) return false
  if (openSession(now())) return true
  const hours = extendedHours(comingExtended(now()))
  return order.life.extended && hours.open <= now() && now() < hours.close
}

export const submit = (floor: Floor, order: Order): void => {
  if (order.status !== 'PreSubmitted') return
  order.status = 'Submitted'
  floor.report({ kind: 'order', order })
}

/** Nothing holds it any more: its stop begins to follow the price, and it is submitted if the market is open. */
export const release = (floor: Floor, order: Order): void => {
  setStop(order, floor.market, floor.now())
  if (isLive(floor, order)) submit(floor, order)
  else floor.report({ kind: 'order', order })
}

/** Cancelled, by whoever wished it, or expired; what hangs on it goes with it. */
export const end = (floor: Floor, order: Order, reason = ''): void => {
  if (order.completed) return
  order.status = 'Cancelled'
  order.completed = { at: floor.now(), text: 'Cancelled' }
  floor.report({ kind: 'order', order })
  const text = `Order Canceled - reason:${reason}`
  floor.report({ kind: 'error', clientId: order.clientId, id: order.orderId, code: 202, text })
  for (const child of childrenOf(floor.book, order)) end(floor, child)
  const parent = isSet(order.attributes['autoCancelParent']) ? floor.book.order(order.clientId, order.parentId) : undefined
  if (parent) end(floor, parent)
}
