/** A process that stores bars of one month: `writing-process.ts FOLDER FIRST_DAY COUNT CLOSE`; one merge a bar, a line when it is done. */
import type { BarSeries } from '../../../domain/bar-series.ts'
import { openBars } from '../../../infra/bars/open.ts'

const [folder, firstDay, count, close] = process.argv.slice(2) as [string, string, string, string]
const series: BarSeries = { conId: 756733, symbol: 'SPY', size: '1 min', whatToShow: 'TRADES', regularHoursOnly: true }
const bars = await openBars({ dataDirectory: folder })
const begin = Date.parse(`2020-03-${firstDay}T14:30:00Z`)
let added = 0
for (let place = 0; place < Number(count); place++) {
  const start = new Date(begin + place * 60_000).toISOString()
  const merged = await bars.merge(series, [{ start, open: 100, high: 200, low: 50, close: Number(close), volume: place }])
  added += merged.added
  process.stdout.write(`${start}\n`)
}
await bars.close()
process.stdout.write(`added ${added}\n`)
