/** What goes wrong, how often, and how often it did: a fault that never happens proves nothing. */
import type { Chance } from './chance.ts'

const rates = {
  'the line is slow': 0.05,
  'the journal cannot be reached': 0.002,
  'an append is answered only after it was offered again': 0.02,
  'an append is under way for long': 0.01,
  'an append takes effect and the store goes away': 0.003,
  'the documents cannot be reached': 0.02,
  'a batch of documents is written and not answered': 0.02,
  'a snapshot of the state is written torn': 0.1,
  'the bars cannot be reached': 0.4,
  'the bus cannot be reached': 0.02,
  'a publication is kept and not answered': 0.02,
  'a renewal of the lease fails': 0.05,
  'a message comes late': 0.1,
  'a message comes twice': 0.1,
  'an acknowledgement is lost': 0.05,
  'a report comes late': 0.1,
  'a report comes twice': 0.1,
  'a report is never sent': 0.02,
  'a snapshot is not answered': 0.05,
  'a question is not answered': 0.02,
  'the socket ends with an order in it': 0.02,
  'an order is rejected': 0.08,
  'an order is inactive': 0.03,
  'an order is swallowed': 0.03,
  'an order is accepted in silence': 0.05,
  'an order rests': 0.1,
  'an execution is corrected': 0.05,
  'a corrected execution is smaller': 0.3,
} as const

/** What is done to the world by its history, counted where it really met something. */
const deeds = [
  'an engine is frozen',
  'a frozen engine wakes when another one has begun',
  'a projector is frozen',
  'a second engine waits',
  'a second engine takes over',
  'the engine is told to stop',
  'the store is away',
  'an append meets the commit of another engine',
  'an append finds its command decided before',
  'the line is cut',
  'the link is cut',
  'the ids are rolled back',
  'a position is split',
  'a hand trades',
  'a hand edits a document',
  'a command is published out of nowhere',
  'a command arrives when its time is over',
] as const

export type Fault = keyof typeof rates | (typeof deeds)[number]

export type Faults = {
  /** Whether it happens now; never once they have stopped. */
  happens(fault: keyof typeof rates): boolean
  hit(deed: (typeof deeds)[number]): void
  stop(): void
  /** A usual way over a line in milliseconds; sometimes a long one. */
  latency(): number
  between(least: number, most: number): number
  counts: ReadonlyMap<Fault, number>
}

export const allFaults: readonly Fault[] = [...(Object.keys(rates) as (keyof typeof rates)[]), ...deeds]

export const createFaults = (chance: Chance): Faults => {
  const counts = new Map<Fault, number>()
  let stopped = false
  const count = (fault: Fault): void => void counts.set(fault, (counts.get(fault) ?? 0) + 1)
  const happens = (fault: keyof typeof rates): boolean => {
    if (stopped || !chance.happens(rates[fault])) return false
    count(fault)
    return true
  }
  return {
    happens,
    hit: count,
    stop: () => {
      stopped = true
    },
    latency: () => (happens('the line is slow') ? chance.whole(200, 4_000) : chance.whole(1, 20)),
    between: chance.whole,
    counts,
  }
}
