/**
 * The gateway restarts every night at a time that is set in it. What is sent in its last seconds may never reach IB, and nobody says so: new orders
 * wait from two minutes before until a new line stands; where the restart does not come, until five minutes after.
 */
import { addDays, newYorkDate, newYorkTime } from '../../domain/new-york-time.ts'

export const holdBefore = 2 * 60_000
/** A restart takes a minute or two: a gateway that is not there within this time after it has another reason. */
export const restartTakes = 5 * 60_000

/** The restart that is near: epoch milliseconds of market time. */
export type Restart = { from: number; at: number; until: number }

const around = (at: number): Restart => ({ from: at - holdBefore, at, until: at + restartTakes })

/** @param time HH:MM in New York @returns the restart whose window we are in, else the next one */
export const nextRestart = (time: string, now: number): Restart => {
  const today = newYorkDate(now)
  return [-1, 0, 1].map((days) => around(newYorkTime(addDays(today, days), time))).find(({ until }) => now < until)!
}

export const isNear = ({ from, until }: Restart, now: number): boolean => now >= from && now < until

/** Whether a line that was built at `since` (market time) may take new orders now. */
export const holdsOrders = (restart: Restart, now: number, since: number): boolean => isNear(restart, now) && since < restart.at
