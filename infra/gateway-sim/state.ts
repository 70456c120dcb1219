/** The simulation as `GET /state` shows it: the truth, whatever the clients were told. */
import { type Book, type Execution, type Order, remaining } from './book.ts'
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import { whyHeld } from './floor.ts'
import { armed } from './misbehaviour.ts'
import { ocaGroupOf } from './oca.ts'
import type { GatewayServer } from './server.ts'
import { openPositions } from './trading.ts'

export const stateOf = ({ broker, clock, server }: { broker: Broker; clock: Clock; server: GatewayServer }): object => {
  const { account, book, trading } = broker
  const worth = trading.valuation()
  return {
    clock: iso(broker.now()),
    ...clock.mode(),
    nextEventAt: iso(clock.nextEventAt()),
    account,
    cash: worth.cash,
    netLiquidation: worth.netLiquidation,
    currencies: worth.currencies,
    corporateActions: broker.actions
      .all()
      .map(({ listing, ...action }) => ({ symbol: listing.symbol, currency: listing.currency, ...action })),
    permissions: Object.fromEntries(broker.permissions),
    frictions: broker.frictions,
    ...shownAccount(broker),
    otherAccounts: Object.fromEntries(
      broker
        .accounts()
        .slice(1)
        .map((one) => [one.account, shownAccount(one)]),
    ),
    connections: server.clients().map(({ id, connection }) => ({ clientId: id, serverVersion: connection.serverVersion })),
    received: Object.fromEntries(
      [...server.received].map(([clientId, counts]) => [clientId, [...counts].map(([orderRef, count]) => ({ orderRef, count }))]),
    ),
    nextValidId: Object.fromEntries([...book.usedOrderIds().keys()].map((clientId) => [clientId, book.nextOrderId(clientId)])),
    misbehaviour: armed(server.misbehaviour),
  }
}

const shownAccount = ({ book, trading }: Broker): object => ({
  orders: book.orders.map((order) => shownOrder(book, order)),
  executions: book.executions.map(shownExecution),
  positions: openPositions(trading.account()).map((position) => ({
    symbol: position.listing.symbol,
    conId: position.listing.conId,
    secType: position.listing.secType,
    currency: position.listing.currency,
    quantity: position.quantity,
    averageCost: position.averageCost,
    marketPrice: trading.priceOf(position),
    realised: position.realised,
  })),
})

/** `forgotten`: midnight has passed since, and the API does not tell it any more. */
const shownOrder = (book: Book, order: Order): object => ({
  clientId: order.clientId,
  orderId: order.orderId,
  permId: order.permId,
  orderRef: order.orderRef,
  symbol: order.listing.symbol,
  conId: order.listing.conId,
  action: order.action,
  totalQuantity: order.quantity,
  orderType: order.terms.orderType,
  lmtPrice: order.limit,
  stopPrice: order.stop,
  triggered: order.triggered,
  tif: order.life.timeInForce,
  expiresAt: order.life.expiresAt === undefined ? undefined : iso(order.life.expiresAt),
  parentId: order.parentId,
  ocaGroup: ocaGroupOf(book, order),
  status: order.status,
  whyHeld: whyHeld(book, order),
  filled: order.filled,
  remaining: remaining(order),
  averagePrice: order.averagePrice,
  completedAt: order.completed && iso(order.completed.at),
  forgotten: order.forgotten,
})

const shownExecution = ({ listing, at, ...execution }: Execution): object => ({
  ...execution,
  symbol: listing.symbol,
  conId: listing.conId,
  at: iso(at),
})

const iso = (instant: number): string => new Date(instant).toISOString()
