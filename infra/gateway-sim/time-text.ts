/** Times as IB writes them. */
import { newYorkDate, newYorkTime } from '../../domain/calendar.ts'

/** `20261123`, the date in New York. */
export const ibDate = (instant: number): string => newYorkDate(instant).replaceAll('-', '')

/** `20261123 09:30:00 US/Eastern` */
export const ibTime = (instant: number): string => `${ibDate(instant)} ${newYorkClock(instant)} US/Eastern`

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
