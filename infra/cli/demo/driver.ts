/**
 * Moves market time, for the gateway and for the process together, so that every run takes the same course: time stands still until
 * nothing is under way, and until a question sent after the last effect has come back without anything new.
 * At one time the market comes first; the process's own timers fire when all it reported is in the journal.
 */
import type { SimulatedClock } from '../../clock.ts'
import type { Process } from '../../compose.ts'
import type { Gateway } from './gateway.ts'

export type Driver = {
  /** Until the line stands and the first questions are answered. Market time does not move. */
  connected(): Promise<void>
  /** Until nothing is under way and no answer is outstanding. */
  settled(): Promise<void>
  /** Lives through all that falls due until then, and stops at that time. */
  runTo(time: number): Promise<void>
}

/** Machine time after which a process that does not come to rest is stuck. */
const longestMs = 120_000

const eventually = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + longestMs
  for (let turn = 0; !(await holds()); turn++) {
    if (performance.now() > deadline) throw new Error(`${what} for ${longestMs / 1000} s`)
    await new Promise<void>((resolve) => (turn < 8 ? setImmediate(resolve) : setTimeout(resolve, 1)))
  }
}

export const createDriver = ({
  clock,
  gateway,
  composed,
}: {
  clock: SimulatedClock
  gateway: Pick<Gateway, 'moveTo'>
  composed: Pick<Process, 'broker' | 'bus' | 'engine' | 'idle' | 'stopped'>
}): Driver => {
  const { broker, bus, engine } = composed
  let ended: Error | undefined
  void composed.stopped.then((reason) => {
    ended = reason
  })
  const checkAlive = (): void => {
    if (ended !== undefined) throw new Error(`the engine stopped: ${ended.message}`)
  }

  const settled = async (): Promise<void> => {
    for (;;) {
      await eventually('the process did not come to rest', () => {
        checkAlive()
        return composed.idle()
      })
      const { position } = engine.ledger
      await broker.currentTime()
      if ((await composed.idle()) && engine.ledger.position === position) return
    }
  }

  const step = async (time: number): Promise<void> => {
    clock.setNow(time)
    await gateway.moveTo(time)
    await settled()
    await clock.moveTo(time, settled)
  }

  /** The gateway is asked each time: what was ordered since changes when it trades next. */
  const nextTime = async (): Promise<number> => {
    const times = [await gateway.moveTo(clock.now()), clock.nextTimerAt(), await bus.nextDueAt()]
    return Math.max(clock.now(), Math.min(...times.filter((time) => time !== undefined)))
  }

  return {
    connected: async () => {
      clock.setNow(clock.now())
      await eventually('the engine was not ready', () => {
        checkAlive()
        return engine.ready()
      })
      await settled()
    },
    settled,
    runTo: async (time) => {
      for (let next = await nextTime(); next <= time; next = await nextTime()) await step(next)
      await step(time)
    },
  }
}
