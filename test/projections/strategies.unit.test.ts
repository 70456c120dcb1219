import { expect } from 'chai'
import { settings } from '../../domain/configuration.ts'
import { event } from '../../domain/events.ts'
import { strategiesView } from '../../projections/strategies.ts'
import { at, changed, command, documentsOf, pathsOfLast, resolved, SPY, signal, snapshot, started, VIXY } from './story.ts'

const latest = 'strategies/dummy/intent/latest'
const funded = [
  started,
  command('configure', 'c1', changed({ 'strategies.dummy.allocation': 0.5, 'strategies.dummy.limits.singleName': 0.4 })),
  command('reconcile', 'c2', snapshot()),
]
const targetsOf = (...told: Parameters<typeof documentsOf>[1][]) =>
  documentsOf(strategiesView, ...told).get(latest)!['target_positions'] as readonly Record<string, unknown>[]

describe('the view of the strategies', () => {
  it('shows a strategy as it is configured', () => {
    const { settings, ...shown } = documentsOf(strategiesView, ...funded).get('strategies/dummy')!
    expect(settings).to.deep.include({ enabled: true, allocation: 0.5, 'limits.singleName': 0.4, 'limits.gross': 1 })
    expect(shown).to.deep.equal({
      name: 'dummy',
      enabled: true,
      capital_allocation: 0.5,
      risk_parameters: { max_gross_exposure: 1, max_single_position_exposure: 0.4, max_positions: 20 },
      parameters: {},
      updated_at: at(2),
    })
  })

  it('reads back every setting of a strategy by the name under which it was written', () => {
    const written = Object.entries(settings).flatMap(([name, { fallback, kind }]) =>
      name.startsWith('strategies.*.') && kind !== 'parameter' ? [[name.replace('*', 'dummy'), fallback] as const] : [],
    )
    const told = command('configure', 'c1', changed(Object.fromEntries(written)))
    const { settings: read } = documentsOf(strategiesView, started, told).get('strategies/dummy')!
    expect(read).to.deep.equal(Object.fromEntries(written.map(([name, value]) => [name.replace('strategies.dummy.', ''), value])))
    const off = command('configure', 'c2', changed({ 'strategies.dummy.enabled': false, 'strategies.dummy.allocation': 0.25 }))
    expect(documentsOf(strategiesView, started, told, off).get('strategies/dummy')!['settings']).to.include({
      enabled: false,
      allocation: 0.25,
    })
  })

  it('shows a signal with its weight and an indicative quantity', () => {
    const documents = documentsOf(strategiesView, ...funded, command('dummy', 'c3', resolved(SPY), signal('dummy')))
    const intent = documents.get(latest)!
    expect(intent).to.deep.include({ updated_at: at(4), status: 'success', error_message: null, fresh_until: '2026-11-20T21:00:00.000Z' })
    expect(intent['metadata']).to.deep.equal({ reason: 'it goes up', indicators: { macd: 1.25 }, parameters: null })
    expect(intent['bars']).to.deep.equal([{ ...SPY, size: '1 day', from: '2026-01-02', to: '2026-11-19', count: 200, hash: 'aa' }])
    // 100000 × 0.9 × 0.5 × 0.5 ÷ 450 = 50
    expect(intent['target_positions']).to.deep.equal([
      {
        symbol: 'SPY',
        secType: 'STK',
        exchange: 'SMART',
        currency: 'USD',
        weight: 0.5,
        quantity: 50,
        quantity_is: 'indicative',
        price: 450,
        price_at: '2026-11-19T21:00:00.000Z',
        contract_details: { conId: SPY.conId, multiplier: 1, sizeStep: 1, minTick: 0.01 },
      },
    ])
    expect(documents.get('strategies/dummy'), 'a signal changes nothing there').to.deep.include({
      capital_allocation: 0.5,
      updated_at: at(2),
    })
  })

  it("shows the strategy's own idea of the difference", () => {
    const documents = documentsOf(strategiesView, ...funded, command('dummy', 'c3', resolved(SPY), signal('dummy')))
    expect(documents.get(latest)!['proposed_delta']).to.deep.equal([{ ...SPY, target: 50, holding: 0, delta: 50 }])
    const unknown = documentsOf(strategiesView, started, command('dummy', 'c3', resolved(SPY), signal('dummy')))
    expect(unknown.get(latest)!['proposed_delta']).to.deep.equal([{ ...SPY, target: null, holding: 0, delta: null }])
  })

  it('shows a strategy that nobody configured once it spoke', () => {
    const documents = documentsOf(strategiesView, started, command('dummy', 'c3', resolved(SPY), signal('dummy')))
    expect(documents.get('strategies/dummy')).to.deep.include({ name: 'dummy', capital_allocation: 0, updated_at: at(2) })
  })

  it('shows a quantity target as exact, without a weight', () => {
    const [target] = targetsOf(...funded, command('dummy', 'c3', signal('dummy', { targets: [{ ...SPY, quantity: '-7' }] })))
    expect(target).to.include({ weight: null, quantity: -7, quantity_is: 'exact' })
  })

  it('scales weights that sum to more than 1, and rounds towards zero', () => {
    const targets = [
      { ...SPY, weight: '1' },
      { ...VIXY, weight: '-1' },
    ]
    const prices = [
      { conId: SPY.conId, value: '451', at: at(0), source: 'bar' },
      { conId: VIXY.conId, value: '13', at: at(0), source: 'bar' },
    ]
    const said = command('dummy', 'c3', resolved(SPY), resolved(VIXY), signal('dummy', { targets, prices }))
    // 45000 × ½ ÷ 451 = 49.8…; 45000 × −½ ÷ 13 = −1730.7…
    expect(targetsOf(...funded, said).map(({ quantity }) => quantity)).to.deep.equal([49, -1730])
  })

  it('gives no indicative quantity without an account, an instrument or a price', () => {
    const quantityAfter = (...told: Parameters<typeof targetsOf>) => targetsOf(...told)[0]!['quantity']
    const [, configured, reconciled] = funded
    expect(quantityAfter(started, configured!, command('dummy', 'c3', resolved(SPY), signal('dummy')))).to.equal(null)
    expect(quantityAfter(started, configured!, reconciled!, command('dummy', 'c3', signal('dummy')))).to.equal(null)
    expect(quantityAfter(...funded, command('dummy', 'c3', resolved(SPY), signal('dummy', { prices: [] })))).to.equal(null)
  })

  it('tells a failure and a neutral word apart, and keeps the standing targets in sight', () => {
    const standing = event('StandingTargetsSet', { strategy: 'dummy', signal: 4, factor: '0.45', targets: [{ ...SPY, quantity: '50' }] })
    const told = [...funded, command('dummy', 'c3', resolved(SPY), signal('dummy')), command('allocation', 'c4', standing)]
    const line = { conId: SPY.conId, symbol: 'SPY', quantity: 50, set_by: 4, factor: 0.45 }
    expect(documentsOf(strategiesView, ...told).get(latest)).to.deep.include({ status: 'success', standing_targets: [line] })
    const failed = event('SignalFailed', { strategy: 'dummy', dryRun: false, code: 'BARS_STALE', text: 'the last bar is of Monday' })
    expect(documentsOf(strategiesView, ...told, command('dummy', 'c5', failed)).get(latest)).to.deep.include({
      status: 'error',
      error_code: 'BARS_STALE',
      error_message: 'the last bar is of Monday',
      target_positions: [],
      standing_targets: [line],
    })
    const neutral = signal('dummy', { kind: 'neutral', targets: [] })
    expect(documentsOf(strategiesView, ...told, command('dummy', 'c5', neutral)).get(latest)).to.deep.include({
      status: 'neutral',
      error_message: null,
      target_positions: [],
      standing_targets: [line],
    })
  })

  it('never lets a dry run touch what it said in earnest', () => {
    const told = [...funded, command('dummy', 'c3', resolved(SPY), signal('dummy'))]
    const dry = command('dummy', 'c4', signal('dummy', { dryRun: true, kind: 'neutral', targets: [] }))
    expect(pathsOfLast(strategiesView, ...told, dry)).to.deep.equal(['strategies/dummy/intent/dryRun'])
    const documents = documentsOf(strategiesView, ...told, dry)
    expect(documents.get(latest)).to.include({ status: 'success' })
    expect(documents.get('strategies/dummy/intent/dryRun')).to.include({ status: 'neutral' })
    const failed = event('SignalFailed', { strategy: 'dummy', dryRun: true, code: 'BARS_STALE', text: 'old' })
    expect(pathsOfLast(strategiesView, ...told, command('dummy', 'c4', failed))).to.deep.equal(['strategies/dummy/intent/dryRun'])
  })
})
