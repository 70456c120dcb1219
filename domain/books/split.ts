/** A split as one decision: every holder's new quantity, the standing targets of before it, and the orders that still speak of old shares. */
import { add, compare, type Decimal, isZero, proportion, subtract } from '../decimal.ts'
import { type Refusal, refuse } from '../errors.ts'
import { type DomainEvent, type EventData, event } from '../events.ts'
import { booksIn, type Ledger, openOrdersIn } from '../ledger.ts'
import type { Ratio } from './lots.ts'
import { afterSplit } from './ratio.ts'
import { holdersOf } from './transfer.ts'

type Moves = EventData<'DiscrepancyExplained'>['moves']
/** `price`: what was paid for a whole new share, where fractions were paid in cash. */
type Split = {
  conId: number
  symbol: string
  text: string
  ratio: Ratio
  reason: string
  price?: EventData<'DiscrepancyExplained'>['price']
}

/**
 * Targets of before the split, in new units. One that was set since the difference stands speaks of new units already. One that was reached
 * is the new holding itself, whatever was rounded, so that the split is no reason to trade.
 */
const newTargets = (
  ledger: Readonly<Ledger>,
  { conId, symbol, ratio }: Split,
  since: string | undefined,
  moves: Moves,
  step: Decimal,
): DomainEvent[] =>
  Object.keys(ledger.standing)
    .sort()
    .flatMap((strategy) => {
      const target = ledger.standing[strategy]![conId]
      if (target === undefined || isZero(target.quantity) || (since !== undefined && target.setAt >= since)) return []
      const held = ledger.books[strategy]?.[conId] ?? '0'
      const after = add(held, moves.find(({ holder }) => holder === strategy)?.quantity ?? '0')
      const reached = compare(held, target.quantity) === 0
      const quantity = reached ? after : proportion(target.quantity, ratio.units, ratio.for, step)
      const { signal, factor } = target
      return [event('StandingTargetsSet', { strategy, signal, factor, targets: [{ conId, symbol, quantity }] })]
    })

/**
 * The ratio given to every holder, so that together they have what the broker holds. Orders in the instrument are not rewritten: the broker
 * cancels or changes them by rules of its own, so they are called back, and what is still wanted is decided anew.
 * @returns also the orders that were open, to be called back by whoever can
 */
export const decideSplit = (ledger: Readonly<Ledger>, split: Split): { events: DomainEvent[]; openOrders: string[] } | Refusal => {
  const { conId, symbol, text, ratio, reason, price } = split
  const unexplained = ledger.unexplained[conId]
  const step = ledger.instruments[conId]?.sizeStep ?? '1'
  const held = holdersOf(ledger, conId)
  const expected = add(booksIn(ledger as Ledger, conId), ledger.manual[conId] ?? '0')
  // Books that cancel each other out are split without a difference at the broker.
  if (unexplained === undefined && (held.length === 0 || !isZero(expected))) return refuse('NOTHING_TO_EXPLAIN', symbol)
  const quantity = unexplained?.quantity ?? '0'
  const reported = add(expected, quantity)
  const after = afterSplit(held, ratio, reported, step)
  if (after === undefined)
    return refuse('RATIO_MISMATCH', `${text} of ${expected} ${symbol} is not the ${reported} that the broker holds, not even rounded`)
  const moves = after.flatMap(({ holder, quantity }, index) => {
    const change = subtract(quantity, held[index]!.quantity)
    return isZero(change) ? [] : [{ holder, quantity: change }]
  })
  const openOrders = openOrdersIn(ledger as Ledger, conId).map(({ orderRef }) => orderRef)
  const explained = event('DiscrepancyExplained', {
    ...{ conId, symbol, quantity, as: 'corporateAction' as const, moves, unexplained: '0', reason, ratio: text },
    ...(price === undefined ? {} : { price }),
    ...(openOrders.length === 0 ? {} : { openOrders }),
  })
  return { events: [explained, ...newTargets(ledger, split, unexplained?.since, moves, step)], openOrders }
}
