/** The messages from the gateway to a client, as fields for the wire. Layouts: server versions 178 to 193. */
import { commissionCurrency } from './account.ts'
import { type Book, type Execution, type Order, remaining } from './book.ts'
import { parentOf } from './bracket.ts'
import { contractFields, multiplierText, shortDate } from './contract-messages.ts'
import type { Values } from './field-layout.ts'
import { whyHeld } from './floor.ts'
import { ocaGroupOf } from './oca.ts'
import { encodeCompletedOrder, encodeOpenOrder } from './order-fields.ts'
import { ibTime } from './time-text.ts'
import type { Report } from './trading.ts'
import type { Valuation } from './valuation.ts'
import type { Field } from './wire.ts'

export const oldestServerVersion = 178
export const newestServerVersion = 193

/** How IB writes "no number". */
export const unset = '1.7976931348623157E308'

export const managedAccounts = (accounts: readonly string[]): Field[] => [15, 1, accounts.join(',')]
export const nextValidId = (orderId: number): Field[] => [9, 1, orderId]
export const currentTime = (now: number): Field[] => [49, 1, Math.floor(now / 1000)]

/** With id −1 a notice to the whole connection. `advancedRejection` is IB's JSON for some rejections of orders. */
export const error = (id: number, code: number, text: string, advancedRejection = ''): Field[] => [4, 2, id, code, text, advancedRejection]

export const cents = (amount: number): number => Number(amount.toFixed(2))

/** The line between gateway and IB: as it breaks, and as it is told to whoever connects meanwhile. */
export const linkLost = (code: 1100 | 2110): Field[] => {
  const lost = 'Connectivity between IB and Trader Workstation has been lost.'
  const broken = 'Connectivity between Trader Workstation and server is broken. It will be restored automatically.'
  return error(-1, code, code === 1100 ? lost : broken)
}

export const farmNotices: readonly Field[][] = [
  error(-1, 2104, 'Market data farm connection is OK:usfarm'),
  error(-1, 2106, 'HMDS data farm connection is OK:ushmds'),
  error(-1, 2158, 'Sec-def data farm connection is OK:secdefnj'),
]

// ── Orders ──

/** The orders of one account, and the book that they stand in. */
export type Told = { book: Book; account: string }

/** What the client gave, and over it what became of it. */
const orderValues = ({ book, account }: Told, order: Order): Values => ({
  ...order.attributes,
  ...order.lists,
  conId: order.listing.conId,
  symbol: order.listing.symbol,
  secType: order.listing.secType,
  currency: order.listing.currency,
  localSymbol: order.listing.localSymbol,
  tradingClass: order.listing.tradingClass,
  strike: 0,
  lastTradeDate: shortDate(order.listing),
  multiplier: multiplierText(order.listing),
  exchange: order.attributes['exchange'] || order.listing.exchange,
  orderId: order.orderId,
  clientId: order.clientId,
  permId: order.permId,
  account,
  action: order.action,
  totalQuantity: order.quantity,
  tif: order.life.timeInForce,
  ocaGroup: ocaGroupOf(book, order),
  ...(order.terms.trail ? { trailStopPrice: order.stop } : {}),
  ...(order.terms.limitOffset !== undefined && order.limit !== undefined ? { lmtPrice: order.limit } : {}),
  status: order.status,
})

export const openOrder = (told: Told, order: Order, serverVersion: number, more: Values = {}): Field[] => [
  5,
  ...encodeOpenOrder({ ...orderValues(told, order), ...more }, serverVersion),
]
export const openOrderEnd = (): Field[] => [53, 1]

/** An order that was only asked about: its margins and commission, in US dollars. */
export const whatIf = (told: Told, report: Extract<Report, { kind: 'whatIf' }>, serverVersion: number): Field[] => {
  const { order, before, after, commission } = report
  const change = (of: (worth: Valuation) => number): number => cents(of(after) - of(before))
  return openOrder(told, order, serverVersion, {
    whatIf: true,
    initMarginBefore: cents(before.initialMargin),
    maintMarginBefore: cents(before.maintenanceMargin),
    equityWithLoanBefore: cents(before.netLiquidation),
    initMarginChange: change(({ initialMargin }) => initialMargin),
    maintMarginChange: change(({ maintenanceMargin }) => maintenanceMargin),
    equityWithLoanChange: change(({ netLiquidation }) => netLiquidation),
    initMarginAfter: cents(after.initialMargin),
    maintMarginAfter: cents(after.maintenanceMargin),
    equityWithLoanAfter: cents(after.netLiquidation),
    commission,
    commissionCurrency: commissionCurrency(order.listing, before.base),
  })
}

export const orderStatus = ({ book }: Told, order: Order): Field[] => [
  ...[3, order.orderId, order.status, order.filled, remaining(order), order.averagePrice, order.permId, order.parentId, order.lastPrice],
  ...[order.clientId, whyHeld(book, order), 0],
]

/** Of an order that is in no book. */
export const strangeStatus = (orderId: number, status: string, permId: number, clientId: number): Field[] => [
  ...[3, orderId, status, 0, 0, 0, permId, 0, 0, clientId, '', 0],
]

/** An order placed by hand has got a number, by which client 0 may change it. */
export const orderBound = ({ permId, clientId, orderId }: Order): Field[] => [100, permId, clientId, orderId]

export const completedOrder = (told: Told, order: Order, serverVersion: number): Field[] => [
  101,
  ...encodeCompletedOrder(
    {
      ...orderValues(told, order),
      filledQuantity: order.filled,
      parentPermId: parentOf(told.book, order)?.permId,
      completedTime: order.completed ? ibTime(order.completed.at) : '',
      completedStatus: order.completed?.text,
    },
    serverVersion,
  ),
]
export const completedOrdersEnd = (): Field[] => [102]

// ── Executions ──

/** `requestId` is −1 for one that is reported as it happens. */
export const executionDetails = (requestId: number, execution: Execution, account: string): Field[] => [
  ...[11, requestId, execution.orderId, ...contractFields(execution.listing, execution.listing.exchange)],
  ...[execution.execId, ibTime(execution.at), account, execution.listing.primaryExchange, execution.side === 'BUY' ? 'BOT' : 'SLD'],
  ...[execution.shares, execution.price, execution.permId, execution.clientId, 0, execution.cumulative, execution.averagePrice],
  ...[execution.orderRef, '', '', '', 2, false],
]
export const executionDetailsEnd = (requestId: number): Field[] => [55, 1, requestId]

export const commissionReport = (execution: Execution): Field[] => [
  ...[59, 1, execution.execId, execution.commission, commissionCurrency(execution.listing, 'USD'), execution.realised ?? unset, unset, ''],
]
