/**
 * Takes snapshots of the state while the engine works. The text is made between two commits, in one go; writing it is nobody's business:
 * it goes on beside the decisions, one at a time, and one that fails is only said.
 */
import type { Ledger } from '../domain/ledger.ts'
import type { Clock } from '../domain/ports/clock.ts'
import type { Snapshot } from '../domain/ports/snapshots.ts'
import { type SnapshotSource, snapshotOf } from '../domain/snapshot.ts'
import type { Log } from './writer.ts'

/** `every`: so many commits after the last one the next is taken. */
export type SnapshotOptions = SnapshotSource & { every?: number }

const commitsBetween = 500
/** At a clean stop fewer are enough, but a snapshot of a handful saves nobody anything. */
const leastAtStop = 50
const stopWaitsMs = 2_000

export type SnapshotTaker = {
  /** The state was folded from a snapshot of this position. */
  restored(position: number): void
  /** To be called after each fold, before the next begins. */
  committed(): void
  /** Takes a last one if it is worth it, and waits for what is being written, at most 2 s. Only with a ledger that no failure left half folded. */
  close(): Promise<void>
}

export const createSnapshotTaker = (
  options: SnapshotOptions | undefined,
  { ledger, clock, log }: { ledger: Readonly<Ledger>; clock: Pick<Clock, 'after'>; log: Log },
): SnapshotTaker => {
  if (options === undefined) return { restored: () => undefined, committed: () => undefined, close: async () => undefined }
  const { store, version, every = commitsBetween } = options
  let last = 0
  let saving: Promise<void> | undefined

  const write = async (snapshot: Snapshot): Promise<void> => {
    const { position, json } = snapshot
    try {
      await store.save(snapshot)
      log.info({ position, characters: json.length }, 'snapshot taken')
    } catch (error) {
      log.warn({ position, err: error }, 'a snapshot could not be written; the journal holds all of it')
    }
  }
  const take = (): void => {
    const snapshot = snapshotOf(ledger, version)
    last = snapshot.position
    saving = write(snapshot).finally(() => {
      saving = undefined
    })
  }

  return {
    restored: (position) => {
      last = position
    },
    committed: () => {
      if (saving === undefined && ledger.position - last >= every) take()
    },
    close: async () => {
      if (saving === undefined && ledger.position - last >= leastAtStop) take()
      if (saving === undefined) return
      let callOff = () => {}
      const longEnough = new Promise<void>((resolve) => {
        callOff = clock.after(stopWaitsMs, resolve)
      })
      await Promise.race([saving, longEnough])
      callOff()
    },
  }
}
