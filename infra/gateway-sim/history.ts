/** Historical bars, cut from the days of the market: what a request means, and the bars that the simulated clock allows it to see. */
import { addDays, firstCalendarDate, newYorkDate, newYorkTime } from '../../domain/calendar.ts'
import { begunSession, type Day, type Market, type Slice, sliceBetween } from './market.ts'
import { ibDate, ibTime, instantOf } from './time-text.ts'

export type HistoryRequest = { endDateTime: string; barSize: string; duration: string; whatToShow: string; formatDate: string }
export type HistoryBar = Omit<Slice, 'start' | 'end'> & { date: string; average: number; count: number }
export type History = { start: string; end: string; bars: HistoryBar[] } | { refused: string }

const minute = 60_000
const daily = 'daily'

/** Sizes IB names, in minutes; longer and shorter ones are not simulated. */
const barMinutes: Readonly<Record<string, number | typeof daily>> = {
  '1 min': 1,
  '2 mins': 2,
  '3 mins': 3,
  '5 mins': 5,
  '10 mins': 10,
  '15 mins': 15,
  '20 mins': 20,
  '30 mins': 30,
  '1 hour': 60,
  '1 day': daily,
}

const kinds = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'ADJUSTED_LAST']

/** Only what has been traded at `now`; the bar that is running is included, as IB does. Extended hours do not exist here. */
export const history = (market: Market, symbol: string, request: HistoryRequest, now: number): History => {
  const size = barMinutes[request.barSize]
  if (size === undefined) return { refused: `bar size "${request.barSize}" is not one of ${Object.keys(barMinutes).join(', ')}` }
  if (!kinds.includes(request.whatToShow)) return { refused: `whatToShow "${request.whatToShow}" is not one of ${kinds.join(', ')}` }
  const end = endOf(request.endDateTime, now)
  if (end === undefined) return { refused: `end date/time "${request.endDateTime}" is not yyyymmdd[ hh:mm:ss [zone]] or yyyymmdd-hh:mm:ss` }
  const until = Math.min(end, now)
  const dates = datesOf(market.dates(symbol), request.duration, until)
  if (dates === undefined) return { refused: `duration "${request.duration}" is not a number and D, W, M or Y` }
  const days = dates.flatMap((date) => market.day(symbol, date) ?? [])
  const bars = days.flatMap((day) => (size === daily ? dailyBar(day, until) : intraday(day, size * minute, until)))
  const first = days[0]?.session.open ?? until
  return { start: ibTime(first), end: ibTime(end), bars: bars.map((bar) => shown(bar, size === daily, request)) }
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

/** Days are counted in sessions, weeks, months and years by the calendar; the session that has begun at `until` is the last. */
const datesOf = (known: readonly string[], duration: string, until: number): readonly string[] | undefined => {
  const parts = /^([1-9]\d{0,4}) ([DWMY])$/.exec(duration)
  if (!parts) return undefined
  const [count, unit] = [Number(parts[1]), parts[2]]
  if (newYorkDate(until) <= firstCalendarDate) return []
  const last = begunSession(until).date
  if (unit === 'D') {
    const before = known.filter((date) => date <= last)
    const first = before.at(-count) ?? before[0]
    return first === undefined ? [] : sessionDates(known, first, last)
  }
  const today = newYorkDate(until)
  const from = unit === 'W' ? addDays(today, 1 - 7 * count) : addDays(monthsBefore(today, unit === 'M' ? count : 12 * count), 1)
  return sessionDates(known, from, last)
}

const sessionDates = (known: readonly string[], from: string, to: string): string[] => known.filter((date) => date >= from && date <= to)

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

const dailyBar = (day: Day, until: number): Slice[] => {
  const { open, close } = day.session
  if (until >= close) {
    const { date: _, ...prices } = day.bar
    return [{ ...prices, start: open, end: close }]
  }
  return sliceBetween(day, open, until) ? [sliceBetween(day, open, until)!] : []
}

/** Bars begin at multiples of their length from midnight, so the first one of a session may be short. */
const intraday = (day: Day, length: number, until: number): Slice[] => {
  const { date, open, close } = day.session
  const midnight = newYorkTime(date, '00:00')
  const bars: Slice[] = []
  for (let start = open; start < Math.min(close, until); ) {
    const next = midnight + (Math.floor((start - midnight) / length) + 1) * length
    const bar = sliceBetween(day, start, Math.min(next, close, until))
    if (bar) bars.push(bar)
    start = next
  }
  return bars
}

const shown = (bar: Slice, isDaily: boolean, request: HistoryRequest): HistoryBar => {
  const trades = request.whatToShow === 'TRADES' || request.whatToShow === 'ADJUSTED_LAST'
  const { start, end: _, volume, ...prices } = bar
  const time = request.formatDate === '2' ? String(Math.floor(start / 1000)) : ibTime(start)
  return {
    date: isDaily ? ibDate(start) : time,
    ...prices,
    volume: trades ? volume : -1,
    average: trades ? Number(((bar.open + bar.high + bar.low + bar.close) / 4).toFixed(4)) : -1,
    count: trades ? Math.ceil(volume / 100) : -1,
  }
}
