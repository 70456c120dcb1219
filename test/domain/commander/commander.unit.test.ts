import { expect } from 'chai'
import { canonical } from '../../../domain/commit.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, ordersOf } from './decision.ts'

const { booked, configured, connected, continued, dataOf, given, neutral, ordered, ready, SPY, snapshot, stands, VIXY, wants } = world

const money = configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, 'orders.minimumTrade': 0 })
/** A day on which everything happens: one strategy flips, one opens, they cross, and an old order is in the way of a third thing. */
const busyDay = [
  ...ready,
  snapshot({
    holdings: [
      { instrument: SPY, quantity: '30', marketPrice: '101' },
      { instrument: VIXY, quantity: '40', marketPrice: '99' },
    ],
  }),
  money,
  booked('trend', SPY, '30'),
  booked('hedge', VIXY, '40'),
  ordered('r-1', VIXY, { hedge: '10' }),
  wants('trend', [{ instrument: SPY, weight: '-0.2' }]),
  wants('hedge', [
    { instrument: SPY, weight: '0.1' },
    { instrument: VIXY, weight: '0' },
  ]),
]

describe('commander', () => {
  it('gives the events of a decision in their order', () => {
    const events = given(...busyDay).when(deciding())
    expect(events.map(({ type }) => type)).to.deep.equal([
      'AllocationDecided',
      'StandingTargetsSet',
      'StandingTargetsSet',
      'PositionsCrossed',
      'OrderCancelRequested',
      'OrderPlanned',
    ])
    expect(ordersOf(events)).to.deep.equal(['SPY -75']) // −120 of trend, 45 of hedge crossed
  })

  it('records what it was decided from, so that it can be made again', () => {
    const { ledger } = given(...busyDay)
    const decision = decisionOf(deciding()(ledger))
    expect(decision.snapshot).to.deep.equal({
      position: ledger.snapshot!.position,
      takenAt: world.tuesday,
      netLiquidation: '100000',
      currency: 'USD',
    })
    expect(decision.signals).to.deep.equal({ trend: ledger.signals['trend']!.position, hedge: ledger.signals['hedge']!.position })
    expect(decision).to.include({ configuration: ledger.configuredAt, exposure: '0.9', round: 1, dryRun: false })
    expect(decision.instruments.find(({ conId }) => conId === SPY.conId)).to.deep.equal({
      ...{ conId: SPY.conId, symbol: 'SPY', currency: 'USD', multiplier: '1', sizeStep: '1', minTick: '0.01', exchangeRate: '1' },
      ...{ marketPrice: '101', price: { value: '100', at: world.mondayClose, source: 'bar' } },
    })
    expect(decision.strategies).to.deep.include({ strategy: 'hedge', verdict: 'targets', allocation: '0.5' })
    expect(decision.targets).to.deep.include({
      ...{ strategy: 'trend', conId: SPY.conId, symbol: 'SPY', weight: '-0.2', book: '30', inFlight: '0' },
      ...{ wanted: '-90', target: '-90', difference: '-120' },
    })
  })

  it('decides the same from the same state, byte for byte, and keeps nothing between two decisions', () => {
    const first = canonical(given(...busyDay).when(deciding()))
    given(...ready, snapshot(), money, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
    expect(canonical(given(...busyDay).when(deciding()))).to.equal(first)
  })

  it('changes nothing in a dry run and shows the very same orders', () => {
    const { ledger } = given(...busyDay)
    const dry = deciding({ dryRun: true })(ledger)
    expect(dry).to.have.length(1)
    const { dryRun, ...shown } = decisionOf(dry)
    const { dryRun: _, ...real } = decisionOf(deciding()(ledger))
    expect(dryRun).to.equal(true)
    expect(shown).to.deep.equal(real)
    const before = structuredClone(ledger)
    const after = continued(ledger, world.together(...dry))
    for (const part of ['standing', 'books', 'orders', 'highestOrderId'] as const) expect(after[part], part).to.deep.equal(before[part])
  })

  it('orders nothing twice after a restart that repeats the decision', () => {
    const steps = [...ready, snapshot(), money, wants('trend', [{ instrument: SPY, weight: '1' }])]
    const before = given(...steps).ledger
    const planned = continued(before, world.together(...deciding()(before)), world.connected(1))
    expect(ordersOf(deciding()(planned))).to.deep.equal([])
    expect(codesOf(deciding()(planned), 'trend')).to.deep.equal(['IN_FLIGHT'])
  })

  it('decides again after the cancel and ends where the signals want it', () => {
    let ledger = given(...busyDay).ledger
    ledger = continued(ledger, world.together(...deciding()(ledger)), world.closed('r-1', 'cancelled'))
    expect(ordersOf(deciding({}, { step: 'second', round: 2 })(ledger))).to.deep.equal(['VIXY -40'])
  })

  it('has nothing to do on an account without strategies', () => {
    const events = given(...ready, snapshot()).when(deciding({}, { knownStrategies: [] }))
    expect(events).to.have.length(1)
    expect(decisionOf(events)).to.deep.include({ targets: [], orders: [], notes: [], strategies: [], instruments: [], cancels: [] })
  })

  it('considers nobody when the list of strategies is empty', () => {
    expect(decisionOf(given(...busyDay).when(deciding({ strategies: [] })))).to.deep.include({ strategies: [], orders: [] })
  })

  it('pursues on a neutral day what an order of yesterday did not bring', () => {
    const steps = [stands('trend', [{ instrument: SPY, quantity: '100' }], '0.45'), connected(7), neutral('trend')]
    const events = given(...ready, snapshot(), money, ...steps).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 100'])
    expect(dataOf(events, 'StandingTargetsSet')).to.deep.equal([])
  })
})
