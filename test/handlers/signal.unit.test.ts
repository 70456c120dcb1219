import { expect } from 'chai'
import * as t from 'io-ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import { noBarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import { type Broker, type BrokerQuote, BrokerUnavailable, type Contract, type HistoricalBar } from '../../domain/ports/broker.ts'
import { defineStrategy, type Signal, type Strategy } from '../../domain/strategy.ts'
import type { EngineFacts } from '../../handlers/handler.ts'
import { signal } from '../../handlers/signal.ts'
import {
  accepted,
  at,
  booked,
  caused,
  command,
  configured,
  continued,
  dataOf,
  given,
  ordered,
  ready,
  SPY,
  together,
  tuesday,
} from '../given.ts'

const bar = (start: string, close = 100): HistoricalBar => ({ start, open: close, high: close + 1, low: close - 1, close, volume: 1000 })
const closedDays = [bar('2024-01-04'), bar('2024-01-05'), bar('2024-01-08', 101)]
const today = bar('2024-01-09', 150)
const contract: Contract = {
  ...{ conId: SPY.conId, symbol: 'SPY', secType: 'STK', exchange: 'SMART', primaryExchange: 'ARCA', currency: 'USD', localSymbol: 'SPY' },
  ...{ multiplier: '1', sizeStep: '1', minTick: '0.01' },
}

