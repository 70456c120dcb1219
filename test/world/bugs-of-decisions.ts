/** Planted bugs of what is decided: a process that remembers otherwise than it wrote down, or understands otherwise than it was asked. */
import type { Commit, StoredCommit } from '../../domain/commit.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { changing } from './changed-deliveries.ts'
import type { PlantedBug } from './planted-bug.ts'

type Stored = Commit['events'][number]
type Change = (event: Stored) => Stored[]
type Fields = Record<string, unknown>

/** What is stored is right; what the engine holds in memory of it is not. */
const remembering = (journal: Journal, change: Change): Journal => {
  const altered = (stored: StoredCommit): StoredCommit => {
    const commit = JSON.parse(stored.json) as Commit
    return { ...stored, json: JSON.stringify({ ...commit, events: commit.events.flatMap(change) }) }
  }
  return {
    ...journal,
    append: async (commit) => {
      const appended = await journal.append(commit)
      return appended.answer === 'appended' ? { ...appended, stored: altered(appended.stored) } : appended
    },
    async *read(from, to) {
      for await (const stored of journal.read(from, to)) yield altered(stored)
    },
  }
}
const writing = (journal: Journal, change: (commit: Commit) => Stored[]): Journal => ({
  ...journal,
  append: (commit) => journal.append({ ...commit, events: change(commit) }),
})
const altering =
  (type: string, change: (data: Fields) => Fields): Change =>
  (event) => [event.type === type ? { ...event, data: change(event.data as Fields) } : event]

const twice = (quantity: unknown): string => String(2 * Number(quantity))

export const bugsOfDecisions: readonly PlantedBug[] = [
  {
    name: 'orders again what it has just ordered',
    caughtBy: 'nothing is ordered twice',
    plant: () => ({
      journal: (journal) =>
        writing(journal, ({ events }) =>
          events.flatMap(
            altering('OrderPlanned', (data) => ({
              ...{ ...data, quantity: twice(data['quantity']) },
              shares: (data['shares'] as Fields[]).map((share) => ({ ...share, quantity: twice(share['quantity']) })),
            })),
          ),
        ),
    }),
  },
  {
    name: 'forgets what is on its way',
    caughtBy: 'nothing is ordered twice',
    plant: () => ({ journal: (journal) => remembering(journal, (event) => (event.type === 'OrderPlanned' ? [] : [event])) }),
  },
  {
    name: 'forgets what is unexplained',
    caughtBy: 'nothing moves where something is open',
    plant: () => ({
      journal: (journal) =>
        remembering(journal, (event) =>
          event.type === 'DiscrepancyFound' ? [] : altering('PositionReconciled', (data) => ({ ...data, differences: [] }))(event),
        ),
    }),
  },
  {
    name: 'closes everything, whoever was named',
    caughtBy: 'only what was named is closed',
    plant: () => ({
      bus: (bus) =>
        changing(bus, ({ data, attributes }) => {
          if (attributes['type'] !== 'close-all') return {}
          const { strategies: _, ...body } = JSON.parse(data)
          return { data: JSON.stringify(body) }
        }),
    }),
  },
  {
    name: 'believes a resume as if it had been published when it came',
    caughtBy: 'a halt outlasts what came before it',
    plant: () => ({
      bus: (bus, { clock }) =>
        changing(bus, ({ attributes }) => (attributes['type'] === 'resume' ? { publishedAt: new Date(clock.now()).toISOString() } : {})),
    }),
  },
  {
    name: 'halts and leaves at work what it was to call back',
    caughtBy: 'a halt outlasts what came before it',
    plant: () => ({
      journal: (journal) =>
        writing(journal, ({ events }) =>
          events.some(({ type }) => type === 'TradingHalted') ? events.filter(({ type }) => type !== 'OrderCancelRequested') : [...events],
        ),
    }),
  },
  {
    name: 'follows what a strategy said as a trial',
    caughtBy: 'a decision rests on what counts',
    plant: () => ({
      journal: (journal) =>
        remembering(
          journal,
          altering('SignalGenerated', (data) => ({ ...data, dryRun: false })),
        ),
    }),
  },
  {
    name: 'forgets until when its orders were in force',
    caughtBy: 'the engine asks by itself',
    plant: () => ({
      journal: (journal) =>
        remembering(
          journal,
          altering('OrderPlanned', (data) => ({ ...data, inForceUntil: '2099-12-31T21:00:00.000Z' })),
        ),
    }),
  },
]
