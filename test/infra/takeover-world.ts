/** One journal, one simulated gateway, and engines that are processes of their own: begun, frozen, woken and killed by a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Commit } from '../../domain/commit.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import { topicOf } from '../../domain/topics.ts'
import { verifyChain } from '../../domain/verify.ts'
import type { LeaseTimes } from '../../handlers/lease-holder.ts'
import { systemClock } from '../../infra/clock.ts'
import type { Environment } from '../../infra/environment.ts'
import { startGatewaySimulator } from '../../infra/gateway-sim/simulator.ts'
import type { EmulatorHosts } from '../../infra/google/emulators.ts'
import { openData } from '../../infra/store.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { type State, tuesdayMorning } from '../rig.ts'
import type { Freeze, Order, Said } from './takeover-effects.ts'
import { clockOf, shortLease, type Times } from './takeover-times.ts'

const script = fileURLToPath(new URL('./freezing-engine.ts', import.meta.url))
/** For what takes no time but that of a busy machine. */
export const patience = 40_000
/** For a message that its first reader did not acknowledge. */
export const redelivered = 110_000
/**
 * Pub/Sub's emulator goes on giving messages to a stream whose reader is gone, or whose connection was reset: about every other one, for
 * ten seconds each time, and some for ever. So from here on a test that waits asks again; Google's own service is not known to need it.
 */
const askedAgain = { afterMs: 12_000, everyMs: 3_000 }
/** Market time: the minute after which an order that nobody saw counts as unresolved takes three seconds. */
const speed = 20

// ── One engine ──

type Line = Partial<{ msg: string } & Said & { before: string; name: string; step: number }>

export type EngineProcess = {
  /** The end of its log, for a test that failed. */
  last(): string
  /** Resolves when a line of its log holds the text. */
  said(text: string): Promise<void>
  hasSaid(text: string): boolean
  /** Tells it where to stop; it does, at some time after this resolves. */
  freeze(where: Freeze): Promise<void>
  /** Resolves when it stands still, with what it was about to do. */
  frozen(): Promise<string>
  wake(): void
  /** Begins to count what it does to the world. */
  record(): Promise<void>
  did(): string[]
  kill(): Promise<void>
  /** SIGTERM. */
  end(): Promise<void>
  /** Resolves when it has ended, with its last words. */
  ended(): Promise<{ code: number | null; signal: string | null; words: string }>
  running(): boolean
}

