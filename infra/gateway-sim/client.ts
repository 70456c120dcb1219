/** A client that has started, and what it subscribed to. */
import type { Connection } from './connection.ts'
import type { HistoryRequest } from './history-request.ts'
import type { Listing } from './listing.ts'
import { error } from './messages.ts'
import type { Rejection } from './rejections.ts'

/** Values as last sent, by key and currency: only changes are told again. */
export type Told = Map<string, string>

export type Client = {
  id: number
  connection: Connection
  positions: boolean
  /** Client 0 wants a number for every order that is placed by hand. */
  bindsByHand: boolean
  accountUpdates?: { told: Told }
  accountUpdatesMulti: Map<number, { model: string; ledgerOnly: boolean; told: Told }>
  positionsMulti: Map<number, { model: string }>
  summaries: Map<number, { tags: readonly string[]; told: Told }>
  profits: Map<number, { told: string }>
  profitsSingle: Map<number, { conId: number; told: string }>
  marketData: Map<number, { listing: Listing; delayed: boolean }>
  marketDataType: number
  /** Bars that are kept up to date, from the one that was told last on. */
  bars: Map<number, { listing: Listing; request: HistoryRequest; since: number; told: string }>
}

export const newClient = (id: number, connection: Connection): Client => ({
  id,
  connection,
  positions: false,
  bindsByHand: false,
  accountUpdatesMulti: new Map(),
  positionsMulti: new Map(),
  summaries: new Map(),
  profits: new Map(),
  profitsSingle: new Map(),
  marketData: new Map(),
  marketDataType: 1,
  bars: new Map(),
})

export const refuse = (client: Client, id: number, { code, text }: Rejection): void => client.connection.send(error(id, code, text))
