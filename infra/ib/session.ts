/**
 * The broker port on IB's socket: keeps one line to the gateway, with the same client id for ever, and builds a fresh
 * one after each loss. What is asked while there is none fails at once; nothing is kept to be sent later.
 */
import type { BarSizeSetting, WhatToShow } from '@stoqey/ib'
import { type Broker, type BrokerReport, BrokerUnavailable } from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { listenTo } from './answers.ts'
import { clientIdInUse, unreachable } from './codes.ts'
import { contractToAsk, orderOf } from './contracts.ts'
import { type Deadlines, type Ending, type Heartbeat, type Line, type Log, openLine } from './line.ts'
import { firstRequestId } from './requests.ts'
import { takeSnapshot } from './snapshot.ts'

export type SessionOptions = {
  host: string
  port: number
  /** The same for ever: a second session with it is refused by IB (326), which fences off an engine that was replaced. */
  clientId: number
  clock: Pick<Clock, 'now' | 'after' | 'monotonic'>
  log: Log
  /** Milliseconds of machine time. */
  deadlines?: Partial<Deadlines>
  heartbeat?: Partial<Heartbeat>
  /** Wait before the next attempt: `first`, doubled after each failure up to `most`, ± 25 % by `random`. */
  backOff?: { first: number; most: number }
  random?: () => number
  /** The zone of times that the gateway writes without one. */
  timeZone?: string
  /** IB's limit by default; more for a gateway that has none. */
  messagesPerSecond?: number
}

export const createBrokerSession = ({
  host,
  port,
  clientId,
  clock,
  log,
  deadlines,
  heartbeat,
  backOff = { first: 1000, most: 30_000 },
  random = Math.random,
  timeZone = 'America/New_York',
  messagesPerSecond = 45,
}: SessionOptions): Broker => {
  let listener: ((report: BrokerReport) => void) | undefined
  let line: Line | undefined
  let closing: string | undefined
  let failures = 0
  let lastFailure: { code: number; text: string } | undefined
  let callOffAttempt = () => {}
  let lastSnapshot: Promise<unknown> = Promise.resolve()

  /** A listener that throws must not take the line down with it, nor the reports that follow. */
  const report = (one: BrokerReport): void => {
    try {
      listener?.(one)
    } catch (error) {
      log.error({ err: error, report: one.kind }, 'the listener failed on a report')
      if (one.kind !== 'notice') report({ kind: 'notice', code: 0, text: `the listener failed on a report of kind ${one.kind}: ${error}` })
    }
  }

  const connect = () => {
    line = openLine({
      host,
      port,
      clientId,
      clock,
      log,
      timeZone,
      messagesPerSecond,
      deadlines: { connect: 10_000, question: 15_000, history: 60_000, ...deadlines },
      heartbeat: { every: 10_000, deadline: 5000, ...heartbeat },
      report,
      onReady: () => {
        failures = 0
        lastFailure = undefined
      },
      onEnd: ended,
    })
    listenTo(line)
  }

  const ended = ({ reason, code, wasReady }: Ending) => {
    line = undefined
    const text =
      code === clientIdInUse ? `client id ${clientId} is still in use at ${host}:${port}: waiting until that session has ended` : reason
    log.warn({ host, port, clientId, code }, wasReady ? `connection lost: ${text}` : `no connection: ${text}`)
    const failure = { code: code ?? unreachable, text }
    // one notice for the first of a row of failures: the attempts after it only say the same
    if (wasReady) report({ kind: 'lost', reason: text })
    else if (failure.code !== lastFailure?.code && closing === undefined) report({ kind: 'notice', ...failure })
    lastFailure = wasReady ? undefined : failure
    if (closing !== undefined) return
    const delay = Math.min(backOff.first * 2 ** failures, backOff.most) * (0.75 + random() / 2)
    failures += 1
    callOffAttempt = clock.after(delay, connect)
  }

  /** @throws BrokerUnavailable */
  const standing = (): Line => {
    if (line === undefined) throw new BrokerUnavailable('notReady', closing ?? lastFailure?.text ?? 'no connection to the gateway')
    line.check()
    return line
  }

  return {
    start: (to) => {
      if (listener !== undefined) throw new Error('the session was started before')
      listener = to
      if (closing === undefined) connect()
    },
    connected: () => line?.ready() ?? false,
    place: (ticket) => {
      if (ticket.orderId <= 0 || ticket.orderId >= firstRequestId) throw new RangeError(`${ticket.orderId} is not an order id`)
      const { limiter, api } = standing()
      limiter.urgent(() => api.placeOrder(ticket.orderId, contractToAsk(ticket.contract), orderOf(ticket)))
    },
    cancel: (orderId) => {
      const { limiter, api } = standing()
      limiter.urgent(() => api.cancelOrder(orderId))
    },
    snapshot: (account) => {
      const snapshot = lastSnapshot.then(() => takeSnapshot(snapshotQuestions(standing()), account, clock.now))
      lastSnapshot = snapshot.catch(() => undefined)
      return snapshot
    },
    contracts: async (query) => {
      const { questions, api, deadlines } = standing()
      return questions.ask({
        kind: 'contracts',
        name: 'reqContractDetails',
        numbered: true,
        deadline: deadlines.question,
        send: (id) => api.reqContractDetails(id, contractToAsk(query)),
      })
    },
    bars: async ({ contract, size, duration, whatToShow, regularHoursOnly }) => {
      const { questions, api, deadlines } = standing()
      const bars = await questions.ask({
        kind: 'bars',
        name: 'reqHistoricalData',
        numbered: true,
        deadline: deadlines.history,
        send: (id) =>
          api.reqHistoricalData(
            id,
            contractToAsk(contract),
            '',
            duration,
            size as BarSizeSetting,
            whatToShow as WhatToShow,
            regularHoursOnly,
            secondsSince1970,
            false,
          ),
        cancel: (id) => api.cancelHistoricalData(id),
      })
      return bars.sort((left, right) => (left.start < right.start ? -1 : 1))
    },
    currentTime: async () => {
      const { questions, api, deadlines } = standing()
      const asked = { kind: 'time', name: 'reqCurrentTime', numbered: false, deadline: deadlines.question } as const
      const [time] = await questions.ask({ ...asked, send: () => api.reqCurrentTime() })
      return time!
    },
    close: async (reason) => {
      if (closing !== undefined) return
      closing = reason
      callOffAttempt()
      const last = line
      last?.end(reason)
      await last?.closed
    },
  }
}

