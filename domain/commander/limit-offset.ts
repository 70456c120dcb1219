/** Limit offset: where the limit of an increase stands, as the request wishes it, and never beyond the collar. */
import { add, compare, type Decimal, decimal, multiply, negate, sign } from '../decimal.ts'
import { type PriceSteps, tickAt, toSaferTick } from './price-step.ts'

/** Signed, in the instrument's currency: more than 0 is worse for us. A fraction of the reference, or ticks of its price band. */
const amountOf = (offset: number | string, reference: Decimal, steps: PriceSteps): Decimal =>
  typeof offset === 'number'
    ? multiply(reference, decimal(offset))
    : multiply(decimal(Number.parseInt(offset, 10)), tickAt(reference, steps))

/** `atCollar`: the wish was beyond the collar, which holds. @param quantity signed */
export const offsetPrice = (
  offset: number | string,
  { reference, quantity, collar, steps }: { reference: Decimal; quantity: Decimal; collar: Decimal; steps: PriceSteps },
): { limitPrice: Decimal; atCollar: boolean } => {
  const amount = amountOf(offset, reference, steps)
  const wished = toSaferTick(add(reference, sign(quantity) > 0 ? amount : negate(amount)), quantity, steps)
  const beyond = compare(wished, collar) === sign(quantity)
  return { limitPrice: beyond ? collar : wished, atCollar: beyond }
}
