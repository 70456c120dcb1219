import { expect } from 'chai'
import * as t from 'io-ts'
import { defineStrategy, incompleteBars, parametersWith, type Signal, signalFault, strategyId } from '../../domain/strategy.ts'

const stock = (symbol: string) => ({ symbol, secType: 'STK' as const, exchange: 'SMART', currency: 'USD' })
const daily = (instrument: string, atLeast: number) =>
  ({ instrument, size: '1 day', duration: '1 Y', whatToShow: 'TRADES', regularHoursOnly: true, atLeast }) as const

const pair = defineStrategy({
  name: 'GoldAndSilver',
  description: 'for these tests',
  instruments: { GLD: stock('GLD'), SLV: stock('SLV') },
  bars: [daily('GLD', 2), daily('SLV', 1)],
  parameters: {
    codec: t.type({ lookback: t.Int, direction: t.keyof({ up: null, down: null }) }),
    defaults: { lookback: 20, direction: 'up' },
  },
  signal: () => ({ kind: 'neutral', indicators: {}, reason: 'never acts' }),
})

const bar = { start: '2020-01-02', open: 1, high: 1, low: 1, close: 1, volume: 0 }
const wants = (...targets: unknown[]): Signal => ({ kind: 'targets', targets: targets as never, indicators: {}, reason: '' })

describe('a strategy', () => {
  it('is known by its name in lower case', () => expect(strategyId(pair)).to.equal('goldandsilver'))

  describe('parameters', () => {
    it('are the defaults, with what configuration overrides laid over them', () => {
      expect(parametersWith(pair, {})).to.deep.equal({ ok: true, value: { lookback: 20, direction: 'up' } })
      expect(parametersWith(pair, { direction: 'down' })).to.deep.equal({ ok: true, value: { lookback: 20, direction: 'down' } })
    })

    it('are refused by name when unknown or of the wrong kind', () => {
      expect(parametersWith(pair, { lokback: 3 })).to.deep.equal({
        ok: false,
        problem: 'lokback: no such parameter; there is lookback, direction',
      })
      expect(parametersWith(pair, { lookback: 2.5 }))
        .to.have.property('problem')
        .that.matches(/^lookback: /)
    })

    it('need not exist', () => {
      const { parameters: _, ...plain } = pair
      expect(parametersWith(plain, {})).to.deep.equal({ ok: true, value: {} })
      expect(parametersWith(plain, { lookback: 1 })).to.have.property('problem', 'lookback: no such parameter; there is none')
    })
  })

  it('has incomplete bars when an instrument has fewer than it needs, or none at all', () => {
    expect(incompleteBars(pair, { GLD: [bar, bar], SLV: [bar] })).to.equal(undefined)
    expect(incompleteBars(pair, { GLD: [bar], SLV: [bar] }))
      .to.deep.include({ received: 1 })
      .and.have.nested.property('request.instrument', 'GLD')
    expect(incompleteBars(pair, { GLD: [bar, bar] }))
      .to.deep.include({ received: 0 })
      .and.have.nested.property('request.instrument', 'SLV')
  })
})

describe('a signal', () => {
  it('is sound as weights, as quantities and as neutral', () => {
    expect(signalFault(pair, wants({ instrument: 'GLD', weight: -0.5 }, { instrument: 'SLV', weight: 0.5 }))).to.equal(undefined)
    expect(signalFault(pair, wants({ instrument: 'GLD', quantity: '-12.5' }))).to.equal(undefined)
    expect(signalFault(pair, { kind: 'neutral', indicators: { z: 1 }, reason: '' })).to.equal(undefined)
  })

  const faults: [string, Signal, string][] = [
    ['names an instrument that is not its own', wants({ instrument: 'SPY', weight: 1 }), 'target SPY is none of its instruments'],
    [
      'names what only an object’s prototype has',
      wants({ instrument: 'constructor', weight: 1 }),
      'target constructor is none of its instruments',
    ],
    ['names one twice', wants({ instrument: 'GLD', weight: 1 }, { instrument: 'GLD', weight: 0 }), 'target GLD is named twice'],
    ['has no finite weight', wants({ instrument: 'GLD', weight: Number.NaN }), 'weight of GLD is NaN'],
    ['has a quantity that is no exact decimal', wants({ instrument: 'GLD', quantity: '1e3' }), 'quantity of GLD is no exact decimal: 1e3'],
    ['mixes both', wants({ instrument: 'GLD', weight: 1 }, { instrument: 'SLV', quantity: '1' }), 'targets mix weights and quantities'],
    ['has no target', wants(), 'no target: say neutral'],
    ['is of no kind', { kind: 'hold', indicators: {}, reason: '' } as never, 'its kind is hold'],
    ['has no reason', { kind: 'neutral', indicators: {} } as never, 'it has no reason in words'],
    [
      'has an indicator that is no number',
      { kind: 'neutral', indicators: { z: Number.POSITIVE_INFINITY }, reason: '' },
      'indicator z is Infinity',
    ],
  ]
  for (const [name, signal, fault] of faults) it(`is faulty when it ${name}`, () => expect(signalFault(pair, signal)).to.equal(fault))
})
