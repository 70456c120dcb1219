/** Planted bugs of who may act, of what is shared between processes, and of what follows the journal. */
import type { Commit } from '../../domain/commit.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { memoryDocuments } from '../memory-store.ts'
import type { PlantedBug } from './planted-bug.ts'

/** What neighbours in the journal reported comes in the other order, as it might have arrived. */
const byArrival = (journal: Journal): Journal => ({
  ...journal,
  async *read(from, to) {
    const page = []
    for await (const stored of journal.read(from, to)) page.push(stored)
    for (let index = 1; index < page.length; index += 2) {
      const [first, second] = [JSON.parse(page[index - 1]!.json) as Commit, JSON.parse(page[index]!.json) as Commit]
      if (first.cause.kind !== 'broker' || second.cause.kind !== 'broker') continue
      page[index - 1]!.json = JSON.stringify({ ...first, events: second.events })
      page[index]!.json = JSON.stringify({ ...second, events: first.events })
    }
    yield* page
  },
})

export const bugsOfManyProcesses: readonly PlantedBug[] = [
  {
    name: 'judges the lease by the clock of its own machine',
    caughtBy: 'no order by an engine without the lease',
    plant: () => {
      let machines = 0
      return {
        lease: (lease, { lease: row, clock }) => {
          machines += 1
          const aheadMs = machines % 2 === 0 ? 60_000 : 0
          return {
            ...lease,
            acquire: (holder, ttlMs, above) => {
              if (row.expiresAt < clock.monotonic() + aheadMs) row.holder = undefined
              return lease.acquire(holder, ttlMs, above)
            },
          }
        },
      }
    },
  },
  {
    name: 'checks first and sends a while later',
    caughtBy: 'no order while trading is halted',
    plant: () => ({
      broker: (broker, _world, process) => ({
        ...broker,
        place: (ticket) => void process.clock.after(120_000, () => broker.connected() && broker.place(ticket)),
      }),
    }),
  },
  {
    name: 'believes that it still has the lease when nobody says otherwise',
    caughtBy: 'no order by an engine without the lease',
    plant: () => ({ lease: (lease) => ({ ...lease, renew: async () => true }) }),
  },
  {
    name: 'folds what happened in the order in which it arrives',
    caughtBy: 'the state is what the journal says',
    plant: () => ({ journal: byArrival }),
  },
  {
    name: 'takes up a snapshot that is older than it says',
    caughtBy: 'the state is what the journal says',
    plant: () => {
      let older: string | undefined
      return {
        snapshots: (snapshots) => ({
          ...snapshots,
          save: (snapshot) => {
            const { position, hash } = snapshot
            const json = older === undefined ? snapshot.json : JSON.stringify({ ...JSON.parse(older), position, hash })
            older = snapshot.json
            return snapshots.save({ ...snapshot, json })
          },
        }),
      }
    },
  },
  {
    name: 'calls an event published when it is handed over',
    caughtBy: 'every event is told in its order',
    plant: () => ({
      busOfViews: (bus) => ({
        ...bus,
        publish: async (topic, message) => {
          void bus.publish(topic, message).catch(() => undefined)
          return 'handed over'
        },
      }),
    }),
  },
  {
    name: 'writes documents in the order in which its batches arrive',
    caughtBy: 'documents equal a rebuild',
    plant: () => ({
      documents: (documents, { memory, clock, faults }) => ({
        ...documents,
        write: async (projection, writes, next, expected) => {
          const written = await documents.write(projection, [], next, expected)
          const late = memoryDocuments(memory)
          clock.after(faults.between(1, 2_000), async () => {
            const checkpoint = await late.checkpoint(projection)
            if (checkpoint !== undefined) await late.write(projection, writes, checkpoint, checkpoint)
          })
          return written
        },
      }),
    }),
  },
]
