/**
 * A lease: one tenant's use of the session. Whatever it asks or listens to is its own, has a deadline, and ends with it: what is open is called off
 * at the broker, nothing is left. Tenants share the line, the answers and the limits, and cannot harm each other. Orders need no lease: their one
 * user is the engine, and they go before everything else.
 */
import { BrokerUnavailable, type Contract, type HistoricalBar, type HistoryRequest } from '../../domain/ports/broker.ts'
import { askAccountValues, askContracts, askPositions, type ContractQuery } from './asking.ts'
import { contractToAsk } from './contracts.ts'
import type { History } from './history.ts'
import type { Sender } from './limiter.ts'
import type { Line, Log } from './line.ts'
import { liveOrDelayed, type Quote } from './quotes.ts'
import type { AccountRow, PositionRow } from './snapshot.ts'
import { accountKey, positionsKey, type Streams, type Topic } from './streams.ts'

export type Lease = {
  /** Every contract that matches. @throws BrokerUnavailable */
  contracts(query: ContractQuery): Promise<Contract[]>
  /** @throws BrokerUnavailable */
  bars(request: HistoryRequest): Promise<HistoricalBar[]>
  /** Each returns the way to stop listening. While there is no line they wait for one. */
  quotes(contract: HistoryRequest['contract'], listener: (quote: Quote) => void): () => void
  positions(listener: (row: PositionRow) => void): () => void
  accountValues(account: string, listener: (row: AccountRow) => void): () => void
  /** Calls off all that is open. What is asked afterwards fails. */
  release(): void
}

/** Machine milliseconds without a word after which a subscription is in doubt. IB repeats account values every three minutes. */
export type Silences = { quotes: number; positions: number; accountValues: number }
export const usualSilences: Silences = { quotes: 60_000, positions: 15 * 60_000, accountValues: 4 * 60_000 }

/** @param line the one that stands now; it changes with every connect @throws BrokerUnavailable when there is none */
export const createLeases = ({
  line,
  streams,
  history,
  silences,
  inTurn,
  log,
}: {
  line: () => Line
  streams: Streams
  history: History
  silences: Silences
  /** After what was asked before, snapshots included, and before what is asked later. */
  inTurn: <Answer>(ask: () => Promise<Answer>) => Promise<Answer>
  log: Log
}) => {
  const open = new Set<Lease>()
  const subscribedOn = new Map<string, Line>()
  const delayedAllowed = new WeakSet<Line['api']>()

  /** A cancel goes at once, for what nobody wants should not come, unless what it would cancel has not gone out. A subscription waits for its turn. */
  const quotesOf = (contract: HistoryRequest['contract'], tenant: string): Topic<Quote> => {
    const { conId, symbol, exchange } = contract
    let callOff = () => {}
    let sent = false
    return {
      ...{ key: `quotes of ${conId} at ${exchange}`, name: `quotes of ${symbol}`, silence: silences.quotes, dataLine: true },
      subscribe: (id) => {
        const { limiter, api } = line()
        sent = false
        const send = () => {
          sent = true
          if (!delayedAllowed.has(api)) api.reqMarketDataType(liveOrDelayed)
          delayedAllowed.add(api)
          api.reqMktData(id, contractToAsk(contract), '', false, false)
        }
        callOff = limiter.queued(send, { use: 'marketData', tenant })
      },
      unsubscribe: (id) => {
        callOff()
        const { limiter, api } = line()
        if (sent) limiter.urgent(() => api.cancelMktData(id))
      },
    }
  }

  /**
   * Positions and account values have no number: while one asks for them nobody else may, or the end of one answer would pass for that of
   * another. So they are subscribed and cancelled in turn with the snapshots, and the first answer is waited for.
   */
  const unnumbered = <Value>(
    named: Pick<Topic<Value>, 'key' | 'name' | 'silence'>,
    ask: (on: Line) => Promise<unknown>,
    cancel: (api: Line['api']) => void,
  ): Topic<Value> => {
    const { key, name } = named
    const failed = (error: Error) => log.warn({ topic: key }, `${name} could not be subscribed or cancelled: ${error.message}`)
    const subscribe = async () => {
      if (!streams.standing(key)) return // left meanwhile
      const on = line()
      subscribedOn.set(key, on)
      await ask(on)
    }
    const unsubscribe = async () => {
      const on = line()
      if (streams.standing(key) || subscribedOn.get(key) !== on) return // joined again, or never asked for on this line
      subscribedOn.delete(key)
      on.limiter.urgent(() => cancel(on.api))
    }
    return {
      ...{ ...named, dataLine: false },
      subscribe: () => void inTurn(subscribe).catch(failed),
      unsubscribe: () => void inTurn(unsubscribe).catch(failed),
    }
  }
  const allPositions = (tenant: string): Topic<PositionRow> =>
    unnumbered(
      { key: positionsKey, name: 'positions', silence: silences.positions },
      (on) => askPositions(on, { use: 'marketData', tenant }),
      (api) => api.cancelPositions(),
    )
  const valuesOf = (account: string, tenant: string): Topic<AccountRow> =>
    unnumbered(
      { key: accountKey(account), name: accountKey(account), silence: silences.accountValues },
      (on) => askAccountValues(on, account, { use: 'marketData', tenant }),
      (api) => api.reqAccountUpdates(false, account),
    )

  const lease = (tenant: string): Lease => {
    const ending = new AbortController()
    const leaving = new Set<() => void>()
    const sender: Sender = { use: 'marketData', tenant }
    const { signal } = ending

    const join = <Value>(topic: Topic<Value>, listener: (value: Value) => void): (() => void) => {
      if (signal.aborted) throw new BrokerUnavailable('lost', `the lease of ${tenant} was released`)
      const leave = streams.join(topic, listener)
      const once = () => {
        leaving.delete(once)
        leave()
      }
      leaving.add(once)
      return once
    }

    const one: Lease = {
      contracts: async (query) => askContracts(line(), query, { sender, signal }),
      bars: async (request) => {
        line()
        return history.bars(request, { tenant, signal })
      },
      quotes: (contract, listener) => join(quotesOf(contract, tenant), listener),
      positions: (listener) => join(allPositions(tenant), listener),
      accountValues: (account, listener) => join(valuesOf(account, tenant), listener),
      release: () => {
        open.delete(one)
        ending.abort()
        for (const leave of [...leaving]) leave()
      },
    }
    open.add(one)
    return one
  }

  return { lease, count: () => open.size }
}
