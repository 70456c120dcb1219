/** Brings the broker's reports to the clients they are for; on demand in another order, falsely, or not. */
import { tellHolding, tellOrder, tellPosition, tellPrices } from './answers.ts'
import type { Order } from './book.ts'
import type { Broker } from './broker.ts'
import type { Client } from './client.ts'
import type { Happened } from './happenings.ts'
import * as messages from './messages.ts'
import type { DropMoment, FalseCancel, Misbehaviour } from './misbehaviour.ts'
import type { Report } from './trading.ts'

export type Reporting = {
  /** From the login's own account, or from another that it manages. */
  report: (report: Report, from?: Broker) => void
  /** Says of an order that it is cancelled, whatever it does. */
  tellCancelled: (order: Order, falseCancel: FalseCancel) => void
  /** Statuses that waited for their executions go now. */
  tellWaiting: () => void
}

export const createReporting = (
  broker: Broker,
  misbehaviour: Misbehaviour,
  clients: ReadonlyMap<number, Client>,
  happened: Happened,
): Reporting => {
  /** How much of each order was told as filled, by permanent id, and the orders whose statuses wait. */
  const toldFilled = new Map<number, number>()
  const waiting = new Set<Order>()

  const withClient = (clientId: number, tell: (client: Client) => void): void => {
    const client = clients.get(clientId)
    if (client?.connection.isOpen()) tell(client)
  }

  /** Tells it, unless the connection is to break at this report: instead of it, or right after it. */
  const tellOrDrop = (client: Client, [before, after]: readonly [DropMoment, DropMoment], tell: () => void): void => {
    const { drop } = misbehaviour
    const drops = drop !== undefined && (drop.when === before || drop.when === after) && (drop.clientId ?? client.id) === client.id
    if (!drops || drop.when === after) tell()
    if (!drops) return
    delete misbehaviour.drop
    client.connection.breakOff(drop.when === after)
  }

  const reportOrder = (order: Order): void => {
    if (misbehaviour.silentOrders.includes(order.permId)) return
    const isFill = order.filled > (toldFilled.get(order.permId) ?? 0)
    toldFilled.set(order.permId, order.filled)
    if (misbehaviour.executionsFirst && isFill) waiting.add(order)
    else withClient(order.clientId, (client) => tellOrderNow(client, order))
  }

  const tellOrderNow = (client: Client, order: Order): void => {
    if (order.orderId === 0 && client.bindsByHand) broker.bind(order)
    tellOrDrop(client, ['beforeAck', 'afterAck'], () => tellOrder(broker, client, order))
    const next = misbehaviour.falseCancels.findIndex(({ orderRef }) => orderRef === undefined || orderRef === order.orderRef)
    if (next >= 0 && !order.completed) tellCancelled(order, misbehaviour.falseCancels.splice(next, 1)[0]!)
  }

  const tellCancelled = (order: Order, { code, text, silent }: FalseCancel): void => {
    if (silent) misbehaviour.silentOrders.push(order.permId)
    withClient(order.clientId, (client) => {
      tellOrder(broker, client, { ...order, status: 'Cancelled' })
      client.connection.send(messages.error(order.orderId, code, text))
    })
  }

  const tellWaiting = (permId?: number): void => {
    for (const order of [...waiting].filter((order) => permId === undefined || order.permId === permId)) {
      waiting.delete(order)
      withClient(order.clientId, (client) => tellOrderNow(client, order))
    }
  }

  const report: Reporting['report'] = (report, from = broker) => {
    const own = from === broker
    if (report.kind === 'execution') {
      const { clientId, orderRef } = report.execution
      happened({ kind: 'execution', clientId, orderRef })
    }
    if (misbehaviour.linkDown) return
    switch (report.kind) {
      case 'order':
        return own ? reportOrder(report.order) : withClient(report.order.clientId, (client) => tellOrder(from, client, report.order))
      case 'execution':
        return withClient(report.execution.clientId, (client) =>
          tellOrDrop(client, ['beforeFill', 'afterFill'], () =>
            client.connection.send(messages.executionDetails(-1, report.execution, from.account)),
          ),
        )
      case 'commission':
        withClient(report.execution.clientId, ({ connection }) => connection.send(messages.commissionReport(report.execution)))
        return tellWaiting(report.execution.permId)
      case 'error':
        return withClient(report.clientId, ({ connection }) => connection.send(messages.error(report.id, report.code, report.text)))
      case 'whatIf':
        return withClient(report.order.clientId, ({ connection }) =>
          connection.send(messages.whatIf(broker, report, connection.serverVersion)),
        )
      case 'bound':
        return withClient(report.order.clientId, ({ connection }) => connection.send(messages.orderBound(report.order)))
      case 'holdings':
        for (const client of clients.values()) (own ? tellHolding : tellPosition)(from, client, report.listing)
        return
      case 'prices':
        if (own) for (const client of clients.values()) tellPrices(broker, client)
    }
  }

  return { report, tellCancelled, tellWaiting: () => tellWaiting() }
}
