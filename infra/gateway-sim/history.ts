/** Historical bars, cut from the days of the market: those that the simulated clock allows to see. */
import { newYorkDate, newYorkTime } from '../../domain/calendar.ts'
import { together } from './bars-file.ts'
import {
  type BarSize,
  datesOf,
  type HistoryQuery,
  type HistoryRefusal,
  type HistoryRequest,
  periodBegin,
  readHistoryRequest,
  type WhatToShow,
} from './history-request.ts'
import { type Day, extendedHours, type Market, type Slice, sliceBetween } from './market.ts'
import { ibTime } from './time-text.ts'

export type { HistoryRequest } from './history-request.ts'

/** `start` is epoch milliseconds, `date` the same as the client wants to read it. */
export type HistoryBar = Omit<Slice, 'end'> & { date: string; average: number; count: number }
export type History = { start: string; end: string; bars: HistoryBar[] } | HistoryRefusal

/** What bars depend on beside the prices. */
export type HistoryTerms = {
  /** In which times are told. */
  zone: string
  /** Distance of bid and ask from the price. */
  halfSpread: number
  /** Dividends by which adjusted prices differ. */
  dividends: readonly { exDate: string; amount: number }[]
}

const usualTerms: HistoryTerms = { zone: 'US/Eastern', halfSpread: 0, dividends: [] }

/** Only what has been traded at `now`; the bar that is running is included, as IB does. */
export const history = (market: Market, series: string, request: HistoryRequest, now: number, terms = usualTerms): History => {
  const query = readHistoryRequest(request, now)
  if ('refused' in query) return query
  const until = Math.min(query.end, now)
  const dates = datesOf(market.dates(series), query, until)
  const found = barsOf(market, series, dates, query, until, request.regularHours ?? true)
  const { count, unit } = query.duration
  const wanted = unit === 'S' && typeof query.size === 'number' ? found.slice(-Math.max(1, Math.ceil(count / query.size))) : found
  const today = newYorkDate(now)
  const told = wanted.map((bar) => shown(market, series, bar, query, request, today, terms))
  return { start: ibTime(wanted[0]?.start ?? until, terms.zone), end: ibTime(query.end, terms.zone), bars: told }
}

/** The bars of today from the one that `since` lies in until now: what changes while time goes on. */
export const latestBars = (
  market: Market,
  series: string,
  request: HistoryRequest,
  since: number,
  now: number,
  terms = usualTerms,
): HistoryBar[] => {
  const query = readHistoryRequest(request, now)
  if ('refused' in query) return []
  const [size, today] = [query.size, newYorkDate(now)]
  const first = typeof size === 'number' ? today : periodBegin(today, size)
  const dates = market.dates(series).filter((date) => date >= first && date <= today)
  return barsOf(market, series, dates, query, now, request.regularHours ?? true)
    .filter(({ start }) => start >= since)
    .map((bar) => shown(market, series, bar, query, request, today, terms))
}

type DatedSlice = Slice & { dated: string }

const isQuote = (what: WhatToShow): boolean => what !== 'TRADES' && what !== 'ADJUSTED_LAST'

/** Trades happen in the session alone; quotes stand in the hours around it too. */
const barsOf = (
  market: Market,
  series: string,
  dates: readonly string[],
  { size, what }: HistoryQuery,
  until: number,
  regularHours: boolean,
): DatedSlice[] => {
  const extended = isQuote(what) && !regularHours
  const days = dates.flatMap((date) => {
    const day = market.day(series, date)
    if (!day) return []
    return [extended ? withQuotesAround(day, market.previousClose(series, day.session.open)) : day]
  })
  if (typeof size === 'number') return days.flatMap((day) => intraday(day, size * 1000, until))
  return inPeriods(
    days.flatMap((day) => dailyBar(day, until)),
    size,
  )
}

/** The same day from 04:00 to 20:00, with the last price standing where nothing is traded. */
const withQuotesAround = (day: Day, before: number | undefined): Day => {
  const { session, bar } = day
  const { open, close } = extendedHours(session)
  const early = before === undefined ? [] : [{ start: open, end: session.open, from: before, to: before }]
  const late = { start: session.close, end: close, from: bar.close, to: bar.close }
  const [high, low] = before === undefined ? [bar.high, bar.low] : [Math.max(bar.high, before), Math.min(bar.low, before)]
  return {
    session: { ...session, open: before === undefined ? session.open : open, close },
    bar: { ...bar, open: before ?? bar.open, high, low },
    slices: day.slices,
    path: () => [...early, ...day.path(), late],
  }
}

