/** The messages from the gateway to a client, as fields for the wire. Layouts: server versions 178 to 193. */
import { addDays, newYorkDate, newYorkTime, type Session, sessionOn } from '../../domain/calendar.ts'
import { commissionCurrency, type Position } from './account.ts'
import { type Book, type Execution, type Order, remaining } from './book.ts'
import { parentOf } from './bracket.ts'
import type { Values } from './field-layout.ts'
import { whyHeld } from './floor.ts'
import type { History } from './history.ts'
import type { Listing } from './listing.ts'
import { ocaGroupOf } from './oca.ts'
import { encodeCompletedOrder, encodeOpenOrder } from './order-fields.ts'
import { ibTime } from './time-text.ts'
import type { Report } from './trading.ts'
import type { Valuation } from './valuation.ts'
import type { Field } from './wire.ts'

export const oldestServerVersion = 178
export const newestServerVersion = 193

/** How IB writes "no number". */
const unset = '1.7976931348623157E308'

export const managedAccounts = (account: string): Field[] => [15, 1, account]
export const nextValidId = (orderId: number): Field[] => [9, 1, orderId]
export const currentTime = (now: number): Field[] => [49, 1, Math.floor(now / 1000)]

/** With id −1 a notice to the whole connection. `advancedRejection` is IB's JSON for some rejections of orders. */
export const error = (id: number, code: number, text: string, advancedRejection = ''): Field[] => [4, 2, id, code, text, advancedRejection]

export const farmNotices: readonly Field[][] = [
  error(-1, 2104, 'Market data farm connection is OK:usfarm'),
  error(-1, 2106, 'HMDS data farm connection is OK:ushmds'),
  error(-1, 2158, 'Sec-def data farm connection is OK:secdefnj'),
]

// ── Contracts ──

/** The eleven fields by which most messages name a contract, from conId to tradingClass. */
const contract = (listing: Listing, exchange: string): Field[] => [
  ...[listing.conId, listing.symbol, listing.secType, '', 0, '', '', exchange],
  ...[listing.currency, listing.localSymbol, listing.tradingClass],
]

const daysShown = 7

/** One entry a day, `CLOSED` where there is no session. */
const hours = (now: number, fromTo: (session: Session) => [from: number, to: number]): string =>
  Array.from({ length: daysShown }, (_, day) => addDays(newYorkDate(now), day))
    .map((date) => {
      const session = sessionOn(date)
      const day = date.replaceAll('-', '')
      if (!session) return `${day}:CLOSED`
      const [from, to] = fromTo(session)
      return `${day}:${hoursAndMinutes(from)}-${day}:${hoursAndMinutes(to)}`
    })
    .join(';')

const hoursAndMinutes = (instant: number): string => ibTime(instant).slice(9, 14).replace(':', '')

export const contractDetails = (requestId: number, listing: Listing, now: number, serverVersion: number): Field[] => [
  ...[10, requestId, listing.symbol, listing.secType, ''],
  ...(serverVersion >= 182 ? [''] : []),
  ...[0, '', 'SMART', listing.currency, listing.localSymbol, listing.tradingClass, listing.tradingClass, listing.conId, listing.minTick],
  ...['', 'DAY,GTC,LMT,MKT,OPG', listing.validExchanges.join(','), 1, 0, listing.longName, listing.primaryExchange],
  ...['', '', '', '', 'US/Eastern'],
  hours(now, ({ date }) => [newYorkTime(date, '04:00'), newYorkTime(date, '20:00')]),
  hours(now, ({ open, close }) => [open, close]),
  ...['', 0, 0, 1, '', '', listing.validExchanges.map(() => listing.marketRuleId).join(','), '', listing.stockType],
  ...[listing.sizeIncrement, listing.sizeIncrement, listing.sizeIncrement],
  ...(serverVersion >= 186 ? [0] : []),
]
export const contractDetailsEnd = (requestId: number): Field[] => [52, 1, requestId]

export const marketRule = (id: number, increments: readonly { lowEdge: number; increment: number }[]): Field[] => [
  ...[93, id, increments.length],
  ...increments.flatMap(({ lowEdge, increment }) => [lowEdge, increment]),
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
  exchange: order.attributes['exchange'] || 'SMART',
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
    commissionCurrency: 'USD',
  })
}

export const orderStatus = ({ book }: Told, order: Order): Field[] => [
  ...[3, order.orderId, order.status, order.filled, remaining(order), order.averagePrice, order.permId, order.parentId, order.lastPrice],
  ...[order.clientId, whyHeld(book, order), 0],
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
  ...[11, requestId, execution.orderId, ...contract(execution.listing, 'SMART')],
  ...[execution.execId, ibTime(execution.at), account, execution.listing.primaryExchange, execution.side === 'BUY' ? 'BOT' : 'SLD'],
  ...[execution.shares, execution.price, execution.permId, execution.clientId, 0, execution.cumulative, execution.averagePrice],
  ...[execution.orderRef, '', '', '', 2, false],
]
export const executionDetailsEnd = (requestId: number): Field[] => [55, 1, requestId]

