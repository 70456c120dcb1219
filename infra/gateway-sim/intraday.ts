/**
 * The course of a day that is known only by its daily bar: invented, but the same each time and true to the day's open, high, low,
 * close and volume. Made in five-minute bars; longer ones are put together from these, so that all sizes tell the same day.
 */
import type { Session } from '../../domain/calendar.ts'
import { randomFrom } from '../../domain/random.ts'
import { type DailyBar, type IntradayBar, together } from './bars-file.ts'
import { roundToTick } from './tick.ts'

export const barMinutes = { '5 mins': 5, '30 mins': 30, '1 hour': 60 } as const
export type IntradaySize = keyof typeof barMinutes

const minute = 60_000

const between = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value))
/** A path that would leave the day's range turns back at its border, as often as it takes. */
const mirrored = (day: DailyBar, value: number): number => {
  const range = day.high - day.low
  if (range === 0) return day.low
  const folded = Math.abs(value - day.low) % (2 * range)
  return day.low + Math.min(folded, 2 * range - folded)
}

/** To the tick, though never out of the day's range, which may be finer. */
const price = (day: DailyBar, value: number, tick: number): number => between(day.low, roundToTick(value, tick), day.high)

/** Prices at the borders of `count` bars: a line from open to close with a random swing that is nothing at both ends. */
const borders = (day: DailyBar, count: number, random: () => number, tick: number): number[] => {
  const walk = [0]
  while (walk.length <= count) walk.push(walk.at(-1)! + random() - 0.5)
  const swing = ((day.high - day.low) * 2) / Math.sqrt(count)
  return walk.map((position, border) => {
    const bridge = position - (walk[count]! * border) / count
    if (border === 0) return day.open
    if (border === count) return day.close
    return price(day, mirrored(day, day.open + ((day.close - day.open) * border) / count + bridge * swing), tick)
  })
}

/** Whole shares, more of them near the open and the close; their sum is the day's volume. */
const volumes = (day: DailyBar, count: number, random: () => number): number[] => {
  const weights = Array.from({ length: count }, (_, bar) => 0.5 + ((2 * bar + 1) / count - 1) ** 2 + 0.3 * random())
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shares = weights.map((weight) => Math.floor((day.volume * weight) / total))
  const rest = day.volume - shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share, bar) => (bar === count - 1 ? share + rest : share))
}

const fiveMinutes = (day: DailyBar, session: Session, seed: number | string, tick: number): IntradayBar[] => {
  const random = randomFrom(`${seed}|${day.date}`)
  const length = barMinutes['5 mins'] * minute
  const count = Math.round((session.close - session.open) / length)
  const edges = borders(day, count, random, tick)
  const shares = volumes(day, count, random)
  const bars = shares.map((volume, bar): IntradayBar => {
    const [open, close] = [edges[bar]!, edges[bar + 1]!]
    const wick = ((day.high - day.low) / count) * 2
    return {
      start: session.open + bar * length,
      end: session.open + (bar + 1) * length,
      open,
      high: Math.max(open, close, price(day, Math.max(open, close) + wick * random(), tick)), // the day's own prices may be finer than the tick
      low: Math.min(open, close, price(day, Math.min(open, close) - wick * random(), tick)),
      close,
      volume,
    }
  })
  const highest = bars.reduce((best, bar) => (bar.high > best.high ? bar : best))
  const lowest = bars.reduce((best, bar) => (bar.low < best.low ? bar : best))
  highest.high = day.high
  lowest.low = day.low
  return bars
}

/**
 * The bars of one day, first to last, without a gap from the session's open to its close; hours begin on the hour, as IB's do,
 * so the first is short. A seed may be told apart by instrument: `7:SPY`.
 */
export const intradayBars = (day: DailyBar, session: Session, seed: number | string, size: IntradaySize, tick = 0.01): IntradayBar[] => {
  const length = barMinutes[size] * minute
  const grouped = Map.groupBy(fiveMinutes(day, session, seed, tick), ({ start }) => Math.floor(start / length))
  return [...grouped.values()].map((bars) => ({ start: bars[0]!.start, end: bars.at(-1)!.end, ...together(bars) }))
}

/** Thirteen half hours of a full session, seven of one that closes at 13:00. */
export const halfHours = (day: DailyBar, session: Session, seed: number | string): IntradayBar[] =>
  intradayBars(day, session, seed, '30 mins')
