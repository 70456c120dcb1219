/** Numbers and times as IB writes them. */
import { type Decimal, decimal } from '../../domain/decimal.ts'
import { isoTime } from '../../domain/ports/clock.ts'

const unsetDouble = 1.7976931348623157e308
const unsetInteger = 2147483647

/** A number that may be negative (profit, commission, cash). IB's "unset" and what is no number are absent. */
export const amount = (value: number | string | undefined | null): Decimal | undefined => {
  if (value === undefined || value === null || value === '') return undefined
  const number = Number(value)
  return !Number.isFinite(number) || Math.abs(number) >= unsetDouble ? undefined : decimal(value)
}

/** A price or quantity that is never negative: −1 and the largest integer stand for "unset" as well. */
export const magnitude = (value: number | string | undefined | null): Decimal | undefined => {
  const text = amount(value)
  return text === undefined || text === '-1' || text === String(unsetInteger) ? undefined : text
}

/** @throws RangeError naming what is absent */
export const needed = <Value>(value: Value | undefined, what: string): Value => {
  if (value === undefined || value === '') throw new RangeError(`the broker sent no ${what}`)
  return value
}

const formatters = new Map<string, Intl.DateTimeFormat>()
const formatterOf = (zone: string): Intl.DateTimeFormat => {
  const ready = formatters.get(zone)
  if (ready !== undefined) return ready
  const numeric = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
  const formatter = new Intl.DateTimeFormat('en-CA', { ...numeric, timeZone: zone, hourCycle: 'h23' })
  formatters.set(zone, formatter)
  return formatter
}

const wallTime = (zone: string, milliseconds: number): number => {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatterOf(zone).formatToParts(milliseconds)) parts[type] = Number(value)
  return Date.UTC(parts['year']!, parts['month']! - 1, parts['day'], parts['hour'], parts['minute'], parts['second'])
}

/** Epoch milliseconds of a wall time (given as if it were UTC) in a zone; an hour that comes twice is taken as its first. */
const inZone = (zone: string, wall: number): number => {
  const guess = wall - (wallTime(zone, wall) - wall)
  const earlier = guess - 3_600_000
  if (wallTime(zone, earlier) === wall) return earlier
  return guess - (wallTime(zone, guess) - wall)
}

const shape = /^(\d{4})(\d{2})(\d{2})(-| +)(\d{2}):(\d{2})(?::(\d{2}))?(?: +([A-Za-z][\w/+-]*))?$/

/**
 * `20200316 09:30:00 US/Eastern`, `20200316-13:30:00` (UTC by IB's convention), epoch seconds, or a wall time without
 * a zone, which is the gateway's own (`zone`).
 * @returns ISO text @throws RangeError when it is none of these
 */
export const isoFromBroker = (text: string, zone = 'America/New_York'): string => {
  if (/^\d{9,11}$/.test(text)) return isoTime(Number(text) * 1000)
  const match = shape.exec(text.trim())
  if (match === null) throw new RangeError(`"${text}" is not a time as the broker writes it`)
  const [, year, month, day, separator, hour, minute, second = '0', named] = match
  const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  return isoTime(separator === '-' && named === undefined ? wall : inZone(named ?? zone, wall))
}

/** An ISO time as IB reads it in an order: `20261123 09:30:00 US/Eastern`. */
export const brokerTime = (iso: string): string => {
  const wall = new Date(wallTime('America/New_York', Date.parse(iso))).toISOString()
  return `${wall.slice(0, 10).replaceAll('-', '')} ${wall.slice(11, 19)} US/Eastern`
}

/** Start of a bar: `20200316` of a daily bar as `2020-03-16`, all else as ISO time. @throws RangeError */
export const barStart = (text: string, zone?: string): string => {
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(text)
  return day === null ? isoFromBroker(text, zone) : `${day[1]}-${day[2]}-${day[3]}`
}
