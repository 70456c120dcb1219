/** The catalogue of bars over files of a folder or a bucket: `SPY-756733/1-day/trades-regular/2020-03.parquet`. */
import { type BarSeries, mergeBars, monthOf, monthsBetween } from '../../domain/bar-series.ts'
import { type BarCatalogue, BarsUnavailable, type Merged } from '../../domain/ports/bar-catalogue.ts'
import type { Bar } from '../../domain/strategy.ts'
import type { BarFiles } from './files.ts'
import { decodeMonth, encodeMonth } from './parquet.ts'

const ending = '.parquet'

/** The contract id names the instrument; its symbol, without what a path cannot hold, is there for people. */
export const folderOf = ({ conId, symbol, size, whatToShow, regularHoursOnly }: BarSeries): string => {
  const readable = symbol.replaceAll(/[^A-Za-z0-9]+/g, '_')
  const kind = `${whatToShow.toLowerCase().replaceAll('_', '-')}-${regularHoursOnly ? 'regular' : 'all'}`
  return `${readable}-${conId}/${size.replace(' ', '-')}/${kind}`
}

const nameOf = (series: BarSeries, month: string): string => `${folderOf(series)}/${month}${ending}`

/** Somebody who is always first, this often, is no accident. */
const mostAttempts = 30

export const createBarCatalogue = (files: BarFiles): BarCatalogue => {
  const readMonth = async (series: BarSeries, month: string): Promise<{ bars: Bar[]; version: string | undefined }> => {
    const name = nameOf(series, month)
    const found = await files.read(name)
    if (found === undefined) return { bars: [], version: undefined }
    const decoded = await decodeMonth(series, month, found.bytes)
    if ('wrong' in decoded)
      throw new BarsUnavailable('damaged', `${files.place(name)}: ${decoded.wrong}; move it away, and its month can be collected again`)
    return { bars: decoded.bars, version: found.version }
  }

  /** Reads, merges, and writes only what nobody has changed meanwhile; else once more. */
  const mergeMonth = async (series: BarSeries, month: string, received: readonly Bar[]): Promise<Merged> => {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { bars: stored, version } = await readMonth(series, month)
      const { bars, added, changed } = mergeBars(stored, received)
      if (added === 0 && changed.length === 0) return { added, changed, partitions: [] }
      if (await files.write(nameOf(series, month), encodeMonth(series, month, bars), version))
        return { added, changed, partitions: [month] }
    }
    throw new BarsUnavailable('unreachable', `${files.place(nameOf(series, month))}: others wrote it ${mostAttempts} times in between`)
  }

  return {
    merge: async (series, received) => {
      const merged: Merged = { added: 0, changed: [], partitions: [] }
      const months = [...Map.groupBy(received, ({ start }) => monthOf(start))].sort(([left], [right]) => (left < right ? -1 : 1))
      for (const [month, bars] of months) {
        const { added, changed, partitions } = await mergeMonth(series, month, bars)
        merged.added += added
        merged.changed.push(...changed)
        merged.partitions.push(...partitions)
      }
      return merged
    },
    read: async (series, { from, to }) => {
      const bars: Bar[] = []
      for (const month of monthsBetween(from, to))
        bars.push(...(await readMonth(series, month)).bars.filter(({ start }) => start >= from && start <= to))
      return bars
    },
    months: async (series) =>
      (await files.list(folderOf(series)))
        .filter((name) => /^\d{4}-\d{2}\.parquet$/.test(name))
        .map((name) => name.slice(0, -ending.length))
        .sort(),
  }
}
