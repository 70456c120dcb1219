/** The memory journal behind a line: answers take time, get lost and are asked for again, and sometimes the store is away. */
import type { Appended, Journal } from '../../domain/ports/journal.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { type Memory, memoryJournal } from '../memory-store.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

const pageSize = 50
/** After this the very same commit is offered again, as the port promises. */
const appendDeadlineMs = 5_000

/** A commit that was sent and not answered within the deadline arrives at most so much later, when another one may long be there. */
const longestWayMs = 60_000

/** `away`: whether the store is out for everybody just now. */
export type JournalWorld = { memory: Memory; clock: WorldClock; faults: Faults; process: Process; away?: () => boolean }

export const worldJournal = ({ memory, clock, faults, process, away = () => false }: JournalWorld): Journal => {
  const store = memoryJournal(memory)
  const append: Journal['append'] = async (commit) => {
    const appended = await store.append(commit)
    if (appended.answer === 'conflict') faults.hit('an append meets the commit of another engine')
    if (appended.answer === 'already') faults.hit('an append finds its command decided before')
    return appended
  }
  const ask = <T>(point: string, effect: () => Promise<T>): Promise<T> =>
    process.call(
      point,
      () => {
        if (away() || faults.happens('the journal cannot be reached')) throw new StoreUnavailable('the journal cannot be reached')
        return effect()
      },
      faults.latency,
    )
  /** The first offer is under way for long; the same commit is offered again, and both arrive: whichever is first. */
  const offerTwice = (offer: () => Promise<Appended>): Promise<Appended> => {
    clock.after(faults.between(100, longestWayMs), () => void offer().catch(() => undefined))
    return offerAgain(offer)
  }
  const offerAgain = (offer: () => Promise<Appended>): Promise<Appended> =>
    new Promise((resolve, reject) => clock.after(appendDeadlineMs, () => void offer().then(resolve, reject)))

  return {
    head: () => ask('journal.head', store.head),
    append: (commit) =>
      ask('journal.append', async () => {
        if (faults.happens('an append is under way for long')) return offerTwice(() => append(commit))
        const answer = await append(commit)
        if (faults.happens('an append takes effect and the store goes away')) throw new StoreUnavailable('the answer of an append was lost')
        return faults.happens('an append is answered only after it was offered again') ? offerAgain(() => append(commit)) : answer
      }),
    marker: (id) => ask('journal.marker', () => store.marker(id)),
    async *read(from, to = Number.MAX_SAFE_INTEGER) {
      for (let next = from; ; next += pageSize) {
        const page = await ask('journal.read', async () =>
          memory.commits.slice(next - 1, Math.min(next - 1 + pageSize, to)).map((stored) => ({ ...stored })),
        )
        yield* page
        if (page.length < pageSize) return
      }
    },
    onAppended: (listener) => {
      const stop = store.onAppended(() => void clock.after(faults.latency(), process.heard(listener)))
      process.onEnd(stop)
      return stop
    },
  }
}
