/**
 * The engine: takes the lease, folds the journal, says that it started, connects, asks, and only then acts.
 * Commands gather side by side; decisions, reports and steps pass one queue; a commit is folded before it takes effect.
 */
import { chooseAccount } from '../domain/account.ts'
import type { Command } from '../domain/commands.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { initialLedger, type Ledger } from '../domain/ledger.ts'
import type { Order } from '../domain/order.ts'
import { type BarCatalogue, noBarCatalogue } from '../domain/ports/bar-catalogue.ts'
import type { Broker, BrokerReport, SessionPhase } from '../domain/ports/broker.ts'
import type { Bus } from '../domain/ports/bus.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Journal } from '../domain/ports/journal.ts'
import type { Lease } from '../domain/ports/lease.ts'
import { restoreLedger } from '../domain/snapshot.ts'
import type { Strategy } from '../domain/strategy.ts'
import { endsWithinOf, nameFor, type Topics, validForOf } from '../domain/topics.ts'
import { foldSound } from '../domain/verify.ts'
import { createDeciding } from './deciding.ts'
import type { EngineFacts, ReadPaperRecord } from './handler.ts'
import { handlersFor, unknownStep } from './handlers.ts'
import { createIntake } from './intake.ts'
import { holdLease, type LeaseHolder, type LeaseTimes } from './lease-holder.ts'
import { createOrderDesk, type OrderDesk } from './order-desk.ts'
import { createPipelineRunner } from './pipeline-runner.ts'
import { createQuestions } from './questions.ts'
import { createSnapshotTaker, type SnapshotOptions } from './snapshot-taker.ts'
import { tell } from './telling.ts'
import { type Committed, createWriter, EngineStopped, LeaseLost, type Log, PositionTaken } from './writer.ts'

export type EngineOptions = {
  journal: Journal
  bus: Bus
  broker: Broker
  /** Absent: no bars are kept. */
  catalogue?: BarCatalogue
  /** Of live trading: what paper trading did before. Absent: nobody knows, and trading is not switched on. */
  paper?: ReadPaperRecord
  lease: Lease
  clock: Clock
  log: Log
  topics: Topics
  strategies: Readonly<Record<string, Strategy>>
  mode: 'paper' | 'live'
  /** IB_ACCOUNT, where it is set. */
  account?: string
  /** Names this process to the lease, and to nothing else. */
  holder: string
  /** By default those of the design: 45 seconds, renewed every 15. */
  leaseTimes?: LeaseTimes
  /** Commits all reports that wait at once when more than 32 do. Off: one report, one commit. */
  reportsTogether?: boolean
  /** Absent: every start folds the whole journal. */
  snapshots?: SnapshotOptions
}

export type Engine = {
  /** Resolves when the journal is ours and commands are taken; the gateway may still be down then. @throws EngineStopped */
  start(): Promise<void>
  /** Finishes the decision that is under way, closes the line, gives the lease back. Cancels nothing. */
  stop(): Promise<void>
  /** Resolves when the engine stopped by itself, with the reason. */
  stopped: Promise<Error>
  ledger: Readonly<Ledger>
  /** Connected, account known, and the questions after the connect answered. */
  ready(): boolean
  /** No work queued or under way, nothing gathering, no question open. What waits for market time does not count. */
  idle(): boolean
}

