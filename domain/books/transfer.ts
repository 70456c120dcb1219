/** Who holds an instrument, and a quantity that a person moves from one holder to another. */
import { absolute, add, compare, type Decimal, isZero, negate, sign, sum } from '../decimal.ts'
import { type Refusal, refuse } from '../errors.ts'
import { type DomainEvent, event } from '../events.ts'
import { type Ledger, openOrdersIn } from '../ledger.ts'
import { inFlightOf } from '../order.ts'

/** Books by name and then `manual`, as far as they hold any: what is rounded among them does not hang on who traded first. */
export const holdersOf = (ledger: Readonly<Ledger>, conId: number): { holder: string; quantity: Decimal }[] =>
  [...Object.keys(ledger.books).sort(), 'manual'].flatMap((holder) => {
    const quantity = (holder === 'manual' ? ledger.manual : ledger.books[holder]!)[conId]
    return quantity === undefined ? [] : [{ holder, quantity }]
  })

type Transfer = { conId: number; symbol: string; from: string; to: string; quantity: Decimal; price?: Decimal; reason: string }

/** What a unit is worth to whoever gives or gets it by hand: the price that was named, else the snapshot's. */
export const transferPrice = ({ snapshot }: Readonly<Ledger>, conId: number, named: Decimal | undefined, now: string) => {
  if (named !== undefined) return { price: { value: named, at: now, source: 'command' } }
  const value = snapshot?.positions.find((position) => position.conId === conId)?.marketPrice
  return value === undefined ? {} : { price: { value, at: snapshot!.takenAt, source: 'snapshot' } }
}

/** Open orders that take away from what is held, and what they leave of it. */
const leftByOrders = (ledger: Readonly<Ledger>, conId: number, holder: string, held: Decimal): { refs: string[]; left: Decimal } => {
  const orders = openOrdersIn(ledger, conId).filter((order) => sign(inFlightOf(order, holder)) === -sign(held))
  const left = add(held, sum(orders.map((order) => inFlightOf(order, holder))))
  return { refs: orders.map(({ orderRef }) => orderRef), left: sign(left) === sign(held) ? left : '0' }
}

/** A quantity that goes from one holder to another; of a short holding it is below 0. */
export const decideTransfer = (ledger: Readonly<Ledger>, transfer: Transfer, now: string): DomainEvent[] | Refusal => {
  const { conId, symbol, from, to, quantity, price, reason } = transfer
  const held = holdersOf(ledger, conId).find(({ holder }) => holder === from)?.quantity ?? '0'
  const enough = held.startsWith('-') === quantity.startsWith('-') && compare(absolute(quantity), absolute(held)) <= 0
  if (isZero(quantity) || !enough) return refuse('NOT_HELD', `${from} holds ${held} ${symbol}, the wish is to take ${quantity}`)
  const { refs, left } = leftByOrders(ledger, conId, from, held)
  // Else it would be traded all the same, for somebody whom it no longer belongs to.
  if (compare(absolute(quantity), absolute(left)) > 0)
    return refuse('ORDER_AT_WORK', `of ${held} ${symbol} of ${from} only ${left} is free; cancel ${refs.join(', ')} first`)
  return [
    event('DiscrepancyExplained', {
      ...{ conId, symbol, quantity, as: to === 'manual' ? ('manual' as const) : ('book' as const), unexplained: '0', reason, from },
      moves: [
        { holder: from, quantity: negate(quantity) },
        { holder: to, quantity },
      ],
      ...transferPrice(ledger, conId, price, now),
    }),
  ]
}
