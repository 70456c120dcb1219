/**
 * A whole engine at a simulated gateway, over real sockets and on a real file, with market time in the test's hand.
 * Strategies want what their parameters say, so that a test says it with `configure`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as t from 'io-ts'
import type { Commit } from '../domain/commit.ts'
import type { Configuration } from '../domain/configuration.ts'
import type { EventData, EventType } from '../domain/events.ts'
import type { Document } from '../domain/ports/documents.ts'
import { defineStrategy, type Strategy } from '../domain/strategy.ts'
import { topicOf } from '../domain/topics.ts'
import { createDriver, type Driver } from '../infra/cli/demo/driver.ts'
import { type SimulatedClock, simulatedClock } from '../infra/clock.ts'
import { compose, type Process } from '../infra/compose.ts'
import type { Environment } from '../infra/environment.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../infra/gateway-sim/simulator.ts'
import type { Log } from '../infra/log.ts'
import { readTopics } from '../infra/topics-file.ts'

const spy = { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' } as const

/** `wants`: `neutral`, `throw`, or so many shares of SPY. */
export const wanting = (name: string): Strategy =>
  defineStrategy({
    name,
    description: 'wants what its parameter says',
    instruments: { SPY: spy },
    bars: [{ instrument: 'SPY', size: '1 day', duration: '10 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 2 }],
    parameters: { codec: t.type({ wants: t.string }), defaults: { wants: 'neutral' } },
    signal: ({ parameters: { wants } }) => {
      if (wants === 'throw') throw new Error('division by zero in the third line')
      if (wants === 'neutral') return { kind: 'neutral', indicators: {}, reason: 'nothing new' }
      return { kind: 'targets', targets: [{ instrument: 'SPY', quantity: wants }], indicators: {}, reason: 'as told' }
    },
  }) as Strategy

export type Rig = {
  simulator: GatewaySimulator
  clock: SimulatedClock
  composed: Process
  driver: Driver
  /** Publishes and waits until nothing is under way. @returns the command's document */
  command(type: string, body?: object, attributes?: Record<string, string>): Promise<Document | undefined>
  /** Sets the parameters `wants` of strategies. */
  want(wishes: Record<string, string>): Promise<void>
  /** One run of the orchestrator by hand. @returns its execution audit */
  run(id: string, body?: object): Promise<Document | undefined>
  fault(body: object): Promise<unknown>
  state(): Promise<State>
  events<T extends EventType>(type: T): Promise<EventData<T>[]>
  commits(): Promise<Commit[]>
  /** A new process on the same data and gateway. `meanwhile`: while nobody has the data folder open. */
  restart(meanwhile?: () => void): Promise<void>
  dataDirectory: string
  stop(): Promise<void>
}

export type State = {
  clock: string
  orders: { orderRef: string; status: string; orderId: number }[]
  positions: { symbol: string; quantity: number }[]
  executions: { execId: string; orderRef: string; shares: number }[]
  received: Record<string, { orderRef: string; count: number }[]>
}

/** Without `schedules` nothing is published but by the test. The store is a file of its own where none is named. */
export type RigOptions = {
  start?: string
  names?: string[]
  allocations?: Configuration
  account?: string
  schedules?: boolean
  /** Of the account, by currency; 100 000 USD where it is left out. */
  cash?: Readonly<Record<string, number>>
  store?: Environment['store']
  /** Hears what the process says; by default nobody does. */
  log?: Log
  /** Who may ask over HTTP, which is served then. */
  access?: Environment['access']
}

/** 10:00 in New York on a Tuesday of the recorded year, the exchange open. */
export const tuesdayMorning = '2020-02-04T15:00:00.000Z'

const publishOn =
  (rig: Pick<Rig, 'clock'> & { composed: Process }) => async (type: string, body: object, attributes: Record<string, string>) => {
    const publishedAt = new Date(rig.clock.now()).toISOString()
    await rig.composed.bus.publish(topicOf(readTopics(), type, 'paper'), {
      data: JSON.stringify(body),
      attributes: { type, source: 'cli', publishedAt, ...attributes },
    })
  }

export const startRig = async ({
  start = tuesdayMorning,
  names = ['Trend', 'Hedge'],
  account = 'DU1234567',
  schedules = false,
  store = { kind: 'embedded' },
  cash,
  log,
  access,
}: RigOptions = {}): Promise<Rig> => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ibt-rig-'))
  const simulator = await startGatewaySimulator({ start, account, ...(cash === undefined ? {} : { cash }) })
  const control = async (path: string, body?: object) => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, request)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Record<string, unknown>
  }
  const gateway = {
    moveTo: async (time: number) => Date.parse((await control('/clock', { to: new Date(time).toISOString() }))['nextEventAt'] as string),
  }
  const clock = simulatedClock(Date.parse(start))
  const strategies = Object.fromEntries(names.map((name) => [name.toLowerCase(), wanting(name)]))

  const topics = schedules ? readTopics() : { ...readTopics(), schedules: [] }

  const open = async () => {
    const composed = await compose(
      {
        mode: 'paper',
        dataDirectory,
        store,
        gateway: { host: '127.0.0.1', port: simulator.port, clientId: 17 },
        httpPort: 0,
        logLevel: 'silent',
        ...(access === undefined ? {} : { access }),
      },
      { clock, strategies, topics, messagesPerSecond: 100_000, http: access !== undefined, ...(log === undefined ? {} : { log }) },
    )
    await composed.start()
    return { composed, driver: createDriver({ clock, gateway, composed }) }
  }
  let process = await open()
  let counter = 0
  const publish: ReturnType<typeof publishOn> = (...given) => publishOn({ clock, composed: process.composed })(...given)

  const rig: Rig = {
    simulator,
    clock,
    get composed() {
      return process.composed
    },
    get driver() {
      return process.driver
    },
    command: async (type, body = {}, attributes = {}) => {
      const id = attributes['id'] ?? `${type}-${++counter}`
      await publish(type, body, { id, ...attributes })
      await process.driver.settled()
      return process.composed.documents.get(`commands/${id}`)
    },
    want: async (wishes) => {
      const changes = Object.fromEntries(Object.entries(wishes).map(([id, wants]) => [`strategies.${id}.parameters.wants`, wants]))
      await rig.command('configure', { changes })
    },
    run: async (id, body = {}) => {
      await rig.command('orchestrator', { strategies: names.map((name) => name.toLowerCase()), ...body }, { id })
      return process.composed.documents.get(`executions/${id}`)
    },
    fault: (body) => control('/faults', body),
    state: () => control('/state') as Promise<unknown> as Promise<State>,
    events: async (type) =>
      (await rig.commits()).flatMap((commit) =>
        commit.events.flatMap((event) => (event.type === type ? [event.data as EventData<typeof type>] : [])),
      ),
    commits: async () => {
      const commits: Commit[] = []
      for await (const { json } of process.composed.journal.read(1)) commits.push(JSON.parse(json) as Commit)
      return commits
    },
    dataDirectory,
    restart: async (meanwhile) => {
      await process.composed.stop()
      meanwhile?.()
      process = await open()
      await process.driver.connected()
    },
    stop: async () => {
      await process.composed.stop()
      await simulator.close()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
  return rig
}

/** A rig that may trade: connected, resumed, each strategy with an equal part. */
export const startTrading = async (options: RigOptions = {}): Promise<Rig> => {
  const rig = await startRig(options)
  const names = options.names ?? ['Trend', 'Hedge']
  await rig.driver.connected()
  const allocations = Object.fromEntries(names.map((name) => [`strategies.${name.toLowerCase()}.allocation`, 1 / names.length]))
  await rig.command('configure', { changes: { ...allocations, ...options.allocations } })
  await rig.command('resume')
  return rig
}