/** Long by as much as its parameter says; what it was given is kept for the test to look at. */
const trendSaying = (says: (inputs: { random: () => number }) => Signal | undefined = () => undefined) => {
  const given: { bars: readonly { start: string }[] }[] = []
  const strategy = defineStrategy({
    name: 'Trend',
    description: 'long by its parameter',
    instruments: { SPY: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' } },
    bars: [{ instrument: 'SPY', size: '1 day', duration: '10 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 2 }],
    parameters: { codec: t.type({ weight: t.number }), defaults: { weight: 0.5 } },
    signal: ({ bars, random, parameters: { weight } }) => {
      given.push({ bars: bars['SPY']! })
      return says({ random }) ?? { kind: 'targets', targets: [{ instrument: 'SPY', weight }], indicators: { weight }, reason: 'as told' }
    },
  }) as Strategy
  return { strategy, given }
}

const brokerWith = (
  contracts: () => Promise<Contract[]> = async () => [contract],
  bars: () => Promise<HistoricalBar[]> = async () => closedDays,
) => ({ contracts, bars }) as unknown as Broker

/** `decided`: when, if later than it was asked. */
type Asked = { broker?: Broker; strategy?: Strategy; dryRun?: boolean; time?: string; decided?: string; id?: string; ledger?: Ledger }

/** The events of one signal, gathered and decided as the engine does it. */
const signalled = async ({ broker = brokerWith(), strategy = trendSaying().strategy, ...asked }: Asked = {}) => {
  const { dryRun, time = tuesday, decided = time, id = 's1', ledger = given(ready).ledger } = asked
  const handler = signal(strategy)
  const body = dryRun === undefined ? {} : { dryRun }
  const said = { id, type: 'trend', publishedAt: time, source: 'test', body }
  const facts = await handler.gather({ broker, catalogue: noBarCatalogue, now: Date.parse(time) }, said, ledger)
  return accepted(handler.decide({ ledger, command: said, facts, now: Date.parse(decided), engine: {} as EngineFacts }))
}
const failure = async (asked: Asked) => dataOf(await signalled(asked), 'SignalFailed')[0]

describe('a signal', () => {
  it('is computed from closed bars alone, and names them, its price and its parameters', async () => {
    const { strategy, given: inputs } = trendSaying()
    const events = await signalled({ strategy, broker: brokerWith(undefined, async () => [...closedDays, today]) })
    expect(inputs[0]!.bars.map(({ start }) => start)).to.deep.equal(['2024-01-04', '2024-01-05', '2024-01-08'])
    const [generated] = dataOf(events, 'SignalGenerated')
    expect(generated).to.deep.include({
      ...{ strategy: 'trend', dryRun: false, kind: 'targets', lastSession: '2024-01-08', parameters: { weight: 0.5 } },
      targets: [{ conId: SPY.conId, symbol: 'SPY', weight: '0.5' }],
      prices: [
        {
          ...{ conId: SPY.conId, value: '101', at: '2024-01-08T21:00:00.000Z', source: 'close of the bar of 1 day from 2024-01-08' },
          averageVolume: '1000',
        },
      ],
    })
    expect(generated!.bars[0]).to.include({ from: '2024-01-04', to: '2024-01-08', count: 3 })
  })

  describe('with quotes', () => {
    const quote = { conId: SPY.conId, price: '103.5', at: tuesday, delayed: false }
    const quoted = (...quotes: BrokerQuote[]) => {
      const asked: unknown[] = []
      const answer = async (of: unknown) => {
        asked.push(of)
        return quotes
      }
      const broker = { ...brokerWith(), quotes: answer } as unknown as Broker
      return { asked, broker }
    }
    const wishing = given(ready, configured({ 'prices.quotes': true })).ledger
    const priceOf = async (asked: Asked) => {
      const { value, at, source } = dataOf(await signalled(asked), 'SignalGenerated')[0]!.prices[0]!
      return [value, at, source]
    }
    const closeOfMonday = ['101', '2024-01-08T21:00:00.000Z', 'close of the bar of 1 day from 2024-01-08']

    it('has the price of now, live or delayed, which is said; the bars stay those that are closed', async () => {
      const { broker, asked } = quoted(quote)
      expect(await priceOf({ broker, ledger: wishing })).to.deep.equal(['103.5', tuesday, 'quote'])
      expect(asked).to.deep.equal([[contract]])
      const delayed = quoted({ ...quote, delayed: true, at: '2024-01-09T14:45:00.000Z' })
      expect(await priceOf({ ...delayed, ledger: wishing })).to.deep.equal(['103.5', '2024-01-09T14:45:00.000Z', 'delayed quote'])
    })

    it('has that of the last bar where there is no quote, an older one, or one of something else', async () => {
      for (const quotes of [[], [{ ...quote, at: '2024-01-08T20:59:00.000Z' }], [{ ...quote, conId: 7 }]])
        expect(await priceOf({ broker: quoted(...quotes).broker, ledger: wishing }), JSON.stringify(quotes)).to.deep.equal(closeOfMonday)
    })

    it('asks for none unless it is wished for, and none while the market is closed', async () => {
      const { broker, asked } = quoted(quote)
      expect(await priceOf({ broker })).to.deep.equal(closeOfMonday)
      expect(await priceOf({ broker, ledger: wishing, time: '2024-01-09T14:29:00.000Z' })).to.deep.equal(closeOfMonday)
      expect(asked).to.deep.equal([])
    })
  })

  it('takes a bar that still ran when it was asked for as not closed, however late it is decided', async () => {
    const { strategy, given: inputs } = trendSaying()
    const broker = brokerWith(undefined, async () => [...closedDays, today])
    await signalled({ strategy, broker, time: '2024-01-09T20:59:59.000Z', decided: '2024-01-09T21:00:30.000Z' })
    expect(inputs[0]!.bars.at(-1)!.start).to.equal('2024-01-08')
  })

  it('fails by name for a strategy that asks for no bars', async () => {
    expect(await failure({ strategy: { ...trendSaying().strategy, bars: [] } })).to.include({ code: 'BARS_INCOMPLETE' })
  })

  it('is fresh until the close of the session after its last bar', async () => {
    const [generated] = dataOf(await signalled(), 'SignalGenerated')
    expect(generated!.freshUntil).to.equal('2024-01-09T21:00:00.000Z')
  })

  it('is not computed from the bars of the day before: it fails by name, and the strategy is not asked', async () => {
    const { strategy, given: inputs } = trendSaying()
    const failed = await failure({ strategy, time: '2024-01-09T21:05:00.000Z' })
    expect(failed).to.include({ strategy: 'trend', code: 'BARS_STALE' })
    expect(failed!.text).to.match(/^SPY: .*2024-01-08.*2024-01-09/)
    expect(inputs).to.deep.equal([])
  })

  it('fails by name when too few bars came, or none', async () => {
    const receiving = (bars: HistoricalBar[]) => failure({ broker: brokerWith(undefined, async () => bars) })
    expect(await receiving(closedDays.slice(-1))).to.include({ code: 'BARS_INCOMPLETE' })
    expect(await receiving([])).to.include({ code: 'BARS_INCOMPLETE' })
  })

  it('fails by name when the broker refuses its bars or its instrument, and passes on that the line is down', async () => {
    const no = async () => Promise.reject(new BrokerUnavailable('refused', 'no market data permissions'))
    expect(await failure({ broker: brokerWith(undefined, no) })).to.include({
      code: 'BARS_REFUSED',
      text: 'SPY: no market data permissions',
    })
    expect(await failure({ broker: brokerWith(no) })).to.include({ code: 'INSTRUMENT_REFUSED' })
    const down = async () => Promise.reject(new BrokerUnavailable('timedOut', 'no answer within 60 s'))
    const asked = signalled({ broker: brokerWith(undefined, down) })
    expect(await asked.catch((error: Error) => error)).to.be.instanceOf(BrokerUnavailable)
  })

  it('fails by name when no contract matches its instrument, or several', async () => {
    expect(await failure({ broker: brokerWith(async () => []) })).to.include({ code: 'INSTRUMENT_UNKNOWN' })
    const several = await failure({ broker: brokerWith(async () => [contract, { ...contract, conId: 1, currency: 'MXN' }]) })
    expect(several).to.include({ code: 'INSTRUMENT_AMBIGUOUS' })
  })

  it('fails when it is nonsense: a target that is none of its instruments, a weight that is no number', async () => {
    const saying = (targets: { instrument: string; weight: number }[]) =>
      failure({ strategy: trendSaying(() => ({ kind: 'targets', targets, indicators: {}, reason: '' })).strategy })
    expect(await saying([{ instrument: 'AAPL', weight: 1 }])).to.include({ code: 'SIGNAL_INVALID' })
    expect(await saying([{ instrument: 'SPY', weight: Number.NaN }])).to.include({ code: 'SIGNAL_INVALID' })
  })

  it('is not computed for a strategy that is disabled, nor with a parameter that is wrong', async () => {
    const disabled = given(ready, configured({ 'strategies.trend.enabled': false })).ledger
    expect(await failure({ ledger: disabled })).to.include({ code: 'STRATEGY_DISABLED' })
    const wrong = given(ready, configured({ 'strategies.trend.parameters.weight': 'much' })).ledger
    expect(await failure({ ledger: wrong })).to.include({ code: 'PARAMETERS_INVALID' })
    const set = given(ready, configured({ 'strategies.trend.parameters.weight': 0.25 })).ledger
    expect(dataOf(await signalled({ ledger: set }), 'SignalGenerated')[0]!.targets[0]).to.include({ weight: '0.25' })
  })

  it('shares nothing with the one before it: what a strategy did to its bars and parameters is gone', async () => {
    const seen: unknown[] = []
    const strategy = defineStrategy({
      ...trendSaying().strategy,
      parameters: { codec: t.type({ weights: t.array(t.number) }), defaults: { weights: [0.5] } },
      signal: ({ bars, parameters }) => {
        const inputs = { bars: bars['SPY'] as unknown as { close: number }[], weights: parameters.weights }
        seen.push(structuredClone(inputs))
        try {
          inputs.bars[0]!.close = 1
          inputs.bars.push({ close: 2 })
          inputs.weights.push(9)
        } catch {} // that it may not is as good as that it does nothing
        return { kind: 'neutral', indicators: {}, reason: 'nothing new' }
      },
    }) as Strategy
    const broker = brokerWith(undefined, async () => structuredClone(closedDays))
    const [first, second] = [await signalled({ strategy, broker }), await signalled({ strategy, broker })]
    expect(seen[1]).to.deep.equal(seen[0])
    const madeOf = (events: DomainEvent[]) => dataOf(events, 'SignalGenerated').map(({ bars, parameters }) => ({ bars, parameters }))
    expect(madeOf(second)).to.deep.equal(madeOf(first))
    expect(madeOf(first)[0]!.parameters).to.deep.equal({ weights: [0.5] })
  })

  it('draws the same random numbers for the same command, and others for another', async () => {
    const drawing = trendSaying(({ random }) => ({ kind: 'neutral', indicators: { drawn: random() }, reason: '' })).strategy
    const drawn = async (id: string) => dataOf(await signalled({ strategy: drawing, id }), 'SignalGenerated')[0]!.indicators['drawn']
    expect(await drawn('s1')).to.equal(await drawn('s1'))
    expect(await drawn('s1')).not.to.equal(await drawn('s2'))
  })

  it('of a dry run is seen by its own pipeline alone', async () => {
    const { ledger } = given(
      ready,
      caused(
        command('dry', 'orchestrator'),
        event('PipelineStarted', { pipeline: 'dry', plan: { dryRun: true }, validUntil: null, endsBy: '2024-01-09T16:00:00.000Z' }),
      ),
    )
    const events = await signalled({ ledger, dryRun: true })
    const after = continued(ledger, caused(command('dry:trend', 'trend', { pipeline: 'dry' }), ...events))
    expect(after.signals).to.deep.equal({})
    expect(after.pipelines['dry']!.drySignals['trend']).to.include({ dryRun: true })
    const none = await signalled({ ledger, dryRun: true, broker: brokerWith(async () => []) })
    const failed = continued(ledger, caused(command('dry:trend', 'trend', { pipeline: 'dry' }), ...none))
    expect(failed.failures).to.deep.equal({})
    expect(failed.pipelines['dry']!.dryFailures['trend']).to.include({ code: 'INSTRUMENT_UNKNOWN' })
  })

  it('of a strategy that runs dry is only recorded as such', async () => {
    const { ledger } = given(ready, configured({ 'strategies.trend.mode': 'dry' }))
    expect(dataOf(await signalled({ ledger }), 'SignalGenerated')[0]).to.include({ strategy: 'trend', dryRun: true })
  })

  it('fails by what its strategy throws, without the credential that may be in it', async () => {
    const { strategy } = trendSaying(() => expect.fail('no data from https://anna:s3cr3t@bars.example.org'))
    expect(await failure({ strategy })).to.include({ code: 'STRATEGY_THREW', text: 'no data from https://***@bars.example.org' })
  })
})

describe('the instruments of a signal', () => {
  it('are recorded when they are new or have changed, and not every day', async () => {
    const first = await signalled({ ledger: given(ready.slice(0, 3)).ledger })
    expect(dataOf(first, 'InstrumentResolved')[0]).to.include({ conId: SPY.conId, sizeStep: '1', minTick: '0.01' })
    const known = continued(given(ready.slice(0, 3)).ledger, together(...first))
    expect(dataOf(await signalled({ ledger: known }), 'InstrumentResolved')).to.deep.equal([])
    const finer = brokerWith(async () => [{ ...contract, minTick: '0.005' }])
    expect(dataOf(await signalled({ ledger: known, broker: finer }), 'InstrumentResolved')).to.have.length(1)
  })

  it('carry the steps of their price bands', async () => {
    const priceIncrements = [
      { from: '0', increment: '0.0001' },
      { from: '1', increment: '0.01' },
    ]
    const events = await signalled({ broker: brokerWith(async () => [{ ...contract, priceIncrements }]) })
    expect(dataOf(events, 'InstrumentResolved')).to.have.length(1)
    expect(dataOf(events, 'InstrumentResolved')[0]!.priceIncrements).to.deep.equal(priceIncrements)
  })

  it('carry the hours of one that trades at others than New York, and nothing of one that does not', async () => {
    const hoursOf = async (hours: NonNullable<Contract['hours']>) => {
      const events = await signalled({ ledger: given(ready.slice(0, 3)).ledger, broker: brokerWith(async () => [{ ...contract, hours }]) })
      return dataOf(events, 'InstrumentResolved')[0]!.hours
    }
    const day = (open: string, close: string) => [{ open: `2024-01-09T${open}:00.000Z`, close: `2024-01-${close}:00.000Z` }]
    const asKnown = { from: '2024-01-09', until: '2024-01-09', regular: day('14:30', '09T21:00'), extended: day('09:00', '10T01:00') }
    expect(await hoursOf(asKnown)).to.equal(undefined)
    const later = { ...asKnown, regular: day('14:30', '09T22:00') }
    expect(await hoursOf(later)).to.deep.equal(later)
    const closedToday = { ...asKnown, regular: [], extended: [] }
    expect(await hoursOf(closedToday)).to.deep.equal(closedToday)
  })

  it('trade whole shares, though the broker lists fractions that it refuses from here', async () => {
    const fractions = brokerWith(async () => [{ ...contract, sizeStep: '0.0001' }])
    const events = await signalled({ ledger: given(ready.slice(0, 3)).ledger, broker: fractions })
    expect(dataOf(events, 'InstrumentResolved')[0]).to.include({ sizeStep: '1' })
  })

  const other = brokerWith(async () => [{ ...contract, conId: 999 }])

  it('that are another contract than the one that is held or ordered block both until a person has looked', async () => {
    for (const stake of [booked('trend', SPY, '50'), ordered('abc-1', SPY, { trend: '50' })]) {
      const { ledger } = given(ready, stake)
      const events = await signalled({ ledger, broker: other })
      expect(dataOf(events, 'DiscrepancyFound').map(({ conId, kind }) => [conId, kind])).to.deep.equal([
        [SPY.conId, 'instrumentChanged'],
        [999, 'instrumentChanged'],
      ])
      expect(dataOf(events, 'SignalFailed')[0]).to.include({ code: 'INSTRUMENT_CHANGED' })
      const after = continued(ledger, at('2024-01-09T15:01:00.000Z'), together(...events))
      const again = await signalled({ ledger: after, broker: other })
      expect(
        again.map(({ type }) => type),
        'found once, failing on',
      ).to.deep.equal(['SignalFailed'])
    }
  })

  it('may be another contract when nothing is held or ordered', async () => {
    const events = await signalled({ broker: other })
    expect(events.map(({ type }) => type)).to.deep.equal(['InstrumentResolved', 'SignalGenerated'])
  })
})
