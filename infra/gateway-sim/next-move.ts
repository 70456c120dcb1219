/** What an order does next in the market, and when. Pure: the order, the path of the price and the time. */
import type { Order } from './book.ts'
import { limitInTheMiddle, quoted } from './frictions.ts'
import { comingExtended, comingSession, extendedHours, type Market } from './market.ts'
import type { Side, Touch } from './path.ts'
import { isSleeping } from './triggers.ts'

/** `judge`: its conditions may hold. `wake`: its good-after time is there. `trigger`: its stop is reached. `trade`: it trades at that price. */
export type Move =
  | { kind: 'judge' | 'wake'; at: number }
  | { kind: 'trigger'; at: number; price: number }
  | { kind: 'trade'; at: number; price: number; auction: boolean }

const opposite = (side: Side): Side => (side === 'BUY' ? 'SELL' : 'BUY')

/** Undefined when nothing happens to it in its coming session. */
export const nextMove = (order: Order, market: Market, now: number, spread: number): Move | undefined => {
  if (order.life.activeFrom > now) return { kind: 'wake', at: order.life.activeFrom }
  if (order.life.auction) return inAuction(order, order.life.auction, market, now)
  const from = Math.max(now, order.restsUntil)
  if (isSleeping(order)) return triggerMove(order, market, now, from)
  return tradeMove(order, market, now, from, (spread * order.listing.minTick) / 2)
}

const inAuction = (order: Order, auction: 'open' | 'close', market: Market, now: number): Move | undefined => {
  const session = comingSession(now)
  const { series } = order.listing
  if (!market.day(series, session.date) || Math.max(now, order.restsUntil) > session[auction]) return undefined
  const price = market.price(series, session[auction])
  return price !== undefined && isGood(order, price) ? { kind: 'trade', at: session[auction], price, auction: true } : undefined
}

const isGood = ({ action, limit }: Order, price: number): boolean =>
  limit === undefined || (action === 'BUY' ? price <= limit : price >= limit)

/** The standing price of the hours around the session, for orders that work in them. */
const standing = (order: Order, market: Market, now: number, from: number): Touch | undefined => {
  if (!order.life.extended) return undefined
  const session = comingExtended(now)
  const hours = extendedHours(session)
  const at = Math.max(from, hours.open)
  if (at >= hours.close || (at >= session.open && at < session.close)) return undefined
  const price = market.price(order.listing.series, at)
  return price === undefined ? undefined : { at, price }
}

const triggerMove = (order: Order, market: Market, now: number, from: number): Move | undefined => {
  const { action, listing, stop, terms } = order
  if (stop === undefined) return undefined
  const side = terms.ifTouched ? action : opposite(action)
  const outside = standing(order, market, now, from)
  if (outside && (side === 'BUY' ? outside.price <= stop : outside.price >= stop)) return { kind: 'trigger', ...outside }
  const session = comingSession(now)
  const reached = terms.trail
    ? market.trail(listing.series, session, { from, until: session.close }, action, { trail: terms.trail, stop, tick: listing.minTick })
        ?.reached
    : market.touch(listing.series, session, from, side, stop)
  return reached && { kind: 'trigger', ...reached }
}

/** The opening auction has one price; after it the far side of the spread counts. */
const tradeMove = (order: Order, market: Market, now: number, from: number, halfSpread: number): Move | undefined => {
  const { action, limit, listing } = order
  const session = comingSession(now)
  const inTheMiddle = limitInTheMiddle(action, limit, halfSpread)
  const trade = ({ at, price }: Touch): Move => ({
    kind: 'trade',
    at,
    price: quoted(action, price, halfSpread, listing.minTick, limit),
    auction: false,
  })
  const outside = standing(order, market, now, from)
  if (outside && isGood({ ...order, ...(inTheMiddle === undefined ? {} : { limit: inTheMiddle }) }, outside.price)) return trade(outside)
  const opening = from <= session.open ? market.touch(listing.series, session, session.open, action, limit) : undefined
  if (opening?.at === session.open) return { kind: 'trade', ...opening, auction: true }
  const touch = market.touch(listing.series, session, from, action, inTheMiddle)
  return touch && trade(touch)
}
