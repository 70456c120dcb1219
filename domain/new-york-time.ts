/**
 * New York wall time. Dates are `YYYY-MM-DD` in New York, instants are epoch milliseconds.
 * The zone rules come from Intl; nothing here knows when daylight saving begins.
 */

const wallClock = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

const hourMilliseconds = 3_600_000

/** Intl takes microseconds for a reading, and a decision asks for hundreds: in New York clocks change at whole hours of UTC only. */
const offsets = new Map<number, number>()
const mostOffsets = 10_000

const readWall = (instant: number): number => {
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of wallClock.formatToParts(instant)) part[type] = Number(value)
  return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!)
}

const offsetIn = (hour: number): number => {
  const known = offsets.get(hour)
  if (known !== undefined) return known
  const offset = readWall(hour * hourMilliseconds) - hour * hourMilliseconds
  if (offsets.size >= mostOffsets) offsets.clear()
  offsets.set(hour, offset)
  return offset
}

/** The reading of a clock on a New York wall, in whole seconds, taken as if it were UTC. */
const wallReading = (instant: number): number => Math.floor(instant / 1_000) * 1_000 + offsetIn(Math.floor(instant / hourMilliseconds))

const dayMilliseconds = 86_400_000
const dateOf = (utcInstant: number): string => new Date(utcInstant).toISOString().slice(0, 10)

/** Midnight UTC of a date; throws a RangeError when it is not `YYYY-MM-DD` or not in the calendar (2021-02-30). */
const utcMidnight = (date: string): number => {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(midnight) || dateOf(midnight) !== date) throw new RangeError(`not a date (YYYY-MM-DD): ${date}`)
  return midnight
}

export const addDays = (date: string, days: number): string => dateOf(utcMidnight(date) + days * dayMilliseconds)

/** 0 is Sunday, 6 is Saturday. */
export const weekday = (date: string): number => new Date(utcMidnight(date)).getUTCDay()

export const newYorkDate = (instant: number): string => dateOf(wallReading(instant))

/**
 * The instant at which New York clocks show `HH:MM` on that date.
 * The hour that is skipped in spring is read as the hour after it; of the hour that comes twice in autumn, the first is meant.
 */
export const newYorkTime = (date: string, time: string): number => {
  const clock = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time)
  if (!clock) throw new RangeError(`not a time of day (HH:MM): ${time}`)
  const wanted = utcMidnight(date) + (Number(clock[1]) * 60 + Number(clock[2])) * 60_000
  // The offsets of the day before and the day after are the only two that can hold; the earlier one counts when both fit, or neither.
  const candidates = [wanted - dayMilliseconds / 2, wanted + dayMilliseconds].map((near) => wanted - (wallReading(near) - near))
  return candidates.find((candidate) => wallReading(candidate) === wanted) ?? candidates[0]!
}

/** The first New York midnight strictly after the instant. */
export const newYorkMidnightAfter = (instant: number): number => newYorkTime(addDays(newYorkDate(instant), 1), '00:00')
