/** Order notional: of an increase no more than so much is at work at once; a large reduction goes in several orders, never clipped. */
import { settingOf } from '../configuration.ts'
import { absolute, compare, type Decimal, decimal, divide, multiply, negate, proportion, sign, subtract } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import { clipTo, type Draft, type Drafts, eachDraft, increasesAtWork, inLegs, unchanged } from './drafts.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

/** A reduction that would need more orders than this goes in larger ones. */
const mostLegs = 20

/** Nearly equal parts in size steps, so many that none is above `most`. */
const parts = (quantity: Decimal, most: Decimal, sizeStep: Decimal): Decimal[] => {
  const [steps, stepsOfLeg] = [Number(divide(absolute(quantity), sizeStep)), Math.max(1, Math.floor(Number(divide(most, sizeStep))))]
  const legs = Math.min(mostLegs, Math.ceil(steps / stepsOfLeg))
  const upTo = (leg: number): Decimal => proportion(absolute(quantity), String(leg), String(legs), sizeStep)
  const each = Array.from({ length: legs }, (_, leg) => subtract(upTo(leg + 1), upTo(leg)))
  return sign(quantity) < 0 ? each.map(negate) : each
}

const split = (draft: Draft, unitValue: Decimal, maximum: Decimal, sizeStep: Decimal): Drafts => {
  const { conId, quantity } = draft.net
  if (compare(multiply(absolute(quantity), unitValue), maximum) <= 0) return unchanged(draft)
  const quantities = parts(quantity, divide(maximum, unitValue), sizeStep)
  const numbers = { quantity, orders: String(quantities.length), maximum }
  return { orders: inLegs(draft, quantities, sizeStep), notes: [note('ORDER_SPLIT', { conId, numbers })] }
}

export const withinNotional = (drafts: readonly Draft[], ledger: Readonly<Ledger>, market: Market): Drafts => {
  const maximum = decimal(settingOf(ledger.configuration, 'orders.maximumNotional'))
  return eachDraft(drafts, (draft) => {
    const { conId, reduces } = draft.net
    const { instrument, unitValue, exitValue } = market(conId)
    if (reduces) return exitValue === undefined ? unchanged(draft) : split(draft, exitValue, maximum, instrument!.sizeStep)
    if (unitValue === undefined) return unchanged(draft)
    const atWork = increasesAtWork(ledger, conId)
    const most = subtract(divide(maximum, unitValue), atWork)
    return clipTo(draft, most, market, 'ORDER_NOTIONAL', { maximum, atWork: multiply(atWork, unitValue) })
  })
}