const dailyBar = (day: Day, until: number): DatedSlice[] => {
  const { open, close, date } = day.session
  if (until >= close) {
    const { date: dated, ...prices } = day.bar
    return [{ ...prices, start: open, end: close, dated }]
  }
  const running = sliceBetween(day, open, until)
  return running ? [{ ...running, dated: date }] : []
}

/** Weeks and months carry the date of their last session until now. */
const inPeriods = (days: readonly DatedSlice[], size: Exclude<BarSize, number>): DatedSlice[] => {
  if (size === 'day') return [...days]
  const periods = [...Map.groupBy(days, ({ dated }) => periodBegin(dated, size)).values()]
  return periods.map((bars) => ({ ...together(bars), start: bars[0]!.start, end: bars.at(-1)!.end, dated: bars.at(-1)!.dated }))
}

/** Bars begin at multiples of their length from midnight, so the first one of a session may be short. */
const intraday = (day: Day, length: number, until: number): DatedSlice[] => {
  const { date, open, close } = day.session
  const midnight = newYorkTime(date, '00:00')
  const bars: DatedSlice[] = []
  for (let start = open; start < Math.min(close, until); ) {
    const next = midnight + (Math.floor((start - midnight) / length) + 1) * length
    const bar = sliceBetween(day, start, Math.min(next, close, until))
    if (bar) bars.push({ ...bar, dated: date })
    start = next
  }
  return bars
}

const tidy = (value: number): number => Number(value.toFixed(6))

/** By how much prices of that date are to be divided to compare with today's. */
const adjustment = (
  market: Market,
  series: string,
  { dated }: DatedSlice,
  what: WhatToShow,
  today: string,
  terms: HistoryTerms,
): number => {
  const split = market.splitBetween(series, dated, today)
  if (what !== 'ADJUSTED_LAST') return split
  const paid = terms.dividends.filter(({ exDate }) => exDate > dated && exDate <= today)
  return paid.reduce((by, { exDate, amount }) => {
    const before = market.previousClose(series, newYorkTime(exDate, '00:00'))
    return before === undefined || before <= amount ? by : by / (1 - amount / before)
  }, split)
}

/** How far each of the four prices is from the middle, in half spreads. Of BID_ASK: bid, highest ask, lowest bid, ask. */
const offsets: Readonly<Record<WhatToShow, readonly [open: number, high: number, low: number, close: number]>> = {
  TRADES: [0, 0, 0, 0],
  ADJUSTED_LAST: [0, 0, 0, 0],
  MIDPOINT: [0, 0, 0, 0],
  BID: [-1, -1, -1, -1],
  ASK: [1, 1, 1, 1],
  BID_ASK: [-1, 1, -1, 1],
}

const shown = (
  market: Market,
  series: string,
  bar: DatedSlice,
  { size, what }: HistoryQuery,
  { formatDate }: HistoryRequest,
  today: string,
  terms: HistoryTerms,
): HistoryBar => {
  const by = adjustment(market, series, bar, what, today, terms)
  const splitBy = market.splitBetween(series, bar.dated, today)
  const [open, high, low, close] = ([bar.open, bar.high, bar.low, bar.close] as const).map((price, place) => {
    const moved = terms.halfSpread === 0 ? price : tidy(price + offsets[what][place]! * terms.halfSpread)
    return by === 1 ? moved : tidy(moved / by)
  }) as [number, number, number, number]
  const volume = splitBy === 1 ? bar.volume : Math.round(bar.volume * splitBy)
  const time = (): string => (formatDate === '2' ? String(Math.floor(bar.start / 1000)) : ibTime(bar.start, terms.zone))
  return {
    start: bar.start,
    date: typeof size === 'number' ? time() : bar.dated.replaceAll('-', ''),
    ...{ open, high, low, close },
    volume: isQuote(what) ? -1 : volume,
    average: isQuote(what) ? -1 : Number(((open + high + low + close) / 4).toFixed(4)),
    count: isQuote(what) ? -1 : Math.ceil(volume / 100),
  }
}
