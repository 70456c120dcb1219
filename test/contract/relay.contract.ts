/** The relay on genuine stores: every event of the journal comes out of the bus, in order. */
import { expect } from 'chai'
import type { Commit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Bus } from '../../domain/ports/bus.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import type { Topics } from '../../domain/topics.ts'
import { systemClock } from '../../infra/clock.ts'
import { createRelay, type Relay } from '../../projections/relay.ts'
import { silent } from '../projections/relay-in-hand.ts'
import { broker, command, commitsOf, connected, filled, planned, resolved, SPY, signal, started } from '../projections/story.ts'
import { until } from './until.ts'

/** The events alone, and a reader of them. */
export const relayTopics: Topics = {
  topics: { '{mode}-events': { kind: 'event', retention: 3_600_000, orderingKey: '{mode}', messages: [] } },
  subscriptions: {
    '{mode}-reader': {
      ...{ topic: '{mode}-events', handler: 'none', ackDeadline: 10_000, exactlyOnce: false, ordering: true },
      retry: { minimumBackOff: 1_000, maximumBackOff: 1_000 },
    },
  },
  schedules: [],
}

type Place = { journal: Journal; documents: Documents; bus: Bus }
export type RelayWorld = {
  /** Through connections of its own. */
  open(): Promise<Place>
  close(): Promise<void>
}

const history = [
  started,
  connected,
  command('dummy', 'c1', resolved(SPY), signal('dummy')),
  command('allocation', 'alloc-1', planned('r1'), planned('r2'), planned('r3')),
  ...Array.from({ length: 60 }, (_, number) => broker(filled('r1', `e${number}.01`, '1'), event('GatewayLost', { reason: `${number}` }))),
]
const commits = commitsOf(history).map(({ json }) => JSON.parse(json) as Commit)
const all = commits.flatMap(({ position, events }) => events.map((_, number) => `${position}.${number}`))

export const relayContract = (name: string, open: () => Promise<RelayWorld>): void => {
  describe(`the relay on ${name}`, () => {
    let world: RelayWorld
    let relays: Relay[]
    let reader: { close(): Promise<void> } | undefined
    beforeEach(async () => {
      world = await open()
      relays = []
      reader = undefined
    })
    afterEach(async () => {
      for (const relay of relays) await relay.stop()
      await reader?.close()
      await world.close()
    })
    const relayAt = (place: Place): Relay => {
      const relay = createRelay({ ...place, topics: relayTopics, mode: 'paper', log: silent, clock: systemClock })
      relays.push(relay)
      return relay
    }
    const read = async (): Promise<string[]> => {
      const positions: string[] = []
      reader = (await world.open()).bus.subscribe('paper-reader', (delivery) => {
        positions.push(delivery.attributes['position']!)
        void delivery.ack()
      })
      return positions
    }

    it('publishes a history and what follows, each event once and in order, across a restart', async () => {
      const positions = await read()
      const { journal } = await world.open()
      for (const commit of commits.slice(0, 30)) await journal.append(commit)
      const first = relayAt(await world.open())
      await first.start()
      await first.caughtUp(30)
      for (const commit of commits.slice(30, 40)) await journal.append(commit)
      await first.caughtUp(40)
      await first.stop()
      for (const commit of commits.slice(40)) await journal.append(commit)
      const second = relayAt(await world.open())
      await second.start()
      await second.caughtUp(commits.length)
      await until('all events were read', () => positions.length >= all.length, 60_000)
      expect(positions).to.deep.equal(all)
    })

    it('publishes each at least once where two of them are at work', async () => {
      const positions = await read()
      const writer = await world.open()
      const two = [relayAt(await world.open()), relayAt(await world.open())]
      for (const relay of two) await relay.start()
      for (const commit of commits) await writer.journal.append(commit)
      for (const relay of two) await relay.caughtUp(commits.length)
      await until('all events were read', () => new Set(positions).size === all.length, 60_000)
      for (const relay of two) await relay.stop()
      expect(two.map((relay) => relay.failure())).to.deep.equal([undefined, undefined])
      expect(await writer.documents.checkpoint('relay')).to.include({ position: commits.length })
    })
  })
}
