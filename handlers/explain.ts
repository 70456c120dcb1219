/**
 * `explain`: a person says what a difference was. `manual`: not ours. `book`: a strategy's. `fill`: an order's, whose report was lost.
 * `corporateAction`: every holder's, in proportion. What is left over stays unexplained, and the instrument blocked.
 */
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
import { type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import { booksIn, type Discrepancy, type Ledger } from '../domain/ledger.ts'
import { sharesOfFill } from '../domain/order.ts'
import { recordFill } from '../domain/reports.ts'
import { defineHandler, nothingToGather } from './handler.ts'

type Explanation = {
  instrument: string | number
  quantity: Decimal
  as: 'manual' | 'book' | 'fill' | 'corporateAction'
  strategy?: string
  orderRef?: string
  price?: Decimal
  reason?: string
}
type Moves = EventData<'DiscrepancyExplained'>['moves']

const findInstrument = (ledger: Readonly<Ledger>, instrument: string | number): { conId: number; symbol: string } | undefined => {
  const named = [
    ...Object.entries(ledger.discrepancies).map(([conId, { symbol }]) => ({ conId: Number(conId), symbol })),
    ...Object.entries(ledger.unexplained).map(([conId, { symbol }]) => ({ conId: Number(conId), symbol })),
    ...Object.values(ledger.instruments),
  ]
  const found = named.find(({ conId, symbol }) => conId === Number(instrument) || symbol === instrument)
  return found && { conId: found.conId, symbol: found.symbol }
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

const movesFor = (
  ledger: Readonly<Ledger>,
  strategies: readonly string[],
  conId: number,
  explanation: Explanation,
  against: Discrepancy | undefined,
): Moves | Refusal => {
  const { as, quantity, strategy } = explanation
  // A hand trade against a book lies in `manual` already: given to the book it leaves there, else it stays.
  if (against !== undefined && as === 'manual') return []
  if (as === 'manual') return [{ holder: 'manual', quantity }]
  if (as === 'corporateAction') return proportional(ledger, conId, quantity)
  if (strategy === undefined || strategy === 'manual') return refuse('BODY_INVALID', 'strategy: name the strategy whose book it is')
  if (ledger.books[strategy] === undefined && !strategies.includes(strategy)) return refuse('STRATEGY_UNKNOWN', `${strategy} has no book`)
  return [{ holder: strategy, quantity }, ...(against === undefined ? [] : [{ holder: 'manual', quantity: negate(quantity) }])]
}

const confirmFill = (
  ledger: Readonly<Ledger>,
  conId: number,
  commandId: string,
  { orderRef, quantity, price }: Explanation,
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

const decide = (
  ledger: Readonly<Ledger>,
  strategies: readonly string[],
  commandId: string,
  explanation: Explanation,
): DomainEvent[] | Refusal => {
  const instrument = findInstrument(ledger, explanation.instrument)
  if (instrument === undefined) return refuse('INSTRUMENT_UNKNOWN', String(explanation.instrument))
  const { conId, symbol } = instrument
  const discrepancy = ledger.discrepancies[conId]
  const against = discrepancy?.kind === 'againstBook' && ledger.unexplained[conId] === undefined ? discrepancy : undefined
  const { quantity, as, reason = 'explained by command' } = explanation
  if ((discrepancy?.kind === 'instrumentChanged' || discrepancy?.kind === 'orphanOrder') && isZero(quantity))
    return [event('DiscrepancyExplained', { conId, symbol, quantity, as, moves: [], unexplained: '0', reason })]
  const open = against?.quantity ?? ledger.unexplained[conId]?.quantity
  if (open === undefined) return refuse('NOTHING_TO_EXPLAIN', symbol)
  if (sign(quantity) !== sign(open) || compare(absolute(quantity), absolute(open)) > 0)
    return refuse('EXPLANATION_TOO_LARGE', `${open} ${symbol} is open, the explanation is of ${quantity}`)
  const fill = as === 'fill' ? confirmFill(ledger, conId, commandId, explanation, discrepancy?.proposedFill?.orderRef) : []
  if (!Array.isArray(fill)) return fill
  const moves = as === 'fill' ? [] : movesFor(ledger, strategies, conId, explanation, against)
  if (!Array.isArray(moves)) return moves
  const explained = event('DiscrepancyExplained', { conId, symbol, quantity, as, moves, unexplained: subtract(open, quantity), reason })
  return [...fill, explained]
}

export const explain = defineHandler({
  body: ExplainBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => decide(ledger, Object.keys(engine.strategies), command.id, command.body as Explanation),
})