const engineOf = (child: ChildProcess): EngineProcess => {
  const lines: { text: string; line: Line }[] = []
  createInterface({ input: child.stderr! }).on('line', (text) => {
    lines.push({ text, line: text.startsWith('{') ? (JSON.parse(text) as Line) : {} })
  })
  const closed = once(child, 'close')
  const running = () => child.exitCode === null && child.signalCode === null
  const last = () =>
    lines
      .slice(-30)
      .map(({ text }) => text.slice(0, 500))
      .join('\n')
  const hasSaid = (text: string) => lines.some((each) => each.text.includes(text))
  const says = (what: string, holds: () => boolean) =>
    until(
      what,
      () => {
        if (!holds() && !running()) throw new Error(`the engine ended before it said: ${what}\n${last()}`)
        return holds()
      },
      patience,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${last()}`)
    })
  const tell = async (order: Order) => {
    const armed = () => lines.filter(({ line }) => line.effects === 'armed').length
    const before = armed()
    child.send(order)
    await says('armed', () => armed() > before)
  }
  const kill = async (signal: NodeJS.Signals) => {
    if (running()) child.kill(signal)
    await closed
  }
  return {
    said: (text) => says(text, () => hasSaid(text)),
    ...{ hasSaid, running, last },
    freeze: (where) => tell({ freeze: where }),
    frozen: async () => {
      const found = () => lines.find(({ line }) => line.effects === 'frozen')
      await says('frozen', () => found() !== undefined)
      return found()!.line.before!
    },
    wake: () => void child.kill('SIGCONT'),
    record: () => tell({ record: true }),
    did: () => lines.flatMap(({ line }) => (line.effects === 'did' ? [line.name!] : [])),
    kill: () => kill('SIGKILL'),
    end: () => kill('SIGTERM'),
    ended: async () => {
      await until('the engine has ended', () => !running(), patience).catch((error: Error) => {
        throw new Error(`${error.message}\n${last()}`)
      })
      await closed
      return { code: child.exitCode, signal: child.signalCode, words: lines.at(-1)?.text ?? '' }
    },
  }
}

// ── All of them ──

/** `by`: the hosts by which this engine reaches Pub/Sub and Firestore, where they are others than the test's. */
type BeginOptions = { lease?: LeaseTimes; by?: EmulatorHosts }

export type TakeoverWorld = Awaited<ReturnType<typeof openTakeoverWorld>>

export type Gateway = { port: number; controlPort: number; close(): Promise<unknown> }
type WorldOptions = {
  /** By default one in this process. */
  gateway?: () => Promise<Gateway>
  /** What each engine runs, and the names of its strategies. */
  program?: string
  names?: readonly string[]
}

export const openTakeoverWorld = async (store: Environment['store'], options: WorldOptions = {}) => {
  const { gateway = () => startGatewaySimulator({ start: tuesdayMorning }), program = script, names = ['Trend'] } = options
  const folder = mkdtempSync(join(tmpdir(), 'ibt-takeover-'))
  const topics = readTopics()
  const simulator = await gateway()
  const control = async (path: string, body?: object) => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, request)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as State
  }
  await control('/clock', { mode: 'real', speed })
  const times: Times = { start: Date.parse(tuesdayMorning), since: Date.now(), speed, lease: shortLease }
  const clock = clockOf(times, systemClock)
  const data = await openData({ dataDirectory: folder, mode: 'paper', store }, topics)
  const engines: EngineProcess[] = []
  const asked = new Map<string, { type: string; body: object }>()
  let published = 0

  const storeVariables = (by: EmulatorHosts | undefined) => {
    if (store.kind === 'embedded') return { STORE: 'embedded' }
    const { project } = store
    const emulators = by ?? store.emulators
    return {
      ...{ STORE: 'google', GOOGLE_CLOUD_PROJECT: project },
      ...{ PUBSUB_EMULATOR_HOST: emulators?.pubsub, FIRESTORE_EMULATOR_HOST: emulators?.firestore },
    }
  }
  const begin = ({ lease = shortLease, by }: BeginOptions = {}): EngineProcess => {
    const child = spawn(process.execPath, [program, JSON.stringify({ ...times, lease, names })], {
      env: { PATH: process.env['PATH'], DATA_DIR: folder, IB_PORT: String(simulator.port), LOG_LEVEL: 'info', ...storeVariables(by) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const engine = engineOf(child)
    engines.push(engine)
    return engine
  }
  /** As `until`, with what the engines said where it fails. */
  const comes = (what: string, holds: () => Promise<boolean>, within = patience): Promise<void> =>
    until(what, holds, within).catch((error: Error) => {
      const said = engines.map((engine, index) => `── engine ${index + 1}\n${engine.last()}`)
      throw new Error([error.message, ...said.slice(-4)].join('\n'))
    })
  const publish = async (type: string, id: string, body: object = {}): Promise<void> => {
    const publishedAt = new Date(clock.now()).toISOString()
    const attributes = { type, id, source: 'test', publishedAt }
    if (!asked.has(id)) asked.set(id, { type, body })
    await data.bus.publish(topicOf(topics, type, 'paper'), { data: JSON.stringify(body), attributes })
  }
  /** Asks until it is done, every two seconds, which is asking once. */
  const command = async (type: string, body: object = {}): Promise<void> => {
    const id = `${type}-${++published}`
    await publish(type, id, body)
    const again = setInterval(() => void publish(type, id, body).catch(() => undefined), 2_000)
    const completed = async () => (await data.documents.get(`commands/${id}`))?.['status'] === 'completed'
    await comes(`${id} is completed`, completed, store.kind === 'google' ? redelivered : patience).finally(() => clearInterval(again))
  }
  const commits = async (): Promise<Commit[]> => {
    const found: Commit[] = []
    for await (const { json } of data.journal.read(1)) found.push(JSON.parse(json) as Commit)
    return found
  }
  const events = async (type: string) =>
    (await commits()).flatMap((commit) => commit.events.filter((event) => event.type === type).map((event) => ({ ...event, commit })))
  const received = async (): Promise<Record<string, number>> => {
    const all = Object.values((await control('/state')).received).flat()
    return Object.fromEntries(all.map(({ orderRef, count }) => [orderRef, count]))
  }
  const ledger = async (): Promise<Ledger> => {
    const folded = initialLedger()
    for await (const stored of data.journal.read(1)) fold(folded, stored)
    return folded
  }

  return {
    ...{ folder, storeVariables: storeVariables(undefined) },
    ...{ begin, publish, command, commits, events, received, ledger, data, control },
    /** An engine that may trade, with a strategy that wants ten shares. */
    beginTrading: async (options?: BeginOptions): Promise<EngineProcess> => {
      const engine = begin(options)
      await engine.said('the gateway is ready')
      await command('configure', { changes: { 'strategies.trend.allocation': 1, 'strategies.trend.parameters.wants': '10' } })
      await command('resume')
      return engine
    },
    /** One that cannot decide, since another holds the lease. */
    beginWaiting: async (options?: BeginOptions): Promise<EngineProcess> => {
      const engine = begin(options)
      await engine.said('another engine holds the lease; waiting')
      return engine
    },
    tookOver: (epoch: number) => comes(`epoch ${epoch} has begun`, async () => (await ledger()).epoch === epoch),
    /** Waits for the end of a pipeline. @returns how it ended */
    outcome: async (id: string, within = redelivered): Promise<unknown> => {
      const status = async () => (await data.documents.get(`commands/${id}`))?.['status'] ?? 'accepted'
      const begun = performance.now()
      const again = setInterval(() => {
        const { type, body } = asked.get(id)!
        if (store.kind === 'google' && performance.now() - begun > askedAgain.afterMs) void publish(type, id, body).catch(() => undefined)
      }, askedAgain.everyMs)
      await comes(`${id} has its outcome`, async () => (await status()) !== 'accepted', within).finally(() => clearInterval(again))
      return status()
    },
    /** What must hold of every run in the end: one outcome, no order twice, nothing unplanned, books and documents as the broker has it. */
    expectWhole: async (id: string): Promise<void> => {
      await comes('documents show all', async () => (await data.documents.checkpoint('views'))?.position === (await ledger()).position)
      expect(await verifyChain(data.journal)).to.include({ ok: true })
      const epochs = (await commits()).map(({ epoch }) => epoch)
      expect(epochs, 'an engine that was replaced appends nothing').to.deep.equal([...epochs].sort((one, other) => one - other))
      const started = (await events('EngineStarted')).map(({ commit }) => commit.epoch)
      expect(started, 'one beginning an epoch').to.deep.equal([...new Set(epochs)])

      const begun = (await events('PipelineStarted')).map(({ commit }) => (commit.cause as { id?: string }).id)
      const ended = (await events('PipelineEnded')).map(({ data: end }) => (end as { pipeline: string }).pipeline)
      expect([begun, ended], 'one beginning, one outcome').to.deep.equal([[id], [id]])
      const planned = (await events('OrderPlanned')).map(({ data: order }) => (order as { orderRef: string }).orderRef)
      expect(planned, 'one decision, one order').to.have.length(1)
      const sent = await received()
      expect(
        Object.keys(sent).every((orderRef) => planned.includes(orderRef)),
        'all was planned',
      ).to.equal(true)
      expect(
        Object.values(sent).every((count) => count === 1),
        'nothing was sent twice',
      ).to.equal(true)

      const { positions } = await control('/state')
      const { books, declared } = await ledger()
      const held = Object.values(books['trend'] ?? {})
        .map(Number)
        .filter((quantity) => quantity !== 0)
      expect(held, `the book, as the broker's positions; ${JSON.stringify(declared)}`).to.deep.equal(
        positions.map(({ quantity }) => quantity),
      )
    },
    close: async (): Promise<void> => {
      for (const engine of engines) await engine.kill()
      await data.close()
      await simulator.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
