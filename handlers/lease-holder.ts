/**
 * Holding the lease: waits until it is free, renews it, and knows by machine time how long it certainly still holds.
 * The margin is kept on our side: an engine that was frozen past it finds `valid()` false before it sends anything.
 */
import type { Clock } from '../domain/ports/clock.ts'
import { StoreUnavailable } from '../domain/ports/journal.ts'
import type { Lease } from '../domain/ports/lease.ts'
import { EngineStopped, type Log } from './writer.ts'

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
  above = 0,
  leaving,
}: {
  lease: Lease
  clock: Clock
  log: Log
  holder: string
  lost: () => void
  times?: LeaseTimes
  /** The highest epoch that the journal has seen, where that is known. */
  above?: number
  /** Ends the waiting for another one. */
  leaving?: AbortSignal
}): Promise<LeaseHolder> => {
  const { ttlMs, renewalMs, marginMs } = times
  let began = clock.monotonic()
  const ask = () => {
    began = clock.monotonic()
    return lease.acquire(holder, ttlMs, above)
  }
  const epoch = await acquire(ask, clock, log, leaving)
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

/** @throws EngineStopped when it is told to leave while another one holds the lease */
const acquire = async (ask: () => ReturnType<Lease['acquire']>, clock: Clock, log: Log, leaving?: AbortSignal): Promise<number> => {
  let heldFor: number | undefined
  for (;;) {
    try {
      const answer = await ask()
      if ('epoch' in answer) return answer.epoch
      heldFor = answer.heldFor
      log.info({ waitMs: heldFor }, 'another engine holds the lease; waiting')
    } catch (error) {
      // Who waits for another engine is there for the day on which things go wrong: an outage does not send it away.
      if (heldFor === undefined || !(error instanceof StoreUnavailable)) throw error
      log.warn({}, `the lease could not be asked for: ${error.message}`)
    }
    await wait(Math.min(Math.max(heldFor, 100), 5_000), clock, leaving)
    if (leaving?.aborted) throw new EngineStopped('the engine was stopped while it waited for the lease')
  }
}

const wait = (milliseconds: number, clock: Clock, leaving?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      callOff()
      leaving?.removeEventListener('abort', end)
      resolve()
    }
    const callOff = clock.after(leaving?.aborted ? 0 : milliseconds, end)
    leaving?.addEventListener('abort', end)
  })
