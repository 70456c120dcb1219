/**
 * How far back a request for bars reaches. D counts sessions, W, M and Y go by the calendar, S counts seconds of trading.
 * IB's own answer to a long duration may begin a day earlier or later; its documentation does not say.
 */
import * as t from 'io-ts'
import { type AnyBarSize, barMilliseconds } from './bar-times.ts'
import { addDays, newYorkDate, newYorkTime, previousSession, type Session, sessionOn } from './calendar.ts'
import { isoTime } from './ports/clock.ts'

export type Duration = { count: number; unit: 'S' | 'D' | 'W' | 'M' | 'Y' }

/** IB's bounds for seconds and days; the others so that no request begins before the trading calendar. */
const most: Readonly<Record<Duration['unit'], number>> = { S: 86_400, D: 365, W: 1_500, M: 360, Y: 30 }

/** @returns undefined when it is not a number and a unit in IB's words, or more than can be asked for */
export const readDuration = (text: string): Duration | undefined => {
  const parts = /^([1-9]\d{0,4}) ([SDWMY])$/.exec(text)
  if (parts === null) return undefined
  const [count, unit] = [Number(parts[1]), parts[2] as Duration['unit']]
  return count <= most[unit] ? { count, unit } : undefined
}

export const DurationText = t.refinement(
  t.string,
  (text) => readDuration(text) !== undefined,
  `a duration such as "5 D" or "2 Y", at most ${Object.entries(most)
    .map(([unit, count]) => `${count} ${unit}`)
    .join(', ')}`,
)

/** The same day of an earlier month, or its last day when it is shorter. */
const monthsBefore = (date: string, months: number): string => {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  const first = new Date(Date.UTC(year, month - 1 - months, 1))
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  first.setUTCDate(Math.min(day, lastDay))
  return first.toISOString().slice(0, 10)
}

const begunSession = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session !== undefined && session.open <= now ? session : previousSession(today)
}

const sessionsBefore = (session: Session, count: number): Session => {
  let found = session
  for (let step = 0; step < count; step++) found = previousSession(found.date)
  return found
}

/** The first New York date that a duration reaches, counted back from `now`. */
export const durationStart = ({ count, unit }: Duration, now: number): string => {
  const today = newYorkDate(now)
  if (unit === 'D') return sessionsBefore(begunSession(now), count - 1).date
  if (unit === 'W') return addDays(today, 1 - 7 * count)
  if (unit === 'M' || unit === 'Y') return addDays(monthsBefore(today, unit === 'M' ? count : 12 * count), 1)
  let session = begunSession(now)
  for (let missing = count * 1000 - (Math.min(now, session.close) - session.open); missing > 0; missing -= session.close - session.open)
    session = previousSession(session.date)
  return session.date
}

/** The start that bars carry at the begin of a New York date. */
export const startOn = (date: string, size: AnyBarSize): string => (size === '1 day' ? date : isoTime(newYorkTime(date, '00:00')))

/** Of closed bars, oldest first, those that a request with this duration at `now` would have brought. */
export const withinDuration = <B extends { start: string }>(bars: readonly B[], duration: Duration, size: AnyBarSize, now: number): B[] => {
  const first = startOn(durationStart(duration, now), size)
  const inside = bars.filter(({ start }) => start >= first)
  if (duration.unit !== 'S' || size === '1 day') return inside
  const session = sessionOn(newYorkDate(now))
  const running = session !== undefined && session.open < now && now < session.close ? 1 : 0
  const wanted = Math.max(1, Math.ceil((duration.count * 1000) / barMilliseconds(size))) - running
  return wanted === 0 ? [] : inside.slice(-wanted)
}

// ── Large requests ──

/** The longest duration for a size in IB's table of step sizes ("Historical Data Limitations"). */
const longest: Readonly<Record<AnyBarSize, string>> = {
  ...{ '1 min': '1 D', '2 mins': '2 D', '3 mins': '1 W', '5 mins': '1 W', '10 mins': '1 W', '15 mins': '1 W', '20 mins': '1 W' },
  ...{ '30 mins': '1 M', '1 hour': '1 M', '1 day': '1 Y' },
}

/** More would take IB's pacing (60 in ten minutes) longer than a person waits. */
export const mostRequests = 240

/**
 * `whole`: one request, in the words it was asked in. `pieces`: several of `duration`, each ending where the one after it begins, until
 * `from` is reached; `count` of them.
 */
export type RequestPlan =
  | { kind: 'whole'; duration: string; from: string }
  | { kind: 'pieces'; duration: string; from: string; count: number }

/** The last instant of a New York date. */
export const endOfDate = (date: string): number => newYorkTime(addDays(date, 1), '00:00') - 1000

/** The first date of a piece that ends at an instant. */
export const pieceStart = (duration: string, end: number): string => durationStart(readDuration(duration)!, end)

/** @param divisible adjusted prices are only given until now, in one request */
export const planRequests = (duration: Duration, size: AnyBarSize, divisible: boolean, now: number): RequestPlan => {
  const words = `${duration.count} ${duration.unit}`
  const from = durationStart(duration, now)
  const piece = longest[size]
  if (!divisible || duration.unit === 'S' || from >= pieceStart(piece, now)) return { kind: 'whole', duration: words, from }
  let [count, covered] = [1, pieceStart(piece, now)]
  while (covered > from && count <= mostRequests) {
    covered = pieceStart(piece, endOfDate(addDays(covered, -1)))
    count += 1
  }
  return { kind: 'pieces', duration: piece, from, count }
}
