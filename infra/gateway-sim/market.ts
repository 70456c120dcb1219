/**
 * Prices at any moment, from the bars alone.
 * A day is a path: each five-minute bar (or bar of an intraday file) runs in straight lines from its open over its two extremes to
 * its close; a rising bar meets its low first, a falling one its high. No spread and no depth: an order of any size trades on the path.
 * Outside the session the last close stands. A date without a bar is a day on which the symbol does not trade.
 */
import { newYorkDate, newYorkTime, nextSession, previousSession, type Session, sessionOn } from '../../domain/calendar.ts'
import type { BarsFile, DailyBar, IntradayBar } from './bars-file.ts'
import { intradayBars } from './intraday.ts'
import { priceAlong, type Segment, type Side, type Slice, segmentsOf, type Touch, type Trail, touchOn, trailOn } from './path.ts'
import { roundToTick } from './tick.ts'

export { roundTo, type Side, type Slice, type Touch } from './path.ts'

/** The course of a day is worked out when it is first asked for: most days are only ever read as one bar. */
export type Day = { session: Session; bar: DailyBar; slices: () => readonly Slice[]; path: () => readonly Segment[] }

export type Market = {
  /** The day with that New York date, undefined without a session or a bar. */
  day: (symbol: string, date: string) => Day | undefined
  dates: (symbol: string) => readonly string[]
  /** Last traded price, undefined before the first bar. */
  price: (symbol: string, at: number) => number | undefined
  /** Close of the last session of a day before that of `at`. */
  previousClose: (symbol: string, at: number) => number | undefined
  /** Shares traded today until `at`; 0 outside the session of a day with a bar. */
  volume: (symbol: string, at: number) => number
  /** The first trade at or after `from` in that session: at any price, or at `limit` and better. */
  touch: (symbol: string, session: Session, from: number, side: Side, limit?: number) => Touch | undefined
  /** Where a stop that follows the price comes to in that session, and when it is reached; undefined without a bar. */
  trail: (
    symbol: string,
    session: Session,
    span: { from: number; until: number },
    side: Side,
    follow: { trail: Trail; stop: number; tick: number },
  ) => { stop: number; reached?: Touch } | undefined
  /** The stretch of the day that an instant lies in, with its volume; the opening belongs to the first, the close to the last. */
  slice: (symbol: string, at: number) => Slice | undefined
  /** From that date on there are `ratio` shares for one: prices are divided by it, unless the bars fall by themselves (`inBars`). */
  split: (symbol: string, date: string, ratio: number, inBars: boolean) => void
  /** How many shares of `to` one share of `from` has become. */
  splitBetween: (symbol: string, from: string, to: string) => number
  /** When so many shares have traded in that session; undefined when it has no bar or not so many. */
  volumeReached: (symbol: string, session: Session, shares: number) => number | undefined
}

/** The bars of a symbol, by date, as they were given. */
type Series = { daily: ReadonlyMap<string, DailyBar>; dates: readonly string[]; intraday: ReadonlyMap<string, readonly IntradayBar[]> }

type Split = { date: string; ratio: number; inBars: boolean }

/** Where the bars come from: a map, or whatever makes them when they are first asked for. */
export type BarsSource = { get: (symbol: string) => BarsFile | undefined }

export const createMarket = (bars: BarsSource, seed: number, tickOf: (symbol: string) => number = () => 0.01): Market => {
  const known = new Map<string, Series>()
  const splits = new Map<string, Split[]>()
  const days = new Map<string, Day | undefined>()

  /** Asked for the same moment many times. */
  let asked = { at: Number.NaN, date: '' }
  const dateAt = (at: number): string => {
    if (asked.at !== at) asked = { at, date: newYorkDate(at) }
    return asked.date
  }

  const seriesOf = (symbol: string): Series => {
    const made = known.get(symbol)
    if (made) return made
    const { daily, intraday } = bars.get(symbol) ?? { daily: [] }
    const series = {
      daily: new Map(daily.map((bar) => [bar.date, bar])),
      dates: daily.map((bar) => bar.date).sort(),
      intraday: Map.groupBy(intraday ?? [], (bar) => newYorkDate(bar.start)),
    }
    known.set(symbol, series)
    return series
  }

  const product = (symbol: string, counts: (split: Split) => boolean): number =>
    (splits.get(symbol) ?? []).filter(counts).reduce((ratio, split) => ratio * split.ratio, 1)
  const splitBetween: Market['splitBetween'] = (symbol, from, to) => product(symbol, ({ date }) => date > from && date <= to)
  /** By how much the bar of that date is to be divided. */
  const divisor = (symbol: string, date: string): number => product(symbol, (split) => !split.inBars && split.date <= date)

  const makeDay = (symbol: string, date: string): Day | undefined => {
    const { daily, intraday } = seriesOf(symbol)
    const given = daily.get(date)
    const session = given && sessionOn(date)
    if (!given || !session) return undefined
    const [by, tick] = [divisor(symbol, date), tickOf(symbol)]
    const bar = divided(given, by, tick)
    const own = intraday.get(date)?.map((slice) => divided(slice, by, tick))
    const slices = lazily(() => own ?? intradayBars(bar, session, `${seed}:${symbol}`, '5 mins', tick))
    const path = lazily(() =>
      slices()
        .flatMap(segmentsOf)
        .map((segment) => ({ ...segment, tick })),
    )
    return { session, bar, slices, path }
  }

  const day = (symbol: string, date: string): Day | undefined => {
    const key = `${symbol}|${date}`
    if (!days.has(key)) days.set(key, makeDay(symbol, date))
    return days.get(key)
  }

  const previousClose = (symbol: string, at: number): number | undefined => {
    const today = dateAt(at)
    const { daily, dates } = seriesOf(symbol)
    const before = lastBefore(dates, today)
    if (before === undefined) return undefined
    const by = divisor(symbol, before) * splitBetween(symbol, before, today)
    return by === 1 ? daily.get(before)!.close : divided(daily.get(before)!, by, tickOf(symbol)).close
  }

  return {
    day,
    dates: (symbol) => seriesOf(symbol).dates,
    split: (symbol, date, ratio, inBars) => {
      splits.set(symbol, [...(splits.get(symbol) ?? []), { date, ratio, inBars }])
      for (const key of days.keys()) if (key.startsWith(`${symbol}|`)) days.delete(key)
    },
    splitBetween,
    previousClose,
    price: (symbol, at) => {
      const today = day(symbol, dateAt(at))
      return today && at >= today.session.open ? priceOn(today, at) : previousClose(symbol, at)
    },
    volume: (symbol, at) => {
      const today = day(symbol, dateAt(at))
      return today ? (sliceBetween(today, today.session.open, at)?.volume ?? 0) : 0
    },
    touch: (symbol, session, from, side, limit) => {
      const today = day(symbol, session.date)
      return today && touchOn(today.path(), from, side, limit)
    },
    trail: (symbol, session, span, side, follow) => {
      const today = day(symbol, session.date)
      return today && trailOn(today.path(), span, side, follow)
    },
    slice: (symbol, at) => {
      const slices = day(symbol, newYorkDate(at))?.slices() ?? []
      return slices.find((slice) => slice.start <= at && at < slice.end) ?? (at === slices.at(-1)?.end ? slices.at(-1) : undefined)
    },
    volumeReached: (symbol, session, shares) => {
      const today = day(symbol, session.date)
      return today && momentOfVolume(today.slices(), shares)
    },
  }
}

