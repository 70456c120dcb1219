/**
 * The way a price goes through a day: straight segments, one after the other, sometimes with a gap between two. Pure questions about
 * it: the price at a moment, when a price is reached, where a stop that follows the price has come to.
 */

/** Shares traded from `start` to `end` (epoch milliseconds) and the prices between. */
export type Slice = { start: number; end: number; open: number; high: number; low: number; close: number; volume: number }
/** From `start` to `end` the price goes straight `from` one value `to` the other, in steps of `tick` (a cent). */
export type Segment = { start: number; end: number; from: number; to: number; tick?: number }

export type Side = 'BUY' | 'SELL'
/** When and at what price an order trades, or a stop is reached. */
export type Touch = { at: number; price: number }

/** A half goes up, also where it is a hair less as a binary number. */
export const roundTo = (value: number, step: number): number => Number((Math.round(Number((value / step).toFixed(6))) * step).toFixed(8))

/** A rising slice meets its low first, a falling one its high. */
export const segmentsOf = (slice: Slice): Segment[] => {
  const rising = slice.close >= slice.open
  const prices = [slice.open, rising ? slice.low : slice.high, rising ? slice.high : slice.low, slice.close]
  const third = (slice.end - slice.start) / 3
  return [0, 1, 2].map((leg) => ({
    start: slice.start + Math.round(third * leg),
    end: slice.start + Math.round(third * (leg + 1)),
    from: prices[leg]!,
    to: prices[leg + 1]!,
  }))
}

const exactlyAt = (segment: Segment, at: number): number => {
  if (at <= segment.start) return segment.from
  if (at >= segment.end) return segment.to
  return segment.from + ((segment.to - segment.from) * (at - segment.start)) / (segment.end - segment.start)
}

/** Interpolated and rounded to the tick; the ends of a segment are kept as they are. */
export const priceAlong = (segment: Segment, at: number): number =>
  at <= segment.start || at >= segment.end ? exactlyAt(segment, at) : roundTo(exactlyAt(segment, at), segment.tick ?? 0.01)

/** The moment within a segment when a price between its ends is reached. */
const reachedAt = (segment: Segment, price: number): number =>
  Math.min(segment.end, Math.ceil(segment.start + ((segment.end - segment.start) * (price - segment.from)) / (segment.to - segment.from)))

/** The first moment from `from` on with a price that is good for that side: any, or `limit` and better. */
export const touchOn = (path: readonly Segment[], from: number, side: Side, limit?: number): Touch | undefined => {
  const good = (price: number): boolean => limit === undefined || (side === 'BUY' ? price <= limit : price >= limit)
  for (const segment of path) {
    if (segment.end <= from) continue
    const start = Math.max(from, segment.start)
    const price = priceAlong(segment, start)
    if (good(price)) return { at: start, price }
    if (limit !== undefined && good(segment.to)) return { at: Math.max(start, reachedAt(segment, limit)), price: limit }
  }
  return undefined
}

/** A stop that follows the price at a distance: so much, or so many percent. It never goes back. */
export type Trail = { by: 'amount' | 'percent'; distance: number }

/** Where a stop of an order on that side stands when the price is `price`: below it for a sale, above it for a purchase. */
export const stopBehind = (price: number, side: Side, trail: Trail, tick: number): number => {
  const distance = trail.by === 'amount' ? trail.distance : (price * trail.distance) / 100
  return roundTo(side === 'SELL' ? price - distance : price + distance, tick)
}

export const tighter = (side: Side, one: number, other: number): number => (side === 'SELL' ? Math.max(one, other) : Math.min(one, other))

const hits = (side: Side, price: number, stop: number): boolean => (side === 'SELL' ? price <= stop : price >= stop)

/** From `from` until `until`, or until it is reached: where the stop is then, and when and where the price met it. */
export const trailOn = (
  path: readonly Segment[],
  { from, until }: { from: number; until: number },
  side: Side,
  follow: { trail: Trail; stop: number; tick: number },
): { stop: number; reached?: Touch } => {
  let { stop } = follow
  for (const segment of path) {
    if (segment.end <= from) continue
    if (segment.start > until) break
    const [start, end] = [Math.max(from, segment.start), Math.min(until, segment.end)]
    const [first, last] = [exactlyAt(segment, start), exactlyAt(segment, end)]
    if (hits(side, first, stop)) return { stop, reached: { at: start, price: priceAlong(segment, start) } }
    stop = tighter(side, stop, stopBehind(first, side, follow.trail, follow.tick))
    if (hits(side, last, stop)) return { stop, reached: { at: Math.min(end, Math.max(start, reachedAt(segment, stop))), price: stop } }
    stop = tighter(side, stop, stopBehind(last, side, follow.trail, follow.tick))
  }
  return { stop }
}
