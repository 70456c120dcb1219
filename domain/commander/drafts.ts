/** Orders that are still looked at by the rules on orders, and what a rule leaves of one. */
import { absolute, add, compare, type Decimal, isZero, negate, sign, sum, towardsZero } from '../decimal.ts'
import type { Note } from '../events.ts'
import { type Ledger, openOrdersIn } from '../ledger.ts'
import { remainingOf, splitFilled } from '../order.ts'
import type { Net } from './cross-and-net.ts'
import type { Market } from './market.ts'
import { type NoteCode, note } from './notes.ts'
import type { OrderTerms } from './order-terms.ts'

export type Draft = { net: Net; terms: OrderTerms }
export type Drafts = { orders: Draft[]; notes: Note[] }

/** Each rule looks at each order by itself. */
export const eachDraft = (drafts: readonly Draft[], rule: (draft: Draft) => Drafts): Drafts => {
  const each = drafts.map(rule)
  return { orders: each.flatMap(({ orders }) => orders), notes: each.flatMap(({ notes }) => notes) }
}

export const unchanged = (draft: Draft): Drafts => ({ orders: [draft], notes: [] })

/** The same order over less; its shares keep their proportion and are exact. @param quantity signed, in size steps */
const over = ({ net, terms }: Draft, quantity: Decimal, sizeStep: Decimal): Draft => {
  const shares = splitFilled(net.shares, quantity, sizeStep).filter((share) => !isZero(share.quantity))
  return { net: { ...net, quantity, shares }, terms }
}

/** Leaves at most `most` units (absolute) of an increase, and tells every share why. */
export const clipTo = (draft: Draft, most: Decimal, market: Market, code: NoteCode, numbers: Record<string, string>): Drafts => {
  const { conId, quantity, shares } = draft.net
  if (compare(absolute(quantity), most) <= 0) return unchanged(draft)
  const { sizeStep } = market(conId).instrument!
  const left = sign(most) > 0 ? towardsZero(most, sizeStep) : '0'
  const signed = sign(quantity) < 0 ? negate(left) : left
  const clipped = isZero(left) ? undefined : over(draft, signed, sizeStep)
  const kept = (strategy: string) => clipped?.net.shares.find((share) => share.strategy === strategy)?.quantity ?? '0'
  return {
    orders: clipped === undefined ? [] : [clipped],
    notes: shares.map(({ strategy, quantity: wanted }) =>
      note(code, { strategy, conId, numbers: { wanted, allowed: kept(strategy), ...numbers } }),
    ),
  }
}

/** One order as several, each over its part of the cumulative quantity, so that the shares sum exactly. */
export const inLegs = (draft: Draft, quantities: readonly Decimal[], sizeStep: Decimal): Draft[] => {
  const { shares } = draft.net
  const givenUpTo = (quantity: Decimal) => splitFilled(shares, quantity, sizeStep)
  let before: Decimal = '0'
  return quantities.map((quantity) => {
    const after = add(before, quantity)
    const [from, to] = [givenUpTo(before), givenUpTo(after)]
    before = after
    const parts = shares.map(({ strategy }, index) => ({
      strategy,
      quantity: add(to[index]!.quantity, negate(from[index]!.quantity)),
    }))
    return { terms: draft.terms, net: { ...draft.net, quantity, shares: parts.filter((share) => !isZero(share.quantity)) } }
  })
}

/** Units (absolute) of the instrument that our open increases still wait for: what was granted once counts until it is there. */
export const increasesAtWork = (ledger: Readonly<Ledger>, conId: number): Decimal =>
  sum(
    openOrdersIn(ledger, conId)
      .filter(({ reduces }) => !reduces)
      .map((order) => absolute(remainingOf(order))),
  )
