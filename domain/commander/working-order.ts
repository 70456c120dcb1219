/**
 * Never against a working order: what opposes the wish of now is cancelled first, and then it is decided again.
 * An exit of a book that is being closed is not cancelled for anybody: the wish waits for a later decision.
 */
import { isExit } from '../closing/holders.ts'
import { isZero, sign, sum } from '../decimal.ts'
import { type Ledger, openOrdersIn } from '../ledger.ts'
import { type Order, remainingOf } from '../order.ts'
import { totalOf, type Wish } from './difference.ts'
import { type HoldBack, holdBack, instrumentsIn } from './hold-back.ts'
import { note } from './notes.ts'

/** Our working orders that oppose the net of all wishes in an instrument. An unresolved one cannot be cancelled: nobody knows it. */
const opposing = (ledger: Readonly<Ledger>, wishes: readonly Wish[], conId: number): Order[] => {
  const wanted = sum(wishes.filter((wish) => wish.conId === conId).map(totalOf))
  return openOrdersIn(ledger, conId).filter(
    (order) => order.status !== 'unresolved' && !isZero(wanted) && sign(remainingOf(order)) === -sign(wanted),
  )
}

/** `cancels`: what has to end before it is decided again. */
export const opposedByWorkingOrders = (ledger: Readonly<Ledger>, wishes: readonly Wish[]): HoldBack & { cancels: string[] } => {
  const orders = new Map(instrumentsIn(wishes).map((conId) => [conId, opposing(ledger, wishes, conId)]))
  const held = holdBack(wishes, (conId) => {
    const here = orders.get(conId)!
    if (here.length === 0) return undefined
    const exits = here.filter((order) => isExit(ledger, order))
    const [code, named] = exits.length === 0 ? (['CANCEL_FIRST', here] as const) : (['EXIT_FIRST', exits] as const)
    const refs = named.map(({ orderRef }) => orderRef).join(', ')
    return (wish) => note(code, { strategy: wish.strategy, conId, numbers: { difference: totalOf(wish) } }, refs)
  })
  const cancels = [...orders.values()].flat().filter((order) => !isExit(ledger, order))
  return { ...held, cancels: cancels.map(({ orderRef }) => orderRef) }
}
