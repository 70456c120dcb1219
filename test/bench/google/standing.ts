/** What a process costs while nothing happens: a lease that is renewed, listeners that are replaced, and an engine that waits beside it. */
import type { Clock } from '../../../domain/ports/clock.ts'
import { holdLease, leaseTimes } from '../../../handlers/lease-holder.ts'
import { systemClock } from '../../../infra/clock.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { openLease } from '../../../infra/google/lease.ts'
import { type Operation, placeOf, startFirestoreBill, sumOf } from './bill.ts'
import { mode, openProcess, reachedOver, type World } from './world.ts'

/** Timers of renewals and new listeners go so much faster; the deadlines of single calls are shorter than these, and stay as they are. */
const hurry = 20
const shortestMs = leaseTimes.renewalMs
const measuredSeconds = 30
/** Answers take as long as ever, so a hurried renewal comes a little later than it should. */
const tolerance = 0.2

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Operations within so many seconds of a process's life. */
export type Standing = { operations: Operation[]; standby: Operation[]; seconds: number }

export const stand = async (world: World): Promise<Standing> => {
  const after: Clock['after'] = (milliseconds, run) =>
    systemClock.after(milliseconds < shortestMs ? milliseconds : milliseconds / hurry, run)
  const rare: Clock['after'] = (milliseconds, run) => systemClock.after(milliseconds / hurry, run)
  const bill = await startFirestoreBill(world.store.emulators!.firestore)
  const beside = openConnection(reachedOver(world.store, bill))
  let composed: Awaited<ReturnType<typeof openProcess>>['composed'] | undefined
  let waiting: ReturnType<typeof holdLease> | undefined
  try {
    composed = (await openProcess(world, after)).composed
    waiting = holdLease({
      ...{ lease: openLease({ firestore: beside.firestore, mode }), holder: 'standby', log: silent, lost: () => undefined },
      clock: { ...systemClock, after: rare },
    })
    waiting.catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 2_000)) // until the start itself asks nothing more
    const [first, firstBeside] = [world.firestore.operations.length, bill.operations.length]
    await new Promise((resolve) => setTimeout(resolve, measuredSeconds * 1_000))
    const operations = world.firestore.operations.slice(first)
    const standby = bill.operations.slice(firstBeside)
    const seconds = measuredSeconds * hurry
    const renewals = sumOf(operations, (path) => placeOf(path) === 'lease').writes
    const expected = (seconds * 1_000) / leaseTimes.renewalMs
    if (Math.abs(renewals / expected - 1) > tolerance)
      throw new Error(`the lease was renewed ${renewals} times in ${seconds} s, not ${expected} times`)
    return { operations, standby, seconds }
  } finally {
    await composed?.stop()
    await (await waiting)?.release()
    await beside.close()
    await bill.close()
  }
}
