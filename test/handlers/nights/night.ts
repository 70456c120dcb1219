/**
 * An engine on a real file at a simulated gateway, over a wire that a test can spoil at any message, with market time in the test's hand
 * and the session's patience in milliseconds. Unlike the rig of the other days it goes on while the line is down.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Commit } from '../../../domain/commit.ts'
import type { Configuration } from '../../../domain/configuration.ts'
import { BrokerUnavailable } from '../../../domain/ports/broker.ts'
import type { Clock } from '../../../domain/ports/clock.ts'
import { type Journal, StoreUnavailable } from '../../../domain/ports/journal.ts'
import { topicOf } from '../../../domain/topics.ts'
import { createEngine, type Engine } from '../../../handlers/engine.ts'
import { createDriver } from '../../../infra/cli/demo/driver.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import type { Data } from '../../../infra/data.ts'
import { openBus } from '../../../infra/embedded/bus.ts'
import { openDocuments } from '../../../infra/embedded/documents.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { openLease } from '../../../infra/embedded/lease.ts'
import { openSnapshots } from '../../../infra/embedded/snapshots.ts'
import { openStore as openEmbeddedStore } from '../../../infra/embedded/store.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { type BrokerSession, createBrokerSession } from '../../../infra/ib/session.ts'
import { storePath } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { tuesdayMorning, wanting } from '../../rig.ts'
import { parseJournal, type Told } from '../../world/journal-text.ts'
import { mortal, mortalBus, mortalClock, never } from './mortal.ts'
import { startWire, type Wire } from './wire.ts'

export const minute = 60_000

export type State = {
  orders: { clientId: number; orderId: number; orderRef: string; status: string; filled: number; totalQuantity: number; symbol: string }[]
  executions: { execId: string; orderRef: string; shares: number; side: string; symbol: string; conId: number }[]
  positions: { symbol: string; conId: number; secType: string; quantity: number }[]
  received: Record<string, { orderRef: string; count: number }[]>
  connections: { clientId: number }[]
  otherAccounts: Record<string, { executions: { execId: string }[] }>
}

/** One life of the engine. */
type Life = {
  data: Data
  broker: BrokerSession
  engine: Engine
  ended: boolean
  end(): Promise<void>
  kill(): void
}

export type Night = {
  wire: Wire
  /** The gateway's own port, beside the wire. */
  gatewayPort: number
  clock: SimulatedClock
  life(): Life
  /** Called with each commit that is about to be appended, and again when it is durable; the engine waits for it. */
  watchJournal(seen: ((commit: Commit, durable: boolean) => Promise<void> | void) | undefined): void
  fault(body: object): Promise<Record<string, unknown>>
  /** As a person orders in the window of the gateway. */
  order(body: object): Promise<Record<string, unknown>>
  state(): Promise<State>
  /** Only puts it on the bus. @returns its id */
  publish(type: string, body?: object, id?: string): Promise<string>
  /** What the journal says, read as text. */
  told(): Promise<Told[]>
  /** All that was said to people: texts of events and lines of the log. */
  said(): Promise<string[]>
  /** Market time goes on though the line may be down; at each step the process gets a moment of machine time. */
  pass(milliseconds: number, step?: number): Promise<void>
  /** Until the line stands and nothing is under way. */
  ready(): Promise<void>
  /** Lives through all that falls due until then, in good order. */
  runTo(time: number): Promise<void>
  command(type: string, body?: object): Promise<void>
  /** Moves the gateway alone, as when no engine runs. */
  passWithoutEngine(time: number): Promise<void>
  /** While on, every append fails, and the engine stops at its first. */
  breakJournal(on: boolean): void
  /** As SIGTERM does. */
  end(): Promise<void>
  /**
   * As SIGKILL does: from here on nothing of this life reaches file, gateway or log, and whatever it waits for never comes. What it had
   * written stays, and what it had sent arrives. The minutes pass after which its lease and the messages in its hand are free.
   */
  kill(): void
  /** A new process on the same file, after the old one. */
  begin(): Promise<void>
  close(): Promise<void>
}

export type NightOptions = { start?: string; names?: string[]; configuration?: Configuration; reportsTogether?: boolean }

