/**
 * The one place where a running process is put together: store, journal, bus, documents and lease; the session at the gateway;
 * engine, schedule and projector on top of them.
 */
import { fileURLToPath } from 'node:url'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Strategy } from '../domain/strategy.ts'
import type { Topics } from '../domain/topics.ts'
import { createEngine, type Engine } from '../handlers/engine.ts'
import { reservedNames } from '../handlers/handlers.ts'
import type { LeaseTimes } from '../handlers/lease-holder.ts'
import { eventsAreRead } from '../projections/event-messages.ts'
import { createHandEdits } from '../projections/hand-edits.ts'
import { createNotifier } from '../projections/notifier.ts'
import { createProjector, type Projector } from '../projections/projector.ts'
import { createRelay } from '../projections/relay.ts'
import { alertChannels } from './alerts/channels.ts'
import { openBars } from './bars/open.ts'
import { systemClock } from './clock.ts'
import type { Data } from './data.ts'
import { holderName } from './embedded/holder.ts'
import { runSchedules } from './embedded/schedule.ts'
import type { Environment } from './environment.ts'
import type { HttpServer } from './http/server.ts'
import { usualRequestsPerMinute } from './http/settings.ts'
import { type BrokerSession, createBrokerSession } from './ib/session.ts'
import { type Log, openProcessLog } from './log.ts'
import { readPaperRecord } from './paper-journal.ts'
import { openData } from './store.ts'
import { loadStrategies } from './strategies.ts'
import { readTopics } from './topics-file.ts'
import { foldVersion } from './version.ts'

// ── Strategies ──

const ownStrategies = fileURLToPath(new URL('../domain/strategies', import.meta.url))

/** @throws Error in one line that names the file that is no strategy */
export const findStrategies = ({ strategiesDirectory }: Pick<Environment, 'strategiesDirectory'>): Promise<Record<string, Strategy>> =>
  loadStrategies([ownStrategies, ...(strategiesDirectory === undefined ? [] : [strategiesDirectory])], reservedNames)

// ── The process ──

export const roles = ['all', 'engine', 'projections', 'api'] as const
export type Role = (typeof roles)[number]

export type Process = Data & {
  /** Its `state()` says where it stands, for a health answer. */
  broker: BrokerSession
  engine: Engine
  projector: Projector
  /** Where HTTP is served, once it is. */
  httpPort(): number | undefined
  /** @throws Error when the journal cannot be taken over */
  start(role?: Role): Promise<void>
  /** Clean: decisions under way are finished, documents written, the lease given back. Orders stay at the broker. */
  stop(): Promise<void>
  /** Resolves with the reason when a part of what was started has stopped by itself. */
  stopped: Promise<Error>
  /** Nothing is queued, gathering, waiting on the bus or not yet in the documents. What waits for market time does not count. */
  idle(): Promise<boolean>
}

export type ComposeOptions = {
  clock?: Clock
  log?: Log
  topics?: Topics
  strategies?: Readonly<Record<string, Strategy>>
  /** Messages a second to the gateway, for one that has no limit. */
  messagesPerSecond?: number
  leaseTimes?: LeaseTimes
  /** Of a clock that is not the machine's own: whether somebody moves it, or it passes by itself. By default somebody does. */
  marketTime?: 'real' | 'simulated'
  /** Serves HTTP in the roles `all` and `api`. Off by default: a process that is only a part of another needs no port. */
  http?: boolean
}

const documentsWithinMs = 3_000
/** Firestore counts writes and takes about one a second of a document for long: a burst of commits becomes one write of each. */
const gatherMs = { embedded: 0, google: 1_000 }
/** A store that does not answer must not keep a process that was told to end: it is killed ten seconds after SIGTERM. */
const abandonAfterMs = 5_000
/** By then what follows the journal is left as it stands: whoever comes next writes and publishes the rest. */
const leaveAfterMs = 7_000

