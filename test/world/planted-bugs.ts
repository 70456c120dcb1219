/**
 * Bugs that engines of this kind have had, planted from outside as a small change of one port. Each names the invariant that must catch it.
 * What they remember between processes is what such a bug would keep on a disk of its own.
 */
import { store } from '../../domain/commit.ts'
import { BrokerUnavailable, type OrderTicket } from '../../domain/ports/broker.ts'
import { memoryJournal } from '../memory-store.ts'
import { bugsOfDecisions } from './bugs-of-decisions.ts'
import { bugsOfJudgement } from './bugs-of-judgement.ts'
import { bugsOfManyProcesses } from './bugs-of-many-processes.ts'
import type { PlantedBug } from './planted-bug.ts'

const plansOrders = ({ events }: { events: readonly { type: string }[] }): boolean => events.some(({ type }) => type === 'OrderPlanned')

export const plantedBugs: readonly PlantedBug[] = [
  ...bugsOfManyProcesses,
  ...bugsOfJudgement,
  ...bugsOfDecisions,
  {
    name: 'sends orders before their plan is durable',
    caughtBy: 'no order without a durable plan',
    plant: () => ({
      journal: (journal) => {
        let last: Promise<unknown> = Promise.resolve()
        return {
          ...journal,
          append: (commit) => {
            const appended = last.then(() => journal.append(commit))
            last = appended.catch(() => undefined)
            return plansOrders(commit) ? Promise.resolve({ answer: 'appended', stored: store(commit) }) : appended
          },
        }
      },
    }),
  },
  {
    name: 'sends again after a reconnect or restart what was never answered',
    caughtBy: 'no order twice at the broker',
    plant: () => {
      const unanswered = new Map<string, OrderTicket>()
      return {
        broker: (broker) => ({
          ...broker,
          place: (ticket) => {
            unanswered.set(ticket.orderRef, ticket)
            broker.place(ticket)
          },
          start: (listener) =>
            broker.start((report) => {
              if (report.kind === 'order') unanswered.delete(report.sighting.orderRef ?? '')
              if (report.kind === 'connected') for (const ticket of unanswered.values()) broker.place(ticket)
              listener(report)
            }),
        }),
      }
    },
  },
  {
    name: 'sends again after a time-out what was never answered',
    caughtBy: 'no order twice at the broker',
    plant: () => ({
      broker: (broker, _world, process) => {
        const answered = new Set<string | undefined>()
        return {
          ...broker,
          place: (ticket) => {
            broker.place(ticket)
            process.clock.after(10_000, () => {
              if (!answered.has(ticket.orderRef) && broker.connected()) broker.place(ticket)
            })
          },
          start: (listener) =>
            broker.start((report) => {
              if (report.kind === 'order') answered.add(report.sighting.orderRef)
              listener(report)
            }),
        }
      },
    }),
  },
  {
    name: 'trusts the order status for fills',
    caughtBy: 'every execution is in the books once',
    plant: () => ({
      broker: (broker) => ({
        ...broker,
        start: (listener) =>
          broker.start((report) => {
            listener(report)
            if (report.kind !== 'order' || report.sighting.contract === undefined || Number(report.sighting.filled) === 0) return
            const { orderRef = '', orderId, clientId, permId, contract, filled = '0' } = report.sighting
            const executionId = `status-${permId}-${filled}.01`
            listener({
              kind: 'execution',
              execution: {
                ...{ executionId, orderRef, orderId, clientId, permId, account: 'DU1', contract, quantity: filled, price: '1' },
                time: '2026-03-10T15:00:00.000Z',
              },
            })
          }),
      }),
    }),
  },
  {
    name: 'counts an execution as often as it is reported',
    caughtBy: 'every execution is in the books once',
    plant: () => {
      let heard = 0
      return {
        broker: (broker) => ({
          ...broker,
          start: (listener) =>
            broker.start((report) => {
              if (report.kind !== 'execution') return listener(report)
              heard += 1
              listener({ ...report, execution: { ...report.execution, executionId: `${heard}-${report.execution.executionId}` } })
            }),
        }),
      }
    },
  },
  {
    name: 'does not ask for executions after a restart',
    caughtBy: 'every execution is in the books once',
    plant: () => ({
      broker: (broker) => ({ ...broker, snapshot: async (account) => ({ ...(await broker.snapshot(account)), executions: [] }) }),
    }),
  },
  {
    name: 'calls an order withdrawn when the socket fails while it is written',
    caughtBy: 'an end in the journal is true at the broker',
    plant: () => {
      let placed = 0
      return {
        broker: (broker) => ({
          ...broker,
          place: (ticket) => {
            broker.place(ticket)
            placed += 1
            if (placed % 3 === 0) throw new BrokerUnavailable('lost', 'the socket ended while the order was written')
          },
        }),
      }
    },
  },
  {
    name: 'acknowledges a command before it is decided',
    caughtBy: 'every command has one outcome',
    plant: () => ({
      bus: (bus) => ({
        ...bus,
        subscribe: (subscription, consume) =>
          bus.subscribe(subscription, (delivery) => {
            void delivery.ack()
            consume(delivery)
          }),
      }),
    }),
  },
  {
    name: 'keeps no marker of a command',
    caughtBy: 'every command has one outcome',
    plant: () => ({
      journal: (journal, { memory }) => ({
        ...journal,
        marker: async () => undefined,
        append: (commit) => memoryJournal({ ...memory, markers: new Map() }).append(commit),
      }),
    }),
  },
  {
    name: 'forgets to acknowledge',
    caughtBy: 'nothing waits for ever',
    plant: () => ({
      bus: (bus) => ({
        ...bus,
        subscribe: (subscription, consume) =>
          bus.subscribe(subscription, (delivery) => consume({ ...delivery, ack: async () => undefined })),
      }),
    }),
  },
  {
    name: 'starts work and does not look at what became of it',
    caughtBy: 'no failure goes unheard',
    plant: () => ({
      bus: (bus) => ({
        ...bus,
        subscribe: (subscription, consume) =>
          bus.subscribe(subscription, (delivery) => {
            void (delivery.attempt > 1 ? Promise.reject(new Error('the second delivery was not expected')) : undefined)
            consume(delivery)
          }),
      }),
    }),
  },
  {
    name: 'writes the checkpoint before the documents',
    caughtBy: 'documents equal a rebuild',
    plant: () => ({
      documents: (documents) => ({
        ...documents,
        write: async (projection, writes, next, expected) => {
          const moved = await documents.write(projection, [], next, expected)
          return moved.answer === 'moved' ? moved : documents.write(projection, writes, next, moved.checkpoint)
        },
      }),
    }),
  },
  {
    name: 'calls every order an exit, so that no halt keeps it back',
    caughtBy: 'what goes out while trading is halted only closes',
    plant: () => ({
      journal: (journal) => ({
        ...journal,
        append: (commit) =>
          journal.append({
            ...commit,
            events: commit.events.map((each) =>
              each.type === 'OrderPlanned' ? { ...each, data: { ...(each.data as object), closing: true } } : each,
            ),
          }),
      }),
    }),
  },
  {
    name: 'brings stored commits up to date in place',
    caughtBy: 'the chain is intact',
    plant: () => ({
      journal: (journal, { memory }) => ({
        ...journal,
        read: (from, to) => {
          const first = memory.commits[0]
          if (first !== undefined) first.json = first.json.replace('"v":1', '"v":2')
          return journal.read(from, to)
        },
      }),
    }),
  },
  {
    name: 'takes positions that were not answered for positions of zero',
    caughtBy: 'books, manual and unexplained are what the broker holds',
    plant: () => ({
      broker: (broker) => ({ ...broker, snapshot: async (account) => ({ ...(await broker.snapshot(account)), positions: [] }) }),
    }),
  },
]

/** @throws Error when not exactly one is named so */
export const plantedNamed = (words: string): PlantedBug => {
  const exact = plantedBugs.filter(({ name }) => name === words)
  const found = exact.length === 1 ? exact : plantedBugs.filter(({ name }) => name.includes(words))
  if (found.length === 1) return found[0]!
  const names = (found.length === 0 ? plantedBugs : found).map(({ name }) => `\n  ${name}`).join('')
  throw new Error(`${found.length === 0 ? 'no' : 'more than one'} planted bug is named so:${names}`)
}
