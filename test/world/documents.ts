/** The memory documents behind a line that fails before a batch, or after it and before its answer. */
import type { Documents } from '../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { type Memory, memoryDocuments } from '../memory-store.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

export const worldDocuments = ({ memory, faults, process }: { memory: Memory; faults: Faults; process: Process }): Documents => {
  const store = memoryDocuments(memory)
  const ask = <T>(point: string, effect: () => Promise<T>): Promise<T> =>
    process.call(
      point,
      () => {
        if (faults.happens('the documents cannot be reached')) throw new StoreUnavailable('the documents cannot be reached')
        return effect()
      },
      faults.latency,
    )
  return {
    get: (path) => ask('documents.get', () => store.get(path)),
    list: (collection, page) => ask('documents.list', () => store.list(collection, page)),
    all: store.all,
    checkpoint: (projection) => ask('documents.checkpoint', () => store.checkpoint(projection)),
    write: (projection, writes, next, expected) =>
      ask('documents.write', async () => {
        const written = await store.write(projection, writes, next, expected)
        if (faults.happens('a batch of documents is written and not answered')) throw new StoreUnavailable('the answer of a batch was lost')
        return written
      }),
    watch: (path, listener) => store.watch(path, process.heard(listener)),
  }
}
