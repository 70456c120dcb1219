/** What the gateway answers to each request of a client that has started, and what it keeps telling a subscriber. */
import { accountAnswers, tellHolding, tellPosition, tellValues } from './account-answers.ts'
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
export { tellHolding, tellPosition }

const answers: Answers<AnsweredName> = {
  ...accountAnswers,
  ...contractAnswers,
  ...historyAnswers,
  ...marketDataAnswers,

  reqIds: ({ book }, { id, connection }) => connection.send(messages.nextValidId(book.nextOrderId(id))),
  reqManagedAccts: (broker, { connection }) => connection.send(messages.managedAccounts(broker.accounts().map(({ account }) => account))),
  reqCurrentTime: (broker, { connection }) => connection.send(messages.currentTime(broker.now())),

  /** By asking, client 0 also binds what was placed by hand. */
  reqOpenOrders: (broker, client) => {
    for (const order of broker.book.working()) if (client.id === 0 && order.clientId === 0 && order.orderId === 0) broker.bind(order)
    tellOpenOrders(broker, client, ({ clientId }) => clientId === client.id)
  },
  reqAllOpenOrders: (broker, client) => tellOpenOrders(broker, client, () => true),
  reqAutoOpenOrders: (_, client, { bind }) => {
    if (client.id === 0) client.bindsByHand = bind
    else refuse(client, -1, { code: 327, text: 'Only the default client (i.e. 0) can auto bind orders.' })
  },
  reqCompletedOrders: (broker, { connection }, { apiOnly }) => {
    for (const one of broker.accounts())
      for (const order of completedOrders(one.book, apiOnly)) connection.send(messages.completedOrder(one, order, connection.serverVersion))
    connection.send(messages.completedOrdersEnd())
  },
  reqExecutions: (broker, { connection }, { requestId, filter }) => {
    for (const { account, book } of broker.accounts())
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

/** Of every account that the login manages. */
const tellOpenOrders = (broker: Broker, client: Client, wanted: (order: Order) => boolean): void => {
  for (const one of broker.accounts()) for (const order of one.book.working().filter(wanted)) tellOrder(one, client, order)
  client.connection.send(messages.openOrderEnd())
}

/** After the clock moved. */
export const tellPrices = (broker: Broker, client: Client): void => {
  tellValues(broker, client)
  tellQuotes(broker, client)
  tellBars(broker, client)
}
