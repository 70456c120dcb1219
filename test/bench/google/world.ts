/** A gateway with a market of its own, an empty project, and lines to it on which everything is counted. */
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { newYorkTime, type Session } from '../../../domain/calendar.ts'
import type { Clock } from '../../../domain/ports/clock.ts'
import { createDriver, type Driver } from '../../../infra/cli/demo/driver.ts'
import { type Gateway, startGateway } from '../../../infra/cli/demo/gateway.ts'
import { planOf } from '../../../infra/cli/demo/plan.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import { compose, type Process } from '../../../infra/compose.ts'
import type { GoogleStore } from '../../../infra/google/connection.ts'
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { type FirestoreBill, type Operation, type PubSubBill, startFirestoreBill, startPubSubBill } from './bill.ts'

export const mode = 'paper'

export type World = {
  sessions: readonly Session[]
  gateway: Gateway
  clock: SimulatedClock
  /** Reached past the lines: what is asked here is nobody's cost. */
  store: GoogleStore
  firestore: FirestoreBill
  pubsub: PubSubBill
  end(): Promise<void>
}
export type Running = { composed: Process; driver: Driver }

export const newProject = (emulators: EmulatorHosts): GoogleStore => ({
  project: `bench-${randomUUID()}`,
  database: '(default)',
  emulators,
})

/** The same project, with its documents reached over a line on which they are counted. */
export const reachedOver = (store: GoogleStore, { host }: Pick<FirestoreBill, 'host'>): GoogleStore => {
  if (store.emulators === undefined) throw new Error('only emulators are reached over a line')
  return { ...store, emulators: { ...store.emulators, firestore: host } }
}

/** @param days how many of the last recorded sessions */
export const openWorld = async (hosts: EmulatorHosts, days: number): Promise<World> => {
  const { sessions } = planOf({ days, seed: 1 })
  const start = newYorkTime(sessions[0]!.date, '08:00')
  const [firestore, pubsub] = await Promise.all([startFirestoreBill(hosts.firestore), startPubSubBill(hosts.pubsub)])
  const gateway = await startGateway({ start, seed: 1, bars: {} })
  const end = async (): Promise<void> => {
    await gateway.end()
    await Promise.all([firestore.close(), pubsub.close()])
  }
  return { sessions, gateway, clock: simulatedClock(start), store: newProject(hosts), firestore, pubsub, end }
}

/** The whole process, connected and at rest. @param after the clock's timers of machine time, where they are to go faster */
export const openProcess = async (world: World, after?: Clock['after']): Promise<Running> => {
  const { gateway, clock, store, firestore, pubsub } = world
  const composed = await compose(
    {
      mode,
      dataDirectory: tmpdir(),
      store: { kind: 'google', ...store, emulators: { firestore: firestore.host, pubsub: pubsub.host } },
      gateway: { host: '127.0.0.1', port: gateway.port, clientId: 17 },
      httpPort: 0,
      logLevel: 'error',
    },
    { clock: { ...clock, after: after ?? clock.after }, messagesPerSecond: 1_000_000 },
  )
  const driver = createDriver({ clock, gateway, composed })
  await composed.start()
  await driver.connected()
  return { composed, driver }
}

/** The relay moves its pointer so much later at most. */
const lastWordMs = 1_500

/** What the work costs, and what follows from it until nothing does. */
export const operationsOf = async ({ operations }: FirestoreBill, work: () => Promise<unknown>): Promise<Operation[]> => {
  const before = operations.length
  await work()
  let seen: number
  do {
    seen = operations.length
    await new Promise((resolve) => setTimeout(resolve, lastWordMs))
  } while (seen !== operations.length)
  return operations.slice(before)
}
