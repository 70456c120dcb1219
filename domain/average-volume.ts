/** What trades in an instrument on an average day, from the bars of a signal: the last twenty whole sessions, as far as the bars go back. */
import { type AnyBarSize, regularEnd } from './bar-times.ts'
import { newYorkDate, sessionOn } from './calendar.ts'
import { type Decimal, decimal } from './decimal.ts'
import type { Bar } from './strategy.ts'

const mostSessions = 20

/** A day of shorter bars counts when they begin with the session and end with it. */
const wholeDays = (bars: readonly Bar[], size: AnyBarSize): number[] => {
  if (size === '1 day') return bars.map(({ volume }) => volume)
  const days = new Map<string, Bar[]>()
  for (const bar of bars) {
    const date = newYorkDate(Date.parse(bar.start))
    days.set(date, [...(days.get(date) ?? []), bar])
  }
  const isWhole = (date: string, own: readonly Bar[]): boolean => {
    const session = sessionOn(date)
    return session !== undefined && Date.parse(own[0]!.start) === session.open && regularEnd(own.at(-1)!.start, size) === session.close
  }
  return [...days].flatMap(([date, own]) => (isWhole(date, own) ? [own.reduce((total, { volume }) => total + volume, 0)] : []))
}

/**
 * Undefined where no bar has a volume: bars of quotes and of an index have none.
 * @param bars closed ones of regular hours, oldest first
 */
export const averageVolumeOf = (bars: readonly Bar[], size: AnyBarSize): Decimal | undefined => {
  const volumes = wholeDays(bars, size).slice(-mostSessions)
  const total = volumes.reduce((sum, volume) => sum + volume, 0)
  return total > 0 ? decimal(Math.floor(total / volumes.length)) : undefined
}
