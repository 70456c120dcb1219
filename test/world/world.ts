/**
 * The whole of it in one thread: engine and projector as processes on simulated ports, a broker with books of its own, and a person
 * who publishes, trades by hand and pulls plugs. Everything comes from the seed, so a bad night can be lived through again.
 */

import type { Broker } from '../../domain/ports/broker.ts'
import type { Bus } from '../../domain/ports/bus.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { topicOf } from '../../domain/topics.ts'
import { createEngine, type Engine } from '../../handlers/engine.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { createMemory, type Memory, memoryJournal } from '../memory-store.ts'
import { claimUnheard } from '../root-hooks.ts'
import { createBroker, type SimulatedBroker } from './broker.ts'
import { createPostOffice, type PostOffice } from './bus.ts'
import { chanceFrom } from './chance.ts'
import { createWorldClock, type WorldClock } from './clock.ts'
import { worldDocuments } from './documents.ts'
import { createFaults, type Faults } from './faults.ts'
import type { Role } from './history.ts'
import { worldJournal } from './journal.ts'
import { freeLease, worldLease } from './lease.ts'
import { createExchange, type Exchange } from './line.ts'
import { createMarket, type Market, strategies } from './market.ts'
import { createProcess, type Process } from './process.ts'

/** Small changes of one port: how a bug is planted, outside of the product. */
export type Patches = {
  journal?: (journal: Journal, world: World, process: Process) => Journal
  broker?: (broker: Broker, world: World, process: Process) => Broker
  bus?: (bus: Bus, world: World, process: Process) => Bus
  documents?: (documents: Documents, world: World, process: Process) => Documents
}

export type Command = { id: string; type: string; publishedAt: string }

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
  start(role: Role): void
  /** Ends the process of that role at the first step that `here` names; it starts again after `down` of market time. */
  crashAt(role: Role, here: (point: string) => boolean, down: number): void
  /** As SIGTERM does: the engine ends by itself. */
  stopEngine(down: number): void
  engine(): Engine | undefined
  projector(): Projector | undefined
}

export type WorldOptions = { seed: string; start: number; patches?: Patches; story?: boolean; calm?: boolean }

const topics = readTopics()
const mode = 'paper'
const holder = 'the one engine'
/** What a supervisor waits before it starts a process again that ended by itself. */
const restartMs = 1_000

type Running = { process: Process; engine?: Engine; projector?: Projector }
type Crash = { here: (point: string) => boolean; down: number }

/** @param calm no faults from the start: for scenarios that bring their own */
export const createWorld = ({ seed, start: marketTime, patches = {}, story: wanted = false, calm = false }: WorldOptions): World => {
  const clock = createWorldClock(marketTime)
  const chance = chanceFrom(`${seed}: luck`)
  const faults = createFaults(chanceFrom(`${seed}: faults`))
  if (calm) faults.stop()
  const memory = createMemory()
  const market = createMarket(clock.now)
  const story: string[] = []
  const commands: Command[] = []
  const crashes = new Map<string, number>()
  const running = new Map<Role, Running>()
  const planned = new Map<Role, Crash>()
  const lease = freeLease()
  const unheard = new Set<unknown>()
  claimUnheard(unheard) // one world lives at a time; what fails unheard is its own
  let processes = 0

  const note = (text: string): void => {
    if (wanted) story.push(`${isoTime(clock.now()).slice(5, 23).replace('T', ' ')} · ${text}`)
  }
  const exchange = createExchange({ clock, chance, faults, market, broker: () => broker, journal: () => memory.commits.length })
  const broker: SimulatedBroker = createBroker({ clock, chance, faults, market, note, tell: exchange.tell })
  const postOffice = createPostOffice({ topics, mode, clock, chance, faults })

  const startAgain = (role: Role, down: number): void => {
    running.delete(role)
    clock.at(clock.now() + down, () => start(role))
  }

  const newProcess = (role: Role): Process => {
    processes += 1
    const name = `${role} ${processes}`
    const endsAt = (point: string): boolean => {
      const crash = planned.get(role)
      if (crash === undefined || !crash.here(point)) return false
      planned.delete(role)
      crashes.set(point, (crashes.get(point) ?? 0) + 1)
      note(`${name} crashes at ${point}`)
      startAgain(role, crash.down)
      return true
    }
    return createProcess({ name, clock, chance, endsAt })
  }

  const startEngine = (): void => {
    const process = newProcess('engine')
    const tell = (_fields: object, text: string): void => {
      if (process.alive()) note(`${process.name}: ${text}`)
    }
    const patched = <T>(port: T, patch: ((port: T, world: World, process: Process) => T) | undefined): T =>
      patch === undefined ? port : patch(port, world, process)
    const engine = createEngine({
      journal: patched(worldJournal({ memory, clock, faults, process }), patches.journal),
      bus: patched(postOffice.portOf(process), patches.bus),
      broker: patched(exchange.portOf(process), patches.broker),
      lease: worldLease({ row: lease, clock, faults, process }),
      ...{ clock: process.clock, log: { info: tell, warn: tell, error: tell }, topics, strategies, mode },
      holder,
    })
    running.set('engine', { process, engine })
    note(`${process.name} starts`)
    const ended = (reason: Error): void => {
      if (!process.alive()) return
      note(`${process.name} ended by itself: ${reason.message}`)
      process.crash()
      startAgain('engine', restartMs)
    }
    engine.start().catch(ended)
    void engine.stopped.then(ended)
  }

  const startProjector = (): void => {
    const process = newProcess('projector')
    const silent = () => undefined
    const documents = worldDocuments({ memory, faults, process })
    const projector = createProjector({
      journal: worldJournal({ memory, clock, faults, process }),
      documents: patches.documents === undefined ? documents : patches.documents(documents, world, process),
      ...{ mode, clock: process.clock, log: { debug: silent, info: silent, warn: silent, error: silent } },
    })
    running.set('projector', { process, projector })
    void projector.start()
  }

  const start = (role: Role): void => {
    if (running.has(role)) return
    if (role === 'engine') startEngine()
    else startProjector()
  }

  const noteCommits = (): void => {
    for (const { json } of memory.commits.slice(noted)) note(summaryOf(json))
    noted = memory.commits.length
  }
  let noted = 0
  if (wanted) memoryJournal(memory).onAppended(noteCommits)

  const world: World = {
    ...{ seed, clock, memory, broker, exchange, market, postOffice, faults, commands, crashes, unheard, story, note, start },
    topicsOf: (type) => topicOf(topics, type, mode),
    publish: (type, id, body, publishedAgo = 0) => {
      const publishedAt = isoTime(clock.now() - publishedAgo)
      const known = commands.find((command) => command.id === id)
      if (known === undefined) commands.push({ id, type, publishedAt })
      note(`published: ${type} ${id} ${JSON.stringify(body)}${publishedAgo === 0 ? '' : `, dated ${publishedAt}`}`)
      const attributes = { type, id, source: 'cli', publishedAt: known?.publishedAt ?? publishedAt }
      postOffice.publish(topicOf(topics, type, mode), { data: JSON.stringify(body), attributes })
    },
    crashAt: (role, here, down) => void planned.set(role, { here, down }),
    stopEngine: (down) => {
      const current = running.get('engine')
      if (current?.engine === undefined) return
      note(`${current.process.name} is told to stop`)
      running.delete('engine')
      void current.engine.stop().then(() => {
        if (!current.process.alive()) return
        current.process.crash()
        note(`${current.process.name} stopped`)
        startAgain('engine', down)
      })
    },
    engine: () => running.get('engine')?.engine,
    projector: () => running.get('projector')?.projector,
  }
  return world
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
