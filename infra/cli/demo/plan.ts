/** What a demo lives through: which sessions, on which bars. */
import { type Session, sessionOn, sessions } from '../../../domain/calendar.ts'
import { builtInBars, builtInSymbols, readBars } from '../../gateway-sim/bars.ts'

export type DemoOptions = {
  /** Number of sessions; without it 120, or as many as there are. */
  days?: number
  /** `YYYY-MM-DD`. */
  start?: string
  /** Files by symbol; they take the place of the built-in bars. */
  bars?: Readonly<Record<string, string>>
  seed: number
}

export type Plan = {
  sessions: readonly Session[]
  nameOf: Names
}

/** How a symbol is shown. What is synthetic says so each time; what SPY is derived from is for the long form. */
export type Names = (symbol: string, form?: 'long') => string

export const usualDays = 120

const builtInNames: Readonly<Record<string, { short: string; long: string }>> = {
  SPY: { short: 'SPY', long: 'SPY (S&P 500 ÷ 10)' },
  VIXY: { short: 'synthetic VIXY', long: 'VIXY (synthetic)' },
}

const datesOf = (symbol: (typeof builtInSymbols)[number], files: Readonly<Record<string, string>>): { first: string; last: string } => {
  const file = files[symbol]
  const { daily } = file === undefined ? { daily: builtInBars(symbol) } : readBars(file)
  const [first, last] = [daily[0], daily.at(-1)]
  if (first === undefined || last === undefined) throw new Error(`--bars: ${file} has no bars`)
  return { first: first.date, last: last.date }
}

/** @throws Error in one line naming the argument that asks for what is not there */
export const planOf = ({ days, start, bars = {} }: DemoOptions): Plan => {
  const foreign = Object.keys(bars).find((symbol) => !builtInSymbols.some((known) => known === symbol))
  if (foreign !== undefined) throw new Error(`--bars: the demo trades ${builtInSymbols.join(' and ')}, not ${foreign}`)
  const spans = builtInSymbols.map((symbol) => datesOf(symbol, bars))
  const first = spans
    .map((span) => span.first)
    .sort()
    .at(-1)!
  const last = spans.map((span) => span.last).sort()[0]!
  const there = `bars of ${builtInSymbols.join(' and ')} are there from ${first} to ${last}`
  if (first > last) throw new Error(`--bars: the files of ${builtInSymbols.join(' and ')} have no day in common`)
  if (start !== undefined) checkDate(start)
  const all = sessions(start === undefined || start < first ? first : start, last)
  if (all.length === 0 || (start !== undefined && start < first)) throw new Error(`--start: ${there}, not on ${start}`)
  if (days !== undefined && days > all.length) throw new Error(`--days: ${there}: ${all.length} sessions, not ${days}`)
  const wanted = days ?? Math.min(usualDays, all.length)
  return {
    sessions: start === undefined ? all.slice(-wanted) : all.slice(0, wanted),
    nameOf: (symbol, form = undefined) => (bars[symbol] === undefined ? builtInNames[symbol]?.[form ?? 'short'] : undefined) ?? symbol,
  }
}

const checkDate = (date: string): void => {
  try {
    sessionOn(date)
  } catch {
    throw new Error(`--start: ${JSON.stringify(date)} is not a date such as 2020-03-02`)
  }
}
