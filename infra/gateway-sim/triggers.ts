/** Stops: orders that sleep until a price is reached, and stops that follow the price. */
import type { Order } from './book.ts'
import { comingSession, type Market } from './market.ts'
import { roundTo, stopBehind } from './path.ts'

/** It has a stop that was not reached yet. */
export const isSleeping = (order: Order): boolean => !order.triggered && (order.terms.stop !== undefined || order.terms.trail !== undefined)

/** Puts the stop where it begins: where the client wants it, else behind the price of now. */
export const setStop = (order: Order, market: Market, now: number): void => {
  const { trail, stop } = order.terms
  const price = trail && trail.start === undefined ? market.price(order.listing.series, now) : undefined
  const first = trail
    ? (trail.start ?? (price === undefined ? undefined : stopBehind(price, order.action, trail, order.listing.minTick)))
    : stop
  order.followedTo = now
  if (first === undefined) delete order.stop
  else order.stop = first
}

/** Lets the stop of a trailing order follow the price from where it followed it last until `until`; true when it moved. */
export const followPrice = (order: Order, market: Market, until: number): boolean => {
  const { trail } = order.terms
  if (!trail || !isSleeping(order)) return false
  const before = order.stop
  if (before === undefined) setStop(order, market, until)
  else {
    const { listing, action, followedTo } = order
    const span = { from: followedTo, until }
    const followed = market.trail(listing.series, comingSession(followedTo), span, action, { trail, stop: before, tick: listing.minTick })
    order.stop = followed?.stop ?? before
    order.followedTo = until
  }
  return order.stop !== before
}

/** Its stop is reached: from now on it works at market or at its limit. */
export const trigger = (order: Order): void => {
  order.triggered = true
  const { limitOffset } = order.terms
  if (limitOffset === undefined || order.stop === undefined) return
  order.limit = roundTo(order.action === 'SELL' ? order.stop - limitOffset : order.stop + limitOffset, order.listing.minTick)
}
