/**
 * A process of the world: it can be dropped between any two steps. What it had sent may still arrive, what comes back finds nobody,
 * its timers never fire, and what its code still does without knowing reaches nothing.
 */
import type { Clock } from '../../domain/ports/clock.ts'
import type { Chance } from './chance.ts'
import type { WorldClock } from './clock.ts'

/** Thrown into the code of a process that is no more. Whoever catches it can do nothing with it. */
export class Crashed extends Error {
  override name = 'Crashed'
}

export type Process = {
  readonly name: string
  alive(): boolean
  crash(): void
  /** For so long nothing in it runs: what it had sent arrives, what comes back and what falls due waits for it. */
  freeze(milliseconds: number): void
  frozen(): boolean
  /** Runs once when the process is gone, however it went. */
  onEnd(run: () => void): void
  /** A step of which the outside could see whether it was done. @throws Crashed when the process ends here */
  step(point: string): void
  /** A question or order over a line: it leaves, takes effect, and is answered; the process may end before and after each. */
  call<T>(point: string, effect: () => T | Promise<T>, latency: () => number): Promise<T>
  /** Its timers end with it. */
  readonly clock: Clock
  /** A callback from outside, which comes only while the process lives. */
  heard<A extends unknown[]>(run: (...given: A) => void): (...given: A) => void
}

export type ProcessOptions = {
  name: string
  clock: WorldClock
  chance: Chance
  /** Asked at every step: is it to end here? */
  endsAt: (point: string) => boolean
}

const never = <T>(): Promise<T> => new Promise(() => undefined)

export const createProcess = ({ name, clock, chance, endsAt }: ProcessOptions): Process => {
  const ends: (() => void)[] = []
  /** What fell due or came in while it was frozen, in that order. */
  const missed: (() => void)[] = []
  let alive = true
  let frozenUntil = 0

  const crash = (): void => {
    if (!alive) return
    alive = false
    for (const run of ends.splice(0)) run()
  }
  /** Whether the process is still there after this step. */
  const survives = (point: string): boolean => {
    if (alive && endsAt(point)) crash()
    return alive
  }
  const frozen = (): boolean => alive && clock.monotonic() < frozenUntil
  const heard =
    <A extends unknown[]>(run: (...given: A) => void) =>
    (...given: A): void => {
      if (!alive) return
      if (frozen()) {
        missed.push(() => heard(run)(...given))
        return
      }
      try {
        run(...given)
      } catch (error) {
        if (!(error instanceof Crashed)) throw error // it ended in there: nobody is left to be told
      }
    }
  /** One thing after the other, as an event loop does it. */
  const wake = (): void => {
    if (frozen()) return
    for (const run of missed.splice(0)) clock.after(0, run)
  }
  const timer = (set: (run: () => void) => () => void, run: () => void): (() => void) => {
    if (!alive) return () => undefined
    let calledOff = false
    const callOff = set(heard(() => calledOff || run()))
    return () => {
      calledOff = true
      callOff()
    }
  }

  return {
    name,
    alive: () => alive,
    crash,
    freeze: (milliseconds) => {
      frozenUntil = clock.monotonic() + milliseconds
      clock.after(milliseconds, wake)
    },
    frozen,
    onEnd: (run) => void ends.push(run),
    step: (point) => {
      if (!survives(point)) throw new Crashed(`${name} ended at ${point}`)
    },
    call: (point, effect, latency) => {
      if (!survives(`${point}, before`)) return never()
      const arrivesAnyhow = chance.happens(0.5)
      return new Promise((resolve, reject) => {
        const answer = (give: () => void): void => {
          if (!survives(`${point}, done`)) return
          clock.after(latency(), heard(give))
        }
        const arrive = async (): Promise<void> => {
          if (!alive && !arrivesAnyhow) return
          try {
            const value = await effect()
            answer(() => resolve(value))
          } catch (error) {
            answer(() => reject(error as Error))
          }
        }
        clock.after(latency(), () => void arrive())
      })
    },
    clock: {
      now: clock.now,
      monotonic: clock.monotonic,
      at: (time, run) => timer((due) => clock.at(time, due), run),
      after: (milliseconds, run) => timer((due) => clock.after(milliseconds, due), run),
    },
    heard,
  }
}
