/** When bars begin and end: at multiples of their length on the clock, the first of a session with the session, the last with its close. */
import { latestClosedSession, newYorkDate, previousSession, type Session, sessionOn } from './calendar.ts'
import { isoTime } from './ports/clock.ts'

/** IB's words for the sizes whose borders are known for certain, in minutes. Of longer ones below a day they depend on the exchange. */
export const barMinutes = {
  ...{ '1 min': 1, '2 mins': 2, '3 mins': 3, '5 mins': 5, '10 mins': 10, '15 mins': 15, '20 mins': 20, '30 mins': 30 },
  '1 hour': 60,
} as const
export type IntradaySize = keyof typeof barMinutes
export type AnyBarSize = IntradaySize | '1 day'

export const barMilliseconds = (size: IntradaySize): number => barMinutes[size] * 60_000

/** The next border after an instant. New York is whole hours away from UTC, so its borders are those of UTC. */
export const borderAfter = (instant: number, size: IntradaySize): number =>
  (Math.floor(instant / barMilliseconds(size)) + 1) * barMilliseconds(size)

/** Of an hour, 09:30 is the start of the first bar and 10:00 of the second. `wholeDay`: bars that do not begin anew with the session. */
export const startsIn = ({ open, close }: Session, size: IntradaySize, wholeDay = false): number[] => {
  const starts: number[] = []
  const first = wholeDay ? borderAfter(open, size) - barMilliseconds(size) : open
  for (let start = first; start < close; start = borderAfter(start, size)) starts.push(start)
  return starts
}

/** The end of a bar of regular hours in epoch milliseconds; undefined when it lies in no session. */
export const regularEnd = (start: string, size: AnyBarSize): number | undefined => {
  if (size === '1 day') return sessionOn(start)?.close
  const instant = Date.parse(start)
  const session = sessionOn(newYorkDate(instant))
  if (session === undefined || instant < session.open || instant >= session.close) return undefined
  return Math.min(borderAfter(instant, size), session.close)
}

/** The start of the latest bar of regular hours that has closed by `now`, as a bar carries it. */
export const latestClosedStart = (size: AnyBarSize, now: number): string => {
  if (size === '1 day') return latestClosedSession(now).date
  const today = sessionOn(newYorkDate(now))
  const closed = today && startsIn(today, size).findLast((start) => Math.min(borderAfter(start, size), today.close) <= now)
  return isoTime(closed ?? startsIn(previousSession(newYorkDate(now)), size).at(-1)!)
}
