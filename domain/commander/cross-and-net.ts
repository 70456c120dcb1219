/** Rule 6: opposite wishes are settled inside the house, at the reference price; what is left of an instrument becomes at most two orders. */
import { absolute, compare, type Decimal, isZero, negate, sign, smaller, subtract, sum } from '../decimal.ts'
import type { EventData } from '../events.ts'
import type { Share } from '../order.ts'
import { lessSettled, totalOf, type Wish } from './difference.ts'
import type { Market } from './market.ts'

/** One order before the rules on orders: the shares have one sign and sum to `quantity`. */
export type Net = { conId: number; reduces: boolean; quantity: Decimal; shares: Share[] }

const byInstrument = (wishes: readonly Wish[]): [conId: number, wishes: Wish[]][] => {
  const groups = new Map<number, Wish[]>()
  for (const wish of wishes) groups.set(wish.conId, [...(groups.get(wish.conId) ?? []), wish])
  return [...groups].sort(([left], [right]) => left - right)
}

/** The largest first, so that few strategies are touched; then by name. */
const largestFirst = (wishes: readonly Wish[]): Wish[] =>
  wishes.toSorted((left, right) => compare(absolute(totalOf(right)), absolute(totalOf(left))) || (left.strategy < right.strategy ? -1 : 1))

const settle = (side: readonly Wish[], matched: Decimal): Map<Wish, Decimal> => {
  const settled = new Map<Wish, Decimal>()
  let left = matched
  for (const wish of largestFirst(side)) {
    const part = smaller(left, absolute(totalOf(wish)))
    if (isZero(part)) break
    settled.set(wish, sign(totalOf(wish)) < 0 ? negate(part) : part)
    left = subtract(left, part)
  }
  return settled
}

/** Crosses what opposes in each instrument. The caller has taken out blocked instruments and those without a price. */
export const cross = (wishes: readonly Wish[], market: Market): { crossed: EventData<'PositionsCrossed'>[]; rest: Wish[] } => {
  const crossed: EventData<'PositionsCrossed'>[] = []
  const rest: Wish[] = []
  for (const [conId, here] of byInstrument(wishes)) {
    const buying = here.filter((wish) => sign(totalOf(wish)) > 0)
    const selling = here.filter((wish) => sign(totalOf(wish)) < 0)
    const matched = smaller(sum(buying.map(totalOf)), absolute(sum(selling.map(totalOf))))
    const { exit, symbol } = market(conId)
    if (isZero(matched) || exit === undefined) {
      rest.push(...here)
      continue
    }
    const settled = new Map([...settle(buying, matched), ...settle(selling, matched)])
    const moves = here.flatMap((wish) => (settled.has(wish) ? [{ strategy: wish.strategy, quantity: settled.get(wish)! }] : []))
    crossed.push({ conId, symbol, price: exit.value, priceAt: exit.at, moves })
    rest.push(...here.map((wish) => lessSettled(wish, settled.get(wish) ?? '0')).filter((wish) => !isZero(totalOf(wish))))
  }
  return { crossed, rest }
}

/** Of each instrument the reducing parts together and the increasing parts together; all reductions come first. */
export const net = (wishes: readonly Wish[]): Net[] => {
  const groups = byInstrument(wishes)
  const part = (reduces: boolean): Net[] =>
    groups.flatMap(([conId, here]) => {
      const shares = here
        .map((wish) => ({ strategy: wish.strategy, quantity: reduces ? wish.reduction : wish.increase }))
        .filter(({ quantity }) => !isZero(quantity))
      return shares.length === 0 ? [] : [{ conId, reduces, quantity: sum(shares.map(({ quantity }) => quantity)), shares }]
    })
  return [...part(true), ...part(false)]
}
