/** The gateway's API port: accepts clients, passes their requests on, brings them the broker's reports, and misbehaves when told to. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { randomFrom } from '../../domain/random.ts'
import { answer } from './answers.ts'
import type { Order } from './book.ts'
import type { Broker } from './broker.ts'
import { type Client, refuse } from './client.ts'
import { type Connection, openConnection } from './connection.ts'
import { createDelivery } from './delivery.ts'
import type { Happened } from './happenings.ts'
import { createInterference } from './interference.ts'
import { createLimits, type Limits } from './limits.ts'
import { createLogin } from './login.ts'
import * as messages from './messages.ts'
import { type FalseCancel, type Misbehaviour, wellBehaved } from './misbehaviour.ts'
import { invalid } from './rejections.ts'
import { createReporting } from './reporting.ts'
import { decodeRequest, type Request, UnreadableRequest } from './requests.ts'
import { utcTime } from './time-text.ts'
import type { Report } from './trading.ts'
import type { Field } from './wire.ts'

export type GatewayServer = {
  port: () => number
  misbehaviour: Misbehaviour
  clients: () => Client[]
  /** How often each order ref came in placeOrder (what-ifs apart), by client id, whatever became of the order. */
  received: ReadonlyMap<number, ReadonlyMap<string, number>>
  /** Of the login's own account, or of another that it manages. */
  report: (report: Report, from?: Broker) => void
  /** To that client, or to all. */
  tell: (fields: readonly Field[], clientId?: number) => void
  /** Says of an order that it is cancelled, whatever it does. */
  tellCancelled: (order: Order, falseCancel: FalseCancel) => void
  /** Breaks the connections of that client, or of all, those that are logging in included. */
  drop: (clientId?: number) => void
  /** Ends all connections after what was sent. */
  closeConnections: () => void
  /** Subscriptions to quotes, or to bars that are kept up to date, are gone without a word. */
  loseSubscriptions: (...of: ('marketData' | 'bars')[]) => void
  /** After `misbehaviour` was changed: takes it to the connections there are, and lets go what is held no longer. */
  settle: () => void
  /** Nobody listens at the port until it is opened again, at another one if told so. Connections stay. */
  closePort: () => void
  openPort: (port?: number) => void
  /** Resolves when all that was sent has left, or with the number of clients that do not read within the limit. */
  flushed: () => Promise<number>
  close: () => Promise<void>
}

export type GatewayServerOptions = { host: string; port: number; maxServerVersion: number; seed: number }

export type GatewaySurroundings = {
  /** Called before each request, so that the broker's time is the clock's. */
  catchUp: () => void
  happened: Happened
  /** After each request. */
  done: () => void
}

const flushLimit = 5000

