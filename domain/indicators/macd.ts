/** Moving average convergence/divergence and the exponential average that it is made of. Values oldest first, results aligned with them. */
import * as t from 'io-ts'

/**
 * Exponential average over a span: weight α = 2 ÷ (span + 1) on the newest value, seeded with the first one
 * (what pandas calls `ewm(span, adjust=False)`), so that every value has a result.
 */
export const exponentialAverage = (values: readonly number[], span: number): number[] => {
  if (!(span >= 1)) throw new RangeError(`span must be at least 1, not ${span}`)
  const alpha = 2 / (span + 1)
  const averages: number[] = []
  for (const value of values) averages.push(averages.length === 0 ? value : alpha * value + (1 - alpha) * averages.at(-1)!)
  return averages
}

const Span = t.refinement(t.Int, (span) => span >= 1 && span <= 1000, 'a whole number from 1 to 1000')

/** In bars. */
export const MacdSpans = t.refinement(t.type({ fast: Span, slow: Span, signal: Span }), ({ fast, slow }) => fast < slow, 'fast below slow')
export type MacdSpans = { fast: number; slow: number; signal: number }

/** The spans that most charts show. */
export const usualSpans: MacdSpans = { fast: 12, slow: 26, signal: 9 }

/** `line` is the fast average minus the slow one, `signal` the average of the line, `histogram` their difference. In units of price. */
export type Macd = { line: number[]; signal: number[]; histogram: number[] }

export const macd = (closes: readonly number[], { fast, slow, signal: signalSpan }: MacdSpans): Macd => {
  const slowAverage = exponentialAverage(closes, slow)
  const line = exponentialAverage(closes, fast).map((average, at) => average - slowAverage[at]!)
  const signal = exponentialAverage(line, signalSpan)
  return { line, signal, histogram: line.map((value, at) => value - signal[at]!) }
}

/**
 * What the last value did: `golden` when the line rose above its signal with it, `death` when it fell below, else `none`.
 * Touching the signal is not yet crossing it.
 */
export const lastCross = ({ histogram }: Macd): 'golden' | 'death' | 'none' => {
  const [before, now] = [histogram.at(-2), histogram.at(-1)]
  if (before === undefined || now === undefined) return 'none'
  if (before <= 0 && now > 0) return 'golden'
  return before >= 0 && now < 0 ? 'death' : 'none'
}
