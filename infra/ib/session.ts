/**
 * The broker port on IB's socket: keeps one line to one gateway at a time, with the same client id for ever, and builds a fresh one after each loss.
 * What is asked while it is not ready fails at once; nothing is kept to be sent later. What it knows of itself is in `state()`.
 */
import { type Broker, type BrokerReport, BrokerUnavailable, type SessionPhase } from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { listenTo } from './answers.ts'
import { askBars, askContracts, askQuote, askTime, snapshotQuestions } from './asking.ts'
import { type Cause, causeOf, explained } from './causes.ts'
import { clientIdInUse, unreachable } from './codes.ts'
import { contractToAsk, orderOf } from './contracts.ts'
import type { GatewayName } from './gateways.ts'
import { createHistory } from './history.ts'
import { createLeases, type Lease, type Silences, usualSilences } from './leases.ts'
import { orderFlow } from './limiter.ts'
import { type Deadlines, type Ending, type Heartbeat, type Line, type Log, openLine } from './line.ts'
import { askPreview } from './preview.ts'
import { firstRequestId } from './requests.ts'
import { createRestartWatch } from './restart-watch.ts'
import { type Address, type BackOff, createRoute, type Failover } from './route.ts'
import { takeSnapshot } from './snapshot.ts'
import { type Input, initialState, sentence, step, type Told } from './state.ts'
import { accountKey, createStreams, positionsKey } from './streams.ts'

export type SessionOptions = {
  host: string
  port: number
  /** Taken only while the primary's session is known to be closed; left again when the primary answers and nothing is in flight. */
  backup?: Address
  /** The same for ever: a second session with it is refused by IB (326), which fences off an engine that was replaced. */
  clientId: number
  clock: Clock
  log: Log
  /** Milliseconds of machine time. */
  deadlines?: Partial<Deadlines>
  heartbeat?: Partial<Heartbeat>
  backOff?: BackOff
  /** From 0 to 1, for the jitter of the back-off. */
  random?: () => number
  failover?: Failover
  /** HH:MM in New York at which the gateway restarts every day, where it is known. */
  restartAt?: string
  /** The zone of times that the gateway writes without one. */
  timeZone?: string
  /** IB's limit by default; more for a gateway that has none: then historical requests are not paced either. */
  messagesPerSecond?: number
  /** Of one login; more quotes than these wait. */
  dataLines?: number
  silences?: Partial<Silences>
}

/** For a health answer and for people. */
export type SessionView = {
  phase: SessionPhase
  text: string
  /** Milliseconds of machine time since it came to this phase. */
  lasting: number
  gateway: GatewayName
  ordersHeld: string | undefined
  /** Requests that wait: for the message limit, for the pacing of history, for a data line. */
  waiting: { messages: number; history: number; dataLines: number }
  open: { questions: number; subscriptions: number; listeners: number; leases: number; inFlight: number }
}

export type BrokerSession = Broker & {
  state(): SessionView
  /** One tenant's use of the session; the name is for fairness and for the log. */
  lease(tenant: string): Lease
}

/** A gateway that is said to take more has no limits at all. */
const mostMessagesOfIb = 50
const waitIsSaidEvery = 10_000
/** IB gathers a snapshot of prices for up to eleven seconds. */
const quoteWithin = 12_000

