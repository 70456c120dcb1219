/** Where the bars of a listing come from, as a file of a universe says it. */
import { resolve } from 'node:path'
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'

/** A random walk around `price`, the same each time: yearly `volatility`, `volume` a day. */
export type Synthetic = { price: number; volatility: number; volume: number }
export type SeriesSource =
  | { kind: 'builtIn'; name: 'SPY' | 'VIXY' | 'SPX' }
  | { kind: 'file'; path: string }
  | ({ kind: 'synthetic' } & Synthetic)
  /** The bars of another series, prices and volume each times a number. */
  | { kind: 'from'; series: string; times: number; volumeTimes: number }

const number = (name: string, is: (value: number) => boolean): t.Type<number> =>
  new t.Type<number>(
    name,
    t.number.is,
    (value, context) => (typeof value === 'number' && Number.isFinite(value) && is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )
const positive = number('a number above 0', (value) => value > 0)
const fromZero = number('a number from 0', (value) => value >= 0)

const Bars = t.partial({
  builtIn: t.keyof({ SPY: null, VIXY: null, SPX: null }, 'SPY, VIXY or SPX'),
  file: t.string,
  synthetic: t.intersection(
    [t.strict({ price: positive, volatility: fromZero }), t.partial({ volume: fromZero })],
    'a price and a volatility',
  ),
  from: t.string,
  times: positive,
  volumeTimes: positive,
  carry: number('a number', () => true),
})
const sources = ['builtIn', 'file', 'synthetic', 'from'] as const

/** Throws with one line that names the field that is wrong. */
export const readSeries = (given: object, folder: string): { source: SeriesSource; carry: number } => {
  const decoded = decode(Bars, given)
  if (!decoded.ok) throw new Error(`bars.${decoded.problem}`)
  const extra = Object.keys(given).find((name) => !(name in Bars.props))
  if (extra !== undefined) throw new Error(`bars.${extra}: there are ${Object.keys(Bars.props).join(', ')}`)
  const { builtIn, file, synthetic, from, times = 1, volumeTimes = 1, carry = 0 } = decoded.value
  if (sources.filter((name) => name in given).length !== 1) throw new Error(`bars: exactly one of ${sources.join(', ')} is needed`)
  if (('times' in given || 'volumeTimes' in given) && from === undefined) throw new Error('bars.times: only together with from')
  if (builtIn !== undefined) return { source: { kind: 'builtIn', name: builtIn }, carry }
  if (file !== undefined) return { source: { kind: 'file', path: resolve(folder, file) }, carry }
  if (synthetic !== undefined) return { source: { kind: 'synthetic', volume: 1_000_000, ...synthetic }, carry }
  return { source: { kind: 'from', series: from!, times, volumeTimes }, carry }
}
