/** Price steps: a limit stands on the tick of its price band, rounded to the safer side. */
import { compare, type Decimal, downTo, larger, sign, upTo } from '../decimal.ts'
import type { Instrument } from '../ledger.ts'

export type PriceSteps = Pick<Instrument, 'minTick' | 'priceIncrements'>

/** The smallest step of a price that high. */
export const tickAt = (price: Decimal, { minTick, priceIncrements = [] }: PriceSteps): Decimal =>
  priceIncrements.findLast(({ from }) => compare(from, price) <= 0)?.increment ?? minTick

/** A buy down, a sell up; never below one tick. @param side the sign of the order's quantity */
export const toSaferTick = (price: Decimal, side: Decimal, steps: PriceSteps): Decimal => {
  const lowest = tickAt('0', steps)
  if (sign(price) <= 0) return lowest
  const tick = tickAt(price, steps)
  if (sign(side) > 0) return larger(downTo(price, tick), lowest)
  const up = upTo(price, tick)
  return upTo(up, tickAt(up, steps)) // it may have come into the band above, where the steps are wider
}
