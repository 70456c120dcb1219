/**
 * The whole of it in one thread: engine and projector as processes on simulated ports, a broker with books of its own, and a person
 * who publishes, trades by hand and pulls plugs. Everything comes from the seed, so a bad night can be lived through again.
 */

import { canonical } from '../../domain/commit.ts'
import type { Broker } from '../../domain/ports/broker.ts'
import type { Bus } from '../../domain/ports/bus.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import type { Lease } from '../../domain/ports/lease.ts'
import type { Snapshots } from '../../domain/ports/snapshots.ts'
import { topicOf } from '../../domain/topics.ts'
import { createEngine, type Engine } from '../../handlers/engine.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { createHandEdits, type HandEdits } from '../../projections/hand-edits.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { createRelay, type Relay } from '../../projections/relay.ts'
import { createMemory, type Memory, memoryJournal } from '../memory-store.ts'
import { claimUnheard } from '../root-hooks.ts'
import { type KeptBars, worldBars } from './bars.ts'
import { createBroker, type SimulatedBroker } from './broker.ts'
import { createPostOffice, type PostOffice } from './bus.ts'
import { chanceFrom } from './chance.ts'
import { createWorldClock, type WorldClock } from './clock.ts'
import { worldDocuments } from './documents.ts'
import { createFaults, type Faults } from './faults.ts'
import { isEngine, type Role } from './history.ts'
import { worldJournal } from './journal.ts'
import { freeLease, isHeldBy, type LeaseRow, worldLease } from './lease.ts'
import { createExchange, type Exchange } from './line.ts'
import { createMarket, type Market, strategies } from './market.ts'
import { createProcess, type Process } from './process.ts'
import { worldSnapshots } from './snapshots.ts'

/** Small changes of one port: how a bug is planted, outside of the product. */
export type Patches = {
  journal?: (journal: Journal, world: World, process: Process) => Journal
  broker?: (broker: Broker, world: World, process: Process) => Broker
  bus?: (bus: Bus, world: World, process: Process) => Bus
  documents?: (documents: Documents, world: World, process: Process) => Documents
  lease?: (lease: Lease, world: World, process: Process) => Lease
  snapshots?: (snapshots: Snapshots, world: World, process: Process) => Snapshots
  /** The journal as the projector reads it. */
  journalOfViews?: (journal: Journal, world: World, process: Process) => Journal
  /** The bus as the relay and the watcher of hand edits see it. */
  busOfViews?: (bus: Bus, world: World, process: Process) => Bus
}

/** `again`: when an edit that still stood was published anew, under the same id, by those who look at the documents. */
export type Command = { id: string; type: string; publishedAt: string; again: string[]; body: Readonly<Record<string, unknown>> }

export type World = {
  readonly seed: string
  readonly clock: WorldClock
  readonly memory: Memory
  readonly broker: SimulatedBroker
  readonly exchange: Exchange
  readonly market: Market
  readonly postOffice: PostOffice
  readonly faults: Faults
  /** What was published, once an id. */
  readonly commands: Command[]
  /** How often a process ended at each step. */
  readonly crashes: Map<string, number>
  /** Failures of promises that nobody heard: each would have ended a real process. */
  readonly unheard: Set<unknown>
  /** A line a happening, oldest first; empty unless it was asked for. */
  readonly story: string[]
  readonly topicsOf: (type: string) => string
  note(text: string): void
  publish(type: string, id: string, body: object, publishedAgo?: number): void
  /** A message that is no command. */
  publishNonsense(type: string): void
  /** As a person does in the console: these fields of the document, and nobody is asked. `undefined` deletes it. */
  edit(path: string, fields: Readonly<Record<string, unknown>> | undefined): void
  start(role: Role): void
  /** Ends the process of that role at the first step that `here` names; it starts again after `down` of market time. */
  crashAt(role: Role, here: (point: string) => boolean, down: number): void
  /** As SIGTERM does: the engine ends by itself. */
  stopEngine(down: number): void
  /** Nothing in it runs for so long. `givenUpAfter`: by then the gateway takes its line for dead. */
  freeze(role: Role, milliseconds: number, givenUpAfter: number | undefined): void
  /** The journal and the lease cannot be reached by anybody for so long. */
  storeAway(milliseconds: number): void
  /** Whatever was cut, frozen or away is back. */
  mend(): void
  /** Everything had its time, and until now nobody asked for anything: where the journal stands. */
  waited(): void
  alone(): { position: number; at: number } | undefined
  /** The one that is ready, else the first. */
  engine(): Engine | undefined
  projector(): Projector | undefined
  relay(): Relay | undefined
  handEdits(): HandEdits | undefined
  readonly lease: LeaseRow
  /** Why nobody starts a process any more. */
  readonly givenUp: ReadonlyMap<Role, string>
}

