/** The months of a future: when they expire and what they are called. Pure. */
import { addDays, newYorkDate, previousSession, sessionOn } from '../../domain/calendar.ts'

export const expiries = ['third friday', 'month end'] as const
export type Expiry = (typeof expiries)[number]

/** In which months of the year there is one (1 is January), and on which day of the month it expires. */
export type Cycle = { months: readonly number[]; expiry: Expiry }

/** Letters by which exchanges call the months, January first. */
const letters = 'FGHJKMNQUVXZ'

/** The following month that the cycle has; both `YYYYMM`. */
export const monthAfter = (month: string, { months }: Cycle): string => {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(4))]
  const next = Math.min(...months.filter((candidate) => candidate > number))
  const [nextYear, nextMonth] = Number.isFinite(next) ? [year, next] : [year + 1, Math.min(...months)]
  return `${nextYear}${String(nextMonth).padStart(2, '0')}`
}

/** By the rule alone, whether or not there is a session on that day. */
export const expiryDay = (month: string, { expiry }: Cycle): string => {
  const first = `${month.slice(0, 4)}-${month.slice(4)}-01`
  if (expiry === 'month end') return addDays(`${addDays(first, 31).slice(0, 8)}01`, -1)
  const weekday = new Date(`${first}T00:00:00Z`).getUTCDay()
  return addDays(first, ((5 - weekday + 7) % 7) + 14)
}

/** The last session until the day of expiry, `YYYY-MM-DD`. */
export const lastTradeDateOf = (month: string, cycle: Cycle): string => {
  const day = expiryDay(month, cycle)
  return (sessionOn(day) ?? previousSession(day)).date
}

/** `ESU9` of `ES` and `201909`: the same again ten years later. */
export const localSymbolOf = (symbol: string, month: string): string =>
  `${symbol}${letters[Number(month.slice(4)) - 1]}${month.slice(3, 4)}`

/** Whether it still trades: until the close of its last day. */
const isAlive = (month: string, cycle: Cycle, now: number): boolean => {
  const today = newYorkDate(now)
  const day = expiryDay(month, cycle)
  if (day > addDays(today, 7) || day < addDays(today, -7)) return day > today
  return now < sessionOn(lastTradeDateOf(month, cycle))!.close
}

const monthBefore = (date: string, years: number): string => `${Number(date.slice(0, 4)) - years}${date.slice(5, 7)}`

/** The next so many months that trade at `now`, and those that expired in the two years before. */
export const monthsAround = (cycle: Cycle, count: number, now: number): { expired: string[]; alive: string[] } => {
  const expired: string[] = []
  const alive: string[] = []
  for (let month = monthAfter(monthBefore(newYorkDate(now), 2), cycle); alive.length < count; month = monthAfter(month, cycle)) {
    if (isAlive(month, cycle, now)) alive.push(month)
    else expired.push(month)
  }
  return { expired, alive }
}
