/** What moves the simulated time: a driver that says how far (`step`), or the wall clock times a speed (`real`). */
import type { Broker } from './broker.ts'

export type Clock = {
  mode: () => { mode: 'step' } | { mode: 'real'; speed: number }
  /** Everything due until then is run. In real mode time goes on from there. */
  moveTo: (to: number) => void
  step: () => void
  real: (speed: number) => void
  /** In real mode, runs what has become due by now. */
  catchUp: () => void
  stop: () => void
}

/** Node's timers hold no longer than this. */
const longestTimer = 2_147_483_647

export const createClock = (broker: Broker): Clock => {
  let running: { speed: number; simulated: number; wall: number } | undefined
  let timer: NodeJS.Timeout | undefined

  const catchUp = (): void => {
    if (running) broker.advanceTo(Math.floor(running.simulated + (Date.now() - running.wall) * running.speed))
  }
  const stop = (): void => {
    clearTimeout(timer)
    running = undefined
  }
  const waitForNext = (): void => {
    if (!running) return
    clearTimeout(timer)
    const wait = Math.max(1, Math.ceil((broker.nextEventAt() - broker.now()) / running.speed))
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
    mode: () => (running ? { mode: 'real', speed: running.speed } : { mode: 'step' }),
    moveTo: (to) => {
      broker.advanceTo(to)
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
    stop,
  }
}
