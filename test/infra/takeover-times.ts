/** The times by which several processes of a test live: short leases, and one market time for all of them that passes faster. */
import type { Clock } from '../../domain/ports/clock.ts'
import type { LeaseTimes } from '../../handlers/lease-holder.ts'

export const shortLease: LeaseTimes = { ttlMs: 2_000, renewalMs: 600, marginMs: 300 }

/** At `since` (epoch milliseconds of the machine) the market had `start`; from then on it passes so many times faster. */
export type Times = { start: number; since: number; speed: number; lease: LeaseTimes }

/** Market time that follows the machine's; machine time is left as it is. */
export const clockOf = ({ start, since, speed }: Omit<Times, 'lease'>, machine: Clock): Clock => ({
  ...machine,
  now: () => Math.floor(start + (machine.now() - since) * speed),
  at: (time, run) => machine.at(Math.ceil(since + (time - start) / speed), run),
})
