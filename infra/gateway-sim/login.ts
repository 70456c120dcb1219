/** From START_API to a client that may ask: accounts, the next order id, notices; or a wait for somebody who confirms a second factor. */
import type { Broker } from './broker.ts'
import { type Client, newClient } from './client.ts'
import type { Connection } from './connection.ts'
import type { Happened } from './happenings.ts'
import * as messages from './messages.ts'
import type { Misbehaviour } from './misbehaviour.ts'

export type Login = {
  start: (connection: Connection, clientId: number) => void
  /** What a connection asks in the middle of its login is not answered. */
  isWaiting: (connection: Connection) => boolean
  /** Logins go on that are held no longer. */
  goOn: () => void
  forget: (connection: Connection) => void
}

const inUse = 'Unable to connect as the client id is already in use. Retry with a unique client id.'

export const createLogin = (broker: Broker, misbehaviour: Misbehaviour, clients: Map<number, Client>, happened: Happened): Login => {
  /** In the order in which they came; true when the accounts were told. */
  const waiting = new Map<Connection, boolean>()

  const isTaken = (clientId: number): boolean =>
    misbehaviour.idsInUse.includes(clientId) ||
    clients.get(clientId)?.connection.isOpen() === true ||
    [...waiting.keys()].some((connection) => connection.clientId === clientId && connection.isOpen())

  /** As far as it may go. */
  const proceed = (connection: Connection): void => {
    if (misbehaviour.holdLogin === 'accounts') return
    if (!waiting.get(connection)) {
      const accounts = misbehaviour.managedAccounts ?? broker.accounts().map(({ account }) => account)
      connection.send(messages.managedAccounts(accounts))
    }
    waiting.set(connection, true)
    if (misbehaviour.holdLogin === 'orderId') return
    waiting.delete(connection)
    const client = newClient(connection.clientId!, connection)
    clients.set(client.id, client)
    connection.send(messages.nextValidId(broker.book.nextOrderId(client.id)))
    for (const notice of misbehaviour.linkDown ? [messages.linkLost(2110)] : messages.farmNotices) connection.send(notice)
  }

  return {
    start: (connection, clientId) => {
      if (waiting.has(connection)) return
      happened({ kind: 'connection', clientId })
      if (!connection.isOpen()) return
      if (isTaken(clientId)) {
        connection.send(messages.error(-1, 326, inUse))
        connection.close()
        return
      }
      connection.clientId = clientId
      waiting.set(connection, false)
      proceed(connection)
    },
    isWaiting: (connection) => waiting.has(connection),
    goOn: () => {
      for (const connection of [...waiting.keys()]) proceed(connection)
    },
    forget: (connection) => waiting.delete(connection),
  }
}
