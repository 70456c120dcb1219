/** Never against a working order: what opposes the wish of now is cancelled first, and then it is decided again. */
import { isZero, sign, sum } from '../decimal.ts'
import { type Ledger, openOrdersIn } from '../ledger.ts'
import { remainingOf } from '../order.ts'
import { totalOf, type Wish } from './difference.ts'
import { type HoldBack, holdBack, instrumentsIn } from './hold-back.ts'
import { note } from './notes.ts'

/** Refs of our working orders that oppose the net of all wishes in an instrument. An unresolved one cannot be cancelled: nobody knows it. */
const opposing = (ledger: Readonly<Ledger>, wishes: readonly Wish[], conId: number): string[] => {
  const wanted = sum(wishes.filter((wish) => wish.conId === conId).map(totalOf))
  return openOrdersIn(ledger, conId)
    .filter((order) => order.status !== 'unresolved' && !isZero(wanted) && sign(remainingOf(order)) === -sign(wanted))
    .map(({ orderRef }) => orderRef)
}

/** `cancels`: what has to end before it is decided again. */
export const opposedByWorkingOrders = (ledger: Readonly<Ledger>, wishes: readonly Wish[]): HoldBack & { cancels: string[] } => {
  const refs = new Map(instrumentsIn(wishes).map((conId) => [conId, opposing(ledger, wishes, conId)]))
  const held = holdBack(wishes, (conId) => {
    const here = refs.get(conId)!
    return here.length === 0
      ? undefined
      : (wish) => note('CANCEL_FIRST', { strategy: wish.strategy, conId, numbers: { difference: totalOf(wish) } }, here.join(', '))
  })
  return { ...held, cancels: [...refs.values()].flat() }
}
