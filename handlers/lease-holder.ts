/**
 * Holding the lease: waits until it is free, renews it, and knows by machine time how long it certainly still holds.
 * The margin is kept on our side: an engine that was frozen past it finds `valid()` false before it sends anything.
 */
import type { Clock } from '../domain/ports/clock.ts'
import type { Lease } from '../domain/ports/lease.ts'
import type { Log } from './writer.ts'

export const leaseTtlMs = 45_000
const renewalMs = 15_000
const marginMs = 5_000

export type LeaseHolder = { epoch: number; valid(): boolean; release(): Promise<void> }

export const holdLease = async ({
  lease,
  clock,
  log,
  holder,
  lost,
}: {
  lease: Lease
  clock: Clock
  log: Log
  holder: string
  lost: () => void
}): Promise<LeaseHolder> => {
  let began = clock.monotonic()
  const epoch = await acquire(lease, clock, log, holder, () => {
    began = clock.monotonic()
  })
  let released = false
  let cancelTimer = () => {}

  const renew = async (): Promise<void> => {
    const start = clock.monotonic()
    try {
      if (!(await lease.renew(epoch, leaseTtlMs))) {
        if (!released) lost()
        return
      }
      began = start
    } catch (error) {
      log.warn({}, `the lease could not be renewed: ${(error as Error).message}`)
    }
    arm()
  }
  const arm = (): void => {
    if (!released) cancelTimer = clock.after(renewalMs, () => void renew())
  }
  arm()
  return {
    epoch,
    valid: () => !released && clock.monotonic() < began + leaseTtlMs - marginMs,
    release: async () => {
      released = true
      cancelTimer()
      await lease.release(epoch).catch((error: Error) => log.warn({}, `the lease could not be given back: ${error.message}`))
    },
  }
}

const acquire = async (lease: Lease, clock: Clock, log: Log, holder: string, beginning: () => void): Promise<number> => {
  for (;;) {
    beginning()
    const answer = await lease.acquire(holder, leaseTtlMs)
    if ('epoch' in answer) return answer.epoch
    log.info({ waitMs: answer.heldFor }, 'another engine holds the lease; waiting')
    await new Promise<void>((resolve) => clock.after(Math.min(Math.max(answer.heldFor, 100), 5_000), resolve))
  }
}
