/**
 * One connection to the gateway, from the socket to its end, on an `IBApi` of its own: the library queues what is sent
 * while it is down and replays it later, so an instance never lives longer than its socket, and nothing is given to it
 * before the handshake is complete. A line ends once, and says why.
 */
import type { Socket } from 'node:net'
import { EventName, IBApi } from '@stoqey/ib'
import { type BrokerReport, BrokerUnavailable, type CommissionReport } from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { aboutOrder, decodingFailed, known, meaningOf, refusesQuestion, unknownContract } from './codes.ts'
import { hear } from './hear.ts'
import { createLimiter } from './limiter.ts'
import { createQuestions, firstRequestId } from './requests.ts'

/** As pino has it: fields, then a sentence. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text: string) => void>

/** Milliseconds of machine time. */
export type Deadlines = { connect: number; question: number; history: number }
export type Heartbeat = { every: number; deadline: number }

export type Ending = { reason: string; code: number | undefined; wasReady: boolean }

export type Line = ReturnType<typeof openLine>

export const openLine = ({
  host,
  port,
  clientId,
  clock,
  log,
  deadlines,
  heartbeat,
  timeZone,
  messagesPerSecond,
  report,
  onReady,
  onEnd,
}: {
  host: string
  port: number
  clientId: number
  clock: Pick<Clock, 'after' | 'monotonic'>
  log: Log
  deadlines: Deadlines
  heartbeat: Heartbeat
  timeZone: string
  messagesPerSecond: number
  /** Never throws. */
  report: (report: BrokerReport) => void
  onReady: () => void
  onEnd: (ending: Ending) => void
}) => {
  const api = new IBApi({ host, port, clientId, maxReqPerSec: 1_000_000 })
  const limiter = createLimiter({ clock, perSecond: messagesPerSecond })
  const questions = createQuestions({ clock, limiter, spoiled: (reason) => end(reason) })
  const commissions = new Map<string, CommissionReport>()

  let managedAccounts: readonly string[] | undefined
  let nextValidId: number | undefined
  let ready = false
  let linkDown: string | undefined
  let ending: Ending | undefined
  let stopTimer = clock.after(deadlines.connect, () => end(`no complete handshake within ${deadlines.connect} ms`))
  let socketClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    socketClosed = resolve
  })

  const end = (reason: string, code?: number) => {
    if (ending !== undefined) return
    ending = { reason, code, wasReady: ready }
    ready = false
    stopTimer()
    limiter.close()
    api.removeAllListeners()
    api.on(EventName.error, (error) => log.debug({ host, port }, `after the end: ${error.message}`))
    api.on(EventName.disconnected, socketClosed)
    api.disconnect()
    void closed.then(clock.after(1000, socketClosed))
    onEnd(ending)
    questions.failAll(reason)
  }

  const beat = () => {
    stopTimer = clock.after(heartbeat.every, () => {
      const asked = { kind: 'time', name: 'the heartbeat (reqCurrentTime)', deadline: heartbeat.deadline, numbered: false } as const
      questions.ask({ ...asked, urgent: true, send: () => api.reqCurrentTime() }).then(beat, () => undefined) // unanswered, it ends the line
    })
  }

  const handshake = () => {
    if (ready || managedAccounts === undefined || nextValidId === undefined) return
    ready = true
    stopTimer()
    onReady()
    report({ kind: 'connected', managedAccounts, nextValidId, serverVersion: api.serverVersion })
    if (ending === undefined) beat()
  }

  const aboutConnection = (code: number, text: string) => {
    const meaning = meaningOf(code)
    if (meaning === 'info') return log.debug({ code }, text)
    if (meaning === 'session') return end(text, code)
    if (meaning === 'linkDown') {
      linkDown = `${text} (${code})`
      questions.incomplete(linkDown)
      return report({ kind: 'link', state: 'down', reason: linkDown })
    }
    if (meaning === 'linkUp') {
      linkDown = undefined
      return report({ kind: 'link', state: 'up', reason: `${text} (${code})` })
    }
    report({ kind: 'notice', code, text })
    if (meaning === 'rejected') questions.refuseUnnumbered(code, text)
    if (code === decodingFailed) unreadable(text)
  }

  /** An answer that lacks a row is no answer; what was lost outside of answers must be asked for. */
  const unreadable = (reason: string) => {
    const asking = questions.incomplete(reason)
    if (!asking && ready) report({ kind: 'link', state: 'up', reason: `a message could not be read: ${reason}` })
  }

  const aboutQuestion = (id: number, code: number, text: string) => {
    const kind = questions.kindOf(id)
    if (kind === undefined) return log.debug({ code, id }, `to a question that is no longer open: ${text}`)
    if (kind === 'contracts' && code === unknownContract) return questions.end(kind, id)
    if (refusesQuestion(code)) return questions.refuse(id, code, text)
    report({ kind: 'notice', code, text })
  }

  /** Routed by our own ranges of ids: what is said of an order never touches a question. */
  const message = (id: number, code: number, text: string) => {
    if (!known(code)) log.warn({ code, id }, `a code that is not in the table: ${text}`)
    if (id >= firstRequestId) aboutQuestion(id, code, text)
    else if (id > 0) report({ kind: 'orderMessage', orderId: id, code, text, meaning: aboutOrder(code) })
    else aboutConnection(code, text)
  }

  const on = hear(api, {
    failed: (event, error) => {
      const text = `${event} could not be read: ${error instanceof Error ? error.message : String(error)}`
      log.error({ err: error }, text)
      report({ kind: 'notice', code: 0, text })
      unreadable(text)
    },
    broken: (error) => {
      log.error({ err: error }, 'the library broke on a message')
      end(`the library broke on a message: ${error instanceof Error ? error.message : String(error)}`)
    },
    message,
  })

  on(EventName.managedAccounts, (list) => {
    managedAccounts = list.split(',').filter((account) => account !== '')
    handshake()
  })
  on(EventName.nextValidId, (id) => {
    nextValidId = id
    handshake()
  })
  on(EventName.disconnected, () => {
    socketClosed()
    end('the gateway closed the connection')
  })
  api.connect(clientId)
  withoutDelay(api)

  return {
    api,
    on,
    questions,
    limiter,
    commissions,
    deadlines,
    timeZone,
    report,
    end,
    closed,
    ready: () => ready,
    /** @throws BrokerUnavailable unless the line stands and the gateway has IB */
    check: () => {
      if (ending !== undefined) throw new BrokerUnavailable('lost', ending.reason)
      if (!ready) throw new BrokerUnavailable('notReady', 'the handshake with the gateway is not complete')
      if (linkDown !== undefined) throw new BrokerUnavailable('notReady', linkDown)
    },
  }
}

/** Small frames, each waited for: held back until the last one is acknowledged, every question would take 40 ms. */
const withoutDelay = (api: IBApi) => {
  const { controller } = api as unknown as { controller: { socket: { client?: Socket } } }
  controller.socket.client?.setNoDelay(true)
}
