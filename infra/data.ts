/** What a store gives a process: the ports that remember and carry, whichever store is behind them. */
import type { Bus } from '../domain/ports/bus.ts'
import type { Documents } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import type { Lease, LeaseView } from '../domain/ports/lease.ts'
import type { Snapshots } from '../domain/ports/snapshots.ts'

export type Data = {
  journal: Journal
  bus: Bus
  documents: Documents
  lease: Lease & LeaseView
  snapshots: Snapshots
  /** What still waits for a store that does not answer gives up: a process that is to end cannot wait for ever. */
  abandon(): void
  close(): Promise<void>
}
