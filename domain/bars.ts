/** Which bars may a signal be computed from? Closed ones only, the last one being the latest that can be closed. */
import { latestClosedStart, regularEnd } from './bar-times.ts'
import { newYorkDate } from './calendar.ts'
import type { Bar, BarSize } from './strategy.ts'

export type ClosedBars =
  | { bars: Bar[]; lastEnd: number; lastSession: string }
  | { code: 'BARS_STALE' | 'BARS_INCOMPLETE' | 'BARS_INVALID'; text: string }

/** What is wrong with bars that should be in order, oldest first; undefined when they will do. */
export const problemIn = (bars: readonly Bar[]): string | undefined => {
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
  const closed = received.filter((bar) => (regularEnd(bar.start, size) ?? Number.POSITIVE_INFINITY) <= now)
  const bars = count === undefined ? closed : closed.slice(-count)
  const problem = problemIn(bars)
  if (problem !== undefined) return { code: 'BARS_INVALID', text: problem }
  const last = bars.at(-1)
  if (last === undefined || bars.length < atLeast)
    return { code: 'BARS_INCOMPLETE', text: `${bars.length} closed bars of ${size}, at least ${Math.max(atLeast, 1)} are needed` }
  const wanted = latestClosedStart(size, now)
  if (last.start !== wanted)
    return { code: 'BARS_STALE', text: `the last closed bar of ${size} is of ${last.start}, it should be of ${wanted}` }
  const lastEnd = regularEnd(last.start, size)!
  return { bars, lastEnd, lastSession: newYorkDate(lastEnd) }
}
