/** Runs by hand while market time passes as it does for people: the commits of a run come within a second or two, and are shown together. */
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { systemClock } from '../../../infra/clock.ts'
import { compose } from '../../../infra/compose.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { until } from '../../contract/until.ts'
import { clockOf } from '../../infra/takeover-times.ts'
import { tuesdayMorning } from '../../rig.ts'
import { isView, startFirestoreBill, sumOf } from './bill.ts'
import { mode, newProject, operationsOf } from './world.ts'

const runs = 8
const patience = 60_000
/** Each run wants other quantities than the one before, so that orders go both ways. */
const allocations = (run: number) => ({
  'strategies.spymacdvixy.allocation': run % 2 === 0 ? 0.5 : 0.2,
  'strategies.testsignalgenerator.allocation': run % 2 === 0 ? 0.1 : 0.4,
  'strategies.dummy.allocation': 0.1,
})

/** @returns documents that the views wrote beside the checkpoint in all runs together, and for how many commits and orders */
export const liveByHand = async (hosts: EmulatorHosts): Promise<{ writes: number; commits: number; orders: number }> => {
  const firestore = await startFirestoreBill(hosts.firestore)
  const simulator = await startGatewaySimulator({ start: tuesdayMorning })
  await fetch(`http://127.0.0.1:${simulator.controlPort}/clock`, { method: 'POST', body: JSON.stringify({ mode: 'real' }) })
  const clock = clockOf({ start: Date.parse(tuesdayMorning), since: Date.now(), speed: 1 }, systemClock)
  const composed = await compose(
    {
      ...{ mode, dataDirectory: tmpdir(), httpPort: 0, logLevel: 'error' },
      store: { kind: 'google', ...newProject(hosts), emulators: { firestore: firestore.host, pubsub: hosts.pubsub } },
      gateway: { host: '127.0.0.1', port: simulator.port, clientId: 17 },
    },
    { clock, marketTime: 'real', messagesPerSecond: 1_000_000 },
  )
  const { engine, bus } = composed
  const ask = async (type: string, body: object): Promise<void> => {
    const before = engine.ledger.position
    const attributes = { type, id: `bench-${randomUUID()}`, source: 'cli', publishedAt: new Date(clock.now()).toISOString() }
    await bus.publish(`${mode}-commands`, { data: JSON.stringify(body), attributes })
    const done = async () => engine.ledger.position > before && Object.keys(engine.ledger.pipelines).length === 0 && (await composed.idle())
    await until(`${type} is done`, done, patience)
  }
  try {
    await composed.start()
    await until('the engine is ready', () => engine.ready(), patience)
    await ask('resume', {})
    let [writes, commits] = [0, 0]
    for (let run = 0; run < runs; run++) {
      await operationsOf(firestore, () => ask('configure', { changes: allocations(run) }))
      const first = engine.ledger.position
      const operations = await operationsOf(firestore, () => ask('orchestrator', {}))
      writes += sumOf(operations, isView).writes
      commits += engine.ledger.position - first
    }
    return { writes, commits, orders: Object.keys(engine.ledger.orders).length }
  } finally {
    await composed.stop()
    await Promise.all([simulator.close(), firestore.close()])
  }
}