const topics = { ...readTopics(), schedules: [] }
/** Machine time that a process without a line gets to come to rest. */
const momentMs = 60

export const startNight = async ({
  start = tuesdayMorning,
  names = ['Trend'],
  reportsTogether = false,
}: NightOptions = {}): Promise<Night> => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ibt-night-'))
  const simulator = await startGatewaySimulator({ start, cash: 1_000_000 })
  const wire = await startWire(simulator.port)
  const clock = simulatedClock(Date.parse(start))
  clock.setNow(clock.now())
  const strategies = Object.fromEntries(names.map((name) => [name.toLowerCase(), wanting(name)]))
  const lines: string[] = []
  let journalSeen: Parameters<Night['watchJournal']>[0]
  let journalGone = false
  let counter = 0
  /** By so much the wall clock of the store is ahead of the machine's. */
  let wallAhead = 0

  const control = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, request)
    if (!response.ok) throw new Error(`${JSON.stringify(body)}: ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }
  const gateway = {
    moveTo: async (time: number) => Date.parse((await control('/clock', { to: new Date(time).toISOString() }))['nextEventAt'] as string),
  }
  const watched = (journal: Journal, dead: AbortSignal): Journal => ({
    ...journal,
    append: async (commit) => {
      await journalSeen?.(commit, false)
      if (dead.aborted) return never()
      if (journalGone) throw new StoreUnavailable('the disk is full')
      const answer = await journal.append(commit)
      await journalSeen?.(commit, true)
      return answer
    },
  })

  const openStore = (of: Clock = clock) => {
    const store = openEmbeddedStore(storePath({ dataDirectory, mode: 'paper' }))
    const wallTime = () => Date.now() + wallAhead
    return {
      ...{ journal: openJournal(store), documents: openDocuments(store), snapshots: openSnapshots(store) },
      ...{ bus: openBus({ store, topics, mode: 'paper', clock: of, wallTime }), lease: openLease(store, wallTime) },
      ...{ abandon: () => undefined, close: async () => store.close() },
    }
  }
  const market = clock
  let newest: Life | undefined
  const open = async (): Promise<Life> => {
    const killed = new AbortController()
    const dead = killed.signal
    const clock = mortalClock(market, dead)
    const data = openStore(clock)
    const keep = (_fields: object, text: string) => void (dead.aborted || lines.push(text))
    const log = { debug: () => undefined, info: keep, warn: keep, error: keep }
    const broker = createBrokerSession({
      ...{ host: '127.0.0.1', port: wire.port, clientId: 17, clock, log, messagesPerSecond: 100_000 },
      ...{ deadlines: { connect: 3_000, question: 3_000, history: 3_000 }, heartbeat: { every: 150, deadline: 3_000 } },
      backOff: { first: 15, most: 30 },
    })
    const { bus, lease } = data
    const engine = createEngine({
      ...{ journal: mortal(watched(data.journal, dead), dead), bus: mortalBus(bus, dead), broker, lease: mortal(lease, dead) },
      ...{ clock, log, topics, strategies, reportsTogether },
      ...{ mode: 'paper', holder: `night-${++counter}` },
    })
    let ending: Promise<void> | undefined
    const end = (): Promise<void> => {
      ending ??= (async () => {
        opened.ended = true
        await engine.stop()
        await data.close()
      })()
      return ending
    }
    const kill = (): void => {
      if (opened.ended) return
      opened.ended = true
      ending = Promise.resolve()
      killed.abort()
      wallAhead += 10 * minute
      void broker.close('killed')
      void data.close()
    }
    const opened: Life = { data, broker, engine, ended: false, end, kill }
    newest = opened
    void engine.stopped.then(() => {
      opened.ended = true
    })
    const died = new Promise<void>((resolve) => dead.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([engine.start(), died]).catch(async (error: Error) => {
      await data.close()
      throw error
    })
    return opened
  }
  let life = await open()

  const isIdle = async (): Promise<boolean> => life.ended || (life.engine.idle() && (await life.data.bus.idle()))
  const moment = async (): Promise<void> => {
    const end = performance.now() + momentMs
    do await new Promise((resolve) => setTimeout(resolve, 2))
    while (!(await isIdle()) && performance.now() < end)
  }
  const driver = () =>
    createDriver({
      ...{ clock, gateway },
      composed: { broker: life.broker, bus: life.data.bus, engine: life.engine, idle: isIdle, stopped: life.engine.stopped },
    })
  const texts = ({ data }: Told): string[] => [data['text'], data['reason']].filter((text) => typeof text === 'string')

  /** A machine that is busy with other things lets answers come too late: the session builds a fresh line then, and all goes on. */
  const patiently = async (work: () => Promise<void>): Promise<void> => {
    for (let turn = 1; ; turn++) {
      const failed = await work().catch((error: Error) => error)
      if (failed === undefined) return
      if (!(failed instanceof BrokerUnavailable) || turn === 10) throw failed
      await until('the engine is ready again', () => life.engine.ready(), 8_000).catch(() => night.pass(10_000))
    }
  }
  const triedAgainAt = async (): Promise<number | undefined> => (life.ended ? undefined : life.data.bus.nextDueAt())

  const night: Night = {
    wire,
    gatewayPort: simulator.port,
    clock,
    life: () => life,
    watchJournal: (seen) => {
      journalSeen = seen
    },
    fault: (body) => control('/faults', body),
    order: (body) => control('/orders', body),
    state: () => control('/state') as Promise<unknown> as Promise<State>,
    publish: async (type, body = {}, id = `${type}-${++counter}`) => {
      const publishedAt = new Date(clock.now()).toISOString()
      const data = life.ended ? openStore() : life.data
      await data.bus.publish(topicOf(topics, type, 'paper'), { data: JSON.stringify(body), attributes: { type, id, publishedAt } })
      if (data !== life.data) await data.close()
      return id
    },
    told: async () => {
      const commits: { json: string }[] = []
      for await (const { json } of life.data.journal.read(1)) commits.push({ json })
      return parseJournal(commits)
    },
    said: async () => [...(await night.told()).flatMap(texts), ...lines],
    pass: async (milliseconds, step = 20_000) => {
      const end = clock.now() + milliseconds
      while (clock.now() < end) {
        const time = Math.min(end, clock.now() + step)
        clock.setNow(time)
        await gateway.moveTo(time)
        await moment()
        await clock.moveTo(time, moment)
      }
      await moment()
    },
    ready: async () => {
      const isReady = () => until('the engine is ready', () => life.engine.ready(), 250)
      for (let turn = 1; ; turn++) {
        const failed = await isReady().catch((error: Error) => error)
        if (failed === undefined) break
        if (turn === 40) throw new Error(`${failed.message}: ${life.broker.state().text}`)
        await night.pass(10_000) // what is asked again is asked by market time
      }
      await patiently(() => driver().settled())
    },
    // Patience may have let the time pass already.
    runTo: (time) => patiently(() => (time > clock.now() ? driver().runTo(time) : driver().settled())),
    command: async (type, body = {}) => {
      await night.publish(type, body)
      await patiently(() => driver().settled())
      for (let due = await triedAgainAt(); due !== undefined; due = await triedAgainAt()) {
        await night.pass(Math.max(due - clock.now(), 0) + 1_000)
        await night.ready()
      }
    },
    passWithoutEngine: async (time) => {
      await gateway.moveTo(time)
      clock.setNow(time)
    },
    breakJournal: (on) => {
      journalGone = on
    },
    end: () => life.end(),
    kill: () => newest?.kill(),
    begin: async () => {
      await life.end()
      life = await open()
    },
    close: async () => {
      wire.watch(undefined)
      wire.alter(undefined)
      journalSeen = undefined
      wire.freeze(false)
      await night.end()
      await wire.close()
      await simulator.close()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
  return night
}

/** A night in which trading is on and each strategy has an equal part. */
export const startTradingNight = async (options: NightOptions = {}): Promise<Night> => {
  const night = await startNight(options)
  const names = (options.names ?? ['Trend']).map((name) => name.toLowerCase())
  await night.ready()
  const allocations = Object.fromEntries(names.map((name) => [`strategies.${name}.allocation`, 1 / names.length]))
  await night.command('configure', { changes: { ...allocations, ...options.configuration } })
  await night.command('resume')
  return night
}
