/**
 * From the publish of a command to its marker in the journal, with the whole engine running, against what any engine must wait for:
 * a bare publish and pull of the same bytes, and that with one bare read and one bare write of Firestore behind it.
 */
import { tmpdir } from 'node:os'
import type { Message } from '@google-cloud/pubsub'
import { isoTime } from '../../../domain/ports/clock.ts'
import { simulatedClock } from '../../../infra/clock.ts'
import { compose, type Process } from '../../../infra/compose.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { at, type Row } from '../row.ts'
import { newProject } from './world.ts'

const samples = 300
const warmUp = 30
const start = Date.parse('2020-02-04T15:10:00Z')
const withinMs = 20_000

/** The same setting takes another value each time, so that each command is decided with one event. */
const commandAt = (round: number) => ({
  data: JSON.stringify({ changes: { 'orders.minimumTrade': 100 + round } }),
  attributes: { type: 'configure', id: `configure-${round}`, source: 'cli', publishedAt: isoTime(start) },
})
type Command = ReturnType<typeof commandAt>

/** Milliseconds until the engine's append was acknowledged. Nothing else is under way, which is checked: the next position is the command's. */
const measureOurs = async ({ engine, journal, bus, idle }: Process, command: Command): Promise<number> => {
  const { position } = engine.ledger
  let arrived: number | undefined
  const unwatch = journal.onAppended(() => {
    const now = performance.now()
    setImmediate(() => {
      if (engine.ledger.position > position) arrived ??= now // folded right after the append; earlier calls tell of commits before
    })
  })
  const begun = performance.now()
  await bus.publish('paper-commands', command)
  await until('the command decided', () => arrived !== undefined, withinMs)
  unwatch()
  const marker = await journal.marker(command.attributes.id)
  if (marker?.position !== position + 1) throw new Error(`${command.attributes.id} stands at ${marker?.position}, not at ${position + 1}`)
  await until('everything shown', idle, withinMs)
  return arrived! - begun
}

const openFloor = async (store: GoogleStore) => {
  const { pubsub, firestore, close } = openConnection(store)
  const [made] = await pubsub.createTopic('floor')
  await made.createSubscription('floor-reader')
  // As the bus does it: commands are published at once, and pulled over one stream. The emulator serves several streams in turn, which
  // makes a message come sooner there, and nowhere else.
  const topic = pubsub.topic('floor', { batching: { maxMessages: 1 } })
  const subscription = pubsub.subscription('floor-reader', { streamingOptions: { maxStreams: 1 } })
  let arrived: (message: Message) => void = () => {}
  subscription.on('message', (message) => arrived(message))
  return {
    measure: async ({ data, attributes }: Command): Promise<{ pulled: number; kept: number }> => {
      const came = new Promise<Message>((resolve) => {
        arrived = resolve
      })
      const begun = performance.now()
      await topic.publishMessage({ data: Buffer.from(data), attributes })
      const message = await came
      const pulled = performance.now() - begun
      const marker = firestore.doc(`floor/${attributes.id}`)
      await marker.get()
      await marker.create({ data })
      const kept = performance.now() - begun
      message.ack()
      return { pulled, kept }
    },
    close: async () => {
      await subscription.close()
      await close()
    },
  }
}

const rowsOf = (ours: readonly number[], floors: Record<string, readonly number[]>): Row[] =>
  Object.entries(floors).flatMap(([floorName, floor]) =>
    [0.5, 0.99].map((part) => ({
      name: `publish of a command to its marker in the journal, p${part * 100}`,
      floorName,
      unit: 'ms',
      ours: at(ours, part),
      floor: at(floor, part),
      ratio: at(ours, part) / at(floor, part),
      wanted: 'shown',
    })),
  )

export const benchGoogleLatency = async (hosts: EmulatorHosts): Promise<Row[]> => {
  const store = newProject(hosts)
  const simulator = await startGatewaySimulator({ start: isoTime(start) })
  const running = await compose(
    {
      mode: 'paper',
      dataDirectory: tmpdir(),
      store: { kind: 'google', ...store },
      gateway: { host: '127.0.0.1', port: simulator.port, clientId: 17 },
      httpPort: 0,
      logLevel: 'error',
    },
    { clock: simulatedClock(start), topics: { ...readTopics(), schedules: [] }, messagesPerSecond: 1_000_000 },
  )
  try {
    const floor = await openFloor(store)
    try {
      await running.start()
      await until('the engine ready and at rest', async () => running.engine.ready() && (await running.idle()), withinMs)
      const ours: number[] = []
      const bare: { pulled: number; kept: number }[] = []
      for (let round = 0; round < warmUp + samples; round++) {
        const command = commandAt(round)
        bare.push(await floor.measure(command))
        ours.push(await measureOurs(running, command))
      }
      const floors = bare.slice(warmUp)
      return rowsOf(ours.slice(warmUp), {
        'a bare publish and pull': floors.map(({ pulled }) => pulled),
        'that, a bare get and a bare create': floors.map(({ kept }) => kept),
      })
    } finally {
      await floor.close()
    }
  } finally {
    await running.stop()
    await simulator.close()
  }
}
