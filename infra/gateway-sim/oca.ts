/**
 * One cancels all: what a fill of one order does to the others of its group. Type 1 cancels them, 2 and 3 make them smaller in
 * proportion. With 1 and 2 the group has one order at the exchange at a time, so that no two fill in the same moment; with 3 they may.
 */
import { type Book, isWorking, type Order, remaining } from './book.ts'
import { parentOf } from './bracket.ts'

/** The group's name; the children of one parent are a group without the client's saying so, of type 3. Empty for none. */
export const ocaGroupOf = (book: Book, order: Order): string => {
  if (order.ocaGroup !== '') return order.ocaGroup
  const parent = parentOf(book, order)
  return parent ? String(parent.permId) : ''
}

export type OcaEffect = { order: Order; cancel: true } | { order: Order; quantity: number }

/** `filled` shares traded of `order`, which still had that many before. */
export const ocaEffects = (book: Book, order: Order, filled: number): OcaEffect[] => {
  const group = ocaGroupOf(book, order)
  if (group === '') return []
  const before = remaining(order) + filled
  return book.orders
    .filter((other) => other !== order && isWorking(other) && ocaGroupOf(book, other) === group)
    .map((other): OcaEffect => {
      const left = floorTo(remaining(other) * (1 - filled / before), other.listing.sizeIncrement)
      if (typeOf(order) === 1 || remaining(order) === 0 || left <= 0) return { order: other, cancel: true }
      return { order: other, quantity: Number((other.filled + left).toFixed(8)) }
    })
}

export const blocks = (order: Order): boolean => typeOf(order) !== 3

const typeOf = (order: Order): number => (order.ocaGroup === '' ? 3 : order.ocaType)

const floorTo = (value: number, step: number): number => Number((Math.floor(value / step + 1e-9) * step).toFixed(8))
