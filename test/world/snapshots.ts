/** Snapshots of the state behind a line. Some are written torn: whoever reads one must see that. */
import { sha256 } from '../../domain/commit.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import type { Snapshots } from '../../domain/ports/snapshots.ts'
import { type Memory, memorySnapshots } from '../memory-store.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

export const worldSnapshots = ({ memory, faults, process }: { memory: Memory; faults: Faults; process: Process }): Snapshots => {
  const store = memorySnapshots(memory)
  const ask = <T>(point: string, effect: () => Promise<T>): Promise<T> =>
    process.call(
      point,
      () => {
        if (faults.happens('the journal cannot be reached')) throw new StoreUnavailable('the snapshots cannot be reached')
        return effect()
      },
      faults.latency,
    )
  return {
    latest: (version, atMost) => ask('snapshots.latest', () => store.latest(version, atMost)),
    save: (snapshot) =>
      ask('snapshots.save', async () => {
        await store.save(snapshot)
        if (!faults.happens('a snapshot of the state is written torn')) return
        // Of the text only the first half is there; the digest is that of the whole, or of the half where nobody noticed.
        const saved = memory.snapshots.find(({ json }) => json === snapshot.json)
        if (saved === undefined) return
        saved.json = saved.json.slice(0, Math.floor(saved.json.length / 2))
        if (faults.between(0, 1) === 1) saved.digest = sha256(saved.json)
      }),
  }
}
