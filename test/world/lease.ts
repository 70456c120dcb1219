/** The lease as a store keeps it, by machine time; renewals fail now and then. */

import { StoreUnavailable } from '../../domain/ports/journal.ts'
import type { Lease } from '../../domain/ports/lease.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

export type LeaseRow = { holder: string | undefined; epoch: number; expiresAt: number }
export const freeLease = (): LeaseRow => ({ holder: undefined, epoch: 0, expiresAt: 0 })

export type LeaseWorld = { row: LeaseRow; clock: WorldClock; faults: Faults; process: Process }

export const worldLease = ({ row, clock, faults, process }: LeaseWorld): Lease => ({
  acquire: (holder, ttlMs) =>
    process.call(
      'lease.acquire',
      () => {
        const now = clock.monotonic()
        if (row.holder !== undefined && row.holder !== holder && row.expiresAt > now) return { heldFor: row.expiresAt - now }
        Object.assign(row, { holder, epoch: row.epoch + 1, expiresAt: now + ttlMs })
        return { epoch: row.epoch }
      },
      faults.latency,
    ),
  renew: (epoch, ttlMs) =>
    process.call(
      'lease.renew',
      () => {
        if (faults.happens('a renewal of the lease fails')) throw new StoreUnavailable('the lease could not be reached')
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
