/**
 * A file of bars: CSV with the columns `date,open,high,low,close,volume` in any order; further columns are ignored.
 * `date` is `YYYY-MM-DD` in a file of daily bars, or in all rows an ISO time with its zone, the start of a shorter bar.
 * Every refusal is one error that names the file, the line and what is wrong.
 */
import { readFileSync } from 'node:fs'
import { firstCalendarDate, newYorkDate, sessionOn } from '../../domain/calendar.ts'

type Prices = { open: number; high: number; low: number; close: number; volume: number }

/** `date` is `YYYY-MM-DD`. */
export type DailyBar = { date: string } & Prices

/** `start` and `end` are epoch milliseconds. */
export type IntradayBar = { start: number; end: number } & Prices

/** What a file holds; `intraday` is absent when its bars are daily, else `daily` is put together from it. */
export type BarsFile = { daily: DailyBar[]; intraday?: IntradayBar[] }

const columns = ['date', 'open', 'high', 'low', 'close', 'volume'] as const
type Row = Record<(typeof columns)[number], string>
type Complain = (wrong: string) => Error

const number = (row: Row, column: keyof Prices, complain: Complain): number => {
  const value = row[column] === '' ? Number.NaN : Number(row[column])
  if (!Number.isFinite(value)) throw complain(`${column} is not a number: ${JSON.stringify(row[column])}`)
  if (value < 0 || (value === 0 && column !== 'volume')) throw complain(`${column} must be above zero: ${row[column]}`)
  return value
}

const prices = (row: Row, complain: Complain): Prices => {
  const [open, high, low, close, volume] = (['open', 'high', 'low', 'close', 'volume'] as const).map((column) =>
    number(row, column, complain),
  ) as [number, number, number, number, number]
  if (high < low) throw complain(`high ${high} is below low ${low}`)
  if (open < low || open > high) throw complain(`open ${open} is outside ${low} to ${high}`)
  if (close < low || close > high) throw complain(`close ${close} is outside ${low} to ${high}`)
  return { open, high, low, close, volume }
}

const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)

/** Epoch milliseconds of a date (UTC midnight) or of an ISO time with a zone. */
const instant = (text: string, complain: Complain): number => {
  const hasZone = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const value = isDate(text) || hasZone ? Date.parse(text) : Number.NaN
  const rolledOver = isDate(text) && !Number.isNaN(value) && new Date(value).toISOString().slice(0, 10) !== text
  if (Number.isNaN(value) || rolledOver) throw complain(`date is neither YYYY-MM-DD nor an ISO time with its zone: ${JSON.stringify(text)}`)
  return value
}

type ParsedRow = { date: string; at: number; prices: Prices; complain: Complain }

const parseRows = (name: string, text: string): ParsedRow[] => {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const wrongAt = (line: number): Complain => {
    return (wrong) => new Error(`${name}, line ${line}: ${wrong}`)
  }
  const header = lines[0]!.split(',').map((column) => column.trim().toLowerCase())
  const missing = columns.filter((column) => !header.includes(column))
  if (missing.length > 0) throw wrongAt(1)(`missing column ${missing.join(', ')}`)
  const rows: ParsedRow[] = []
  for (const [above, line] of lines.slice(1).entries()) {
    if (line.trim() === '') continue
    const complain = wrongAt(above + 2)
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length !== header.length) throw complain(`${cells.length} values for ${header.length} columns`)
    const row = Object.fromEntries(columns.map((column) => [column, cells[header.indexOf(column)]])) as Row
    const at = instant(row.date, complain)
    const previous = rows.at(-1)
    if (previous && isDate(previous.date) !== isDate(row.date)) throw complain('daily and shorter bars in one file')
    if (previous && at === previous.at) throw complain(`date ${row.date} comes twice`)
    if (previous && at < previous.at) throw complain(`date ${row.date} comes after ${previous.date}: oldest first`)
    rows.push({ date: row.date, at, prices: prices(row, complain), complain })
  }
  if (rows.length === 0) throw wrongAt(lines.length)('no bars')
  return rows
}

/** The closes of the bars are not in the file: each ends where the shortest distance between two of them says, or with its session. */
const intradayBars = (rows: ParsedRow[]): IntradayBar[] => {
  if (rows.length === 1) throw rows[0]!.complain('one intraday bar does not tell how long it is')
  const length = Math.min(...rows.slice(1).map((row, before) => row.at - rows[before]!.at))
  return rows.map(({ at, prices, complain, date }) => {
    const session = newYorkDate(at) < firstCalendarDate ? undefined : sessionOn(newYorkDate(at))
    if (!session || at < session.open || at >= session.close) throw complain(`${date} is outside the regular trading hours of New York`)
    return { start: at, end: Math.min(at + length, session.close), ...prices }
  })
}

const dailyFrom = (bars: IntradayBar[]): DailyBar[] => {
  const days = Object.entries(Object.groupBy(bars, (bar) => newYorkDate(bar.start))) as [string, IntradayBar[]][]
  return days.map(([date, ofDay]) => ({ date, ...together(ofDay) }))
}

/** Several bars, oldest first, as one. */
export const together = (bars: readonly Prices[]): Prices => ({
  open: bars[0]!.open,
  high: Math.max(...bars.map((bar) => bar.high)),
  low: Math.min(...bars.map((bar) => bar.low)),
  close: bars.at(-1)!.close,
  volume: bars.reduce((sum, bar) => sum + bar.volume, 0),
})

/** The bars in the text of a file; `name` is how errors call it. */
export const parseBars = (name: string, text: string): BarsFile => {
  const rows = parseRows(name, text)
  if (isDate(rows[0]!.date)) return { daily: rows.map(({ date, prices }) => ({ date, ...prices })) }
  const intraday = intradayBars(rows)
  return { daily: dailyFrom(intraday), intraday }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`)
  }
}

/** Daily and, if the file holds them, shorter bars. */
export const readBars = (path: string): BarsFile => parseBars(path, read(path))

/** The daily bars of a file; shorter ones are put together to days. */
export const readBarsFile = (path: string): DailyBar[] => readBars(path).daily
