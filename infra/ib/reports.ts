/** IB's events as values of ours. Each function reads one event; what it cannot read is a RangeError that says what was missing. */
import type { CommissionReport as IbCommission, Contract as IbContract, Execution as IbExecution, Order, OrderState } from '@stoqey/ib'
import { type Decimal, negate } from '../../domain/decimal.ts'
import type { CommissionReport, CompletedOrder, Execution, HistoricalBar, OrderSighting } from '../../domain/ports/broker.ts'
import { mention } from './contracts.ts'
import { amount, barStart, isoFromBroker, magnitude, needed } from './fields.ts'

/** @throws RangeError for an unknown side: a quantity without a sign must not be booked */
const signed = (side: string | undefined, shares: Decimal): Decimal => {
  if (side === 'BOT' || side === 'BUY') return shares
  if (side === 'SLD' || side === 'SELL') return negate(shares)
  throw new RangeError(`the broker sent an execution with the side "${side}"`)
}

export const executionOf = (contract: IbContract, execution: IbExecution, zone?: string): Execution => ({
  executionId: needed(execution.execId, 'execution id'),
  orderRef: execution.orderRef ?? '',
  orderId: execution.orderId ?? 0,
  clientId: execution.clientId ?? 0,
  permId: execution.permId ?? 0,
  account: needed(execution.acctNumber, 'account of an execution'),
  contract: mention(contract),
  quantity: signed(execution.side, needed(magnitude(execution.shares), 'quantity of an execution')),
  price: needed(amount(execution.price), 'price of an execution'),
  time: isoFromBroker(needed(execution.time, 'time of an execution'), zone),
})

/** @returns undefined while the broker has no amount yet: absent is not zero */
export const commissionOf = (report: IbCommission): CommissionReport | undefined => {
  const commission = amount(report.commission)
  if (commission === undefined) return undefined
  return {
    executionId: needed(report.execId, 'execution id of a commission'),
    commission,
    currency: report.currency ?? '',
    realizedProfit: amount(report.realizedPNL),
  }
}

export const completedOrderOf = (contract: IbContract, order: Order, state: OrderState, zone?: string): CompletedOrder => ({
  orderRef: order.orderRef ?? '',
  permId: order.permId ?? 0,
  account: order.account ?? '',
  contract: mention(contract),
  status: state.status,
  completedStatus: state.completedStatus ?? '',
  completedTime: completedTimeOf(state.completedTime ?? '', zone),
  filled: magnitude(order.filledQuantity),
})

/** ISO where the text can be read; else as it came, for it only informs. */
const completedTimeOf = (text: string, zone?: string): string => {
  try {
    return isoFromBroker(text, zone)
  } catch {
    return text
  }
}

/** @throws RangeError for a bar without prices. A bar of quotes has no volume: IB says −1, we say 0 */
export const barOf = (
  date: string,
  prices: { open: number; high: number; low: number; close: number },
  volume: number | undefined,
  zone?: string,
): HistoricalBar => {
  const price = (name: keyof typeof prices) => Number(needed(amount(prices[name]), `${name} of the bar ${date}`))
  return {
    start: barStart(date, zone),
    open: price('open'),
    high: price('high'),
    low: price('low'),
    close: price('close'),
    volume: Number(magnitude(volume) ?? 0),
  }
}

/** What an open order says of itself, for people: an unknown side leaves the quantity out. */
const termsOf = ({ action, totalQuantity, orderType, lmtPrice }: Order): Pick<OrderSighting, 'quantity' | 'orderType' | 'limitPrice'> => {
  const whole = magnitude(totalQuantity)
  const limitPrice = String(orderType).includes('LMT') ? amount(lmtPrice) : undefined
  const side = action === 'BUY' ? 1 : action === 'SELL' ? -1 : 0
  return {
    ...(whole === undefined || side === 0 ? {} : { quantity: side < 0 ? negate(whole) : whole }),
    ...(orderType === undefined ? {} : { orderType }),
    ...(limitPrice === undefined ? {} : { limitPrice }),
  }
}

/**
 * Sightings of orders. An order status says neither ref nor account nor contract; these are known from the open order
 * that the broker sent before it on the same connection, and unknown if it sent none.
 */
export const createOrderSightings = () => {
  const seen = new Map<string, OrderSighting>()
  const remember = (sighting: OrderSighting): OrderSighting => {
    seen.set(orderKey(sighting), sighting)
    return sighting
  }
  return {
    ofOpenOrder: (orderId: number, contract: IbContract, order: Order, state: OrderState): OrderSighting => {
      const place = { orderId, clientId: order.clientId ?? 0, permId: order.permId ?? 0 }
      return remember({
        ...place,
        orderRef: order.orderRef ?? '',
        account: order.account === '' ? undefined : order.account,
        contract: mention(contract),
        status: state.status,
        filled: undefined,
        remaining: undefined,
        ...termsOf(order),
      })
    },
    ofStatus: (
      orderId: number,
      status: string,
      filled: number | undefined,
      remaining: number | undefined,
      permId: number | undefined,
      clientId: number | undefined,
    ): OrderSighting => {
      const place = { orderId, clientId: clientId ?? 0, permId: permId ?? 0 }
      const before = seen.get(orderKey(place))
      return remember({
        ...place,
        orderRef: before?.orderRef,
        account: before?.account,
        contract: before?.contract,
        status,
        filled: magnitude(filled),
        remaining: magnitude(remaining),
        ...(before?.quantity === undefined ? {} : { quantity: before.quantity }),
        ...(before?.orderType === undefined ? {} : { orderType: before.orderType }),
        ...(before?.limitPrice === undefined ? {} : { limitPrice: before.limitPrice }),
      })
    },
  }
}

/** Orders from outside the API have the id 0 and only a permanent id; ours may not have that one yet. */
export const orderKey = ({ orderId, clientId, permId }: { orderId: number; clientId: number; permId: number }): string =>
  orderId === 0 ? `permanent ${permId}` : `${clientId}/${orderId}`
