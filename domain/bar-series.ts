/** A series of bars as it is kept: its months, what a second look at the broker adds, which bars are closed, and which are missing. */
import { type AnyBarSize, borderAfter, latestClosedStart, startsIn } from './bar-times.ts'
import { newYorkDate, previousSession, type Session, sessionOn, sessions } from './calendar.ts'
import { isoTime } from './ports/clock.ts'
import type { Bar } from './strategy.ts'

export const whatToShowWords = ['TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK', 'ADJUSTED_LAST'] as const
export type WhatToShow = (typeof whatToShowWords)[number]

/** What never mixes: trades and quotes, adjusted and traded prices, regular and all hours are series of their own. */
export type BarSeries = { conId: number; symbol: string; size: AnyBarSize; whatToShow: WhatToShow; regularHoursOnly: boolean }

/** By whose sessions gaps are judged. The calendar that is here is New York's, for stocks and indices. */
export type TradingCalendar = 'NYSE' | 'none'
export const calendarOf = ({ secType, currency }: { secType: string; currency: string }): TradingCalendar =>
  (secType === 'STK' || secType === 'IND') && currency === 'USD' ? 'NYSE' : 'none'

/** `YYYY-MM`, as the start of the bar says it: New York's for daily bars, UTC's for shorter ones. */
export const monthOf = (start: string): string => start.slice(0, 7)

/** All months that a range may touch, both ends included. */
export const monthsBetween = (from: string, to: string): string[] => {
  const months: string[] = []
  for (let month = monthOf(from); month <= monthOf(to); ) {
    months.push(month)
    const [year, number] = month.split('-').map(Number) as [number, number]
    month = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, '0')}`
  }
  return months
}

// ── Merging ──

/** A bar that the broker tells differently now. */
export type Revision = { start: string; before: Bar; after: Bar }

const same = (left: Bar, right: Bar): boolean =>
  left.open === right.open &&
  left.high === right.high &&
  left.low === right.low &&
  left.close === right.close &&
  left.volume === right.volume

/** Oldest first, one bar a start; where both have one, the received one counts. */
export const mergeBars = (stored: readonly Bar[], received: readonly Bar[]): { bars: Bar[]; added: number; changed: Revision[] } => {
  const byStart = new Map(stored.map((bar) => [bar.start, bar]))
  const newest = new Map(received.map((bar) => [bar.start, bar]))
  const changed: Revision[] = []
  let added = 0
  for (const [start, { open, high, low, close, volume }] of newest) {
    const [before, after] = [byStart.get(start), { start, open, high, low, close, volume }]
    if (before === undefined) added += 1
    else if (!same(before, after)) changed.push({ start, before, after })
    byStart.set(start, after)
  }
  return { bars: [...byStart.values()].sort((left, right) => (left.start < right.start ? -1 : 1)), added, changed }
}

// ── Closed bars ──

type Kind = Pick<BarSeries, 'size' | 'regularHoursOnly'>

const todaysSession = (calendar: TradingCalendar, { regularHoursOnly }: Kind, now: number): Session | undefined =>
  calendar === 'NYSE' && regularHoursOnly ? sessionOn(newYorkDate(now)) : undefined

/** Only these are kept. Where no session says when a day's bar ends, it ends with the day in New York. */
export const onlyClosed = <B extends { start: string }>(bars: readonly B[], kind: Kind, calendar: TradingCalendar, now: number): B[] => {
  const { size } = kind
  const session = todaysSession(calendar, kind, now)
  const isOver = session !== undefined && session.close <= now
  if (size === '1 day') {
    const today = newYorkDate(now)
    return bars.filter(({ start }) => start < today || (start === today && isOver))
  }
  return bars.filter(({ start }) => {
    const instant = Date.parse(start)
    return borderAfter(instant, size) <= now || (isOver && session.open <= instant && instant < session.close)
  })
}

// ── Gaps ──

/** `first`: the starts of the oldest ones. */
export type Gaps = { count: number; first: string[] }
const namedGaps = 20

/**
 * What is missing from `from`, a start, to the latest bar that has closed by `now`. Of bars of all hours those are judged that touch a
 * session: what is traded around it is not scheduled. @returns undefined without a calendar
 */
export const gapsIn = (
  bars: readonly { start: string }[],
  from: string,
  kind: Kind,
  calendar: TradingCalendar,
  now: number,
): Gaps | undefined => {
  if (calendar === 'none') return undefined
  const to = lastExpected(kind, now)
  const present = new Set(bars.map(({ start }) => start))
  const gaps: Gaps = { count: 0, first: [] }
  for (const start of expectedStarts(kind, from, to)) {
    if (present.has(start)) continue
    gaps.count += 1
    if (gaps.first.length < namedGaps) gaps.first.push(start)
  }
  return gaps
}

/** A day's bar of all hours is over at midnight. */
const lastExpected = ({ size, regularHoursOnly }: Kind, now: number): string =>
  size === '1 day' && !regularHoursOnly ? previousSession(newYorkDate(now)).date : latestClosedStart(size, now)

const expectedStarts = ({ size, regularHoursOnly }: Kind, from: string, to: string): string[] => {
  const dateOf = (start: string): string => (size === '1 day' ? start : newYorkDate(Date.parse(start)))
  const within = sessions(dateOf(from), dateOf(to))
  if (size === '1 day') return within.map(({ date }) => date)
  return within
    .flatMap((session) => startsIn(session, size, !regularHoursOnly))
    .map(isoTime)
    .filter((start) => start >= from && start <= to)
}