export const commissionReport = (execution: Execution): Field[] => [
  ...[59, 1, execution.execId, execution.commission, commissionCurrency(execution.listing, 'USD'), execution.realised ?? unset, unset, ''],
]

// ── Account ──

export const position = (account: string, { listing, quantity, averageCost }: Position): Field[] => [
  ...[61, 3, account, ...contract(listing, listing.primaryExchange), quantity, averageCost],
]
export const positionEnd = (): Field[] => [62, 1]

export const portfolioValue = (account: string, { listing, quantity, averageCost, realised }: Position, price: number): Field[] => [
  ...[7, 8, listing.conId, listing.symbol, listing.secType, '', 0, '', '', listing.primaryExchange],
  ...[listing.currency, listing.localSymbol, listing.tradingClass, quantity, price, cents(quantity * price), averageCost],
  ...[cents(quantity * (price - averageCost)), cents(realised), account],
]

export type AccountValue = { key: string; value: string; currency: string }

export const accountValue = (account: string, { key, value, currency }: AccountValue): Field[] => [6, 2, key, value, currency, account]
export const accountUpdateTime = (now: number): Field[] => [8, 1, ibTime(now).slice(9, 14)]
export const accountDownloadEnd = (account: string): Field[] => [54, 1, account]

export const accountSummary = (requestId: number, account: string, { key, value, currency }: AccountValue): Field[] => [
  ...[63, 1, requestId, account, key, value, currency],
]
export const accountSummaryEnd = (requestId: number): Field[] => [64, 1, requestId]

const cents = (amount: number): number => Number(amount.toFixed(2))

/** Values of the account as a whole, by the tags of the account summary. */
export const accountTotals = (account: string, of: Valuation): AccountValue[] => [
  { key: 'AccountCode', value: account, currency: '' },
  { key: 'AccountReady', value: 'true', currency: '' },
  { key: 'AccountType', value: 'INDIVIDUAL', currency: '' },
  ...Object.entries({
    NetLiquidation: of.netLiquidation,
    TotalCashValue: of.cash,
    SettledCash: of.cash,
    AccruedCash: 0,
    BuyingPower: of.buyingPower,
    EquityWithLoanValue: of.netLiquidation,
    GrossPositionValue: of.grossPositionValue,
    InitMarginReq: of.initialMargin,
    MaintMarginReq: of.maintenanceMargin,
    AvailableFunds: of.availableFunds,
    ExcessLiquidity: of.excessLiquidity,
  }).map(([key, value]) => ({ key, value: value.toFixed(2), currency: 'USD' })),
]

/** Values of each currency, with `BASE` for their sum in the account's own. */
export const accountLedger = (of: Valuation): AccountValue[] =>
  ['BASE', 'USD'].flatMap((currency) => [
    { key: 'Currency', value: currency, currency },
    ...Object.entries({
      CashBalance: of.cash,
      TotalCashBalance: of.cash,
      StockMarketValue: of.stockValue,
      NetLiquidationByCurrency: of.netLiquidation,
      UnrealizedPnL: of.unrealised,
      RealizedPnL: of.realised,
      ExchangeRate: 1,
    }).map(([key, value]) => ({ key, value: value.toFixed(2), currency })),
  ])

// ── Market data ──

export const historicalData = (requestId: number, history: Exclude<History, { refused: string }>): Field[] => [
  ...[17, requestId, history.start, history.end, history.bars.length],
  ...history.bars.flatMap(({ date, open, high, low, close, volume, average, count }) => [
    date,
    open,
    high,
    low,
    close,
    volume,
    average,
    count,
  ]),
]

export const tickTypes = { bidSize: 0, bid: 1, ask: 2, askSize: 3, last: 4, lastSize: 5, high: 6, low: 7, volume: 8, close: 9, open: 14 }

export const tickPrice = (requestId: number, type: number, price: number, size: number): Field[] => [1, 6, requestId, type, price, size, 0]
export const tickSize = (requestId: number, type: number, size: number): Field[] => [2, 6, requestId, type, size]
export const tickRequestParameters = (requestId: number, minTick: number): Field[] => [81, requestId, minTick, '', 3]
export const tickSnapshotEnd = (requestId: number): Field[] => [57, 1, requestId]
export const marketDataType = (requestId: number, type: number): Field[] => [58, 1, requestId, type]
