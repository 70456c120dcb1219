/**
 * The simulator's built-in daily bars, 2000-01-03 to 2020-04-17, derived from the S&P 500 index.
 * `data/README.md` says where the index comes from and how each series is made of it; both formulas are stated there and live here.
 */
import { fileURLToPath } from 'node:url'
import { type DailyBar, readBarsFile } from './bars-file.ts'

export { type BarsFile, type DailyBar, type IntradayBar, readBars, readBarsFile } from './bars-file.ts'

export const builtInSymbols = ['SPY', 'VIXY'] as const
export type BuiltInSymbol = (typeof builtInSymbols)[number]

let index: DailyBar[] | undefined
/** The index itself, in its points; the same array each time, not to be changed. */
export const indexBars = (): DailyBar[] => {
  index ??= readBarsFile(fileURLToPath(new URL('data/sp500-2000-2020.csv', import.meta.url)))
  return index
}

const cents = (price: number): number => Math.round(price * 100) / 100

const spy = (bar: DailyBar): DailyBar => ({
  date: bar.date,
  open: cents(bar.open / 10),
  high: cents(bar.high / 10),
  low: cents(bar.low / 10),
  close: cents(bar.close / 10),
  volume: Math.round(bar.volume / 50),
})

const volatility = { start: 25, leverage: -3, roll: 0.02, worstMove: -0.4, lowestPrice: 0.01 }

/** Falls when the index rises: the index's high makes the low of the day, and the reverse. */
const vixy = (bars: readonly DailyBar[]): DailyBar[] => {
  const { start, leverage, roll, worstMove, lowestPrice } = volatility
  let [indexClose, close] = [bars[0]?.open ?? 1, start]
  return bars.map((bar) => {
    const [indexBefore, before] = [indexClose, close]
    const drift = -roll * (before / start - 1)
    const price = (level: number): number =>
      Math.max(lowestPrice, cents(before * (1 + Math.max(worstMove, leverage * (level / indexBefore - 1) + drift))))
    indexClose = bar.close
    close = price(bar.close)
    return {
      date: bar.date,
      open: price(bar.open),
      high: price(bar.low),
      low: price(bar.high),
      close,
      volume: Math.round(bar.volume / 1500),
    }
  })
}

const made = new Map<BuiltInSymbol, DailyBar[]>()

/** All bars of a symbol, oldest first; the same array each time, not to be changed. */
export const builtInBars = (symbol: BuiltInSymbol): DailyBar[] => {
  if (made.size === 0) {
    const bars = indexBars()
    made.set('SPY', bars.map(spy))
    made.set('VIXY', vixy(bars))
  }
  return made.get(symbol)!
}
