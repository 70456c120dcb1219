/**
 * `positions/{mode}`: the account, and per instrument who holds what: books + manual + unexplained is what the broker must hold.
 * `positions/{mode}/portfolio/latest`: the account as the broker showed it at the last reconcile.
 */
import { type Decimal, sum, toNumber } from '../domain/decimal.ts'
import type { EventData, EventType } from '../domain/events.ts'
import { blockedBecause, booksIn, type Ledger } from '../domain/ledger.ts'
import type { Document, DocumentWrite, Json } from '../domain/ports/documents.ts'
import type { OrderIndex } from './order-index.ts'
import { profitByBook } from './profit.ts'
import { actionOf, hasAny, numberOr, numbersOf, symbolOf, type View, type ViewInput } from './view.ts'

/** Whatever moves a holding or blocks an instrument, or says something new of the account. */
const moving: ReadonlySet<EventType> = new Set([
  'GatewayConnected',
  'PositionReconciled',
  'FillReceived',
  'PositionsCrossed',
  'ForeignExecutionSeen',
  'DiscrepancyFound',
  'DiscrepancyExplained',
  'OrderPlaced',
  'OrderUnresolved',
  'OrderClosed',
])

export const portfolioPath = (mode: string): string => `positions/${mode}/portfolio/latest`

// ── Who holds what ──

const unresolvedIn = (orders: OrderIndex): Set<number> =>
  new Set(orders.open().flatMap(({ status, conId }) => (status === 'unresolved' ? [conId] : [])))

const instrumentsIn = (ledger: Readonly<Ledger>, unresolved: ReadonlySet<number>): number[] => {
  const keys = new Set([...Object.keys(ledger.manual), ...Object.keys(ledger.unexplained), ...Object.keys(ledger.discrepancies)])
  for (const strategy in ledger.books) for (const conId in ledger.books[strategy]) keys.add(conId)
  // A currency pair is cash: nobody holds it.
  for (const { conId, secType } of ledger.snapshot?.positions ?? []) if (secType !== 'CASH') keys.add(String(conId))
  for (const conId of unresolved) keys.add(String(conId))
  return [...keys].map(Number).sort((left, right) => left - right)
}

const booksWith = (ledger: Readonly<Ledger>, conId: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(ledger.books).flatMap(([strategy, book]) => (book[conId] === undefined ? [] : [[strategy, toNumber(book[conId])]])),
  )

const instrumentLines = (ledger: Readonly<Ledger>, orders: OrderIndex): Json => {
  const { snapshot } = ledger
  const unresolved = unresolvedIn(orders)
  const doubted = (conId: number): boolean => unresolved.has(conId) || conId in ledger.unexplained || conId in ledger.discrepancies
  const reported = new Map<number, Decimal>(snapshot?.positions.map(({ conId, quantity }) => [conId, quantity]))
  return instrumentsIn(ledger, unresolved).map((conId) => {
    const manual = ledger.manual[conId] ?? '0'
    const unexplained = ledger.unexplained[conId]?.quantity ?? '0'
    const newer = snapshot !== null && (ledger.reportedAt[conId] ?? 0) > snapshot.asked
    return {
      conId,
      symbol: symbolOf(ledger, conId),
      books: booksWith(ledger, conId),
      manual: toNumber(manual),
      unexplained: toNumber(unexplained),
      total: toNumber(sum([booksIn(ledger, conId), manual, unexplained])),
      // A reconcile names every position there is; what it does not name is 0. Before the first one nothing is known.
      reported: snapshot === null ? null : toNumber(reported.get(conId) ?? '0'),
      changed_since_reported: newer,
      blocked: doubted(conId) ? (blockedBecause(ledger, conId) ?? null) : null,
    }
  })
}

const overview = ({ commit, ledger, orders }: ViewInput): Document => {
  const { snapshot } = ledger
  return {
    updated_at: commit.recordedAt,
    account: ledger.account,
    reconciled_at: snapshot?.takenAt ?? null,
    currency: snapshot?.baseCurrency ?? null,
    net_liquidation: numberOr(snapshot?.netLiquidation, null),
    available_funds: numberOr(snapshot?.availableFunds, null),
    gross_position_value: numberOr(snapshot?.grossPositionValue, null),
    cash: snapshot === null ? null : numbersOf(snapshot.cash),
    instruments: instrumentLines(ledger, orders),
  }
}

// ── What the broker showed ──

type Reconciled = EventData<'PositionReconciled'>

const holdingLine = (position: Reconciled['positions'][number]) => ({
  symbol: position.symbol,
  quantity: toNumber(position.quantity),
  average_cost: toNumber(position.averageCost),
  market_price: numberOr(position.marketPrice, null),
  market_value: numberOr(position.marketValue, null),
  unrealized_profit: numberOr(position.unrealizedProfit, null),
  realized_profit: numberOr(position.realizedProfit, null),
  contract: { conId: position.conId, symbol: position.symbol, secType: position.secType, currency: position.currency },
})

/** Side, whole quantity and limit are known of our own orders only: the broker's answer names them by ref. */
const openOrderLine = (ledger: Readonly<Ledger>, shown: Reconciled['openOrders'][number]) => {
  const order = ledger.orders[shown.orderRef]
  return {
    orderRef: shown.orderRef,
    orderId: shown.orderId,
    symbol: shown.symbol ?? order?.symbol ?? null,
    action: order === undefined ? null : actionOf(order.quantity),
    totalQuantity: order === undefined ? null : Math.abs(toNumber(order.quantity)),
    remaining: shown.remaining === undefined ? null : Math.abs(toNumber(shown.remaining)),
    lmtPrice: numberOr(order?.limitPrice, null),
    status: shown.status,
    ours: order !== undefined,
    order_details: {
      permId: shown.permId,
      conId: shown.conId ?? order?.conId ?? null,
      orderType: order?.type ?? null,
      tif: order?.timeInForce ?? null,
      account: order?.account ?? null,
    },
  }
}

const portfolio = (ledger: Readonly<Ledger>, position: number, data: Reconciled): Document => ({
  // The account as of this time; decisions refer to the document by it.
  updated_at: data.takenAt,
  position,
  account: data.account,
  currency: data.baseCurrency ?? null,
  net_liquidation: numberOr(data.netLiquidation, null),
  available_funds: numberOr(data.availableFunds, null),
  gross_position_value: numberOr(data.grossPositionValue, null),
  cash: numbersOf(data.cash),
  exchange_rates: numbersOf(data.exchangeRates),
  holdings: data.positions.map(holdingLine),
  open_orders: data.openOrders.map((shown) => openOrderLine(ledger, shown)),
  manual: data.manual.map(({ conId, symbol, quantity }) => ({ conId, symbol, quantity: toNumber(quantity) })),
  differences: data.differences.map(({ conId, symbol, reported, expected, unexplained }) => ({
    conId,
    symbol,
    reported: toNumber(reported),
    expected: toNumber(expected),
    unexplained: toNumber(unexplained),
  })),
  missing_orders: [...data.missing],
  profit: profitByBook(ledger),
})

export const portfolioView: View = (input) => {
  const { commit, events, ledger, mode } = input
  if (!hasAny(events, moving)) return []
  const shown = events.flatMap((event): DocumentWrite[] =>
    event.type === 'PositionReconciled'
      ? [{ kind: 'set', path: portfolioPath(mode), data: portfolio(ledger, commit.position, event.data) }]
      : [],
  )
  return [{ kind: 'set', path: `positions/${mode}`, data: overview(input) }, ...shown]
}