export type WorldOptions = { seed: string; start: number; patches?: Patches; story?: boolean; calm?: boolean }

const topics = readTopics()
const mode = 'paper'
/** What a supervisor waits before it starts a process again that ended by itself: longer and longer, and in the end for ever. */
const restartMs = { first: 1_000, longest: 600_000 }
const mostStarts = 300

type Running = { process: Process; engine?: Engine; projector?: Projector; relay?: Relay; handEdits?: HandEdits }

/** @param calm no faults from the start: for scenarios that bring their own */
export const createWorld = ({ seed, start: marketTime, patches = {}, story: wanted = false, calm = false }: WorldOptions): World => {
  const clock = createWorldClock(marketTime)
  const chance = chanceFrom(`${seed}: luck`)
  const faults = createFaults(chanceFrom(`${seed}: faults`))
  if (calm) faults.stop()
  const memory = createMemory()
  const kept: KeptBars = new Map()
  const market = createMarket(clock.now)
  const story: string[] = []
  const commands: Command[] = []
  const crashes = new Map<string, number>()
  const running = new Map<Role, Running>()
  const planned: { role: Role; here: (point: string) => boolean; down: number }[] = []
  const lease = freeLease()
  const unheard = new Set<unknown>()
  claimUnheard(unheard) // one world lives at a time; what fails unheard is its own
  const failedStarts = new Map<Role, number>()
  const givenUp = new Map<Role, string>()
  let awayUntil = 0
  let alone: ReturnType<World['alone']>
  const storeIsAway = (): boolean => clock.monotonic() < awayUntil
  let processes = 0
  const setting = settingOf(seed, calm)

  const note = (text: string): void => {
    if (wanted) story.push(`${isoTime(clock.now()).slice(5, 23).replace('T', ' ')} · ${text}`)
  }
  const mayAct = (orderRef: string): boolean => {
    const plan = memory.commits.findLast(({ json }) => json.includes('"OrderPlanned"') && json.includes(`"${orderRef}"`))
    return plan === undefined || isHeldBy(lease, JSON.parse(plan.json).epoch, clock.monotonic())
  }
  const exchange = createExchange({ clock, chance, faults, market, broker: () => broker, journal: () => memory.commits.length, mayAct })
  const broker: SimulatedBroker = createBroker({ clock, chance, faults, market, note, tell: exchange.tell })
  const commanded = (message: { data: string; attributes: Readonly<Record<string, string>> }): void => {
    const { id = '', type = '' } = message.attributes
    const known = commands.find((command) => command.id === id)
    const publishedAt = isoTime(clock.now())
    if (known === undefined) commands.push({ id, type, publishedAt, again: [], body: JSON.parse(message.data) })
    else known.again.push(publishedAt)
    note(`published for an edit by hand: ${type} ${message.data}`)
  }
  const postOffice = createPostOffice({ topics, mode, clock, chance, faults, commanded })

  const startAgain = (role: Role, down: number): void => {
    running.delete(role)
    clock.at(clock.now() + down, () => start(role))
  }

  const newProcess = (role: Role): Process => {
    processes += 1
    const name = `${role} ${processes}`
    const endsAt = (point: string): boolean => {
      const crash = planned.find((each) => each.role === role && each.here(point))
      if (crash === undefined) return false
      planned.splice(planned.indexOf(crash), 1)
      crashes.set(point, (crashes.get(point) ?? 0) + 1)
      note(`${name} crashes at ${point}`)
      startAgain(role, crash.down)
      return true
    }
    return createProcess({ name, clock, chance, endsAt })
  }

  const startEngine = (role: Role): void => {
    const process = newProcess(role)
    const tell = (_fields: object, text: string): void => {
      if (process.alive()) note(`${process.name}: ${text}`)
    }
    const patched = <T>(port: T, patch: ((port: T, world: World, process: Process) => T) | undefined): T =>
      patch === undefined ? port : patch(port, world, process)
    const snapshots = patched(worldSnapshots({ memory, faults, process }), patches.snapshots)
    const engine = createEngine({
      journal: patched(worldJournal({ memory, clock, faults, process, away: storeIsAway }), patches.journal),
      bus: patched(postOffice.portOf(process), patches.bus),
      broker: patched(exchange.portOf(process), patches.broker),
      lease: patched(worldLease({ row: lease, clock, faults, process, away: storeIsAway }), patches.lease),
      catalogue: worldBars({ kept, faults, process }),
      ...{ clock: process.clock, log: { info: tell, warn: tell, error: tell }, topics, strategies, mode },
      // Some stores see that a process of their own machine is gone; elsewhere its lease has to expire.
      holder: setting.goneIsSeen ? role : process.name,
      reportsTogether: setting.reportsTogether,
      ...(setting.snapshotsEvery === undefined
        ? {}
        : { snapshots: { store: snapshots, version: 'of the world', every: setting.snapshotsEvery } }),
    })
    running.set(role, { process, engine })
    note(`${process.name} starts`)
    const ended = (reason: Error): void => {
      if (!process.alive()) return
      note(`${process.name} ended by itself: ${reason.message}`)
      process.crash()
      const failed = (failedStarts.get(role) ?? 0) + 1
      failedStarts.set(role, failed)
      if (failed > mostStarts) givenUp.set(role, reason.message)
      else startAgain(role, Math.min(restartMs.first * 2 ** (failed - 1), restartMs.longest))
    }
    const begun = (): void => {
      failedStarts.delete(role)
      if (role === 'second engine') faults.hit('a second engine takes over')
    }
    if (role === 'second engine' && running.has('engine')) faults.hit('a second engine waits')
    engine.start().then(begun, ended)
    void engine.stopped.then(ended)
  }

  /** What follows the journal runs in one process: the watcher of hand edits first, then the projector and the relay. */
  const startProjector = (role: Role): void => {
    const process = newProcess(role)
    const silent = () => undefined
    const read = worldJournal({ memory, clock, faults, process, away: storeIsAway })
    const journal = patches.journalOfViews === undefined ? read : patches.journalOfViews(read, world, process)
    const stored = worldDocuments({ memory, faults, process })
    const documents = patches.documents === undefined ? stored : patches.documents(stored, world, process)
    const port = postOffice.portOf(process)
    const bus = patches.busOfViews === undefined ? port : patches.busOfViews(port, world, process)
    const shared = { mode, clock: process.clock, log: { debug: silent, info: silent, warn: silent, error: silent } } as const
    const projector = createProjector({ journal, documents, ...shared })
    const relay = createRelay({ journal: read, documents: stored, bus, topics, ...shared })
    const handEdits = createHandEdits({ journal: read, documents: stored, bus, topics, ...shared })
    running.set(role, { process, projector, relay, handEdits })
    const ended = (error: Error): void => {
      if (process.alive()) givenUp.set(role, error.message)
    }
    void handEdits
      .start()
      .then(() => projector.start())
      .then(() => relay.start())
      .catch(ended)
  }

  const start = (role: Role): void => {
    if (running.has(role)) return
    if (isEngine(role)) startEngine(role)
    else startProjector(role)
  }
  const ofRole = (is: (role: Role) => boolean): Running[] => [...running].flatMap(([role, found]) => (is(role) ? [found] : []))

  const noteCommits = (): void => {
    for (const { json } of memory.commits.slice(noted)) note(summaryOf(json))
    noted = memory.commits.length
  }
  let noted = 0
  if (wanted) memoryJournal(memory).onAppended(noteCommits)

  const world: World = {
    ...{
      seed,
      clock,
      memory,
      broker,
      exchange,
      market,
      postOffice,
      faults,
      commands,
      crashes,
      unheard,
      story,
      note,
      start,
      givenUp,
      lease,
    },
    topicsOf: (type) => topicOf(topics, type, mode),
    publish: (type, id, body, publishedAgo = 0) => {
      const publishedAt = isoTime(clock.now() - publishedAgo)
      const known = commands.find((command) => command.id === id)
      if (known === undefined) commands.push({ id, type, publishedAt, again: [], body: body as Command['body'] })
      note(`published: ${type} ${id} ${JSON.stringify(body)}${publishedAgo === 0 ? '' : `, dated ${publishedAt}`}`)
      const attributes = { type, id, source: 'cli', publishedAt: known?.publishedAt ?? publishedAt }
      postOffice.publish(topicOf(topics, type, mode), { data: JSON.stringify(body), attributes })
    },
    crashAt: (role, here, down) => void planned.push({ role, here, down }),
    stopEngine: (down) => {
      const current = running.get('engine')
      if (current?.engine === undefined) return
      faults.hit('the engine is told to stop')
      note(`${current.process.name} is told to stop`)
      running.delete('engine')
      void current.engine.stop().then(() => {
        if (!current.process.alive()) return
        current.process.crash()
        note(`${current.process.name} stopped`)
        startAgain('engine', down)
      })
    },
    publishNonsense: (type) => {
      faults.hit('a command is published out of nowhere')
      note(`published: nonsense of type ${type}`)
      postOffice.publish(topicOf(topics, 'reconcile', mode), { data: type === 'reconcile' ? '{' : '{}', attributes: { type } })
    },
    edit: (path, fields) => {
      faults.hit('a hand edits a document')
      note(`a person edits ${path}: ${fields === undefined ? 'deleted' : JSON.stringify(fields)}`)
      if (fields === undefined) memory.documents.delete(path)
      else memory.documents.set(path, canonical({ ...JSON.parse(memory.documents.get(path) ?? '{}'), ...fields }))
      for (const listener of [...(memory.listeners.get(path) ?? [])]) listener()
    },
    freeze: (role, milliseconds, givenUpAfter) => {
      const process = running.get(role)?.process
      if (process === undefined) return
      note(`${process.name} is frozen for ${milliseconds} ms`)
      process.freeze(milliseconds)
      faults.hit(isEngine(role) ? 'an engine is frozen' : 'a projector is frozen')
      const epoch = lease.epoch
      clock.after(milliseconds, () => {
        if (isEngine(role) && process.alive() && lease.epoch > epoch) faults.hit('a frozen engine wakes when another one has begun')
      })
      if (givenUpAfter !== undefined && givenUpAfter < milliseconds)
        clock.after(givenUpAfter, () => process.frozen() && exchange.giveUp(process))
    },
    storeAway: (milliseconds) => {
      faults.hit('the store is away')
      note(`the store is away for ${milliseconds} ms`)
      awayUntil = clock.monotonic() + milliseconds
    },
    mend: () => {
      awayUntil = 0
      planned.length = 0
    },
    waited: () => {
      alone = { position: memory.commits.length, at: clock.now() }
    },
    alone: () => alone,
    engine: () => {
      const engines = ofRole(isEngine).flatMap(({ engine }) => engine ?? [])
      return engines.find((engine) => engine.ready()) ?? engines[0]
    },
    projector: () => ofRole((role) => !isEngine(role))[0]?.projector,
    relay: () => ofRole((role) => !isEngine(role))[0]?.relay,
    handEdits: () => ofRole((role) => !isEngine(role))[0]?.handEdits,
  }
  return world
}

/** What differs between installations: how a dead engine's lease ends, whether there are snapshots, how reports are committed. */
const settingOf = (seed: string, calm: boolean) => {
  const chance = chanceFrom(`${seed}: setting`)
  return {
    goneIsSeen: chance.happens(0.5) || calm,
    snapshotsEvery: chance.happens(0.5) && !calm ? chance.whole(5, 40) : undefined,
    reportsTogether: chance.happens(0.3) && !calm,
  }
}

/** One commit in one line: position, cause, events, and what they speak of. */
const summaryOf = (json: string): string => {
  const { position, epoch, cause, events } = JSON.parse(json)
  const of = cause.kind === 'command' ? `${cause.type} ${cause.id}` : cause.kind === 'broker' ? `broker ${cause.report}` : cause.reason
  const told = events.map(({ type, data }: { type: string; data: Record<string, unknown> }) => {
    const about = ['orderRef', 'executionId', 'quantity', 'how', 'code', 'outcome', 'text'].flatMap((name) =>
      typeof data[name] === 'string' ? [data[name]] : [],
    )
    return [type, ...about].join(' ')
  })
  return `journal ${position} (epoch ${epoch}, ${of}): ${told.join('; ')}`
}