export const createEngine = (options: EngineOptions): Engine => {
  const { journal, bus, broker, clock, log, topics, strategies, mode } = options
  const ledger = initialLedger()
  const handlers = handlersFor(strategies)
  const subscriptions: { close(): Promise<void> }[] = []
  let lineIsUp = false
  /** How often the line came up or went: what was asked on an earlier one says nothing about this one. */
  let line = 0
  let asked = false
  /** Why new orders wait though the line stands: the gateway is about to restart. */
  let ordersHeld: string | undefined
  let running = false
  let stopping: Promise<void> | undefined
  let takingOver: Promise<void> | undefined
  const leaving = new AbortController()
  let leaseHolder: LeaseHolder | undefined
  let announceStop: (reason: Error) => void = () => {}
  const stopped = new Promise<Error>((resolve) => {
    announceStop = resolve
  })

  /** Something broke where the ledger may be half folded: it is nothing to be kept. */
  let broken = false
  let failure: Error | undefined
  const fail = (reason: Error): void => {
    broken = true
    if (!running) return
    failure = reason
    log.error({ stopped: reason.name, stack: reason.stack }, `the engine stops: ${reason.message}`)
    void stop().then(() => announceStop(reason))
  }

  const committed = (commit: Committed): void => {
    snapshots.committed()
    tell(commit, ledger, log)
    desk.take(commit)
    questions.arm()
    runner.advance()
  }
  const writer = createWriter({ journal, clock, ledger, committed, failed: fail })
  const snapshots = createSnapshotTaker(options.snapshots, { ledger, clock, log })

  const ready = (): boolean => running && lineIsUp && asked && broker.connected()
  const mayHandOver = ({ closing, inForceUntil }: Order): 'yes' | 'wait' | { not: string } => {
    // Sent after that, an order for the day would wait at the broker for the next one.
    if (clock.now() >= Date.parse(inForceUntil)) return { not: `it was in force until ${inForceUntil}` }
    if (intake.haltsPending() > 0) return 'wait'
    if (!ledger.trading.on && !closing) return { not: 'trading is halted' }
    if (!leaseHolder?.valid()) return { not: 'the lease is no longer certain' }
    if (!ready()) return { not: 'the line to the broker is down' }
    return ordersHeld === undefined ? 'yes' : 'wait'
  }
  const desk: OrderDesk = createOrderDesk({
    ledger,
    broker,
    writer,
    log,
    reportsTogether: options.reportsTogether ?? false,
    mayHandOver,
    ask: (reason) => questions.ask(reason),
  })
  const questions = createQuestions({
    ledger,
    broker,
    clock,
    writer,
    desk,
    log,
    line: () => line,
    answered: (on) => {
      if (asked || !lineIsUp || on !== line) return
      asked = true
      log.info({ account: ledger.account }, 'the gateway is ready')
      desk.cancelAgain()
    },
    settled: () => runner.advance(),
  })

  const engineFacts = (command: Command, sequence: number): EngineFacts => {
    const until = Date.parse(command.publishedAt) + validForOf(topics, command.type)
    return {
      ready: ready(),
      notHandedOver: desk.notHandedOver(),
      said: desk.said(sequence),
      strategies,
      validUntil: Number.isFinite(until) ? isoTime(until) : null,
      endsBy: isoTime(clock.now() + (endsWithinOf(topics, command.type) ?? 0)),
    }
  }
  /** A step is valid as long as its pipeline, as that said when it began. */
  const validFor = (command: Command): number => {
    const pipeline = command.pipeline === undefined ? undefined : ledger.pipelines[command.pipeline]
    if (pipeline === undefined) return validForOf(topics, command.type)
    return pipeline.validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(pipeline.validUntil) - Date.parse(pipeline.publishedAt)
  }
  const deciding = createDeciding({
    ledger,
    broker,
    catalogue: options.catalogue ?? noBarCatalogue,
    paper: options.paper,
    clock,
    writer,
    log,
    ready,
    sequence: () => desk.sequence(),
    facts: engineFacts,
    validFor,
    patience: (command) => validForOf(topics, command.type),
  })
  /** In the queue, as all that changes the outbox: a decision that withdraws an order must not find it handed over when it is appended. */
  const haltDecided = (): void => void writer.enqueue(() => desk.handOver(), 'urgent')
  const intake = createIntake({ journal, clock, handlers, deciding, writer, topics, log, haltDecided })
  const runner = createPipelineRunner({
    ledger,
    handlers,
    clock,
    writer,
    log,
    gather: (command) => deciding.gather(command, handlers.step(command.type) ?? unknownStep),
    decide: (command, gathered) => deciding.decide(command, handlers.step(command.type) ?? unknownStep, gathered),
    asking: () => questions.open(),
  })

  // ── The line to the broker ──

  const connected = async (report: Extract<BrokerReport, { kind: 'connected' }>): Promise<void> => {
    const { managedAccounts: managed, nextValidId, serverVersion } = report
    const choice = chooseAccount(mode, { wanted: options.account, fixed: ledger.account, managed })
    if ('mismatch' in choice) {
      await writer.commit({ kind: 'broker', report: 'connected' }, [event('GatewayLost', { reason: choice.mismatch, phase: 'closed' })])
      throw new EngineStopped(choice.mismatch)
    }
    await writer.commit({ kind: 'broker', report: 'connected' }, [
      event('GatewayConnected', { account: choice.account, nextValidId, serverVersion }),
    ])
    questions.ask('connected')
  }

  const gatewayLost = (reason: string, phase: SessionPhase): DomainEvent =>
    event('GatewayLost', { reason, ...(phase === 'down' ? {} : { phase }) })

  const lost = async (reason: string, phase: SessionPhase): Promise<void> => {
    if (ledger.gateway.connected) await writer.commit({ kind: 'broker', report: 'lost' }, [gatewayLost(reason, phase)])
  }

  /** Why there is still no line: what was said of it before is replaced, and a line that came back meanwhile needs none of it. */
  const notReady = async (text: string, phase: SessionPhase): Promise<void> => {
    if (lineIsUp || ledger.gateway.connected || ledger.gateway.reason === text) return
    await writer.commit({ kind: 'broker', report: 'session' }, [gatewayLost(text, phase)])
  }

  /** The flags change at once: nothing may be handed over to a line that is known to be down, whatever is queued. */
  const hear = (report: BrokerReport): void => {
    switch (report.kind) {
      case 'connected':
        line++
        lineIsUp = true
        asked = false
        void writer.enqueue(() => connected(report))
        return
      case 'lost':
        lineIsUp = false
        asked = false
        void writer.enqueue(() => lost(report.reason, 'down'))
        return
      case 'link':
        line++
        lineIsUp = report.state === 'up'
        asked = false
        void writer.enqueue(() => (report.state === 'down' ? lost(report.reason, 'degraded') : linkIsBack()))
        return
      case 'notice':
        log.warn({ code: report.code }, report.text)
        return
      case 'session': {
        const wereHeld = ordersHeld !== undefined
        ordersHeld = report.ordersHeld
        if (report.tell) void writer.enqueue(() => notReady(report.text, report.phase))
        if (wereHeld && ordersHeld === undefined) void writer.enqueue(() => desk.handOver(), 'urgent')
        return
      }
      default:
        desk.hear(report)
    }
  }

  const linkIsBack = async (): Promise<void> => {
    const { account, nextValidId, gateway } = ledger
    if (account === null) return
    if (!gateway.connected)
      await writer.commit({ kind: 'broker', report: 'link' }, [event('GatewayConnected', { account, nextValidId, serverVersion: 0 })])
    // The broker also says so without having said that it was down; what was known before is in doubt all the same.
    questions.ask('the link to the broker is back')
  }

  // ── Life ──

  const restore = async (): Promise<void> => {
    if (options.snapshots === undefined) return
    const restored = await restoreLedger({ snapshots: options.snapshots, journal, ignored: log.info.bind(log) })
    if (restored === undefined) return
    Object.assign(ledger, restored)
    snapshots.restored(ledger.position)
    log.info({ position: ledger.position }, 'the state was restored from a snapshot')
  }
  const replay = async (): Promise<void> => {
    await restore()
    await readOn()
  }
  /** Nothing is decided on a journal that was damaged, or altered by hand. @throws BrokenJournal that names the first such commit */
  const readOn = async (): Promise<void> => {
    for await (const stored of journal.read(ledger.position + 1)) {
      stopIfTold()
      foldSound(ledger, stored)
    }
  }
  /** @throws Error when this engine was stopped before it had begun */
  const stopIfTold = (): void => {
    if (leaving.signal.aborted) throw failure ?? new EngineStopped('the engine was stopped before it had begun')
  }

  /** The first commit of this epoch: an older engine's appends conflict after it. Until then its last ones may still land, and are read. */
  const begin = async (epoch: number): Promise<void> => {
    ledger.epoch = epoch
    try {
      await writer.commit({ kind: 'engine', reason: 'started' }, [event('EngineStarted', { epoch, mode })])
    } catch (error) {
      if (!(error instanceof PositionTaken) || error.epoch >= epoch) throw error
      await readOn()
      if (ledger.epoch > epoch) throw new EngineStopped(`another engine (epoch ${ledger.epoch}) has begun meanwhile`)
      await begin(epoch)
    }
  }

  /** @param above an epoch that the lease has forgotten, because somebody deleted its document: the next one has to be higher */
  const takeLease = async (above: number): Promise<LeaseHolder> => {
    leaseHolder = await holdLease({
      lease: options.lease,
      clock,
      log,
      holder: options.holder,
      lost: () => fail(new LeaseLost('another engine took the lease')),
      above,
      leaving: leaving.signal,
      ...(options.leaseTimes === undefined ? {} : { times: options.leaseTimes }),
    })
    stopIfTold()
    return leaseHolder
  }

  const takeOver = async (): Promise<void> => {
    let { epoch, release } = await takeLease(0)
    running = true
    await replay()
    if (epoch <= ledger.epoch) {
      log.warn({ epoch, seen: ledger.epoch }, 'the lease has forgotten the epochs that the journal has seen; it is taken anew above them')
      await release()
      epoch = (await takeLease(ledger.epoch)).epoch
      await readOn()
    }
    if (ledger.mode !== null && ledger.mode !== mode)
      throw new EngineStopped(`this journal is ${ledger.mode}, the engine was started for ${mode}`)
    if (epoch <= ledger.epoch) throw new EngineStopped(`the lease gave epoch ${epoch}, but the journal has seen epoch ${ledger.epoch}`)
    await writer.enqueue(() => begin(epoch))
    stopIfTold()
  }

  const start = async (): Promise<void> => {
    try {
      takingOver = takeOver()
      await takingOver
      stopIfTold()
    } catch (error) {
      broken = true
      await stop()
      throw error
    }
    broker.start(hear)
    for (const [name, { handler, topic }] of Object.entries(topics.subscriptions)) {
      if (handler !== 'engine') continue
      const urgency = topic.includes('urgent') ? 'urgent' : 'normal'
      subscriptions.push(bus.subscribe(nameFor(name, mode), (delivery) => intake.receive(delivery, urgency)))
    }
  }

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      running = false
      leaving.abort()
      runner.stop()
      questions.stop()
      intake.stop()
      await Promise.all(subscriptions.map((subscription) => subscription.close()))
      await writer.close()
      await takingOver?.catch(() => undefined)
      const snapshotTaken = broken ? undefined : snapshots.close()
      await broker.close('the engine stops')
      await leaseHolder?.release()
      await snapshotTaken
    })()
    return stopping
  }

  return {
    start,
    stop,
    stopped,
    ledger,
    ready,
    idle: () => writer.idle() && !intake.open() && !runner.open() && !questions.open(),
  }
}
