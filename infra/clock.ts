/**
 * The two clocks of a running process: the real ones, and one whose market time stands still until it is moved.
 * Machine time is real in both.
 */
import type { Clock } from '../domain/ports/clock.ts'

/** Node's timers take no more than this many milliseconds. */
const longestTimer = 2 ** 31 - 1

/** The two may drift apart by so much before it counts as a leap: far less than the margin of the lease, far more than a clock's jitter. */
const leapMs = 500

/**
 * Machine time that also counts while the machine was suspended (a lid closed, a virtual machine paused). The process's own clock stands
 * still then, and an engine would believe in a lease long gone; so where the wall clock leaps ahead of it, the leap is added. A wall clock
 * that was merely set forward looks the same: the lease is uncertain until its next renewal, which is the safe side. One that was set back
 * counts for nothing: machine time never goes back and never stands still.
 * @param steady milliseconds of a clock that cannot be set
 * @param wall epoch milliseconds
 */
export const machineTime = (steady: () => number = () => performance.now(), wall: () => number = Date.now): (() => number) => {
  let added = 0
  let apart = wall() - steady()
  return () => {
    const now = steady()
    const leap = wall() - now - apart
    if (Math.abs(leap) > leapMs) {
      apart += leap
      added += Math.max(leap, 0)
    }
    return now + added
  }
}

const monotonic = machineTime()

const after = (milliseconds: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, milliseconds)
  return () => clearTimeout(timer)
}

/** Looks at the wall clock again before it runs: a machine that slept, or whose time was set, still keeps the appointment. */
const atWallTime = (time: number, run: () => void): (() => void) => {
  let timer: NodeJS.Timeout
  const arm = () => {
    timer = setTimeout(() => (Date.now() < time ? arm() : run()), Math.min(Math.max(time - Date.now(), 0), longestTimer))
  }
  arm()
  return () => clearTimeout(timer)
}

export const systemClock: Clock = { now: () => Date.now(), at: atWallTime, monotonic, after }

export type SimulatedClock = Clock & {
  /**
   * Moves market time on and fires what falls due on the way, by time, then by registration, one at a time:
   * `settled` (by default one turn of the event loop) is awaited after each. A time that is past moves nothing back.
   * Moves that overlap follow one another. Rejects with the error of a timer that threw.
   */
  moveTo(time: number, settled?: () => Promise<void>): Promise<void>
  /**
   * Moves market time on without firing anything. From the first call on timers fire inside `moveTo` alone, those that are due at once too:
   * for a driver that lets the rest of the world come to the same time first.
   */
  setNow(time: number): void
  /** The time of the timer that would fire next, if there is one. It may be due already. */
  nextTimerAt(): number | undefined
}

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** @param start market time in epoch milliseconds */
export const simulatedClock = (start: number): SimulatedClock => {
  type Timer = { time: number; run: () => void }
  const timers = new Set<Timer>() // in the order of registration
  let now = start
  let lastMove: Promise<void> = Promise.resolve()
  let moving = 0
  let driven = false

  const first = (): Timer | undefined => {
    let found: Timer | undefined
    for (const timer of timers) if (found === undefined || timer.time < found.time) found = timer
    return found
  }
  const fireUpTo = async (time: number, settled: () => Promise<void>): Promise<void> => {
    for (let timer = first(); timer !== undefined && timer.time <= Math.max(time, now); timer = first()) {
      timers.delete(timer)
      now = Math.max(now, timer.time)
      timer.run()
      await settled()
    }
    now = Math.max(now, time)
  }
  const moveTo = (time: number, settled: () => Promise<void> = oneTurn): Promise<void> => {
    moving += 1
    const move = lastMove
      .then(() => fireUpTo(time, settled))
      .finally(() => {
        moving -= 1
      })
    lastMove = move.catch(() => undefined)
    return move
  }
  return {
    now: () => now,
    at: (time, run) => {
      const timer = { time, run }
      timers.add(timer)
      // What is due at once must not wait for somebody to move the clock; a move under way takes it along.
      if (time <= now && moving === 0 && !driven) setImmediate(() => timers.has(timer) && void moveTo(now))
      return () => timers.delete(timer)
    },
    monotonic,
    after,
    moveTo,
    setNow: (time) => {
      driven = true
      now = Math.max(now, time)
    },
    nextTimerAt: () => first()?.time,
  }
}
