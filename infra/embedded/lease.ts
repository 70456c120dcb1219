/** The lease on SQLite. The machine's wall clock is the store's time: all who may hold this file share it. */
import type { Lease, LeaseView } from '../../domain/ports/lease.ts'
import type { Store } from './store.ts'

/** `holder` is null after the lease was given back; the epoch stays, so that the next one is higher. */
type Row = { holder: string | null; epoch: number; expiresAt: number }

/**
 * @param wallTime epoch milliseconds of the store
 * @param isGone whether a holder certainly no longer lives, so that its lease is free before it has run out
 */
export const openLease = (
  store: Store,
  wallTime: () => number = Date.now,
  isGone: (holder: string) => boolean = () => false,
): Lease & LeaseView => {
  const { database } = store
  const read = database.prepare('SELECT holder, epoch, expiresAt FROM lease')
  const take = database.prepare(
    `INSERT INTO lease (only, holder, epoch, expiresAt) VALUES (1, ?, ?, ?)
     ON CONFLICT (only) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, expiresAt = excluded.expiresAt`,
  )
  const extend = database.prepare('UPDATE lease SET expiresAt = ? WHERE epoch = ? AND holder IS NOT NULL')
  const giveBack = database.prepare('UPDATE lease SET holder = NULL WHERE epoch = ?')
  return {
    acquire: async (holder, ttlMs, above = 0) =>
      store.transaction(() => {
        const row = read.get() as Row | undefined
        const now = wallTime()
        const other = row !== undefined && row.holder !== null && row.holder !== holder && row.expiresAt > now
        if (other && !isGone(row.holder!)) return { heldFor: row.expiresAt - now }
        const epoch = Math.max(row?.epoch ?? 0, above) + 1
        take.run(holder, epoch, now + ttlMs)
        return { epoch }
      }),
    renew: async (epoch, ttlMs) => store.transaction(() => extend.run(wallTime() + ttlMs, epoch).changes === 1),
    release: async (epoch) => {
      store.transaction(() => giveBack.run(epoch))
    },
    current: async () => {
      const row = read.get() as Row | undefined
      const heldFor = (row?.expiresAt ?? 0) - wallTime()
      return row?.holder == null || heldFor <= 0 || isGone(row.holder) ? undefined : { epoch: row.epoch, heldFor }
    },
  }
}
