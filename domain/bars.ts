/** Which bars may a signal be computed from? Closed ones only, the last one being the latest that can be closed. */
import { latestClosedSession, newYorkDate, previousSession, type Session, sessionOn } from './calendar.ts'
import type { Bar, BarSize } from './strategy.ts'

const minute = 60_000
const lengths: Readonly<Record<Exclude<BarSize, '1 day'>, number>> = { '5 mins': 5 * minute, '30 mins': 30 * minute, '1 hour': 60 * minute }

/** The end of a bar in epoch milliseconds; undefined when it lies in no session. A last bar of a session may be shorter than its size. */
const endOf = (bar: Bar, size: BarSize): number | undefined => {
  if (size === '1 day') return sessionOn(bar.start)?.close
  const start = Date.parse(bar.start)
  const session = sessionOn(newYorkDate(start))
  if (session === undefined || start < session.open || start >= session.close) return undefined
  return Math.min(start + lengths[size], session.close)
}

/** The start of the latest bar of regular hours that has closed by `now`, as a bar carries it. */
const latestClosedStart = (size: BarSize, now: number): string => {
  if (size === '1 day') return latestClosedSession(now).date
  const today = sessionOn(newYorkDate(now))
  const closedIn = (session: Session): number => {
    const full = Math.floor((Math.min(now, session.close) - session.open) / lengths[size])
    const rest = now >= session.close && session.open + full * lengths[size] < session.close ? 1 : 0
    return full + rest
  }
  const session = today !== undefined && closedIn(today) > 0 ? today : previousSession(newYorkDate(now))
  return new Date(session.open + (closedIn(session) - 1) * lengths[size]).toISOString()
}

export type ClosedBars =
  | { bars: Bar[]; lastEnd: number; lastSession: string }
  | { code: 'BARS_STALE' | 'BARS_INCOMPLETE' | 'BARS_INVALID'; text: string }

const problemIn = (bars: readonly Bar[]): string | undefined => {
  for (const [index, bar] of bars.entries()) {
    const { open, high, low, close } = bar
    if (![open, high, low, close].every((price) => Number.isFinite(price) && price > 0))
      return `the bar of ${bar.start} has a price that is not positive`
    if (high < Math.max(open, close) || low > Math.min(open, close)) return `the bar of ${bar.start} has a high or low inside its body`
    if (index > 0 && bars[index - 1]!.start >= bar.start) return `the bar of ${bar.start} follows one of ${bars[index - 1]!.start}`
  }
  return undefined
}

/** Drops what is not closed, and says why the rest will not do, if it will not. */
export const closedBars = (
  received: readonly Bar[],
  { size, atLeast, count }: { size: BarSize; atLeast: number; count?: number },
  now: number,
): ClosedBars => {
  const closed = received.filter((bar) => (endOf(bar, size) ?? Number.POSITIVE_INFINITY) <= now)
  const bars = count === undefined ? closed : closed.slice(-count)
  const problem = problemIn(bars)
  if (problem !== undefined) return { code: 'BARS_INVALID', text: problem }
  const last = bars.at(-1)
  if (last === undefined || bars.length < atLeast)
    return { code: 'BARS_INCOMPLETE', text: `${bars.length} closed bars of ${size}, at least ${Math.max(atLeast, 1)} are needed` }
  const wanted = latestClosedStart(size, now)
  if (last.start !== wanted)
    return { code: 'BARS_STALE', text: `the last closed bar of ${size} is of ${last.start}, it should be of ${wanted}` }
  const lastEnd = endOf(last, size)!
  return { bars, lastEnd, lastSession: newYorkDate(lastEnd) }
}
