/**
 * What holds for every strategy, as mocha tests: `checkStrategy(strategy)` in a test file of its own is enough.
 * The strategy is run over the simulator's built-in bars; an instrument that these do not know is given SPY's.
 */
import { expect } from 'chai'
import { sessionOn } from '../domain/calendar.ts'
import { randomFrom } from '../domain/random.ts'
import {
  type Bar,
  type BarsRequest,
  parametersWith,
  type Signal,
  type SignalInputs,
  type Strategy,
  signalFault,
} from '../domain/strategy.ts'
import { builtInBars, type DailyBar } from '../infra/gateway-sim/bars.ts'
import { intradayBars } from '../infra/gateway-sim/intraday.ts'

type Bars = SignalInputs<object>['bars']

const sessionsIn: Record<string, number> = { S: 1 / 23_400, D: 1, W: 5, M: 21, Y: 252 }

/** How many sessions an IB duration such as `2 Y` reaches back. */
const sessionsOf = (duration: string): number => {
  const [count, unit] = duration.split(' ')
  return Math.ceil(Number(count) * sessionsIn[unit!]!)
}

const seriesOf = (symbol: string): DailyBar[] => builtInBars(symbol === 'VIXY' ? 'VIXY' : 'SPY')

const dayAsBars = (day: DailyBar, size: Exclude<BarsRequest['size'], '1 day'>, symbol: string): Bar[] =>
  intradayBars(day, sessionOn(day.date)!, symbol, size).map(({ start, end: _, ...prices }) => ({
    start: new Date(start).toISOString(),
    ...prices,
  }))

/** The bars a strategy is given after the close of a day: of `lastDate` and before. */
export const barsAsOf = (strategy: Strategy, lastDate: string): Bars =>
  Object.fromEntries(
    strategy.bars.map((request) => {
      const { symbol } = strategy.instruments[request.instrument]!
      const days = seriesOf(symbol).filter(({ date }) => date <= lastDate)
      const recent = days.slice(-sessionsOf(request.duration))
      const { size } = request
      const bars =
        size === '1 day'
          ? recent.map(({ date, ...prices }) => ({ start: date, ...prices }))
          : recent.flatMap((day) => dayAsBars(day, size, symbol))
      return [request.instrument, bars.slice(-(request.count ?? bars.length))]
    }),
  )

const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

/** Runs with the clock and chance taken away: a strategy that reaches for them throws. */
const withoutClockAndChance = <T>(run: () => T): T => {
  const { random } = Math
  const RealDate = Date
  const refuse = (what: string) => (): never => {
    throw new Error(`a strategy must not use ${what}`)
  }
  const TimelessDate = class extends RealDate {
    constructor(...given: [] | [number | string | Date]) {
      super(given.length === 0 ? refuse('new Date()')() : given[0])
    }
  }
  TimelessDate.now = refuse('Date.now()')
  Math.random = refuse('Math.random()')
  globalThis.Date = TimelessDate as DateConstructor
  try {
    return run()
  } finally {
    Math.random = random
    globalThis.Date = RealDate
  }
}

const parameters = (strategy: Strategy): object => {
  const defaults = parametersWith(strategy, {})
  if (!defaults.ok) throw new Error(defaults.problem)
  return defaults.value
}

/** The strategy's answer for a command of that id, with its default parameters. */
export const signalOf = (strategy: Strategy, bars: Bars, commandId = 'command-1'): Signal => {
  const inputs = frozen({ bars, parameters: structuredClone(parameters(strategy)) })
  return withoutClockAndChance(() => strategy.signal({ ...inputs, random: randomFrom(commandId) }))
}

/** The last day and eleven others, far apart: bull, bear and crash. */
const sampleDates = [
  ...['2002-07-23', '2004-03-12', '2006-05-17', '2007-10-09', '2008-10-10', '2009-03-09'],
  ...['2011-08-08', '2013-06-28', '2015-08-24', '2018-02-05', '2019-07-03', '2020-04-17'],
]

const changed = (bars: Bars, change: (bar: Bar, position: number, all: readonly Bar[]) => Bar): Bars =>
  Object.fromEntries(Object.entries(bars).map(([instrument, series]) => [instrument, series.map(change)]))

/** Declares the tests; call it inside or outside of a `describe`. */
export const checkStrategy = <P extends object>(given: Strategy<P>): void => {
  const strategy: Strategy = given
  const last = sampleDates.at(-1)!
  const expectSound = (bars: Bars, commandId?: string): void => {
    expect(signalFault(strategy, signalOf(strategy, bars, commandId))).to.equal(undefined)
  }

  describe(`strategy ${strategy.name}, as any strategy`, () => {
    it('accepts its own default parameters', () => {
      expect(parametersWith(strategy, {})).to.have.property('ok', true)
    })

    it('asks for a duration that holds as many bars as it needs', () => {
      const bars = barsAsOf(strategy, last)
      for (const { instrument, atLeast } of strategy.bars) expect(bars[instrument]!.length, instrument).to.be.at.least(atLeast)
    })

    it('gives a sound signal, naming only its instruments, on quiet and on wild days', () => {
      for (const date of sampleDates) expectSound(barsAsOf(strategy, date), date)
    })

    it('answers the same to the same inputs, changes none of them, and uses neither clock nor chance', () => {
      for (const date of sampleDates) {
        const bars = barsAsOf(strategy, date)
        expect(signalOf(strategy, structuredClone(bars), date), date).to.deep.equal(signalOf(strategy, bars, date))
      }
    })

    it('keeps nothing between two signals', () => {
      const alone = signalOf(strategy, barsAsOf(strategy, last))
      signalOf(strategy, barsAsOf(strategy, sampleDates[0]!))
      expect(signalOf(strategy, barsAsOf(strategy, last))).to.deep.equal(alone)
    })

    it('survives no bars, one bar and one bar too few', () => {
      expectSound({})
      expectSound(barsAsOf(strategy, '1999-12-31')) // before the series begin: a list for each instrument, all empty
      const bars = barsAsOf(strategy, last)
      for (const { instrument, atLeast } of strategy.bars) {
        expectSound({ ...bars, [instrument]: bars[instrument]!.slice(-1) })
        expectSound({ ...bars, [instrument]: bars[instrument]!.slice(bars[instrument]!.length - Math.max(0, atLeast - 1)) })
      }
    })

    it('survives a market that does not move, one that halves overnight and one that doubles', () => {
      const bars = barsAsOf(strategy, last)
      expectSound(changed(bars, (bar) => ({ start: bar.start, open: 100, high: 100, low: 100, close: 100, volume: 0 })))
      for (const factor of [0.5, 2])
        expectSound(
          changed(bars, (bar, position, all) => {
            if (position < all.length - 1) return bar
            const { start, volume, ...prices } = bar
            return {
              start,
              volume,
              open: prices.open * factor,
              high: prices.high * factor,
              low: prices.low * factor,
              close: prices.close * factor,
            }
          }),
        )
    })
  })
}
