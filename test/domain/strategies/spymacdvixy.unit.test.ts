import { expect } from 'chai'
import { sessions } from '../../../domain/calendar.ts'
import spyMacdVixy from '../../../domain/strategies/spymacdvixy.ts'
import { type Bar, parametersWith, type Signal } from '../../../domain/strategy.ts'
import { builtInBars } from '../../../infra/gateway-sim/bars.ts'
import { barsAsOf, checkStrategy, signalOf } from '../../strategy-kit.ts'

/**
 * The crosses of 2019 and 2020, worked out apart from the strategy: the averages by their weighted sums instead of step by step,
 * over the whole series instead of two years. The dates below were also found by a third program, in another language.
 */
const crossesByDefinition = (): Record<string, string> => {
  const bars = builtInBars('SPY')
  const weighted = (values: readonly number[], at: number, span: number): number => {
    const rest = 1 - 2 / (span + 1)
    const from = Math.max(0, at - 600) // the weight of what is older is under 1e-20
    let sum = values[from]! * rest ** (at - from)
    for (let position = from + 1; position <= at; position += 1) sum += values[position]! * (1 - rest) * rest ** (at - position)
    return sum
  }
  const closes = bars.slice(-1600).map(({ close }) => close)
  const line = closes.map((_, at) => weighted(closes, at, 12) - weighted(closes, at, 26))
  const above = line.map((value, at) => value > weighted(line, at, 9))
  const dates = bars.slice(-1600).map(({ date }) => date)
  return Object.fromEntries(
    dates.flatMap((date, at) => (date >= '2019' && above[at] !== above[at - 1] ? [[date, above[at] ? 'golden' : 'death']] : [])),
  )
}

const golden = [
  ...['2019-01-02', '2019-03-18', '2019-04-02', '2019-04-23', '2019-06-06', '2019-08-21', '2019-08-29'],
  ...['2019-10-15', '2019-11-27', '2019-12-13', '2020-01-09', '2020-01-13', '2020-02-07', '2020-03-26'],
]
const death = [
  ...['2019-02-28', '2019-03-22', '2019-04-18', '2019-05-01', '2019-07-17', '2019-08-23', '2019-09-24'],
  ...['2019-11-21', '2019-12-02', '2020-01-07', '2020-01-10', '2020-01-24', '2020-02-21'],
]

const weights = (signal: Signal): unknown => (signal.kind === 'neutral' ? 'neutral' : signal.targets)

describe('spymacdvixy', () => {
  checkStrategy(spyMacdVixy)

  it('acts on the days of the crosses of 2019 and 2020, and on no other', () => {
    const acted: Record<string, string> = {}
    for (const { date } of sessions('2019-01-01', '2020-04-17')) {
      const signal = signalOf(spyMacdVixy, barsAsOf(spyMacdVixy, date))
      if (signal.kind === 'targets') acted[date] = signal.reason.split(' ')[0]!
    }
    expect(Object.keys(acted).filter((date) => acted[date] === 'golden')).to.deep.equal(golden)
    expect(Object.keys(acted).filter((date) => acted[date] === 'death')).to.deep.equal(death)
    expect(acted).to.deep.equal(crossesByDefinition())
  })

  it('wants SPY alone after a golden cross', () => {
    expect(weights(signalOf(spyMacdVixy, barsAsOf(spyMacdVixy, '2020-03-26')))).to.deep.equal([
      { instrument: 'SPY', weight: 1 },
      { instrument: 'VIXY', weight: 0 },
    ])
  })

  it('wants SPY short and VIXY long after a death cross, or SPY flat when so configured', () => {
    const bars = barsAsOf(spyMacdVixy, '2020-02-21')
    const flat = parametersWith(spyMacdVixy, { bearish: 'flat' })
    if (!flat.ok) throw new Error(flat.problem)
    const vixy = { instrument: 'VIXY', weight: 1 }
    expect(weights(signalOf(spyMacdVixy, bars))).to.deep.equal([{ instrument: 'SPY', weight: -1 }, vixy])
    expect(weights(spyMacdVixy.signal({ bars, random: () => 0, parameters: flat.value }))).to.deep.equal([
      { instrument: 'SPY', weight: 0 },
      vixy,
    ])
  })

  it('is neutral with 249 bars even on the day of a cross, and acts with 250', () => {
    const bars = barsAsOf(spyMacdVixy, '2020-03-26')
    const newest = (count: number): Record<string, readonly Bar[]> => ({ ...bars, SPY: bars['SPY']!.slice(-count) })
    expect(signalOf(spyMacdVixy, newest(249))).to.deep.equal({ kind: 'neutral', indicators: {}, reason: '249 bars of SPY, 250 needed' })
    expect(signalOf(spyMacdVixy, newest(250)).kind).to.equal('targets')
  })

  it('refuses a slow span that is not slower', () => {
    expect(parametersWith(spyMacdVixy, { fast: 26 })).to.have.property('ok', false)
  })
})