/** Opens the store; nothing runs before `start`. @throws Error in one line when store, strategies or topics.yaml are wrong */
export const compose = async (environment: Environment, options: ComposeOptions = {}): Promise<Process> => {
  const { mode, gateway } = environment
  const { clock = systemClock, log = await openProcessLog(environment), topics = readTopics(), messagesPerSecond } = options
  const strategies = options.strategies ?? (await findStrategies(environment))
  let announceStop: (reason: Error) => void = () => {}
  const stopped = new Promise<Error>((resolve) => {
    announceStop = resolve
  })
  const data = await openData(environment, topics, { clock, warn: log.warn.bind(log), failed: (error) => announceStop(error) })
  const { journal, bus, documents, lease } = data
  const snapshots = { store: data.snapshots, version: foldVersion() }
  const simulated = clock !== systemClock && options.marketTime !== 'real'
  const broker = createBrokerSession({ ...gateway, clock, log, ...(messagesPerSecond === undefined ? {} : { messagesPerSecond }) })
  const bars = await openBars(environment)
  const own = {
    catalogue: bars,
    ...(mode === 'live' ? { paper: () => readPaperRecord(environment) } : {}),
    ...(gateway.account === undefined ? {} : { account: gateway.account }),
    ...(options.leaseTimes === undefined ? {} : { leaseTimes: options.leaseTimes }),
  }
  const holder = holderName()
  const engine = createEngine({ journal, bus, broker, lease, clock, log, topics, strategies, mode, holder, snapshots, ...own })
  const projector = createProjector({
    journal,
    documents,
    mode,
    log,
    clock,
    snapshots,
    gatherMs: simulated ? 0 : gatherMs[environment.store.kind],
  })
  const handEdits = createHandEdits({ journal, documents, bus, topics, mode, log, clock, simulated, snapshots })
  /** In a project anybody may subscribe to the events; elsewhere only those whom topics.yaml names. */
  const relayed = environment.store.kind === 'google' || eventsAreRead(topics)
  const relay = relayed ? createRelay({ journal, documents, bus, topics, mode, log, clock }) : undefined
  /** Nobody is to be woken by a day that somebody plays through. */
  const channels = alertChannels(environment.alerts ?? {}, mode)
  const notifier = simulated ? undefined : createNotifier({ journal, documents, bus, topics, log, clock, channels, snapshots })

  let http: HttpServer | undefined
  let httpPort: number | undefined
  let started: Role | undefined
  let stopSchedules = () => {}
  let stopping: Promise<void> | undefined
  void engine.stopped.then(announceStop)

  /** In a real project Cloud Scheduler publishes; nobody does for a file or an emulator, nor where market time is simulated. */
  const publishesSchedules = simulated || environment.store.kind === 'embedded' || environment.store.emulators !== undefined

  /** Before the engine, which may have to wait for its lease: a probe learns that, and a port that is taken ends the start. */
  const startHttp = async (role: Role): Promise<void> => {
    const { createHttpServer } = await import('./http/server.ts') // it takes its time to load: only for those who serve
    const access = environment.access ?? { corsOrigins: [], requestsPerMinute: usualRequestsPerMinute }
    const followers = { projections: projector, handEdits, relay, alerts: notifier }
    const ofThisProcess = role === 'all' ? { session: () => broker.state(), followers } : {}
    http = await createHttpServer({
      ...{ journal, documents, bus, lease, topics, strategies, clock, log, access, relayed },
      where: environment,
      ...ofThisProcess,
    })
    httpPort = await http.listen(environment.httpPort)
  }

  const startEngine = async (): Promise<void> => {
    await engine.start()
    if (!publishesSchedules) return
    stopSchedules = runSchedules({
      topics,
      mode,
      bus,
      clock,
      simulated,
      onTrouble: (job, slot, trouble) =>
        trouble === 'missed'
          ? log.warn({ job }, `the slot of ${isoTime(slot)} was missed`)
          : log.error({ job, err: trouble }, `the slot of ${isoTime(slot)} could not be published yet: ${trouble.message}`),
    })
  }

  /** Projections may be late: what decides does not wait for what shows. But a process that only shows has nothing else to live for. */
  const startProjector = async (role: Role): Promise<void> => {
    await handEdits.start() // first: what was edited while nobody watched is seen before the projector writes over it
    await projector.start()
    await relay?.start()
    await notifier?.start()
    const failed = projector.caughtUp(Number.MAX_SAFE_INTEGER)
    failed.catch((error: Error) => role === 'projections' && stopping === undefined && announceStop(error))
  }

  const within = async (milliseconds: number, work: Promise<unknown>): Promise<void> => {
    let callOff = () => {}
    const longEnough = new Promise<void>((resolve) => {
      callOff = clock.after(Math.max(milliseconds, 0), resolve)
    })
    await Promise.race([work, longEnough])
    callOff()
  }
  const documentsUpToDate = async (): Promise<void> => {
    if (started !== 'all' || projector.failure() !== undefined) return
    await projector.caughtUp((await journal.head()).position)
  }

  return {
    ...data,
    broker,
    engine,
    projector,
    httpPort: () => httpPort,
    start: async (role = 'all') => {
      started = role
      if (options.http === true && (role === 'all' || role === 'api')) await startHttp(role)
      if (role === 'all' || role === 'projections') await startProjector(role)
      if (role === 'all' || role === 'engine') await startEngine()
    },
    stop: () => {
      stopping ??= (async () => {
        const left = clock.monotonic() + leaveAfterMs
        const callOff = clock.after(abandonAfterMs, () => data.abandon())
        stopSchedules()
        const served = http?.stop()
        await engine.stop()
        await within(
          documentsWithinMs,
          documentsUpToDate().catch(() => undefined),
        )
        await within(left - clock.monotonic(), Promise.all([handEdits.stop(), projector.stop(), relay?.stop(), notifier?.stop(), served]))
        await data.close()
        await bars.close()
        callOff()
      })()
      return stopping
    },
    stopped,
    idle: async () => {
      if (!engine.idle() || (started !== 'engine' && !handEdits.idle()) || !(await bus.idle())) return false
      const failure = projector.failure()
      if (failure !== undefined) throw failure
      return engine.idle() && projector.position() === engine.ledger.position
    },
  }
}