export const startGatewayServer = async (
  options: GatewayServerOptions,
  broker: Broker,
  { catchUp, happened, done }: GatewaySurroundings,
): Promise<GatewayServer> => {
  const misbehaviour = wellBehaved()
  const connections = new Map<Connection, Limits>()
  const clients = new Map<number, Client>()
  const received = new Map<number, Map<string, number>>()
  const interference = createInterference(broker, misbehaviour)
  const reporting = createReporting(broker, misbehaviour, clients, happened)
  const login = createLogin(broker, misbehaviour, clients, happened)

  // ── From clients ──

  const negotiate = (from: number, to: number) => {
    const serverVersion = Math.min(to, options.maxServerVersion)
    const speaks = serverVersion >= messages.oldestServerVersion && serverVersion >= from
    return speaks ? { serverVersion, time: utcTime(broker.now()) } : undefined
  }

  const message = (connection: Connection, fields: string[]): void => {
    catchUp()
    const breach = connections.get(connection)?.message()
    if (breach) {
      connection.send(messages.error(-1, 100, breach.warning))
      if (breach.ends) connection.close()
    }
    if (!connection.isOpen()) return
    try {
      const request = decodeRequest(fields, connection.serverVersion)
      if (request) handle(connection, request)
      else connection.send(messages.error(-1, 321, invalid(`the simulator does not support message ${fields[0]}`).text))
    } catch (error) {
      if (!(error instanceof UnreadableRequest)) throw error
      connection.send(messages.error(-1, 320, `Error reading request: message ${fields[0]}, ${error.message}`))
    }
    done()
  }

  /** A client that asks before START_API is no client. */
  const handle = (connection: Connection, request: Request): void => {
    const client = connection.clientId === undefined ? undefined : clients.get(connection.clientId)
    if (client?.connection === connection) {
      if (request.kind !== 'startApi') handleOf(client, request)
    } else if (request.kind === 'startApi') {
      login.start(connection, request.clientId)
      applyToConnections()
    } else if (!login.isWaiting(connection)) connection.close()
  }

  const handleOf = (client: Client, request: Exclude<Request, { kind: 'startApi' }>): void => {
    happened({ kind: 'message', clientId: client.id, name: request.kind })
    if (request.kind === 'placeOrder') {
      happened({ kind: 'order', clientId: client.id, orderRef: request.order.attributes['orderRef'] ?? '' })
      noteReceived(client.id, request)
    }
    if (!client.connection.isOpen()) return
    const limits = connections.get(client.connection)
    const full = limits?.room(request, client.bars)
    if (full && 'requestId' in request) refuse(client, request.requestId, full)
    else if (interference.stops(client, request)) limits?.waits(request)
    else answerTo(client, request)
  }

  const answerTo = (client: Client, request: Exclude<Request, { kind: 'startApi' }>): void => {
    const { connection } = client
    const refusal = connections.get(connection)?.request(request, client.marketData)
    if (refusal && 'requestId' in request) refuse(client, request.requestId, refusal)
    else if (request.kind === 'reqManagedAccts' && misbehaviour.managedAccounts)
      connection.send(messages.managedAccounts(misbehaviour.managedAccounts))
    else answer(broker, client, request)
  }

  const noteReceived = (clientId: number, { order }: Extract<Request, { kind: 'placeOrder' }>): void => {
    if (!['', '0', undefined].includes(order.attributes['whatIf'])) return
    const orderRef = order.attributes['orderRef'] ?? ''
    const counts = received.get(clientId) ?? new Map<string, number>()
    received.set(clientId, counts.set(orderRef, (counts.get(orderRef) ?? 0) + 1))
  }

  // ── Connections ──

  let accepted = 0

  const accept = (socket: Socket): void => {
    if (misbehaviour.refuseConnections) {
      socket.resetAndDestroy()
      return
    }
    const random = randomFrom(`${options.seed}|connection|${++accepted}`)
    const connection = openConnection(socket, createDelivery(misbehaviour), random, {
      negotiate,
      message,
      closed: (connection) => {
        connections.delete(connection)
        login.forget(connection)
        if (clients.get(connection.clientId!)?.connection === connection) clients.delete(connection.clientId!)
      },
    })
    connections.set(
      connection,
      createLimits(misbehaviour, () => performance.now(), broker.now),
    )
    applyTo(connection)
  }

  /** A rule that names a client says nothing about others. */
  const concerns = (rule: { clientId?: number } | undefined, { clientId }: Connection): boolean =>
    rule !== undefined && (rule.clientId === undefined || rule.clientId === clientId)

  const applyTo = (connection: Connection): void => {
    const { frames, halfOpen } = misbehaviour
    connection.shape(frames && concerns(frames, connection) ? frames : undefined)
    connection.freeze(concerns(halfOpen, connection))
  }

  const applyToConnections = (): void => {
    for (const connection of connections.keys()) applyTo(connection)
  }

  const settle = (): void => {
    applyToConnections()
    for (const connection of connections.keys()) connection.release()
    if (!misbehaviour.executionsFirst) reporting.tellWaiting()
    login.goOn()
    for (const { client, request } of interference.takeKept()) {
      if (client.connection.isOpen() && request.kind !== 'startApi') answerTo(client, request)
    }
  }

  // ── The port ──

  let port = options.port
  let listener: Server | undefined
  let opening: Promise<void> = Promise.resolve()

  const listen = (wanted: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const server = createServer(accept)
      listener = server
      server.once('error', reject)
      server.listen(wanted, options.host, () => {
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })

  const closePort = (): void => {
    listener?.close()
    listener = undefined
  }

  await listen(options.port)

  return {
    port: () => port,
    misbehaviour,
    clients: () => [...clients.values()],
    received,
    report: reporting.report,
    tell: (fields, clientId) => {
      for (const { id, connection } of clients.values()) if (clientId === undefined || clientId === id) connection.send(fields)
    },
    tellCancelled: reporting.tellCancelled,
    drop: (clientId) => {
      for (const connection of [...connections.keys()])
        if (clientId === undefined || connection.clientId === clientId) connection.breakOff(false)
    },
    closeConnections: () => {
      for (const connection of connections.keys()) connection.close()
    },
    loseSubscriptions: (...of) => {
      for (const client of clients.values()) for (const kind of of) client[kind].clear()
    },
    settle,
    closePort,
    openPort: (wanted = port) => {
      if (listener && wanted === port) return
      closePort()
      opening = opening.then(() => listen(wanted))
      opening.catch(() => undefined)
    },
    flushed: async () => {
      await opening
      const waiting = new Set(connections.keys())
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
      await opening.catch(() => undefined)
      const ending = listener
      const closed = ending && new Promise((resolve) => ending.close(resolve))
      for (const connection of connections.keys()) connection.destroy()
      await closed
    },
  }
}
