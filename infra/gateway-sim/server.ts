/** The gateway's API port: accepts clients, passes their requests on, brings them the broker's reports, and misbehaves when told to. */
import { type AddressInfo, createServer } from 'node:net'
import { answer, type Client, newClient, tellHolding, tellOrder, tellPrices } from './answers.ts'
import type { Order } from './book.ts'
import type { Broker } from './broker.ts'
import { type Connection, openConnection } from './connection.ts'
import * as messages from './messages.ts'
import { notCancellable } from './order-desk.ts'
import { invalid, noPermission, type Rejection, readOnly, rejected } from './rejections.ts'
import { decodeRequest, type Request, type RequestName, UnreadableRequest } from './requests.ts'
import { utcTime } from './time-text.ts'
import type { Report } from './trading.ts'

/** Everything that is armed to go wrong on the API port. */
export type Misbehaviour = {
  /** Break the connection at the next order that is reported to that client (to any, without `clientId`). */
  drop?: { clientId?: number; when: 'beforeAck' | 'afterAck' }
  /** So many further orders vanish. */
  swallowOrders: number
  rejectOrders: Rejection[]
  /** Nothing may be placed or cancelled. */
  readOnly: boolean
  /** Symbols that may not be traded. */
  withoutPermission: string[]
  refuseConnections: boolean
  hang: Set<RequestName>
  /** Requests to cancel are kept instead of carried out. */
  cancelsStay: boolean
  keptCancels: { clientId: number; orderId: number }[]
  linkDown: boolean
}

export const wellBehaved = (): Misbehaviour => ({
  swallowOrders: 0,
  rejectOrders: [],
  readOnly: false,
  withoutPermission: [],
  refuseConnections: false,
  hang: new Set(),
  cancelsStay: false,
  keptCancels: [],
  linkDown: false,
})

export type GatewayServer = {
  port: number
  misbehaviour: Misbehaviour
  clients: () => Client[]
  /** How often each order ref came in placeOrder (what-ifs apart), by client id, whatever became of the order. */
  received: ReadonlyMap<number, ReadonlyMap<string, number>>
  report: (report: Report) => void
  /** A notice to every client. */
  notify: (code: number, text: string) => void
  /** Resolves when all that was sent has left, or with the number of clients that do not read within the limit. */
  flushed: () => Promise<number>
  close: () => Promise<void>
}

export type GatewayServerOptions = { host: string; port: number; maxServerVersion: number }

/** Without a line to IB the gateway itself still answers these. */
const answeredLocally: readonly RequestName[] = ['reqIds', 'reqManagedAccts', 'reqCurrentTime']

const flushLimit = 5000