export const createBrokerSession = ({
  host,
  port,
  backup,
  clientId,
  clock,
  log,
  deadlines,
  heartbeat,
  backOff = { first: 1000, most: 30_000 },
  random = Math.random,
  failover = { patience: 20_000, lookEvery: 60_000 },
  restartAt,
  timeZone = 'America/New_York',
  messagesPerSecond = 45,
  dataLines = 100,
  silences,
}: SessionOptions): BrokerSession => {
  let listener: ((report: BrokerReport) => void) | undefined
  let line: Line | undefined
  let closing: string | undefined
  let lastFailure: { code: number; text: string } | undefined
  let callOffAttempt = () => {}
  let callOffAlert = () => {}
  let lastInTurn: Promise<unknown> = Promise.resolve()

  let state = initialState(clock.monotonic())
  /** What was asked before the last doubt proves nothing. */
  let round = 0
  let lineSince: number | undefined
  let notLoggedInSince: number | undefined
  let farmBroken = false
  let dataLost = false
  let waitSaidAt = Number.NEGATIVE_INFINITY
  /** Orders and cancels of which nothing has been heard since they were written. */
  const inFlight = new Set<number>()

  // ── What it says ──

  /** A listener that throws must not take the line down with it, nor the reports that follow. */
  const report = (one: BrokerReport): void => {
    try {
      listener?.(one)
    } catch (error) {
      log.error({ err: error, report: one.kind }, 'the listener failed on a report')
      if (one.kind !== 'notice') report({ kind: 'notice', code: 0, text: `the listener failed on a report of kind ${one.kind}: ${error}` })
    }
  }
  const say = (text: string): void => report({ kind: 'notice', code: 0, text })

  const advance = (input: Input): Told | undefined => {
    const { state: next, told } = step(state, input, clock.monotonic())
    state = next
    callOffAlert()
    const alertAt = state.trouble?.alertAt
    if (alertAt !== undefined)
      callOffAlert = clock.after(Math.max(1, alertAt - clock.monotonic()), () => {
        const due = advance({ kind: 'time' })
        if (due !== undefined) announce(due)
      })
    return told
  }
  const announce = (told: Told | undefined): void => {
    if (told?.alert === true) log.error({ gateway: route.at(), phase: state.phase }, told.tell)
    const text = told?.tell ?? sentence(state)
    report({ kind: 'session', phase: state.phase, text, tell: told !== undefined, ordersHeld: restarts.held() })
  }
  const change = (input: Input): void => announce(advance(input))

  const onWait = (waiting: number): void => {
    if (clock.monotonic() - waitSaidAt < waitIsSaidEvery) return
    waitSaidAt = clock.monotonic()
    log.info({ waiting }, "requests wait for the limit of IB's messages a second")
  }

  // ── Its parts ──

  const ready = (): boolean => state.phase === 'ready' && line !== undefined
  const restarts = createRestartWatch({
    ...{ clock, restartAt },
    lineSince: () => lineSince,
    changed: (held) => {
      log.info({}, held ?? 'new orders need not wait any more')
      announce(undefined)
    },
  })
  const route = createRoute({
    ...{ clock, log, backup, backOff, random, failover, say },
    primary: { host, port },
    restarting: restarts.near,
    quiet: () => ready() && inFlight.size === 0 && line?.questions.busy() === false && history.waiting() === 0,
    leave: (reason) => line?.end(reason),
  })
  const streams = createStreams({ clock, log, dataLines, say })
  const history = createHistory({
    ...{ clock, log, paced: messagesPerSecond <= mostMessagesOfIb },
    send: async (request, { tenant, signal }) => askBars(readyLine(), request, { sender: { use: 'history', tenant }, signal }),
  })
  /** Snapshots and the subscriptions that share their questions, one after the other. */
  const inTurn = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    const answer = lastInTurn.then(ask)
    lastInTurn = answer.catch(() => undefined)
    return answer
  }

  // ── The line ──

  /** @throws BrokerUnavailable */
  const standing = (): Line => {
    if (line === undefined) throw new BrokerUnavailable('notReady', closing ?? lastFailure?.text ?? sentence(state))
    line.check()
    return line
  }
  /** @throws BrokerUnavailable unless all that had to be asked first was answered */
  const readyLine = (): Line => {
    const found = standing()
    if (!ready()) throw new BrokerUnavailable('notReady', sentence(state))
    return found
  }
  const leases = createLeases({ ...{ streams, history, inTurn, log }, line: readyLine, silences: { ...usualSilences, ...silences } })

  /** The state changes before the report goes on: whoever hears of it may look. */
  const fromLine = (one: BrokerReport): void => {
    if (one.kind === 'order' && one.sighting.clientId === clientId) inFlight.delete(one.sighting.orderId)
    if (one.kind === 'execution' && one.execution.clientId === clientId) inFlight.delete(one.execution.orderId)
    if (one.kind === 'orderMessage') inFlight.delete(one.orderId)
    if (one.kind !== 'link') {
      report(one)
      return
    }
    round += 1
    streams.suspend()
    const wasDown = state.phase === 'degraded'
    const told = advance(
      one.state === 'down' ? { kind: 'linkDown', text: explained('linkDown', one.reason) } : { kind: wasDown ? 'linkUp' : 'doubt' },
    )
    report(one)
    announce(told)
  }

  /** A data farm that comes back does not bring its subscriptions with it, and says nothing of that. */
  const onCode = (code: number): void => {
    if (code === 1101) dataLost = true
    if (code === 2103 || code === 2105) farmBroken = true
    if (!farmBroken || (code !== 2104 && code !== 2106)) return
    farmBroken = false
    streams.renewAll('the data farm was away')
  }

  const connect = (): void => {
    const opened: Line = openLine({
      ...{ ...route.target(), clientId, clock, log, timeZone, messagesPerSecond, onWait, onCode },
      subscriptions: streams.subscriptions,
      deadlines: { connect: 10_000, question: 15_000, history: 60_000, ...deadlines },
      heartbeat: { every: 10_000, deadline: 5000, ...heartbeat },
      report: fromLine,
      onReady: () => {
        lastFailure = undefined
        notLoggedInSince = undefined
        farmBroken = false
        dataLost = false
        round += 1
        lineSince = clock.now()
        route.stood()
        restarts.look()
        change({ kind: 'handshake' })
      },
      onEnd: (ending) => ended(opened, ending),
    })
    line = opened
    listenTo(opened, streams)
    change({ kind: 'attempt' })
  }

  const ended = (last: Line, ending: Ending): void => {
    const { reason, code, wasReady, reached } = ending
    line = undefined
    lineSince = undefined
    streams.detach()
    inFlight.clear()
    if (reached === 'version' && !wasReady) notLoggedInSince ??= clock.monotonic()
    const notLoggedInFor = notLoggedInSince === undefined ? 0 : clock.monotonic() - notLoggedInSince
    const cause: Cause = causeOf(ending, { now: clock.now(), restarting: restarts.near(), notLoggedInFor })
    // several addresses that all failed come without a word
    const asIs = cause === 'refused' ? explained(cause, reason) : reason || explained(cause)
    const text = code === clientIdInUse ? `client id ${clientId}: ${explained(cause)}` : asIs
    const again = !wasReady && lastFailure?.text === text // the attempts after the first of a kind only say the same
    const level = again ? 'debug' : closing === undefined ? 'warn' : 'info' // that we close it ourselves is nothing to warn of
    const what = !wasReady ? 'no connection' : closing === undefined ? 'connection lost' : 'connection closed'
    log[level]({ gateway: route.at(), clientId, code, cause }, `${what}: ${text}`)
    const told = closing === undefined ? advance({ kind: 'failed', cause, text: explained(cause, text) }) : undefined
    const failure = { code: code ?? unreachable, text }
    if (wasReady) report({ kind: 'lost', reason: text })
    else if (failure.code !== lastFailure?.code && closing === undefined) report({ kind: 'notice', ...failure })
    lastFailure = wasReady ? undefined : failure
    if (closing !== undefined) return
    announce(told)
    restarts.look()
    void last.fate.then((fate) => {
      if (closing !== undefined) return
      const { after, stay } = route.ended(fate)
      if (stay !== undefined) change({ kind: 'failed', cause, text: `${explained(cause, text)}; ${stay}` })
      callOffAttempt = clock.after(after, connect)
    })
  }

  // ── What it takes ──

  const write = (orderId: number, send: (api: Line['api']) => void): void => {
    const { limiter, api } = readyLine()
    inFlight.add(orderId)
    limiter.urgent(() => send(api))
  }

  const snapshot = (account: string) =>
    inTurn(async () => {
      const on = standing()
      const before = round
      const written = [...inFlight]
      const goesOn = { positions: () => streams.standing(positionsKey), accountValues: (of: string) => streams.standing(accountKey(of)) }
      const taken = await takeSnapshot(snapshotQuestions(on, goesOn), account, clock.now)
      if (line !== on || round !== before) return taken
      for (const orderId of written) inFlight.delete(orderId)
      if (ready()) return taken
      change({ kind: 'answered' })
      streams.attach(on.questions.takeId)
      if (dataLost) streams.renewAll('IB lost the subscription')
      dataLost = false
      return taken
    })

  return {
    start: (to) => {
      if (listener !== undefined) throw new Error('the session was started before')
      listener = to
      if (closing === undefined) connect()
    },
    connected: () => line?.ready() ?? false,
    place: (ticket) => {
      const { orderId, contract } = ticket
      if (orderId <= 0 || orderId >= firstRequestId) throw new RangeError(`${orderId} is not an order id`)
      const held = restarts.held()
      if (held !== undefined) throw new BrokerUnavailable('notReady', held)
      write(orderId, (api) => api.placeOrder(orderId, contractToAsk(contract), orderOf(ticket)))
    },
    whatIf: async (ticket) => {
      const held = restarts.held()
      if (held !== undefined) throw new BrokerUnavailable('notReady', held)
      return askPreview(readyLine(), ticket)
    },
    cancel: (orderId) => write(orderId, (api) => api.cancelOrder(orderId)),
    snapshot,
    contracts: async (query) => askContracts(readyLine(), query),
    bars: async (request) => {
      readyLine()
      return history.bars(request, { tenant: orderFlow.tenant })
    },
    quotes: async (contracts) => {
      const on = readyLine()
      const asked = await Promise.all(contracts.map((contract) => askQuote(on, contract, { now: clock.now, deadline: quoteWithin })))
      return asked.flatMap((quote) => quote ?? [])
    },
    currentTime: async () => askTime(standing()),
    state: () => ({
      phase: state.phase,
      text: sentence(state),
      lasting: clock.monotonic() - state.since,
      gateway: route.at(),
      ordersHeld: restarts.held(),
      waiting: { messages: line?.limiter.waiting() ?? 0, history: history.waiting(), dataLines: streams.counts().waiting },
      open: {
        questions: line?.questions.size() ?? 0,
        subscriptions: streams.counts().open,
        listeners: streams.counts().listeners,
        leases: leases.count(),
        inFlight: inFlight.size,
      },
    }),
    lease: leases.lease,
    close: async (reason) => {
      if (closing !== undefined) return
      closing = reason
      callOffAttempt()
      const last = line
      last?.end(reason)
      change({ kind: 'close', text: reason })
      callOffAlert()
      route.stop()
      restarts.stop()
      history.close()
      await last?.fate
    },
  }
}
