/** Daily bars that are made: by chance, from another series, and of futures from the price that their underlying has. */
import { addDays, type Session, sessions } from '../../domain/calendar.ts'
import { randomFrom } from '../../domain/random.ts'
import { builtInBars, indexBars } from './bars.ts'
import type { BarsFile, DailyBar } from './bars-file.ts'
import { type Cycle, expiryDay, monthAfter } from './futures.ts'
import type { SeriesSource, Synthetic } from './series-source.ts'
import { roundToTick } from './tick.ts'

const [firstDay, lastDay] = ['2010-01-04', '2030-12-31']
const daysOfYear = 252
/** What of its distance from the price it began with is left the next day: it stays within reach of it for decades. */
const memory = 0.998

export const builtInSeries = (name: Extract<SeriesSource, { kind: 'builtIn' }>['name']): DailyBar[] =>
  name === 'SPX' ? indexBars() : builtInBars(name)

let calendar: Session[] | undefined

/** About a normal distribution: the sum of three even ones. */
const chance = (random: () => number): number => (random() + random() + random() - 1.5) * 2

/** 2010 to 2030, by the calendar. The same name gives the same bars, whatever the seed of a simulation. */
export const syntheticBars = (name: string, { price, volatility, volume }: Synthetic, tick: number): DailyBar[] => {
  calendar ??= sessions(firstDay, lastDay)
  const random = randomFrom(`synthetic|${name}`)
  const step = volatility / Math.sqrt(daysOfYear)
  const shown = (distance: number): number => Math.max(tick, roundToTick(price * Math.exp(distance), tick))
  let distance = 0
  return calendar.map(({ date }) => {
    const opening = distance + 0.3 * step * chance(random)
    distance = distance * memory + step * chance(random)
    const [open, close] = [shown(opening), shown(distance)]
    const high = Math.max(open, close, shown(Math.max(opening, distance) + 0.5 * step * random()))
    const low = Math.min(open, close, shown(Math.min(opening, distance) - 0.5 * step * random()))
    return { date, open, high, low, close, volume: Math.round(volume * (0.5 + random())) }
  })
}

const scaled = ({ date, open, high, low, close, volume }: DailyBar, by: number, tick: number, volumeBy = 1): DailyBar => {
  const price = (value: number): number => Math.max(tick, roundToTick(value * by, tick))
  return { date, open: price(open), high: price(high), low: price(low), close: price(close), volume: Math.round(volume * volumeBy) }
}

/** Intraday bars of the other series are not taken over: the course of each day is made anew. */
export const seriesFrom = ({ daily }: BarsFile, { times, volumeTimes }: { times: number; volumeTimes: number }, tick: number): DailyBar[] =>
  daily.map((bar) => scaled(bar, times, tick, volumeTimes))

/** Days before its expiry from which on a month has bars. */
const longestLife = 400

const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000)

/** What waiting until expiry costs; at expiry nothing, so that the future ends where its underlying is. */
const withCarry = (bar: DailyBar, expires: string, carry: number, tick: number): DailyBar =>
  scaled(bar, 1 + (carry * daysBetween(bar.date, expires)) / 365, tick)

export const monthBars = (underlying: readonly DailyBar[], lastTradeDate: string, carry: number, tick: number): DailyBar[] => {
  const first = addDays(lastTradeDate, -longestLife)
  return underlying.filter(({ date }) => date >= first && date <= lastTradeDate).map((bar) => withCarry(bar, lastTradeDate, carry, tick))
}

/** Each day the month that expires next, one after the other, with the gaps between them. */
export const continuousBars = (underlying: readonly DailyBar[], cycle: Cycle, carry: number, tick: number): DailyBar[] => {
  let front = '199912'
  return underlying.map((bar) => {
    while (expiryDay(front, cycle) < bar.date) front = monthAfter(front, cycle)
    return withCarry(bar, expiryDay(front, cycle), carry, tick)
  })
}
