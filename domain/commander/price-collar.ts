/** Price collar: an increase goes as a limit order at most so far from the reference; for a reduction the collar only alerts. */
import { absolute, add, compare, type Decimal, downTo, larger, multiply, sign, subtract, upTo } from '../decimal.ts'

/** The collar around the reference, rounded to the tick to the safer side: a buy down, a sell up; never below one tick. */
export const collarPrice = (reference: Decimal, quantity: Decimal, collar: Decimal, minTick: Decimal): Decimal => {
  const away = multiply(reference, collar)
  return larger(sign(quantity) > 0 ? downTo(add(reference, away), minTick) : upTo(subtract(reference, away), minTick), minTick)
}

export const isOutsideCollar = (price: Decimal, reference: Decimal, collar: Decimal): boolean =>
  compare(absolute(subtract(price, reference)), multiply(reference, collar)) > 0
