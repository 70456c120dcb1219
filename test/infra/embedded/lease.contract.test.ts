import { openLease } from '../../../infra/embedded/lease.ts'
import { leaseContract } from '../../contract/lease.contract.ts'
import { storeWorld } from './world.ts'

leaseContract('SQLite', async () => {
  const world = storeWorld()
  let now = Date.parse('2026-11-20T21:05:00Z')
  const open = () => openLease(world.open(), () => now)
  return {
    lease: open(),
    another: async () => open(),
    ttlMs: 45_000,
    pass: async (milliseconds) => {
      now += milliseconds
    },
    close: world.close,
  }
})
