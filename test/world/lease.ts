/** The lease as a store keeps it, by machine time; renewals fail now and then. */

import { StoreUnavailable } from '../../domain/ports/journal.ts'
import type { Lease } from '../../domain/ports/lease.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

export type LeaseRow = { holder: string | undefined; epoch: number; expiresAt: number }
export const freeLease = (): LeaseRow => ({ holder: undefined, epoch: 0, expiresAt: 0 })

/** Whether that epoch may act at this moment, by the store's own time. */
export const isHeldBy = ({ holder, epoch, expiresAt }: LeaseRow, by: number, now: number): boolean =>
  holder !== undefined && epoch === by && now < expiresAt

export type LeaseWorld = { row: LeaseRow; clock: WorldClock; faults: Faults; process: Process; away?: () => boolean }

export const worldLease = ({ row, clock, faults, process, away = () => false }: LeaseWorld): Lease => ({
  acquire: (holder, ttlMs, above = 0) =>
    process.call(
      'lease.acquire',
      () => {
        if (away()) throw new StoreUnavailable('the lease could not be reached')
        const now = clock.monotonic()
        if (row.holder !== undefined && row.holder !== holder && row.expiresAt > now) return { heldFor: row.expiresAt - now }
        Object.assign(row, { holder, epoch: Math.max(row.epoch, above) + 1, expiresAt: now + ttlMs })
        return { epoch: row.epoch }
      },
      faults.latency,
    ),
  renew: (epoch, ttlMs) =>
    process.call(
      'lease.renew',
      () => {
        if (away() || faults.happens('a renewal of the lease fails')) throw new StoreUnavailable('the lease could not be reached')
        if (row.epoch !== epoch || row.holder === undefined) return false
        row.expiresAt = clock.monotonic() + ttlMs
        return true
      },
      faults.latency,
    ),
  release: (epoch) =>
    process.call(
      'lease.release',
      () => {
        if (row.epoch === epoch) row.holder = undefined
      },
      faults.latency,
    ),
})
