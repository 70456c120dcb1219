/**
 * The questions that are open on one connection. Each is answered to its end marker, or fails with a BrokerUnavailable
 * that names it. A question with a number of its own knows its rows by that number; numbers start at 1e9, far from order
 * ids, so that a message about an order never ends a question. IB gives no number to the others: there is one of a kind
 * at a time (questions for the time queue up and are answered in turn), and one that stays unanswered spoils the line:
 * its late answer could pass for the next one's.
 */

import {
  BrokerUnavailable,
  type CompletedOrder,
  type Contract,
  type Execution,
  type HistoricalBar,
  type OrderSighting,
  type Preview,
} from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import type { ContractRow } from './contracts.ts'
import { type Limiter, orderFlow, type Sender } from './limiter.ts'
import type { Frozen, Quote } from './quotes.ts'
import type { AccountRow, PositionRow } from './snapshot.ts'

/** What one row of the answer is. */
export type Rows = {
  executions: Execution
  openOrders: OrderSighting
  completedOrders: CompletedOrder
  positions: PositionRow
  accountValues: AccountRow
  contracts: ContractRow
  marketRules: NonNullable<Contract['priceIncrements']>
  previews: Preview
  quotes: Quote | Frozen
  bars: HistoricalBar
  time: string
}
export type Kind = keyof Rows

type Asked<K extends Kind> = {
  kind: K
  /** As people know it: `reqExecutions`. */
  name: string
  /** Milliseconds from the moment at which it is sent: waiting for the message limit is no fault of the broker's. */
  deadline: number
  numbered: boolean
  /** The number by which its answer is known, where that is none of those in turn. */
  id?: number
  /** Whose it is; the order flow's own, unless said otherwise. */
  sender?: Sender
  /** Calls the question off: it fails at once and the broker is told. Only for numbered ones: the late answer of another would pass for the next one's. */
  signal?: AbortSignal | undefined
  /** Goes ahead of what waits for the message limit. */
  urgent?: boolean
  send: (requestId: number) => void
  /** Tells the broker that the answer is complete, or no longer wanted. */
  cancel?: (requestId: number) => void
}

type Open = {
  asked: Asked<Kind>
  id: number
  rows: unknown[]
  sent: boolean
  /** Why the answer will not count. The question stays open to its end marker, lest that end the next one. */
  fault: BrokerUnavailable | undefined
  complete: () => void
  fail: (error: Error) => void
}

const secondLook = 50

export const firstRequestId = 1_000_000_000

export type Questions = ReturnType<typeof createQuestions>

export const createQuestions = ({
  clock,
  limiter,
  spoiled,
}: {
  clock: Pick<Clock, 'after'>
  limiter: Limiter
  /** The line can no longer be trusted. */
  spoiled: (reason: string) => void
}) => {
  let nextId = firstRequestId
  const open = new Set<Open>()
  const inTurn = (kind: Kind, id?: number): Open | undefined => {
    for (const one of open) if (one.sent && one.asked.kind === kind && (id === undefined || one.id === id)) return one
    return undefined
  }

  const underWay = () => [...open].filter((one) => one.sent && one.asked.kind !== 'time')

  const ask = <K extends Kind>(asked: Asked<K>): Promise<Rows[K][]> =>
    new Promise((resolve, reject) => {
      if (!asked.numbered && asked.kind !== 'time' && [...open].some((one) => one.asked.kind === asked.kind))
        throw new Error(`${asked.name} is already being asked`)
      const id = asked.id ?? nextId
      if (asked.id === undefined) nextId += 1
      const noMore = () => asked.cancel !== undefined && limiter.urgent(() => asked.cancel!(id))
      const settle = (end: () => void) => {
        open.delete(one)
        callOff()
        stopDeadline()
        asked.signal?.removeEventListener('abort', abandon)
        end()
      }
      const one: Open = {
        asked,
        id,
        rows: [],
        sent: false,
        fault: undefined,
        complete: () =>
          settle(() => {
            if (!asked.numbered) noMore()
            one.fault === undefined ? resolve(one.rows as Rows[K][]) : reject(one.fault)
          }),
        fail: (error) => settle(() => reject(error)),
      }
      const expire = () => {
        const reason = `${asked.name} was not answered within ${asked.deadline} ms`
        one.fail(one.fault ?? new BrokerUnavailable('timedOut', reason))
        noMore()
        if (!asked.numbered) spoiled(reason)
      }
      const abandon = () => {
        const { sent } = one
        one.fail(new BrokerUnavailable('lost', `${asked.name} was called off`))
        if (sent) noMore()
      }
      let stopDeadline = () => {}
      let callOff = () => {}
      const send = () => {
        // a process that was busy all the while finds the answer in its socket only after its timers: look once more
        stopDeadline = clock.after(asked.deadline, () => {
          stopDeadline = clock.after(secondLook, expire)
        })
        // to the end of the set: questions for the time are answered in the order in which they were sent
        open.delete(one)
        open.add(one)
        one.sent = true
        try {
          asked.send(id)
        } catch (error) {
          one.fail(error as Error)
        }
      }
      open.add(one)
      asked.signal?.addEventListener('abort', abandon)
      if (asked.signal?.aborted === true) abandon()
      else if (asked.urgent === true) limiter.urgent(send)
      else callOff = limiter.queued(send, asked.sender ?? orderFlow)
    })

  return {
    ask,
    /** A number that no question has had on this connection, for what is no question but a subscription. */
    takeId: (): number => {
      nextId += 1
      return nextId - 1
    },
    size: (): number => open.size,
    /** Questions under way or waiting, the heartbeat's apart. */
    busy: (): boolean => [...open].some((one) => one.asked.kind !== 'time'),
    /** A row of the open question of that kind (and number). False when nobody asked, or no longer asks. */
    row: <K extends Kind>(kind: K, row: Rows[K], id?: number): boolean => {
      const one = inTurn(kind, id)
      one?.rows.push(row)
      return one !== undefined
    },
    end: (kind: Kind, id?: number): void => inTurn(kind, id)?.complete(),
    kindOf: (id: number): Kind | undefined => [...open].find((one) => one.asked.numbered && one.id === id)?.asked.kind,
    /** The broker says no to one numbered question. */
    refuse: (id: number, code: number, text: string): void => {
      for (const one of open)
        if (one.asked.numbered && one.id === id) one.fail(new BrokerUnavailable('refused', `${one.asked.name}: ${text} (${code})`, code))
    },
    /** The broker says no without a number: it can only mean the questions that have none. */
    refuseUnnumbered: (code: number, text: string): void => {
      for (const one of underWay())
        if (!one.asked.numbered) one.fault ??= new BrokerUnavailable('refused', `${one.asked.name}: ${text} (${code})`, code)
    },
    /** Every answer that is under way may lack a row. @returns whether any was */
    incomplete: (reason: string): boolean => {
      for (const one of underWay()) one.fault ??= new BrokerUnavailable('lost', `${one.asked.name}: ${reason}`)
      return underWay().length > 0
    },
    failAll: (reason: string): void => {
      for (const one of [...open]) one.fail(new BrokerUnavailable('lost', `${one.asked.name}: ${reason}`))
    },
  }
}
