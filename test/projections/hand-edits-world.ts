/** Configuration documents on a store in memory, with the real projector and the real decisions of `halt`, `resume` and `configure`. */
import { type Command, readEnvelope } from '../../domain/commands.ts'
import { type Commit, canonical, store } from '../../domain/commit.ts'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event, toStored } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import dummy from '../../domain/strategies/dummy.ts'
import { configure } from '../../handlers/configure.ts'
import type { EngineFacts, Handler } from '../../handlers/handler.ts'
import { halt, resume } from '../../handlers/switch.ts'
import { readTopics } from '../../infra/topics-file.ts'
import type { Log } from '../../projections/follower.ts'
import { createHandEdits, type HandEdits, type HandEditsOptions } from '../../projections/hand-edits.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { changed, command, commitsOf, connected, started, type Told } from './story.ts'

const topics = readTopics()
const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const soon = (run: () => void): (() => void) => {
  const turn = setImmediate(run)
  return () => clearImmediate(turn)
}

/** Short pauses are over at once, long ones when the test says so; market and machine time go together. */
const createHand = () => {
  let time = Date.parse('2026-11-21T15:00:00.000Z')
  const waiting = new Set<{ due: number; run: () => void }>()
  const clock: Pick<Clock, 'now' | 'after' | 'monotonic'> = {
    now: () => time,
    monotonic: () => time - 1_000_000,
    after: (milliseconds, run) => {
      if (milliseconds < 1_000) return soon(run)
      const entry = { due: time + milliseconds, run }
      waiting.add(entry)
      return () => void waiting.delete(entry)
    },
  }
  const advance = (milliseconds: number): void => {
    time += milliseconds
    for (const entry of [...waiting]) if (entry.due <= time && waiting.delete(entry)) entry.run()
  }
  return { clock, advance, waits: () => waiting.size > 0 }
}

type Published = { topic: string; data: string; attributes: Readonly<Record<string, string>> }
const handlers: Record<string, Handler> = { halt, resume, configure }
const engineFacts: EngineFacts = {
  ...{ ready: false, notHandedOver: [], said: {}, strategies: { dummy }, validUntil: null, endsBy: '2026-11-22T00:00:00.000Z' },
}

const switchedOn = command('resume', 'r1', event('TradingResumed', { reason: 'checked' }))
export const trading: Told[] = [started, connected, switchedOn, command('configure', 'c1', changed({ 'strategies.dummy.allocation': 0.5 }))]

export const createWorld = () => {
  const memory: Memory = createMemory()
  const journal = memoryJournal(memory)
  const hand = createHand()
  const published: Published[] = []
  const warnings: string[] = []
  const log: Log = { ...silent, warn: (_, text) => void warnings.push(text), error: (_, text) => void warnings.push(text) }
  const running: { stop(): Promise<void> }[] = []
  let busAway = false
  let engineAway = false
  let decided = 0
  let deciding = Promise.resolve()

  const tell = (subject: string): void => {
    for (const listener of [...(memory.listeners.get(subject) ?? [])]) listener()
  }
  const append = (...told: Told[]): void => {
    memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
    tell('journal')
  }
  const ledger = (): Ledger => {
    const state = initialLedger()
    for (const stored of memory.commits) fold(state, stored)
    return state
  }
  const eventsOf = (state: Ledger, asked: Command): DomainEvent[] => {
    const handler = handlers[asked.type]!
    const events = handler.decide({ ledger: state, command: asked, facts: null, now: hand.clock.now(), engine: engineFacts })
    return isRefusal(events) ? [event('CommandRefused', { code: events.refusal, text: events.text })] : events
  }
  /** What the engine does with a message, but for the broker. */
  const decide = async ({ data, attributes }: Published): Promise<void> => {
    const publishedAt = attributes['publishedAt'] ?? new Date(hand.clock.now()).toISOString()
    const envelope = readEnvelope({ id: 'm', data, publishedAt, attributes }, () => undefined)
    if (!envelope.ok) throw new Error(envelope.problem)
    if (memory.markers.has(envelope.value.id)) return
    const state = ledger()
    const { body: _, ...cause } = envelope.value
    const recordedAt = new Date(hand.clock.now()).toISOString()
    const { position, hash, epoch } = state
    const events = toStored(eventsOf(state, envelope.value), recordedAt)
    const commit: Commit = { position: position + 1, epoch, recordedAt, cause: { kind: 'command', ...cause }, events, previousHash: hash }
    store(commit)
    const answer = await journal.append(commit)
    if (answer.answer === 'conflict') throw new Error('the test wrote at the same time')
  }
  const decideAll = (): Promise<void> => {
    deciding = deciding.then(async () => {
      while (!engineAway && decided < published.length) await decide(published[decided++]!)
    })
    return deciding
  }
  const bus: HandEditsOptions['bus'] = {
    publish: async (topic, message) => {
      if (busAway) throw new StoreUnavailable('the bus is away')
      published.push({ topic, ...message })
      void soon(() => void decideAll())
      return `m${published.length}`
    },
  }

  const world = {
    memory,
    hand,
    published,
    warnings,
    append,
    ledger,
    documents: memoryDocuments(memory),
    setBusAway: (away: boolean) => {
      busAway = away
    },
    setEngineAway: async (away: boolean) => {
      engineAway = away
      await decideAll()
    },
    shown: (path: string): Document | undefined => {
      const text = memory.documents.get(path)
      return text === undefined ? undefined : (JSON.parse(text) as Document)
    },
    /** As somebody does it in the console: past every checkpoint. */
    edit: (path: string, data: Document | undefined): void => {
      if (data === undefined) memory.documents.delete(path)
      else memory.documents.set(path, canonical(data))
      tell(path)
    },
    set: (path: string, changes: Document): void => world.edit(path, { ...world.shown(path), ...changes }),
    configure: (changes: Document): void =>
      world.set('config/common', { settings: { ...(world.shown('config/common')!['settings'] as Document), ...changes } }),
    projector: async (options: { documents?: Documents } = {}): Promise<Projector> => {
      const clock = { monotonic: () => 0, after: (_: number, run: () => void) => soon(run) }
      const projector = createProjector({ journal, documents: world.documents, mode: 'paper', log: silent, clock, ...options })
      running.push(projector)
      await projector.start()
      await projector.caughtUp(memory.commits.length)
      return projector
    },
    watcher: async (options: Partial<HandEditsOptions> = {}): Promise<HandEdits> => {
      const base = { journal, documents: world.documents, bus, topics, mode: 'paper' as const, log, clock: hand.clock, simulated: true }
      const watcher = createHandEdits({ ...base, ...options })
      running.push(watcher)
      await watcher.start()
      return watcher
    },
    settled: async (watcher: HandEdits, projector?: Projector): Promise<void> => {
      const quiet = () =>
        watcher.idle() && (engineAway || decided === published.length) && (!projector || projector.position() === memory.commits.length)
      await until('all is quiet', async () => {
        await decideAll()
        for (let turn = 0; turn < 5; turn++) {
          if (!quiet()) return false
          await new Promise((resolve) => setImmediate(resolve))
        }
        return quiet()
      })
    },
    commands: () => published.map(({ data, attributes }) => ({ type: attributes['type'], ...(JSON.parse(data) as object) })),
    stop: async () => {
      for (const each of running.reverse()) await each.stop()
    },
  }
  return world
}

export type World = ReturnType<typeof createWorld>
