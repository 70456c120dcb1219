/** An order as documents show it, in the words of the plan and of IB. */
import { absolute, add, type Decimal, divide, isZero, multiply, sign, subtract, toNumber } from '../domain/decimal.ts'
import type { Ledger } from '../domain/ledger.ts'
import { executionOf, isOpen, type Order } from '../domain/order.ts'
import type { Document, Json } from '../domain/ports/documents.ts'
import { recall } from '../domain/remembered.ts'
import { actionOf, numberOr, numbersOf } from './view.ts'

/** Of all executions, by quantity; null before the first one. */
export const averagePriceOf = (order: Order): number | null => {
  let value: Decimal = '0'
  let quantity: Decimal = '0'
  for (const fill of order.fills) {
    value = add(value, multiply(fill.quantity, fill.price))
    quantity = add(quantity, fill.quantity)
  }
  return isZero(quantity) ? null : toNumber(divide(value, quantity))
}

/** The commissions that have come, with the number of executions for which none has: that is absent, not zero. */
export const commissionOf = (
  ledger: Readonly<Ledger>,
  order: Order,
): { commission: number | null; commissionCurrency: string | null; commissionsMissing: number } => {
  const { fills } = order
  const known = fills.flatMap((fill) => recall(ledger.commissions, executionOf(fill.executionId)) ?? [])
  const currencies = [...new Set(known.map(({ currency }) => currency))]
  return {
    // Amounts in several currencies have no sum.
    commission: currencies.length === 1 ? toNumber(known.map(({ commission }) => commission).reduce(add, '0')) : null,
    commissionCurrency: currencies.length === 1 ? currencies[0]! : null,
    commissionsMissing: fills.length - known.length,
  }
}

/** An order by its words, as long as the ledger has it. */
export const orderWords = (ledger: Readonly<Ledger>, orderRef: string): string => {
  const order = ledger.orders[orderRef]
  return order === undefined
    ? `order ${orderRef}`
    : `order ${orderRef} (${actionOf(order.quantity)} ${absolute(order.quantity)} ${order.symbol})`
}

/** `planned`, `working` or `unresolved`; once closed, how it ended. */
export const statusOf = (order: Order): string => (isOpen(order) ? order.status : (order.how ?? order.status))

/** One line of `orders_placed`. Quantities are unsigned here: `action` says the side. */
export const placedLine = (ledger: Readonly<Ledger>, order: Order): Document => ({
  orderRef: order.orderRef,
  orderId: order.orderId,
  permId: order.permId,
  conId: order.conId,
  symbol: order.symbol,
  action: actionOf(order.quantity),
  totalQuantity: toNumber(absolute(order.quantity)),
  orderType: order.type,
  lmtPrice: numberOr(order.limitPrice, null),
  status: statusOf(order),
  filled: toNumber(absolute(order.filled)),
  averagePrice: averagePriceOf(order),
  ...commissionOf(ledger, order),
  shares: sharesOf(order),
  text: order.closedText,
})

const sharesOf = (order: Order): Json => numbersOf(Object.fromEntries(order.shares.map(({ strategy, quantity }) => [strategy, quantity])))

/** All there is to know of an open order. */
export const openOrderDocument = (order: Order, updated_at: string): Document => ({
  orderRef: order.orderRef,
  orderId: order.orderId,
  permId: order.permId,
  account: order.account,
  conId: order.conId,
  symbol: order.symbol,
  secType: order.secType,
  exchange: order.exchange,
  currency: order.currency,
  action: actionOf(order.quantity),
  totalQuantity: toNumber(absolute(order.quantity)),
  filled: toNumber(absolute(order.filled)),
  remaining: remainingUnsigned(order),
  averagePrice: averagePriceOf(order),
  orderType: order.type,
  lmtPrice: numberOr(order.limitPrice, null),
  tif: order.timeInForce,
  outsideRth: order.outsideRegularHours,
  good_after: order.goodAfter,
  good_till: order.goodTill,
  algo: order.algo === null ? null : { strategy: order.algo.strategy, parameters: { ...order.algo.parameters } },
  reference_price: toNumber(order.referencePrice),
  reduces: order.reduces,
  shares: sharesOf(order),
  status: statusOf(order),
  cancel_requested: order.cancelRequested,
  in_force_until: order.inForceUntil,
  decision: order.decision,
  planned_at: order.plannedAt,
  updated_at,
})

/** More than the whole may come by executions that cross a cancel: then nothing remains. */
const remainingUnsigned = (order: Order): number => {
  const remaining = subtract(order.quantity, order.filled)
  return sign(remaining) === -sign(order.quantity) ? 0 : toNumber(absolute(remaining))
}
