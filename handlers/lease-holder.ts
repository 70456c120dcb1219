/**
 * Holding the lease: waits until it is free, renews it, and knows by machine time how long it certainly still holds.
 * The margin is kept on our side: an engine that was frozen past it finds `valid()` false before it sends anything.
 */
import type { Clock } from '../domain/ports/clock.ts'
import { StoreUnavailable } from '../domain/ports/journal.ts'
import type { Lease } from '../domain/ports/lease.ts'
import type { Log } from './writer.ts'

export type LeaseTimes = {
  /** How long the lease is ours by the store's time. */
  ttlMs: number
  renewalMs: number
  /** By so much earlier it is uncertain to us. */
  marginMs: number
}
export const leaseTimes: LeaseTimes = { ttlMs: 45_000, renewalMs: 15_000, marginMs: 5_000 }

export type LeaseHolder = { epoch: number; valid(): boolean; release(): Promise<void> }

export const holdLease = async ({
  lease,
  clock,
  log,
  holder,
  lost,
  times = leaseTimes,
}: {
  lease: Lease
  clock: Clock
  log: Log
  holder: string
  lost: () => void
  times?: LeaseTimes
}): Promise<LeaseHolder> => {
  const { ttlMs, renewalMs, marginMs } = times
  let began = clock.monotonic()
  const epoch = await acquire(lease, clock, log, holder, ttlMs, () => {
    began = clock.monotonic()
  })
  let ended = false
  let cancelTimer = () => {}

  const end = (): void => {
    ended = true
    cancelTimer()
  }
  const arm = (milliseconds: number, run: () => void): void => {
    if (!ended) cancelTimer = clock.after(milliseconds, run)
  }
  const renew = (): void => {
    const start = clock.monotonic()
    let open = true // while nothing follows it yet
    const then = (milliseconds: number): void => {
      if (!open) return
      open = false
      cancelTimer()
      arm(milliseconds, renew)
    }
    const failed = (reason: string): void => {
      if (!ended && open) log.warn({}, `the lease could not be renewed: ${reason}`)
      then(renewalMs / 5)
    }
    // A question that hangs must not keep us from asking again; its answer counts all the same when it comes.
    arm((renewalMs * 2) / 3, () => failed('the store does not answer'))
    lease.renew(epoch, ttlMs).then(
      (held) => {
        if (held) {
          began = Math.max(began, start)
          then(renewalMs)
        } else if (!ended) {
          end()
          lost()
        }
      },
      (error: Error) => failed(error.message),
    )
  }
  arm(renewalMs, renew)
  return {
    epoch,
    valid: () => !ended && clock.monotonic() < began + ttlMs - marginMs,
    release: async () => {
      end()
      await lease.release(epoch).catch((error: Error) => log.warn({}, `the lease could not be given back: ${error.message}`))
    },
  }
}

const acquire = async (lease: Lease, clock: Clock, log: Log, holder: string, ttlMs: number, beginning: () => void): Promise<number> => {
  let heldFor: number | undefined
  for (;;) {
    beginning()
    try {
      const answer = await lease.acquire(holder, ttlMs)
      if ('epoch' in answer) return answer.epoch
      heldFor = answer.heldFor
      log.info({ waitMs: heldFor }, 'another engine holds the lease; waiting')
    } catch (error) {
      // Who waits for another engine is there for the day on which things go wrong: an outage does not send it away.
      if (heldFor === undefined || !(error instanceof StoreUnavailable)) throw error
      log.warn({}, `the lease could not be asked for: ${error.message}`)
    }
    const waitMs = Math.min(Math.max(heldFor, 100), 5_000)
    await new Promise<void>((resolve) => clock.after(waitMs, resolve))
  }
}
