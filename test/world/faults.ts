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
} as const

export type Fault = keyof typeof rates

export type Faults = {
  /** Whether it happens now; never once they have stopped. */
  happens(fault: Fault): boolean
  stop(): void
  /** A usual way over a line in milliseconds; sometimes a long one. */
  latency(): number
  between(least: number, most: number): number
  counts: ReadonlyMap<Fault, number>
}

export const allFaults = Object.keys(rates) as Fault[]

export const createFaults = (chance: Chance): Faults => {
  const counts = new Map<Fault, number>()
  let stopped = false
  const happens = (fault: Fault): boolean => {
    if (stopped || !chance.happens(rates[fault])) return false
    counts.set(fault, (counts.get(fault) ?? 0) + 1)
    return true
  }
  return {
    happens,
    stop: () => {
      stopped = true
    },
    latency: () => (happens('the line is slow') ? chance.whole(200, 4_000) : chance.whole(1, 20)),
    between: chance.whole,
    counts,
  }
}
