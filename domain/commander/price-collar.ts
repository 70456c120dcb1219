/** Price collar: an increase goes as a limit order at most so far from the reference; for a reduction the collar only alerts. */
import { absolute, add, compare, type Decimal, multiply, sign, subtract } from '../decimal.ts'
import { type PriceSteps, toSaferTick } from './price-step.ts'

/** The collar around the reference, rounded to the tick to the safer side. @param quantity signed */
export const collarPrice = (reference: Decimal, quantity: Decimal, collar: Decimal, steps: PriceSteps): Decimal => {
  const away = multiply(reference, collar)
  return toSaferTick(sign(quantity) > 0 ? add(reference, away) : subtract(reference, away), quantity, steps)
}

export const isOutsideCollar = (price: Decimal, reference: Decimal, collar: Decimal): boolean =>
  compare(absolute(subtract(price, reference)), multiply(reference, collar)) > 0
