/** What a relay needs, in a test's hand: a bus that keeps order and fails when it is told to, and machine time that stands still until it is moved. */
import type { Bus } from '../../domain/ports/bus.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import type { Log } from '../../projections/follower.ts'

export const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

export type Kept = { topic: string; data: string; attributes: Readonly<Record<string, string>> }

/**
 * Keeps messages in the order of the calls and answers later, as Pub/Sub does with an ordering key: after one that failed it fails all
 * that were handed over before that was known. `fails` says of the number of a call, from 1, whether it fails, and how.
 */
export const createBus = (fails: (call: number) => 'at once' | 'later' | 'kept, but the answer is lost' | undefined = () => undefined) => {
  const kept: Kept[] = []
  let calls = 0
  let unanswered = 0
  let mostUnanswered = 0
  let closedKey = false
  const publish: Bus['publish'] = async (topic, { data, attributes }) => {
    const call = ++calls
    const failure = fails(call)
    if (failure === 'at once') throw new Error(`call ${call} is refused`)
    mostUnanswered = Math.max(mostUnanswered, ++unanswered)
    if (failure === 'later') closedKey = true
    const isKept = !closedKey
    if (isKept) kept.push({ topic, data, attributes })
    await new Promise((resolve) => setImmediate(resolve))
    unanswered -= 1
    closedKey = false
    if (!isKept || failure === 'kept, but the answer is lost') throw new Error(`call ${call} failed`)
    return `m${kept.length}`
  }
  return {
    bus: { publish },
    kept,
    positions: () => kept.map(({ attributes }) => attributes['position']!),
    mostUnanswered: () => mostUnanswered,
  }
}

type MachineTime = Pick<Clock, 'after' | 'monotonic'>

/** Machine time that only `advance` moves. Of what waits, the shortest waits are remembered too. */
export const createMachineTime = () => {
  const timers = new Set<{ due: number; run: () => void }>()
  const waits: number[] = []
  let now = 5_000
  const clock: MachineTime = {
    monotonic: () => now,
    after: (milliseconds, run) => {
      const timer = { due: now + milliseconds, run }
      timers.add(timer)
      waits.push(milliseconds)
      return () => void timers.delete(timer)
    },
  }
  const advance = (milliseconds: number): void => {
    now += milliseconds
    for (const timer of [...timers]) {
      if (timer.due > now || !timers.delete(timer)) continue
      timer.run()
    }
  }
  return { clock, advance, waits, waiting: () => timers.size }
}

/** Every wait is over at once, and machine time goes on by it: for tests in which times do not matter. */
export const hasty = (): MachineTime => {
  let now = 0
  return {
    monotonic: () => now,
    after: (milliseconds, run) => {
      const turn = setImmediate(() => {
        now += milliseconds
        run()
      })
      return () => clearImmediate(turn)
    },
  }
}
