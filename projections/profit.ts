/**
 * `positions/{mode}/holdings/{strategy}/profit/latest`: what a book has made and the lots it holds, as its trades made them; written when
 * these change, and so without market prices. What the lots are worth stands in `positions/{mode}/portfolio/latest`, as of the last reconcile.
 * All money is in base currency unless its name says otherwise.
 */
import { type BookLine, bookLines, profitLines, profitOf, type Unknown } from '../domain/books/profit.ts'
import { holdingsOf } from '../domain/books/trades.ts'
import { settingOf } from '../domain/configuration.ts'
import { absolute, type Decimal, divide, sum, toNumber } from '../domain/decimal.ts'
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { executionOf } from '../domain/order.ts'
import type { Json } from '../domain/ports/documents.ts'
import { recall } from '../domain/remembered.ts'
import { numberOr, symbolOf, type View } from './view.ts'

const ofOrder = (ledger: Readonly<Ledger>, orderRef: string | null | undefined): string[] =>
  (orderRef == null ? [] : (ledger.orders[orderRef]?.shares ?? [])).map(({ strategy }) => strategy)

/** Whose books the instrument's trades moved. */
const tradersOf = (ledger: Readonly<Ledger>, conId: number | string): string[] =>
  ledger.trades[conId] === undefined ? [] : Object.keys(holdingsOf(ledger.trades[conId]))

/** The strategies whose lots or profit an event may have changed. */
const changedBy = (event: DomainEvent, ledger: Readonly<Ledger>, position: number): string[] => {
  switch (event.type) {
    case 'FillReceived':
      return [...event.data.shares.map(({ strategy }) => strategy), ...ofOrder(ledger, event.data.orderRef)]
    case 'CommissionReported':
      return ofOrder(ledger, recall(ledger.executions, executionOf(event.data.executionId))?.orderRef)
    case 'PositionsCrossed':
      return event.data.moves.map(({ strategy }) => strategy)
    case 'DiscrepancyExplained':
      return event.data.moves.map(({ holder }) => holder)
    case 'InstrumentResolved':
      return tradersOf(ledger, event.data.conId)
    case 'PositionReconciled':
      // Rates that had not been known came with this snapshot.
      return Object.keys(ledger.trades).flatMap((conId) => (ledger.trades[conId]!.ratedAt === position ? tradersOf(ledger, conId) : []))
    default:
      return []
  }
}

/** A document holds only so much; what is left out is counted, and sold first or last like the rest. */
const shownLots = 100

const instrumentLine = (ledger: Readonly<Ledger>, line: BookLine): Json => ({
  conId: line.conId,
  symbol: symbolOf(ledger, line.conId),
  currency: line.currency,
  quantity: toNumber(line.quantity),
  average_cost: numberOr(line.averageCost, null),
  realized: numberOr(line.realized, null),
  realized_in_currency: numberOr(line.realizedInCurrency, null),
  commissions: toNumber(line.commissions),
  unknown: [...line.unknown],
  lots: line.lots.slice(0, shownLots).map(({ quantity, cost, rate, opened }) => ({
    quantity: toNumber(quantity),
    cost: cost === null ? null : toNumber(divide(absolute(cost), absolute(quantity))),
    exchange_rate: numberOr(rate, null),
    opened,
  })),
  lots_left_out: Math.max(0, line.lots.length - shownLots),
})

const unknownLines = (ledger: Readonly<Ledger>, unknown: readonly Unknown[]): Json =>
  unknown.map(({ conId, what }) => ({ conId, symbol: symbolOf(ledger, conId), what }))

/** The known parts; `unknown` says what is missing in them. */
const total = (values: readonly (Decimal | null)[]): number => toNumber(sum(values.map((value) => value ?? '0')))

export const profitView: View = ({ commit, events, ledger, mode }) => {
  const strategies = new Set(events.flatMap((event) => changedBy(event, ledger, commit.position)))
  strategies.delete('manual')
  return [...strategies].map((strategy) => {
    const lines = bookLines(ledger, strategy)
    return {
      kind: 'set',
      path: `positions/${mode}/holdings/${strategy}/profit/latest`,
      data: {
        updated_at: commit.recordedAt,
        position: commit.position,
        currency: ledger.snapshot?.baseCurrency ?? null,
        lot_method: settingOf(ledger.configuration, 'books.lotMethod'),
        realized: total(lines.map(({ realized }) => realized)),
        commissions: total(lines.map(({ commissions }) => commissions)),
        unknown: unknownLines(
          ledger,
          lines.flatMap(({ conId, unknown }) => unknown.map((what) => ({ conId, what }))),
        ),
        instruments: lines.map((line) => instrumentLine(ledger, line)),
      },
    }
  })
}

export const booksWithTrades = (ledger: Readonly<Ledger>): string[] =>
  [...new Set(Object.keys(ledger.trades).flatMap((conId) => tradersOf(ledger, conId)))].sort()

/** What each book had made at the last reconcile, for the document of the account. */
export const profitByBook = (ledger: Readonly<Ledger>): Json =>
  booksWithTrades(ledger).map((strategy) => {
    const { realized, unrealized, commissions, unknown } = profitOf(ledger, strategy)
    return {
      strategy,
      realized: toNumber(realized),
      unrealized: toNumber(unrealized),
      commissions: toNumber(commissions),
      unknown: unknownLines(ledger, unknown),
      instruments: profitLines(ledger, strategy).map((line) => ({
        conId: line.conId,
        symbol: symbolOf(ledger, line.conId),
        quantity: toNumber(line.quantity),
        average_cost: numberOr(line.averageCost, null),
        market_price: numberOr(line.marketPrice, null),
        exchange_rate: numberOr(line.exchangeRate, null),
        realized: numberOr(line.realized, null),
        unrealized: numberOr(line.unrealized, null),
        commissions: toNumber(line.commissions),
      })),
    }
  })
