/**
 * Regular sessions of the New York Stock Exchange from 1990 on: 09:30 to 16:00 New York time, shorter before some holidays.
 * Holidays follow the exchange's rules and so hold for the years ahead; a closure that is announced (a day of mourning, a storm)
 * has to be added to the table. Halts within a day and late openings are not schedule and are not here.
 */
import { addDays, newYorkDate, newYorkTime, weekday } from './new-york-time.ts'

export { addDays, newYorkDate, newYorkMidnightAfter, newYorkTime } from './new-york-time.ts'

/** `date` is New York's; `open` and `close` are epoch milliseconds; `early` when it closes before 16:00. */
export type Session = { date: string; open: number; close: number; early: boolean }

const firstYear = 1990

/** Asking for an earlier date throws. */
export const firstCalendarDate = `${firstYear}-01-01`

// ── Holidays ──

const [sunday, monday, thursday, friday, saturday] = [0, 1, 4, 5, 6]

const day = (year: number, month: number, dayOfMonth: number): string =>
  `${year}-${String(month).padStart(2, '0')}-${String(dayOfMonth).padStart(2, '0')}`

/** The n-th given weekday of a month. */
const nth = (year: number, month: number, n: number, wanted: number): string => {
  const first = day(year, month, 1)
  return addDays(first, ((wanted - weekday(first) + 7) % 7) + (n - 1) * 7)
}

/** A Sunday is kept on Monday, a Saturday on the Friday before. */
const nearestWeekday = (date: string): string =>
  weekday(date) === sunday ? addDays(date, 1) : weekday(date) === saturday ? addDays(date, -1) : date

/** Easter Sunday of the Gregorian calendar (the anonymous computus: golden number, century, epact, Sunday letter). */
const easter = (year: number): string => {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const ofCentury = year % 100
  const lunarShift = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * golden + century - Math.floor(century / 4) - lunarShift + 15) % 30
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(ofCentury / 4) - epact - (ofCentury % 4)) % 7
  const lateMoon = Math.floor((golden + 11 * epact + 22 * toSunday) / 451)
  const marchDay = epact + toSunday - 7 * lateMoon + 22
  return addDays(day(year, 3, 1), marchDay - 1)
}

const holidays = (year: number): string[] => [
  // New Year on a Saturday is not made up for: the Friday before closes the old year's books.
  weekday(day(year, 1, 1)) === sunday ? day(year, 1, 2) : day(year, 1, 1),
  ...(year >= 1998 ? [nth(year, 1, 3, monday)] : []), // Martin Luther King Jr.
  nth(year, 2, 3, monday), // Washington's Birthday
  addDays(easter(year), -2), // Good Friday
  addDays(nth(year, 6, 1, monday), -7), // Memorial Day, the last Monday of May
  ...(year >= 2022 ? [nearestWeekday(day(year, 6, 19))] : []), // Juneteenth
  nearestWeekday(day(year, 7, 4)), // Independence Day
  nth(year, 9, 1, monday), // Labor Day
  nth(year, 11, 4, thursday), // Thanksgiving
  nearestWeekday(day(year, 12, 25)), // Christmas
]

const announcedClosures = [
  '1994-04-27', // funeral of Richard Nixon
  ...['2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14'], // attacks on New York
  '2004-06-11', // mourning for Ronald Reagan
  '2007-01-02', // mourning for Gerald Ford
  ...['2012-10-29', '2012-10-30'], // hurricane Sandy
  '2018-12-05', // mourning for George H. W. Bush
  '2025-01-09', // mourning for Jimmy Carter
]

// ── Early closes ──

const announcedEarlyCloses = ['1997-12-26', '2003-12-26']

/** Around Independence Day: the 3rd when it is a working day; until 2012 a Thursday holiday had its short day on the Friday after. */
const independenceEve = (year: number): string[] => {
  if (year < 1995) return []
  return weekday(day(year, 7, 4)) === thursday && year < 2013 ? [day(year, 7, 5)] : [day(year, 7, 3)]
}

const earlyCloses = (year: number): string[] => [
  ...(year >= 1992 ? [addDays(nth(year, 11, 4, thursday), 1)] : []),
  ...independenceEve(year),
  day(year, 12, 24),
  ...announcedEarlyCloses,
]

/** Short days ended at 14:00 through 1992. */
const earlyCloseTime = (year: number): string => (year < 1993 ? '14:00' : '13:00')

// ── Sessions ──

type Year = { sessions: readonly Session[]; byDate: ReadonlyMap<string, Session> }

const computeYear = (year: number): Year => {
  const closed = new Set([...holidays(year), ...announcedClosures])
  const early = new Set(earlyCloses(year))
  const sessions: Session[] = []
  for (let date = day(year, 1, 1); date.startsWith(`${year}-`); date = addDays(date, 1)) {
    const isWeekday = weekday(date) >= monday && weekday(date) <= friday
    if (!isWeekday || closed.has(date)) continue
    const close = newYorkTime(date, early.has(date) ? earlyCloseTime(year) : '16:00')
    sessions.push({ date, open: newYorkTime(date, '09:30'), close, early: early.has(date) })
  }
  return { sessions, byDate: new Map(sessions.map((session) => [session.date, session])) }
}

const years = new Map<number, Year>()

const yearOf = (year: number): Year => {
  if (!(year >= firstYear && year <= 9998)) throw new RangeError(`the trading calendar begins in ${firstYear}, asked for ${year}`)
  const known = years.get(year)
  if (known) return known
  const computed = computeYear(year)
  years.set(year, computed)
  return computed
}

const yearNumber = (date: string): number => Number(addDays(date, 0).slice(0, 4)) // addDays refuses what is not a date

/** The session of that date, or undefined on weekends, holidays and closures. */
export const sessionOn = (date: string): Session | undefined => yearOf(yearNumber(date)).byDate.get(date)

/** The first session strictly after the date. */
export const nextSession = (date: string): Session => stepToSession(date, 1)

/** The last session strictly before the date. */
export const previousSession = (date: string): Session => stepToSession(date, -1)

const stepToSession = (date: string, direction: 1 | -1): Session => {
  const next = addDays(date, direction)
  return sessionOn(next) ?? stepToSession(next, direction)
}

/** The newest session whose close is not after `now`. */
export const latestClosedSession = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session && session.close <= now ? session : previousSession(today)
}

/** All sessions from one date to another, both included, oldest first. */
export const sessions = (from: string, to: string): Session[] => {
  const [first, last] = [yearNumber(from), yearNumber(to)]
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => yearOf(first + index).sessions)
    .flat()
    .filter(({ date }) => date >= from && date <= to)
}

/** Whether regular trading is on: from the opening instant, until just before the closing one. */
export const isOpen = (now: number): boolean => {
  const session = sessionOn(newYorkDate(now))
  return session !== undefined && session.open <= now && now < session.close
}
