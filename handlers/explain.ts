/**
 * `explain`: a person says what a difference was. `manual`: not ours. `book`: a strategy's. `fill`: an order's, whose report was lost.
 * `corporateAction`: every holder's, by a ratio or in proportion. What is left over stays unexplained, and the instrument blocked.
 * With `from` nothing was different: a quantity moves between `manual` and a book.
 */

import { ratioOf } from '../domain/books/ratio.ts'
import { decideSplit } from '../domain/books/split.ts'
import { decideTransfer, transferPrice } from '../domain/books/transfer.ts'
import { ExplainBody } from '../domain/commands.ts'
import {
  absolute,
  add,
  compare,
  type Decimal,
  divide,
  isZero,
  multiply,
  negate,
  sign,
  subtract,
  sum,
  towardsZero,
} from '../domain/decimal.ts'
import { isRefusal, type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import { blockedBecause, booksIn, type Discrepancy, type Ledger } from '../domain/ledger.ts'
import { sharesOfFill } from '../domain/order.ts'
import { isoTime } from '../domain/ports/clock.ts'
import { recordFill } from '../domain/reports.ts'
import { defineHandler, nothingToGather } from './handler.ts'
import { cancelOrWithdraw } from './order-cancel.ts'

type Explanation = {
  instrument: string | number
  quantity?: Decimal
  as: 'manual' | 'book' | 'fill' | 'corporateAction'
  strategy?: string
  from?: string
  orderRef?: string
  price?: Decimal
  ratio?: string
  reason?: string
}
type Moves = EventData<'DiscrepancyExplained'>['moves']
type Instrument = { conId: number; symbol: string }
/** What the decision stands on beside the ledger and the body. */
type Grounds = { strategies: readonly string[]; notHandedOver: readonly string[]; commandId: string; now: string }

const findInstrument = (ledger: Readonly<Ledger>, instrument: string | number): Instrument | Refusal => {
  const named = new Map<number, Instrument>()
  const name = (conId: number, symbol: string): void => {
    if ((conId === Number(instrument) || symbol === instrument) && !named.has(conId)) named.set(conId, { conId, symbol })
  }
  for (const [conId, { symbol }] of Object.entries(ledger.discrepancies)) name(Number(conId), symbol)
  for (const [conId, { symbol }] of Object.entries(ledger.unexplained)) name(Number(conId), symbol)
  for (const { conId, symbol } of Object.values(ledger.instruments)) name(conId, symbol)
  for (const { conId, symbol, secType } of ledger.snapshot?.positions ?? []) if (secType !== 'CASH') name(conId, symbol)
  const [found, other] = named.values()
  if (found === undefined) return refuse('INSTRUMENT_UNKNOWN', String(instrument))
  if (other === undefined) return found
  return refuse('INSTRUMENT_AMBIGUOUS', `${instrument} is ${[...named.keys()].join(', ')}; name it by its contract id`)
}

/** In proportion to what each holder has; what does not divide goes to `manual`. */
const proportional = (ledger: Readonly<Ledger>, conId: number, quantity: Decimal): Moves => {
  const manual = ledger.manual[conId] ?? '0'
  const total = add(booksIn(ledger, conId), manual)
  if (isZero(total)) return [{ holder: 'manual', quantity }]
  const step = ledger.instruments[conId]?.sizeStep ?? '1'
  const books = Object.entries(ledger.books).flatMap(([holder, book]) => {
    const part = towardsZero(divide(multiply(quantity, book[conId] ?? '0'), total), step)
    return isZero(part) ? [] : [{ holder, quantity: part }]
  })
  const rest = subtract(quantity, sum(books.map((move) => move.quantity)))
  return isZero(rest) ? books : [...books, { holder: 'manual', quantity: rest }]
}

/** Fields that do not go together, whatever the state. */
const faultIn = ({ quantity, as, strategy, from, price, ratio }: Explanation): string | undefined => {
  if (price !== undefined && sign(price) <= 0) return `price: expected more than 0, got ${price}`
  if (price !== undefined && from === undefined && ratio === undefined && as !== 'book' && as !== 'fill')
    return 'price: it belongs to a book, a fill, a move, or to a ratio whose fractions were paid in cash'
  if (from !== undefined) {
    if (ratio !== undefined) return 'ratio: a split moves nothing from one holder to another; leave one of the two out'
    if (quantity === undefined) return 'quantity: say how much is moved'
    if ((as === 'book') !== (from === 'manual') || (as !== 'book' && as !== 'manual'))
      return 'from: a quantity moves from "manual" as "book", or from a strategy as "manual"'
  } else if (ratio !== undefined) {
    if (ratioOf(ratio) === undefined) return `ratio: expected new shares for old ones, such as "2:1" or "1:10", got "${ratio}"`
    if (as !== 'corporateAction') return 'ratio: only a corporateAction has one'
    if (quantity !== undefined) return 'quantity: it follows from the ratio; leave one of the two out'
  } else if (quantity === undefined) return 'quantity: say how much of the difference it was'
  return as === 'book' && (strategy === undefined || strategy === 'manual') ? 'strategy: name the strategy whose book it is' : undefined
}

/** The strategy whose book it is. */
const bookNamed = (ledger: Readonly<Ledger>, { strategies }: Grounds, strategy: string): string | Refusal => {
  if (ledger.books[strategy] === undefined && !strategies.includes(strategy)) return refuse('STRATEGY_UNKNOWN', `${strategy} has no book`)
  return strategy
}

const movesFor = (
  ledger: Readonly<Ledger>,
  grounds: Grounds,
  conId: number,
  { as, strategy }: Explanation,
  quantity: Decimal,
  against: Discrepancy | undefined,
): Moves | Refusal => {
  // A hand trade against a book lies in `manual` already: given to the book it leaves there, else it stays.
  if (against !== undefined && as === 'manual') return []
  if (as === 'manual') return [{ holder: 'manual', quantity }]
  if (as === 'corporateAction') return proportional(ledger, conId, quantity)
  const book = bookNamed(ledger, grounds, strategy!)
  if (isRefusal(book)) return book
  return [{ holder: book, quantity }, ...(against === undefined ? [] : [{ holder: 'manual', quantity: negate(quantity) }])]
}

const confirmFill = (
  ledger: Readonly<Ledger>,
  conId: number,
  { commandId }: Grounds,
  { orderRef, price }: Explanation,
  quantity: Decimal,
  proposed: string | undefined,
) => {
  const order = ledger.orders[orderRef ?? proposed ?? '']
  if (order === undefined || order.conId !== conId) return refuse('ORDER_UNKNOWN', orderRef ?? 'name the orderRef that was filled')
  const left = subtract(order.quantity, order.filled)
  if (sign(quantity) !== sign(left) || compare(absolute(quantity), absolute(left)) > 0)
    return refuse('EXPLANATION_TOO_LARGE', `${left} of order ${order.orderRef} is not filled, the explanation is of ${quantity}`)
  const executionId = `explained:${commandId}.01`
  const shares = sharesOfFill(order, executionId, quantity)
  return recordFill({ ...order, fills: [...order.fills] }, { executionId, quantity, price: price ?? order.referencePrice, shares })
}

/** They say that somebody has to look, not that a quantity is unexplained. An execution of nobody does so once its quantity is gone. */
const isToBeLookedAt = (kind: Discrepancy['kind'], open: Decimal | undefined): boolean =>
  kind === 'instrumentChanged' || kind === 'orphanOrder' || kind === 'trade' || (kind === 'orphanExecution' && open === undefined)

const explainDifference = (
  ledger: Readonly<Ledger>,
  grounds: Grounds,
  { conId, symbol }: Instrument,
  explanation: Explanation & { quantity: Decimal },
): DomainEvent[] | Refusal => {
  const discrepancy = ledger.discrepancies[conId]
  const against = discrepancy?.kind === 'againstBook' && ledger.unexplained[conId] === undefined ? discrepancy : undefined
  const { quantity, as, reason = 'explained by command' } = explanation
  const open = against?.quantity ?? ledger.unexplained[conId]?.quantity
  const looked = discrepancy !== undefined && isToBeLookedAt(discrepancy.kind, open) ? discrepancy : undefined
  if (looked !== undefined && isZero(quantity))
    return [event('DiscrepancyExplained', { conId, symbol, quantity, as, moves: [], unexplained: '0', reason })]
  if (open === undefined)
    return refuse('NOTHING_TO_EXPLAIN', looked === undefined ? symbol : `${symbol}: quantity 0 says that you have looked: ${looked.text}`)
  if (sign(quantity) !== sign(open) || compare(absolute(quantity), absolute(open)) > 0)
    return refuse('EXPLANATION_TOO_LARGE', `${open} ${symbol} is open, the explanation is of ${quantity}`)
  const fill = as === 'fill' ? confirmFill(ledger, conId, grounds, explanation, quantity, discrepancy?.proposedFill?.orderRef) : []
  if (isRefusal(fill)) return fill
  const moves = as === 'fill' ? [] : movesFor(ledger, grounds, conId, explanation, quantity, against)
  if (isRefusal(moves)) return moves
  const price = as === 'book' ? transferPrice(ledger, conId, explanation.price, grounds.now) : {}
  const unexplained = subtract(open, quantity)
  return [...fill, event('DiscrepancyExplained', { conId, symbol, quantity, as, moves, unexplained, reason, ...price })]
}

const explainSplit = (
  ledger: Readonly<Ledger>,
  { notHandedOver, now }: Grounds,
  instrument: Instrument,
  text: string,
  { price, reason = 'explained by command' }: Explanation,
): DomainEvent[] | Refusal => {
  const inLieu = price === undefined ? {} : { price: { value: price, at: now, source: 'command' } }
  const split = decideSplit(ledger, { ...instrument, text, ratio: ratioOf(text)!, reason, ...inLieu })
  if (isRefusal(split)) return split
  const why = `${text} split of ${instrument.symbol}: the order speaks of old shares`
  return [...split.events, ...split.openOrders.flatMap((ref) => cancelOrWithdraw(ledger.orders[ref]!, notHandedOver, why))]
}

const moveBetween = (
  ledger: Readonly<Ledger>,
  grounds: Grounds,
  { conId, symbol }: Instrument,
  from: string,
  explanation: Explanation & { quantity: Decimal },
): DomainEvent[] | Refusal => {
  const { quantity, as, strategy, price, reason = 'moved by command' } = explanation
  const book = bookNamed(ledger, grounds, as === 'book' ? strategy! : from)
  if (isRefusal(book)) return book
  if (ledger.unexplained[conId] !== undefined || ledger.discrepancies[conId] !== undefined)
    return refuse('UNEXPLAINED_FIRST', `${symbol}: ${blockedBecause(ledger as Ledger, conId)}`)
  const to = as === 'book' ? book : 'manual'
  const transfer = { conId, symbol, from, to, quantity, reason, ...(price === undefined ? {} : { price }) }
  return decideTransfer(ledger, transfer, grounds.now)
}

const decide = (ledger: Readonly<Ledger>, grounds: Grounds, explanation: Explanation): DomainEvent[] | Refusal => {
  const fault = faultIn(explanation)
  if (fault !== undefined) return refuse('BODY_INVALID', fault)
  const instrument = findInstrument(ledger, explanation.instrument)
  if (isRefusal(instrument)) return instrument
  const { from, ratio } = explanation
  if (ratio !== undefined) return explainSplit(ledger, grounds, instrument, ratio, explanation)
  const measured = { ...explanation, quantity: explanation.quantity! }
  if (from !== undefined) return moveBetween(ledger, grounds, instrument, from, measured)
  return explainDifference(ledger, grounds, instrument, measured)
}

export const explain = defineHandler({
  body: ExplainBody,
  faultIn: (body) => faultIn(body as Explanation),
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, now, engine }) =>
    decide(
      ledger,
      {
        strategies: Object.keys(engine.strategies),
        notHandedOver: engine.notHandedOver,
        commandId: command.id,
        now: isoTime(now),
      },
      command.body as Explanation,
    ),
})
