/** What a request for historical bars means: which size, which days, which prices; or why IB would refuse it. */
import { addDays, firstCalendarDate, newYorkDate, newYorkTime, sessionOn } from '../../domain/calendar.ts'
import { begunSession } from './market.ts'
import { instantOf } from './time-text.ts'

/** As it came. `regularHours` is true when it is left out. */
export type HistoryRequest = {
  endDateTime: string
  barSize: string
  duration: string
  whatToShow: string
  formatDate: string
  regularHours?: boolean
}

/** Seconds of an intraday bar, or a longer period. */
export type BarSize = number | 'day' | 'week' | 'month'
export type WhatToShow = 'TRADES' | 'ADJUSTED_LAST' | 'MIDPOINT' | 'BID' | 'ASK' | 'BID_ASK'
export type HistoryQuery = { size: BarSize; what: WhatToShow; end: number; duration: Duration }

/** `unit` S counts seconds of trading, D sessions; W, M and Y go by the calendar. */
export type Duration = { count: number; unit: 'S' | 'D' | 'W' | 'M' | 'Y' }
/** 321, unless it says otherwise. */
export type HistoryRefusal = { refused: string; code?: number }

const sizes: Readonly<Record<string, BarSize>> = {
  ...{ '1 sec': 1, '5 secs': 5, '10 secs': 10, '15 secs': 15, '30 secs': 30 },
  ...{ '1 min': 60, '2 mins': 120, '3 mins': 180, '5 mins': 300, '10 mins': 600, '15 mins': 900, '20 mins': 1200, '30 mins': 1800 },
  ...{ '1 hour': 3600, '2 hours': 7200, '3 hours': 10_800, '4 hours': 14_400, '8 hours': 28_800 },
  ...{ '1 day': 'day', '1 week': 'week', '1 month': 'month' },
}
/** Other ways in which clients write them. */
const aliases: Readonly<Record<string, string>> = {
  ...{ '1 secs': '1 sec', '1 mins': '1 min', '1 hours': '1 hour', '1D': '1 day', '1 D': '1 day' },
  ...{ '1W': '1 week', '1 W': '1 week', '1M': '1 month', '1 M': '1 month' },
}
const kinds: readonly string[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST']
/** These change while bars are kept up to date. */
export const keptUpToDate: readonly string[] = ['TRADES', 'MIDPOINT', 'BID', 'ASK']

export const readHistoryRequest = (request: HistoryRequest, now: number): HistoryQuery | HistoryRefusal => {
  const size = sizes[aliases[request.barSize] ?? request.barSize]
  if (size === undefined) return { refused: `bar size "${request.barSize}" is not one of ${Object.keys(sizes).join(', ')}` }
  if (!kinds.includes(request.whatToShow)) return { refused: `whatToShow "${request.whatToShow}" is not one of ${kinds.join(', ')}` }
  const end = endOf(request.endDateTime, now)
  if (end === undefined) return { refused: `end date/time "${request.endDateTime}" is not yyyymmdd[ hh:mm:ss [zone]] or yyyymmdd-hh:mm:ss` }
  if (request.whatToShow === 'ADJUSTED_LAST' && request.endDateTime !== '')
    return { refused: 'End Date/Time not supported with adjusted last' }
  const duration = readDuration(request.duration)
  if ('refused' in duration) return duration
  if (!isModest(size, duration)) return { refused: 'Historical Market Data Service error message:Time length exceed max.', code: 162 }
  return { size, what: request.whatToShow as WhatToShow, end, duration }
}

const readDuration = (text: string): Duration | HistoryRefusal => {
  const parts = /^([1-9]\d{0,5}) ([SDWMY])$/.exec(text)
  if (!parts) return { refused: `duration "${text}" is not a number and S, D, W, M or Y` }
  const [count, unit] = [Number(parts[1]), parts[2] as Duration['unit']]
  const longer = (limit: string, other: string): HistoryRefusal => ({
    refused: `Historical data requests for durations longer than ${limit} must be made in ${other}.`,
  })
  if (unit === 'S' && count > 86_400) return longer('86400 seconds', 'days')
  if (unit === 'D' && count > 365) return longer('365 days', 'years')
  return { count, unit }
}

const secondsOfSession = 23_400
/** Sessions that a unit has at most. */
const sessionsOf = { D: 1, W: 5, M: 23, Y: 253 }
const mostBars = { belowAMinute: 2000, others: 130_000 }

const isModest = (size: BarSize, { count, unit }: Duration): boolean => {
  if (typeof size !== 'number') return true
  const seconds = unit === 'S' ? count : count * sessionsOf[unit] * secondsOfSession
  return seconds / size <= (size < 60 ? mostBars.belowAMinute : mostBars.others)
}

/** Empty is now. A date alone is its midnight; a time without zone is New York's; the form with a hyphen is UTC. */
const endOf = (text: string, now: number): number | undefined => {
  if (text === '') return now
  const parts = /^(\d{4})(\d\d)(\d\d)(?:([ -])([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?: (US\/Eastern|America\/New_York|EST|UTC|GMT))?)?$/.exec(
    text,
  )
  if (!parts) return undefined
  const [, year, month, day, separator, hours = '00', minutes = '00', seconds = '00', zone] = parts
  const date = `${year}-${month}-${day}`
  if (instantOf(date) === undefined) return undefined
  const isUtc = separator === '-' || zone === 'UTC' || zone === 'GMT'
  if (isUtc) return Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`)
  return newYorkTime(date, `${hours}:${minutes}`) + Number(seconds) * 1000
}

/** The dates with bars that it asks for; the session that has begun at `until` is the last. Of weeks and months the first is whole. */
export const datesOf = (known: readonly string[], { duration: { count, unit }, size }: HistoryQuery, until: number): readonly string[] => {
  if (newYorkDate(until) <= firstCalendarDate) return []
  const last = begunSession(until).date
  const before = known.filter((date) => date <= last)
  if (unit === 'S') return sessionsWithin(before, count, until)
  const today = newYorkDate(until)
  const from =
    unit === 'D'
      ? (before.at(-count) ?? before[0] ?? last)
      : unit === 'W'
        ? addDays(today, 1 - 7 * count)
        : addDays(monthsBefore(today, unit === 'M' ? count : 12 * count), 1)
  const first = typeof size === 'number' ? from : periodBegin(from, size)
  return before.filter((date) => date >= first)
}

/** As many sessions, from the last one back, as it takes for so many seconds of trading. */
const sessionsWithin = (before: readonly string[], seconds: number, until: number): string[] => {
  const dates: string[] = []
  let missing = seconds * 1000
  for (const date of before.toReversed()) {
    const session = sessionOn(date)
    if (missing <= 0) break
    if (!session) continue
    dates.unshift(date)
    missing -= Math.min(until, session.close) - session.open
  }
  return dates
}

/** The first day of the week (a Monday) or of the month that a date lies in; a day is its own. */
export const periodBegin = (date: string, size: 'day' | 'week' | 'month'): string => {
  if (size === 'month') return `${date.slice(0, 8)}01`
  return size === 'week' ? addDays(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7)) : date
}

/** Before any bar, and still a date. */
const longestMonths = 12_000

/** The same day of an earlier month, or its last day when it is shorter. */
const monthsBefore = (date: string, months: number): string => {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  const first = new Date(Date.UTC(year, month - 1 - Math.min(months, longestMonths), 1))
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
  first.setUTCDate(Math.min(day, lastDay))
  return first.toISOString().slice(0, 10)
}