/** The last of the sorted dates that is before that one. */
const lastBefore = (dates: readonly string[], date: string): string | undefined => {
  let [low, high] = [0, dates.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (dates[middle]! < date) low = middle + 1
    else high = middle
  }
  return dates[low - 1]
}

/** Prices stay on the tick, and above zero. */
const divided = <Bar extends Omit<DailyBar, 'date'>>(bar: Bar, by: number, tick: number): Bar => {
  if (by === 1) return bar
  const price = (value: number): number => Math.max(tick, roundToTick(value / by, tick))
  const { open, high, low, close, volume } = bar
  return { ...bar, open: price(open), high: price(high), low: price(low), close: price(close), volume: Math.round(volume * by) }
}

const lazily = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** A session that is on at `now` (from the open until just before the close). */
export const openSession = (now: number): Session | undefined => {
  const session = sessionOn(newYorkDate(now))
  return session && session.open <= now && now < session.close ? session : undefined
}

/** The session that is on at `now`, else the next one. */
export const comingSession = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session && now < session.close ? session : nextSession(today)
}

/** Around the regular session of a day: what an order for outside regular hours has. */
export const extendedHours = ({ date }: Session): { open: number; close: number } => ({
  open: newYorkTime(date, '04:00'),
  close: newYorkTime(date, '20:00'),
})

/** The session whose extended hours are on at `now`, else the next one. */
export const comingExtended = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session && now < extendedHours(session).close ? session : nextSession(today)
}

/** The newest session that has begun at `now`. */
export const begunSession = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session && session.open <= now ? session : previousSession(today)
}

/** Between the bars of an intraday file with gaps the last price stands. */
const priceOn = (day: Day, at: number): number => {
  if (at >= day.session.close) return day.bar.close
  const segment = day.path().findLast((segment) => segment.start <= at)
  return segment ? priceAlong(segment, at) : day.bar.open
}

/** The bar of a day from one moment until another; undefined when nothing of the day lies between. Volume grows evenly within a slice. */
export const sliceBetween = (day: Day, start: number, end: number): Slice | undefined => {
  const parts = day.path().filter((segment) => segment.end > start && segment.start < end)
  const [first, last] = [parts[0], parts.at(-1)]
  if (!first || !last || end <= start) return undefined
  const prices = parts.flatMap((segment) => [
    priceAlong(segment, Math.max(start, segment.start)),
    priceAlong(segment, Math.min(end, segment.end)),
  ])
  return {
    start,
    end,
    open: prices[0]!,
    high: Math.max(...prices),
    low: Math.min(...prices),
    close: prices.at(-1)!,
    volume: volumeUntil(day, end) - volumeUntil(day, start),
  }
}

const momentOfVolume = (slices: readonly Slice[], shares: number): number | undefined => {
  let before = 0
  for (const { start, end, volume } of slices) {
    if (before + volume >= shares) return Math.ceil(start + ((end - start) * Math.max(0, shares - before)) / Math.max(volume, 1))
    before += volume
  }
  return undefined
}

const volumeUntil = (day: Day, at: number): number =>
  Math.floor(
    day.slices().reduce((sum, slice) => sum + slice.volume * Math.min(1, Math.max(0, (at - slice.start) / (slice.end - slice.start))), 0) +
      1e-6,
  )
