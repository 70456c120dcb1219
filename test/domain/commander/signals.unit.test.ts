import { expect } from 'chai'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, ordersOf, standingOf, targetOf } from './decision.ts'

const { booked, command, configured, failed, given, neutral, ordered, ready, SPY, snapshot, stands, VIXY, wants } = world

const holdsSpy = snapshot({ holdings: [{ instrument: SPY, quantity: '80', marketPrice: '100' }] })
const allocated = configured({ 'strategies.trend.allocation': 1 })
const holding = [...ready, holdsSpy, allocated, booked('trend', SPY, '80')]
const verdictOf = (events: ReturnType<ReturnType<typeof deciding>>, strategy = 'trend') =>
  decisionOf(events).strategies.find((judged) => judged.strategy === strategy)?.verdict

describe('commander: signals', () => {
  it('trades on fresh targets', () => {
    const events = given(...holding, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
    expect(verdictOf(events)).to.equal('targets')
    expect(ordersOf(events)).to.deep.equal(['SPY 820'])
  })

  it('pursues the standing target on a neutral day', () => {
    const events = given(...holding, stands('trend', [{ instrument: SPY, quantity: '200' }]), neutral('trend')).when(deciding())
    expect(verdictOf(events)).to.equal('standing')
    expect(ordersOf(events)).to.deep.equal(['SPY 120'])
  })

  const silences: [string, world.Step[], string][] = [
    ['missing', [], 'SIGNAL_MISSING'],
    ['failed', [wants('trend', [{ instrument: SPY, weight: '1' }]), failed('trend')], 'SIGNAL_FAILED'],
    ['stale', [wants('trend', [{ instrument: SPY, weight: '1' }], { freshUntil: world.tuesday })], 'SIGNAL_STALE'],
    ['neutral, but stale', [neutral('trend', [SPY], { freshUntil: world.mondayClose })], 'SIGNAL_STALE'],
  ]
  for (const [what, steps, code] of silences)
    it(`holds the book when the signal is ${what}, though another quantity stands (it sold everything)`, () => {
      const events = given(...holding, stands('trend', [{ instrument: SPY, quantity: '200' }]), ...steps).when(deciding())
      expect(verdictOf(events)).to.equal('held')
      expect(codesOf(events, 'trend')).to.deep.equal([code])
      expect(targetOf(events, 'trend', SPY)).to.include({ wanted: '80', target: '80', difference: '0' })
      expect(ordersOf(events)).to.deep.equal([])
    })

  for (const [what, steps] of silences.filter(([what]) => what !== 'neutral, but stale'))
    it(`says of a strategy without money and holdings that it has none, not that its signal is ${what} (people were alerted every day)`, () => {
      const events = given(...ready, snapshot(), ...steps).when(deciding())
      expect(verdictOf(events)).to.equal('held')
      expect(codesOf(events, 'trend')).to.deep.equal(['NOT_ALLOCATED'])
    })

  it('sells nothing on a neutral day with nothing standing, and never what is held by hand', () => {
    const steps = [booked('trend', SPY, '80'), allocated, neutral('trend')]
    const withManual = snapshot({ manual: [{ conId: 265598, symbol: 'AAPL', quantity: '10' }] })
    const events = given(...ready, withManual, ...steps).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(decisionOf(events).targets.map(({ symbol }) => symbol)).to.deep.equal(['SPY'])
  })

  it('trusts a signal again that came after a failure', () => {
    const events = given(...holding, failed('trend'), wants('trend', [{ instrument: SPY, weight: '0' }])).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -80'])
  })

  it('goes flat by an explicit 0 only', () => {
    const events = given(...holding, wants('trend', [{ instrument: SPY, weight: '0' }])).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -80'])
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '0' })
  })

  it('keeps the standing target of an instrument that the signal does not name', () => {
    const steps = [stands('trend', [{ instrument: SPY, quantity: '200' }]), wants('trend', [{ instrument: VIXY, weight: '0.1' }])]
    const priced = neutral('hedge', [SPY])
    const events = given(...holding, ...steps, priced).when(deciding())
    expect(standingOf(events, 'trend')).to.deep.equal({ VIXY: '90' })
    expect(ordersOf(events)).to.have.members(['SPY 120', 'VIXY 90'])
  })

  it('leaves what a held strategy has in flight to its end', () => {
    const steps = [ordered('r-1', SPY, { trend: '50' }), failed('trend')]
    const events = given(...holding, ...steps).when(deciding())
    expect(targetOf(events, 'trend', SPY)).to.include({ inFlight: '50', difference: '0' })
    expect(decisionOf(events).cancels).to.deep.equal([])
  })

  it('holds the book of a disabled strategy, by name', () => {
    const disabled = configured({ 'strategies.trend.enabled': false })
    const events = given(...holding, disabled, wants('trend', [{ instrument: SPY, weight: '0' }])).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['BOOK_WITHOUT_STRATEGY'])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('holds the book of a strategy whose file is gone, and says nothing of one that holds nothing', () => {
    const events = given(...holding, stands('old', [{ instrument: SPY, quantity: '5' }])).when(deciding({}, { knownStrategies: [] }))
    expect(codesOf(events, 'trend')).to.deep.equal(['BOOK_WITHOUT_STRATEGY'])
    expect(codesOf(events, 'old')).to.deep.equal([])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('touches only the strategies that were asked for', () => {
    const steps = [booked('hedge', VIXY, '10'), wants('hedge', [{ instrument: VIXY, weight: '0' }])]
    const events = given(...holding, ...steps, wants('trend', [{ instrument: SPY, weight: '0' }])).when(deciding({ strategies: ['hedge'] }))
    expect(ordersOf(events)).to.deep.equal(['VIXY -10'])
    expect(decisionOf(events).strategies.map(({ strategy }) => strategy)).to.deep.equal(['hedge'])
  })

  it('leaves a book alone that is being closed, and counts it in the limits all the same', () => {
    const closing = world.caused(
      command('close-1', 'close-all'),
      event('PipelineStarted', { pipeline: 'close-1', plan: { strategies: ['trend'] }, validUntil: null, endsBy: world.tuesdayClose }),
    )
    const steps = [...holding, wants('trend', [{ instrument: SPY, weight: '1' }]), closing]
    const others = given(...steps).when(deciding())
    expect(verdictOf(others)).to.equal('skipped')
    expect(codesOf(others, 'trend')).to.deep.equal(['CLOSING'])
    expect(ordersOf(others)).to.deep.equal([])
    const more = wants('hedge', [{ instrument: SPY, weight: '1' }])
    const money = world.configured({ 'strategies.hedge.allocation': 1, 'limits.gross': 0 })
    expect(codesOf(given(...steps, more, money).when(deciding()), 'hedge')).to.include('LIMIT_GROSS')
  })
})