export const startGatewayServer = async (
  options: GatewayServerOptions,
  broker: Broker,
  /** Called before each request, so that the broker's time is the clock's. */
  catchUp: () => void,
): Promise<GatewayServer> => {
  const misbehaviour = wellBehaved()
  const connections = new Set<Connection>()
  const clients = new Map<number, Client>()
  const received = new Map<number, Map<string, number>>()

  // ── From clients ──

  const negotiate = (from: number, to: number) => {
    const serverVersion = Math.min(to, options.maxServerVersion)
    const speaks = serverVersion >= messages.oldestServerVersion && serverVersion >= from
    return speaks ? { serverVersion, time: utcTime(broker.now()) } : undefined
  }

  const start = (connection: Connection, clientId: number): void => {
    if (clients.get(clientId)?.connection.isOpen()) {
      connection.send(messages.error(-1, 326, 'Unable to connect as the client id is already in use. Retry with a unique client id.'))
      connection.close()
      return
    }
    connection.clientId = clientId
    clients.set(clientId, newClient(clientId, connection))
    connection.send(messages.managedAccounts(broker.account))
    connection.send(messages.nextValidId(broker.book.nextOrderId(clientId)))
    for (const notice of messages.farmNotices) connection.send(notice)
  }

  const message = (connection: Connection, fields: string[]): void => {
    catchUp()
    try {
      const request = decodeRequest(fields, connection.serverVersion)
      if (request) handle(connection, request)
      else connection.send(messages.error(-1, 321, invalid(`the simulator does not support message ${fields[0]}`).text))
    } catch (error) {
      if (!(error instanceof UnreadableRequest)) throw error
      connection.send(messages.error(-1, 320, `Error reading request: message ${fields[0]}, ${error.message}`))
    }
  }

  /** A client that asks before START_API is no client. */
  const handle = (connection: Connection, request: Request): void => {
    const client = connection.clientId === undefined ? undefined : clients.get(connection.clientId)
    if (client) {
      if (request.kind !== 'startApi') handleOf(client, request)
    } else if (request.kind === 'startApi') start(connection, request.clientId)
    else connection.close()
  }

  const handleOf = (client: Client, request: Exclude<Request, { kind: 'startApi' }>): void => {
    if (request.kind === 'placeOrder') noteReceived(client.id, request)
    if (misbehaviour.hang.has(request.kind)) return
    if (request.kind === 'placeOrder' && interferes(client, request)) return
    if (interferesWithCancel(client, request)) return
    if (misbehaviour.linkDown && !answeredLocally.includes(request.kind)) return
    answer(broker, client, request)
  }

  const noteReceived = (clientId: number, { order }: Extract<Request, { kind: 'placeOrder' }>): void => {
    if (!['', '0', undefined].includes(order.attributes['whatIf'])) return
    const orderRef = order.attributes['orderRef'] ?? ''
    const counts = received.get(clientId) ?? new Map<string, number>()
    received.set(clientId, counts.set(orderRef, (counts.get(orderRef) ?? 0) + 1))
  }

  const refuse = ({ connection }: Client, id: number, { code, text, advanced }: Rejection): void =>
    connection.send(messages.error(id, code, text, advanced))

  /** Whoever asks again while the first wish is still on its way is told so. */
  const keepCancel = (client: Client, orderId: number): void => {
    const order = broker.book.order(client.id, orderId)
    const kept = misbehaviour.keptCancels.some((cancel) => cancel.clientId === client.id && cancel.orderId === orderId)
    if (kept && order) refuse(client, orderId, notCancellable(order))
    else misbehaviour.keptCancels.push({ clientId: client.id, orderId })
  }

  const interferesWithCancel = (client: Client, request: Request): boolean => {
    if (request.kind !== 'cancelOrder' && request.kind !== 'reqGlobalCancel') return false
    if (misbehaviour.readOnly) refuse(client, request.kind === 'cancelOrder' ? request.orderId : -1, readOnly)
    else if (misbehaviour.cancelsStay && request.kind === 'cancelOrder') keepCancel(client, request.orderId)
    else return false
    return true
  }

  /** Whether an order meets its end before the broker sees it. */
  const interferes = (client: Client, { orderId, order }: Extract<Request, { kind: 'placeOrder' }>): boolean => {
    if (misbehaviour.swallowOrders > 0) {
      misbehaviour.swallowOrders -= 1
      return true
    }
    const rejection =
      misbehaviour.rejectOrders.shift() ??
      (misbehaviour.linkDown ? rejected('no connection to the servers of IB') : undefined) ??
      (misbehaviour.readOnly ? readOnly : undefined) ??
      (misbehaviour.withoutPermission.includes(order.attributes['symbol'] ?? '') ? noPermission : undefined)
    if (rejection) refuse(client, orderId, rejection)
    return rejection !== undefined
  }

  // ── To clients ──

  const report: GatewayServer['report'] = (report) => {
    if (misbehaviour.linkDown) return
    switch (report.kind) {
      case 'order':
        return withClient(report.order.clientId, (client) => tellOrderOrDrop(broker, client, report.order))
      case 'execution':
        return withClient(report.execution.clientId, ({ connection }) =>
          connection.send(messages.executionDetails(-1, report.execution, broker.account)),
        )
      case 'commission':
        return withClient(report.execution.clientId, ({ connection }) => connection.send(messages.commissionReport(report.execution)))
      case 'error':
        return withClient(report.clientId, ({ connection }) => connection.send(messages.error(report.id, report.code, report.text)))
      case 'whatIf':
        return withClient(report.order.clientId, ({ connection }) =>
          connection.send(messages.whatIf(broker, report, connection.serverVersion)),
        )
      case 'bound':
        return withClient(report.order.clientId, ({ connection }) => connection.send(messages.orderBound(report.order)))
      case 'holdings':
        for (const client of clients.values()) tellHolding(broker, client, report.listing)
        return
      case 'prices':
        for (const client of clients.values()) tellPrices(broker, client)
    }
  }

  const withClient = (clientId: number, tell: (client: Client) => void): void => {
    const client = clients.get(clientId)
    if (client?.connection.isOpen()) tell(client)
  }

  const tellOrderOrDrop = (broker: Broker, client: Client, order: Order): void => {
    if (order.orderId === 0 && client.bindsByHand) broker.bind(order)
    const { drop } = misbehaviour
    const drops = drop !== undefined && (drop.clientId === undefined || drop.clientId === client.id)
    if (!drops || drop.when === 'afterAck') tellOrder(broker, client, order)
    if (!drops) return
    delete misbehaviour.drop
    client.connection.breakOff(drop.when === 'afterAck')
  }

  // ── Life ──

  const server = createServer((socket) => {
    if (misbehaviour.refuseConnections) {
      socket.resetAndDestroy()
      return
    }
    connections.add(
      openConnection(socket, {
        negotiate,
        message,
        closed: (connection) => {
          connections.delete(connection)
          if (clients.get(connection.clientId!)?.connection === connection) clients.delete(connection.clientId!)
        },
      }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    misbehaviour,
    clients: () => [...clients.values()],
    received,
    report,
    notify: (code, text) => {
      for (const { connection } of clients.values()) connection.send(messages.error(-1, code, text))
    },
    flushed: async () => {
      const waiting = new Set(connections)
      const all = Promise.all([...waiting].map((connection) => connection.flushed().then(() => waiting.delete(connection))))
      let timer: NodeJS.Timeout | undefined
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, flushLimit)
      })
      await Promise.race([all, limit])
      clearTimeout(timer)
      return waiting.size
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}
