/** Times as IB writes them. */
import { newYorkDate, newYorkTime } from '../../domain/calendar.ts'

/** `20261123`, the date in New York. */
export const ibDate = (instant: number): string => newYorkDate(instant).replaceAll('-', '')

const easternZone = 'US/Eastern'

/** `20261123 09:30:00 US/Eastern` */
export const ibTime = (instant: number, zone = easternZone): string =>
  zone === easternZone ? `${ibDate(instant)} ${newYorkClock(instant)} ${zone}` : `${clockIn(zone, instant)} ${zone}`

const formats = new Map<string, Intl.DateTimeFormat>()
/** `20261123 08:30:00`, what clocks in that zone show. */
const clockIn = (zone: string, instant: number): string => {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(zone, format)
  return format.format(instant).replaceAll('-', '')
}

/** `20261123-14:30:00`, UTC by IB's convention. */
export const dashedTime = (instant: number): string => {
  const text = new Date(instant).toISOString()
  return `${text.slice(0, 10).replaceAll('-', '')}-${text.slice(11, 19)}`
}

/** `20261123 14:30:00 UTC`, the form of the greeting. */
export const utcTime = (instant: number): string => {
  const text = new Date(instant).toISOString()
  return `${text.slice(0, 10).replaceAll('-', '')} ${text.slice(11, 19)} UTC`
}

const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', hourCycle: 'h23', timeStyle: 'medium' })

/** `09:30:00` in New York. */
export const newYorkClock = (instant: number): string => clock.format(instant)

/** Epoch milliseconds of an ISO time with its zone, or of a date's midnight in New York; undefined when it is neither. */
export const instantOf = (text: string): number | undefined => {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    try {
      return newYorkTime(text, '00:00')
    } catch {
      return undefined
    }
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined
  const instant = Date.parse(text)
  return Number.isNaN(instant) ? undefined : instant
}

const zones: Readonly<Record<string, string>> = { EST: 'America/New_York', EDT: 'America/New_York' }

/**
 * Epoch milliseconds of a time as a client writes it into an order: `20261123 09:30:00 US/Eastern`, without a zone New York's,
 * with a dash between date and time UTC's. A date alone counts as `wholeDay` of that date says. Undefined when it is none of these.
 */
export const instantOfIb = (text: string, wholeDay: (date: string) => number | undefined = () => undefined): number | undefined => {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:(-| +)(\d\d?):(\d\d)(?::(\d\d))?(?: +([A-Za-z][\w/+-]*))?)?$/.exec(text.trim())
  if (!parts) return undefined
  const [, year, month, day, separator, hour, minute, second = '00', zone] = parts
  const date = `${year}-${month}-${day}`
  const wall = Date.parse(`${date}T${(hour ?? '0').padStart(2, '0')}:${minute ?? '00'}:${second}Z`)
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 10) !== date) return undefined
  if (separator === undefined) return wholeDay(date)
  return instantIn(zone === undefined ? (separator === '-' ? 'UTC' : 'America/New_York') : (zones[zone] ?? zone), wall)
}

/** The instant at which clocks in that zone show what clocks in UTC show at `wall`; undefined for a zone that there is not. */
const instantIn = (timeZone: string, wall: number): number | undefined => {
  try {
    const shown = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    const offset = (at: number): number => Date.parse(`${shown.format(at).replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000
    const guess = wall - offset(wall)
    return wall - offset(guess)
  } catch {
    return undefined
  }
}