/** `formatDate` of IB: times of intraday bars as epoch seconds, which no zone can bend. */
const secondsSince1970 = 2

const snapshotQuestions = (line: Line): Parameters<typeof takeSnapshot>[0] => {
  const { api, questions, commissions, deadlines } = line
  const deadline = deadlines.question
  /** Each question finds the line standing: it may have gone since the last answer. */
  const asking = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    line.check()
    return ask()
  }
  return {
    executions: () =>
      asking(() =>
        questions.ask({
          kind: 'executions',
          name: 'reqExecutions',
          numbered: true,
          deadline,
          send: (id) => api.reqExecutions(id, {}),
        }),
      ),
    openOrders: () =>
      asking(() =>
        questions.ask({ kind: 'openOrders', name: 'reqAllOpenOrders', numbered: false, deadline, send: () => api.reqAllOpenOrders() }),
      ),
    completedOrders: () =>
      asking(() =>
        questions.ask({
          kind: 'completedOrders',
          name: 'reqCompletedOrders',
          numbered: false,
          deadline,
          send: () => api.reqCompletedOrders(false),
        }),
      ),
    positions: () =>
      asking(() =>
        questions.ask({
          kind: 'positions',
          name: 'reqPositions',
          numbered: false,
          deadline,
          send: () => api.reqPositions(),
          cancel: () => api.cancelPositions(),
        }),
      ),
    accountValues: (account) =>
      asking(() =>
        questions.ask({
          kind: 'accountValues',
          name: 'reqAccountUpdates',
          numbered: false,
          deadline,
          send: () => api.reqAccountUpdates(true, account),
          cancel: () => api.reqAccountUpdates(false, account),
        }),
      ),
    commission: (executionId) => commissions.get(executionId),
  }
}
