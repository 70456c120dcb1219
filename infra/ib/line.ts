/**
 * One connection to the gateway, from the socket to its end, on an `IBApi` of its own: the library queues what is sent
 * while it is down and replays it later, so an instance never lives longer than its socket, and nothing is given to it
 * before the handshake is complete. A line ends once, and says why.
 */
import { EventName, IBApi } from '@stoqey/ib'
import { type BrokerReport, BrokerUnavailable } from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { aboutOrder, clientIdInUse, decodingFailed, followsCancel, known, meaningOf, refusesQuestion, unknownContract } from './codes.ts'
import { createCommissions } from './commissions.ts'
import type { Fate } from './gateways.ts'
import { hear } from './hear.ts'
import { createLimiter } from './limiter.ts'
import { createQuestions, firstRequestId } from './requests.ts'
import { watchSocket } from './socket.ts'

/** As pino has it: fields, then a sentence. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text: string) => void>

/** Milliseconds of machine time. */
export type Deadlines = { connect: number; question: number; history: number }
/** After so much silence the broker is asked for the time, and has so long to answer. */
export type Heartbeat = { every: number; deadline: number }

/** `reached`: how far an attempt came: to an open socket, to the gateway's version. `wasReady`: to accounts and next id. */
export type Ending = {
  reason: string
  code: number | undefined
  reached: 'nothing' | 'socket' | 'version'
  wasReady: boolean
  socketError: string | undefined
}

/** Subscriptions have no end: what is said of one goes to whoever keeps it. */
export type Subscriptions = { has(id: number): boolean; refused(id: number, code: number, text: string): void }

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
  subscriptions,
  report,
  onReady,
  onWait,
  onCode,
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
  subscriptions: Subscriptions
  /** Never throws. */
  report: (report: BrokerReport) => void
  onReady: () => void
  /** So many questions wait for the message limit. */
  onWait: (waiting: number) => void
  /** A code that speaks of no order and no question. */
  onCode: (code: number) => void
  onEnd: (ending: Ending) => void
}) => {
  const api = new IBApi({ host, port, clientId, maxReqPerSec: 1_000_000 })
  const limiter = createLimiter({ clock, perSecond: messagesPerSecond, onWait })
  const questions = createQuestions({ clock, limiter, spoiled: (reason) => end(reason) })
  const commissions = createCommissions()

  let managedAccounts: readonly string[] | undefined
  let nextValidId: number | undefined
  let ready = false
  let versioned = false
  let lastHeard = clock.monotonic()
  let linkDown: string | undefined
  let ending: Ending | undefined
  let stopTimer = clock.after(deadlines.connect, () => end(`no complete handshake within ${deadlines.connect} ms`))

  const end = (reason: string, code?: number) => {
    if (ending !== undefined) return
    const reached = versioned ? 'version' : socket.opened() ? 'socket' : 'nothing'
    ending = { reason, code, reached, wasReady: ready, socketError: socket.error() }
    ready = false
    stopTimer()
    limiter.close()
    api.removeAllListeners()
    api.on(EventName.error, (error) => log.debug({ host, port }, `after the end: ${error.message}`))
    socket.end()
    onEnd(ending)
    questions.failAll(reason)
  }

  const beat = () => {
    const silence = clock.monotonic() - lastHeard
    stopTimer = clock.after(Math.max(1, heartbeat.every - silence), () => {
      if (clock.monotonic() - lastHeard < heartbeat.every) return beat()
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
    onCode(code)
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
    if (!asking && ready && linkDown === undefined) report({ kind: 'link', state: 'up', reason: `a message could not be read: ${reason}` })
  }

  const aboutQuestion = (id: number, code: number, text: string) => {
    const kind = questions.kindOf(id)
    if (subscriptions.has(id) && refusesQuestion(code)) return subscriptions.refused(id, code, text)
    if (kind === undefined && !subscriptions.has(id)) {
      const level = followsCancel(code) || meaningOf(code) === 'info' ? 'debug' : 'warn'
      return log[level]({ code, id }, `to a question that is no longer open: ${text}`)
    }
    if (kind === 'contracts' && code === unknownContract) return questions.end(kind, id)
    if (refusesQuestion(code)) return questions.refuse(id, code, text)
    report({ kind: 'notice', code, text })
  }

  /** A preview has the id of an order, and what is said of an order is said of it; but it is none. */
  const aboutPreview = (id: number, code: number, text: string) => {
    if (aboutOrder(code) === 'warning') log.info({ code, id }, `of a preview: ${text}`)
    else questions.refuse(id, code, text)
  }

  /** Routed by our own ranges of ids: what is said of an order never touches a question. */
  const message = (id: number, code: number, text: string) => {
    if (ending !== undefined) return
    if (!known(code)) log.warn({ code, id }, `a code that is not in the table: ${text}`)
    if (id >= firstRequestId) aboutQuestion(id, code, text)
    else if (questions.kindOf(id) === 'previews') aboutPreview(id, code, text)
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
  on(EventName.connected, () => {
    versioned = true
  })
  on(EventName.received, () => {
    lastHeard = clock.monotonic()
  })
  on(EventName.disconnected, () => end('the gateway closed the connection'))
  api.connect(clientId)
  const socket = watchSocket(api, clock)
  const fate = async (): Promise<Fate> => {
    await socket.closed
    return {
      stood: ending?.wasReady ?? false,
      opened: socket.opened(),
      closedByPeer: socket.closedByPeer(),
      refused: !socket.opened() && socket.error() === 'ECONNREFUSED',
      taken: ending?.code === clientIdInUse,
    }
  }

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
    /** Resolves when the socket is gone, with what its end says of the session there. */
    fate: fate(),
    ready: () => ready,
    /** @throws BrokerUnavailable unless the line stands and the gateway has IB */
    check: () => {
      if (ending !== undefined) throw new BrokerUnavailable('lost', ending.reason)
      if (!ready) throw new BrokerUnavailable('notReady', 'the handshake with the gateway is not complete')
      if (linkDown !== undefined) throw new BrokerUnavailable('notReady', linkDown)
    },
  }
}
