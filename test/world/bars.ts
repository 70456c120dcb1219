/** A place for bars in memory, behind a line: it cannot be reached now and then. */
import type { BarSeries } from '../../domain/bar-series.ts'
import { type BarCatalogue, BarsUnavailable, type Merged } from '../../domain/ports/bar-catalogue.ts'
import type { Bar } from '../../domain/strategy.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

/** By series, and in it by the start of the bar. */
export type KeptBars = Map<string, Map<string, Bar>>

const keyOf = ({ conId, size, whatToShow, regularHoursOnly }: BarSeries): string => [conId, size, whatToShow, regularHoursOnly].join(' ')
const monthOf = (start: string): string => start.slice(0, 7)

export const worldBars = ({ kept, faults, process }: { kept: KeptBars; faults: Faults; process: Process }): BarCatalogue => {
  const ask = <T>(point: string, effect: () => T): Promise<T> =>
    process.call(
      point,
      () => {
        if (faults.happens('the bars cannot be reached')) throw new BarsUnavailable('unreachable', 'the place of the bars did not answer')
        return effect()
      },
      faults.latency,
    )
  const starts = (series: BarSeries): string[] => [...(kept.get(keyOf(series))?.keys() ?? [])].sort()
  const merge = (series: BarSeries, bars: readonly Bar[]): Merged => {
    const held = kept.get(keyOf(series)) ?? new Map<string, Bar>()
    kept.set(keyOf(series), held)
    const fresh = bars.filter(({ start }) => !held.has(start))
    const changed = bars.flatMap((after) => {
      const before = held.get(after.start)
      return before === undefined || before.close === after.close ? [] : [{ start: after.start, before, after }]
    })
    for (const bar of bars) held.set(bar.start, bar)
    const touched = [...fresh, ...changed].map(({ start }) => monthOf(start))
    return { added: fresh.length, changed, partitions: [...new Set(touched)].sort() }
  }
  return {
    merge: (series, bars) => ask('bars.merge', () => merge(series, bars)),
    read: (series, { from, to }) =>
      ask('bars.read', () =>
        starts(series)
          .filter((start) => start >= from && start <= to)
          .map((start) => kept.get(keyOf(series))!.get(start)!),
      ),
    months: (series) => ask('bars.months', () => [...new Set(starts(series).map(monthOf))]),
  }
}
