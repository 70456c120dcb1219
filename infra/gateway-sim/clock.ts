/**
 * What moves the simulated time: a driver that says how far (`step`), or the wall clock times a speed (`real`). Beside the broker's own
 * events it keeps an agenda: time stops at each entry, which is carried out after all that the broker has to do at that moment.
 */
import type { Broker } from './broker.ts'

export type Clock = {
  now: () => number
  mode: () => { mode: 'step' } | { mode: 'real'; speed: number }
  /** Of the broker and of the agenda, the earlier. */
  nextEventAt: () => number
  /** Carries it out at that simulated time, or with the next movement when it has passed. Returns the way to call it off. */
  at: (time: number, action: () => void) => () => void
  /** Everything due until then is run. In real mode time goes on from there. */
  moveTo: (to: number) => void
  step: () => void
  real: (speed: number) => void
  /** In real mode, runs what has become due by now. */
  catchUp: () => void
  /** Carries out what the agenda has for this very moment. */
  settle: () => void
  stop: () => void
}

/** Node's timers hold no longer than this. */
const longestTimer = 2_147_483_647

type Entry = { time: number; action: () => void }

export const createClock = (broker: Broker): Clock => {
  let running: { speed: number; simulated: number; wall: number } | undefined
  let timer: NodeJS.Timeout | undefined
  /** In the order of time, and of their coming. */
  const agenda: Entry[] = []

  const at: Clock['at'] = (time, action) => {
    const entry = { time, action }
    const place = agenda.findIndex((other) => other.time > time)
    agenda.splice(place < 0 ? agenda.length : place, 0, entry)
    waitForNext()
    return () => {
      const place = agenda.indexOf(entry)
      if (place >= 0) agenda.splice(place, 1)
    }
  }

  const advanceTo = (to: number): void => {
    for (;;) {
      broker.advanceTo(to, () => agenda[0]?.time ?? Number.POSITIVE_INFINITY)
      if (!agenda[0] || agenda[0].time > to) return
      agenda.shift()!.action()
    }
  }

  const nextEventAt = (): number => Math.min(broker.nextEventAt(), Math.max(broker.now(), agenda[0]?.time ?? Number.POSITIVE_INFINITY))

  const catchUp = (): void => {
    if (running) advanceTo(Math.floor(running.simulated + (Date.now() - running.wall) * running.speed))
  }
  const stop = (): void => {
    clearTimeout(timer)
    running = undefined
  }
  const waitForNext = (): void => {
    if (!running) return
    clearTimeout(timer)
    const wait = Math.max(1, Math.ceil((nextEventAt() - broker.now()) / running.speed))
    timer = setTimeout(
      () => {
        catchUp()
        waitForNext()
      },
      Math.min(wait, longestTimer),
    )
  }
  const runFrom = (speed: number): void => {
    running = { speed, simulated: broker.now(), wall: Date.now() }
    waitForNext()
  }

  return {
    now: broker.now,
    mode: () => (running ? { mode: 'real', speed: running.speed } : { mode: 'step' }),
    nextEventAt,
    at,
    moveTo: (to) => {
      advanceTo(to)
      if (running) runFrom(running.speed)
    },
    step: () => {
      catchUp()
      stop()
    },
    real: (speed) => {
      catchUp()
      runFrom(speed)
    },
    catchUp: () => {
      catchUp()
      waitForNext()
    },
    settle: () => advanceTo(broker.now()),
    stop,
  }
}
