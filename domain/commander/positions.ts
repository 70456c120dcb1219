/** What the limits look at: every position of every strategy, with what a target adds to it and what each part is worth. */
import { absolute, add, compare, type Decimal, isZero, multiply, negate, sign, smaller, subtract, sum } from '../decimal.ts'
import { type Ledger, openOrders } from '../ledger.ts'
import { inFlightOf } from '../order.ts'
import type { InstrumentView, Market } from './market.ts'
import type { Line } from './size.ts'

/** One strategy in one instrument, on one side of zero. All quantities are absolute; `side` is their sign. */
export type Position = {
  strategy: string
  conId: number
  side: -1 | 0 | 1
  view: InstrumentView
  /** The part of the book that counts at the market price, signed: what an order in flight takes out of it is new again when it comes back. */
  inBook: Decimal
  /** Where it may end that nobody decides about: its book, and its book with all that is in flight. Signed; absent on a decided one. */
  between?: readonly [Decimal, Decimal]
  /** What stays of what is held or on its way. */
  kept: Decimal
  /** What the target adds to it, and what the limits leave of that. */
  added: Decimal
  line: Line | undefined
}

const held = (strategy: string, book: Decimal, inFlight: Decimal, view: InstrumentView, line?: Line): Position => {
  const expected = add(book, inFlight)
  const farther = compare(absolute(expected), absolute(book)) > 0 ? expected : book
  return {
    ...{ strategy, conId: view.conId, view, inBook: book, line, added: '0' },
    ...{ between: [book, expected], side: sign(farther), kept: absolute(farther) },
  }
}

/** Measured against book and flight together: an order that was allowed once is not asked for again. */
const decided = (line: Line, view: InstrumentView): Position => {
  if (line.held || view.blocked !== undefined) return held(line.strategy, line.book, line.inFlight, view, line)
  const expected = add(line.book, line.inFlight)
  const wanted = absolute(line.wanted)
  const kept = sign(expected) === sign(line.wanted) ? smaller(wanted, absolute(expected)) : '0'
  return {
    ...{ strategy: line.strategy, conId: line.conId, view, line, kept },
    inBook: sign(expected) !== sign(line.book) ? '0' : compare(absolute(expected), absolute(line.book)) < 0 ? expected : line.book,
    side: sign(line.wanted),
    added: subtract(wanted, kept),
  }
}

/** Everything that counts: the lines of this decision, and the books and orders of all strategies that it leaves alone. */
export const positionsOf = (ledger: Readonly<Ledger>, lines: readonly Line[], market: Market): Position[] => {
  const named = new Set(lines.map(({ strategy, conId }) => `${strategy} ${conId}`))
  const others = new Map<string, Position>()
  const include = (strategy: string, conId: number): void => {
    const key = `${strategy} ${conId}`
    if (named.has(key) || others.has(key)) return
    const inFlight = sum(openOrders(ledger).flatMap((order) => (order.conId === conId ? [inFlightOf(order, strategy)] : [])))
    others.set(key, held(strategy, ledger.books[strategy]?.[conId] ?? '0', inFlight, market(conId)))
  }
  for (const strategy in ledger.books) for (const conId in ledger.books[strategy]) include(strategy, Number(conId))
  for (const order of openOrders(ledger)) for (const { strategy } of order.shares) include(strategy, order.conId)
  return [...lines.map((line) => decided(line, market(line.conId))), ...others.values()]
}

/** In base currency, of a signed quantity; undefined when there is no price to tell it by. The book counts at its price, the rest at the reference. */
export const worthOf = ({ inBook, view }: Position, quantity: Decimal): Decimal | undefined => {
  const ofBook = sign(inBook) === sign(quantity) ? smaller(absolute(quantity), absolute(inBook)) : '0'
  const rest = subtract(absolute(quantity), ofBook)
  const [bookValue, restValue] = [view.heldValue, view.unitValue ?? view.heldValue]
  if ((!isZero(ofBook) && bookValue === undefined) || (!isZero(rest) && restValue === undefined)) return undefined
  return add(multiply(ofBook, bookValue ?? '0'), multiply(rest, restValue ?? '0'))
}

export const signedKept = ({ side, kept }: Position): Decimal => (side < 0 ? negate(kept) : kept)
export const valueKept = (position: Position): Decimal | undefined => worthOf(position, signedKept(position))

export const valueAdded = ({ added, view }: Position): Decimal => multiply(added, view.unitValue ?? '0')
export const stepOf = ({ view }: Position): Decimal => view.instrument?.sizeStep ?? '1'
export const total = (positions: readonly Position[], value: (position: Position) => Decimal | undefined): Decimal =>
  sum(positions.map((position) => value(position) ?? '0'))
