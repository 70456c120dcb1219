/** Keeps the time of the nightly restart, and says when new orders begin to wait for it and when they go again. */
import type { Clock } from '../../domain/ports/clock.ts'
import { holdsOrders, isNear, nextRestart } from './nightly-restart.ts'

export const createRestartWatch = ({
  clock,
  restartAt,
  lineSince,
  changed,
}: {
  clock: Pick<Clock, 'now' | 'at'>
  /** HH:MM in New York; undefined where it is not known: then nothing is ever held. */
  restartAt: string | undefined
  /** Market time at which the line that stands was built. */
  lineSince: () => number | undefined
  changed: (held: string | undefined) => void
}) => {
  let held: string | undefined
  let callOff = () => {}

  const look = (): void => {
    if (restartAt === undefined) return
    callOff()
    const now = clock.now()
    const restart = nextRestart(restartAt, now)
    callOff = clock.at(isNear(restart, now) ? restart.until : restart.from, look)
    const since = lineSince()
    const before = held
    const holds = since !== undefined && holdsOrders(restart, now, since)
    held = holds ? `the gateway restarts at ${restartAt} New York time: new orders wait` : undefined
    if (held !== before) changed(held)
  }

  return {
    /** A line was built or went. */
    look,
    held: () => held,
    /** A restart is due, or has just been. */
    near: () => restartAt !== undefined && isNear(nextRestart(restartAt, clock.now()), clock.now()),
    stop: () => callOff(),
  }
}
