/** Rule 5: what is missing? Target − book − in flight, per strategy; a difference that crosses zero is a reduction and an increase. */
import { absolute, add, compare, type Decimal, isZero, negate, sign, smaller, subtract, towardsZero } from '../decimal.ts'
import type { Note } from '../events.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'
import type { Line } from './size.ts'

/** What one strategy wants to trade in one instrument, in multiples of the size step. Both parts have one sign; either may be 0. */
export type Wish = {
  strategy: string
  conId: number
  reduction: Decimal
  increase: Decimal
  /** It ends the position; then the minimum trade does not hold it back. */
  closes: boolean
}

/** Exact, before any rounding; 0 on a held line, whose orders in flight are left to their end. */
export const differenceOf = ({ target, book, inFlight, held }: Line): Decimal => (held ? '0' : subtract(subtract(target, book), inFlight))

/** @param position what there will be when all that is in flight has arrived */
export const splitAtZero = (position: Decimal, difference: Decimal, step: Decimal): { reduction: Decimal; increase: Decimal } => {
  const whole = towardsZero(difference, step)
  if (isZero(whole) || sign(position) !== -sign(whole)) return { reduction: '0', increase: whole }
  const most = compare(absolute(whole), absolute(position)) <= 0 ? absolute(whole) : towardsZero(absolute(position), step)
  const reduction = sign(whole) < 0 ? negate(most) : most
  return { reduction, increase: subtract(whole, reduction) }
}

export const totalOf = ({ reduction, increase }: Wish): Decimal => add(reduction, increase)

/** The wishes, and why a line whose target is not its book has none. */
export const differences = (lines: readonly Line[], market: Market): { wishes: Wish[]; notes: Note[] } => {
  const wishes: Wish[] = []
  const notes: Note[] = []
  for (const line of lines) {
    const { strategy, conId, target, book, inFlight } = line
    const difference = differenceOf(line)
    const { instrument } = market(conId)
    if (isZero(difference)) {
      if (!line.held && target !== book) notes.push(note('IN_FLIGHT', { strategy, conId, numbers: { inFlight } }))
      continue
    }
    if (instrument === undefined) {
      notes.push(note('INSTRUMENT_UNKNOWN', { strategy, conId, numbers: { difference } }))
      continue
    }
    const parts = splitAtZero(add(book, inFlight), difference, instrument.sizeStep)
    const wish = { strategy, conId, ...parts, closes: isZero(target) }
    const residual = subtract(difference, totalOf(wish))
    if (!isZero(residual)) notes.push(note('RESIDUAL', { strategy, conId, numbers: { residual, sizeStep: instrument.sizeStep } }))
    if (!isZero(totalOf(wish))) wishes.push(wish)
  }
  return { wishes, notes }
}

/** The wish less what was settled inside the house; the reduction is settled first. `settled` has the wish's sign. */
export const lessSettled = (wish: Wish, settled: Decimal): Wish => {
  const ofReduction = smaller(absolute(settled), absolute(wish.reduction))
  const reduced = sign(settled) < 0 ? negate(ofReduction) : ofReduction
  return { ...wish, reduction: subtract(wish.reduction, reduced), increase: subtract(wish.increase, subtract(settled, reduced)) }
}
