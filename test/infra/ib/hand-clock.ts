/** Both clocks in the test's hand: they move together, only when told to, and fire what falls due on the way. */
import type { Clock } from '../../../domain/ports/clock.ts'

export const handClock = (start = 0) => {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()
  const at = (time: number, run: () => void) => {
    const timer = { at: time, run }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  const clock: Clock = { now: () => now, monotonic: () => now, at, after: (milliseconds, run) => at(now + milliseconds, run) }
  return {
    ...clock,
    pass: (milliseconds: number) => {
      const end = now + milliseconds
      for (;;) {
        const next = [...timers].sort((left, right) => left.at - right.at)[0]
        if (next === undefined || next.at > end) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
    timers,
  }
}
