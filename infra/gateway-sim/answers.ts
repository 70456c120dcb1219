/** What the gateway answers to each request of a client that has started, and what it keeps telling a subscriber. */
import { accountAnswers, tellHolding, tellValues } from './account-answers.ts'
import type { AnsweredName, Answers, Asked } from './answering.ts'
import { completedOrders, type Order } from './book.ts'
import type { Broker } from './broker.ts'
import { type Client, refuse } from './client.ts'
import { contractAnswers } from './contract-answers.ts'
import { executionsLike } from './execution-filter.ts'
import { historyAnswers, tellBars } from './history-answers.ts'
import { marketDataAnswers, tellQuotes } from './market-data-answers.ts'
import * as messages from './messages.ts'

export { type Client, newClient } from './client.ts'
export { tellHolding }

const answers: Answers<AnsweredName> = {
  ...accountAnswers,
  ...contractAnswers,
  ...historyAnswers,
  ...marketDataAnswers,

  reqIds: ({ book }, { id, connection }) => connection.send(messages.nextValidId(book.nextOrderId(id))),
  reqManagedAccts: ({ account }, { connection }) => connection.send(messages.managedAccounts(account)),
  reqCurrentTime: (broker, { connection }) => connection.send(messages.currentTime(broker.now())),

  /** By asking, client 0 also binds what was placed by hand. */
  reqOpenOrders: (broker, client) => {
    const own = broker.book.working().filter((order) => order.clientId === client.id)
    for (const order of own) if (order.orderId === 0) broker.bind(order)
    tellOpenOrders(broker, client, own)
  },
  reqAllOpenOrders: (broker, client) => tellOpenOrders(broker, client, broker.book.working()),
  reqAutoOpenOrders: (_, client, { bind }) => {
    if (client.id === 0) client.bindsByHand = bind
    else refuse(client, -1, { code: 327, text: 'Only the default client (i.e. 0) can auto bind orders.' })
  },
  reqCompletedOrders: (broker, { connection }, { apiOnly }) => {
    for (const order of completedOrders(broker.book, apiOnly)) {
      connection.send(messages.completedOrder(broker, order, connection.serverVersion))
    }
    connection.send(messages.completedOrdersEnd())
  },
  reqExecutions: ({ account, book }, { connection }, { requestId, filter }) => {
    for (const execution of executionsLike(book.executions, account, filter)) {
      connection.send(messages.executionDetails(requestId, execution, account))
      connection.send(messages.commissionReport(execution))
    }
    connection.send(messages.executionDetailsEnd(requestId))
  },
  placeOrder: (broker, { id }, { orderId, order }) => broker.place(id, orderId, order),
  cancelOrder: (broker, { id }, { orderId }) => broker.cancel(id, orderId),
  reqGlobalCancel: (broker) => broker.cancelAll(),
}

export const answer = (broker: Broker, client: Client, request: Asked<AnsweredName>): void =>
  (answers[request.kind] as (broker: Broker, client: Client, request: Asked<AnsweredName>) => void)(broker, client, request)

// ── Orders ──

export const tellOrder = (broker: Broker, client: Client, order: Order): void => {
  client.connection.send(messages.openOrder(broker, order, client.connection.serverVersion))
  client.connection.send(messages.orderStatus(broker, order))
}

const tellOpenOrders = (broker: Broker, client: Client, orders: readonly Order[]): void => {
  for (const order of orders) tellOrder(broker, client, order)
  client.connection.send(messages.openOrderEnd())
}

/** After the clock moved. */
export const tellPrices = (broker: Broker, client: Client): void => {
  tellValues(broker, client)
  tellQuotes(broker, client)
  tellBars(broker, client)
}
