import type { PubSub } from '@google-cloud/pubsub'
import { expect } from 'chai'
import { event } from '../../../domain/events.ts'
import { systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/google/bus.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { createRelay } from '../../../projections/relay.ts'
import { relayContract, relayTopics } from '../../contract/relay.contract.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../../memory-store.ts'
import { silent } from '../../projections/relay-in-hand.ts'
import { commitsOf, type Told } from '../../projections/story.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { createTopics } from './bus-world.ts'
import { googleClients } from './clients.ts'

describe("on Google's emulators", () => {
  const { store } = usesEmulators()

  relayContract('Google Firestore and Pub/Sub', async () => {
    const clients = googleClients(store())
    const abandonment = new AbortController()
    const abandoned = abandonment.signal
    await createTopics(clients.connect().pubsub, relayTopics)
    return {
      open: async () => {
        const { firestore, pubsub } = clients.connect()
        return {
          journal: openJournal({ firestore, mode: 'paper', abandoned }),
          documents: openDocuments({ firestore, mode: 'paper', clock: systemClock }),
          bus: openBus({ pubsub, topics: relayTopics, mode: 'paper', clock: systemClock }),
        }
      },
      close: async () => {
        abandonment.abort()
        await clients.close()
      },
    }
  })

  describe('the relay on Google Pub/Sub, when the line breaks', () => {
    const closing: (() => unknown)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close()
    })
    /** A client that reaches Pub/Sub through a line which the test can spoil. It would obey the variable against what it is told. */
    const connectThrough = (proxy: TcpProxy) => {
      const given = process.env['PUBSUB_EMULATOR_HOST']
      delete process.env['PUBSUB_EMULATOR_HOST']
      try {
        const { pubsub, close } = openConnection({ ...direct, emulators: { ...direct.emulators!, pubsub: proxy.host } })
        closing.push(close)
        return pubsub
      } finally {
        if (given !== undefined) process.env['PUBSUB_EMULATOR_HOST'] = given
      }
    }
    let direct: GoogleStore

    for (const trouble of ['refuse', 'swallowAnswers', 'resetOnAnswer'] as const)
      it(`(${trouble}) every event comes, and none before the one before it`, async () => {
        direct = store()
        const clients = googleClients(direct)
        closing.push(clients.close)
        const proxy = await startTcpProxy(direct.emulators!.pubsub)
        closing.push(proxy.close)
        await createTopics(clients.connect().pubsub, relayTopics)
        const open = (pubsub: PubSub) => openBus({ pubsub, topics: relayTopics, mode: 'paper', clock: systemClock, publishWithinMs: 1_000 })

        const positions: string[] = []
        const reader = open(clients.connect().pubsub).subscribe('paper-reader', (delivery) => {
          positions.push(delivery.attributes['position']!)
          void delivery.ack()
        })
        closing.push(reader.close)

        const memory = createMemory()
        const lost = (number: number): Told => ({
          cause: { kind: 'broker', report: 'lost' },
          events: [event('GatewayLost', { reason: `${number}` })],
        })
        const append = (count: number) => {
          const told = Array.from({ length: count }, (_, number) => lost(number))
          memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
          for (const listener of memory.listeners.get('journal') ?? []) listener()
        }
        const relay = createRelay({
          ...{ journal: memoryJournal(memory), documents: memoryDocuments(memory), bus: open(connectThrough(proxy)) },
          ...{ topics: relayTopics, mode: 'paper', log: silent, clock: systemClock },
        })
        closing.push(relay.stop)
        await relay.start()
        append(150)
        await relay.caughtUp(150)
        proxy.setMode(trouble)
        append(150)
        await new Promise((resolve) => setTimeout(resolve, 1_500)) // the line stays broken for longer than a publication may take
        proxy.setMode('pass')
        append(150)
        await relay.caughtUp(450)
        await until('all events were read', () => new Set(positions).size === 450, 60_000)
        expect([...new Set(positions)]).to.deep.equal(Array.from({ length: 450 }, (_, number) => `${number + 1}.0`))
      })
  })
})
