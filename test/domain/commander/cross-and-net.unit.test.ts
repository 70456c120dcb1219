import { expect } from 'chai'
import { sum } from '../../../domain/decimal.ts'
import { event } from '../../../domain/events.ts'
import { booksIn } from '../../../domain/ledger.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, ordersOf } from './decision.ts'

const { booked, configured, continued, dataOf, given, neutral, ready, SPY, snapshot, stands, wants } = world

const allocations = configured({
  ...{ 'strategies.trend.allocation': 0.4, 'strategies.hedge.allocation': 0.3, 'strategies.carry.allocation': 0.3 },
  'orders.minimumTrade': 0,
})
const account = (quantity = '0', marketPrice = '100') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice }] }),
  allocations,
]
const target = (strategy: string, quantity: string) => wants(strategy, [{ instrument: SPY, quantity }])
const movesOf = (events: Parameters<typeof ordersOf>[0]) =>
  dataOf(events, 'PositionsCrossed').map(({ moves }) => Object.fromEntries(moves.map((move) => [move.strategy, move.quantity])))

describe('commander: cross and net', () => {
  it('settles opposite wishes inside the house: the books move, no order goes out (it was lost and came again for ever)', () => {
    const before = given(...account(), target('trend', '10'), target('hedge', '-10')).ledger
    const events = deciding()(before)
    expect(movesOf(events)).to.deep.equal([{ hedge: '-10', trend: '10' }])
    expect(dataOf(events, 'PositionsCrossed')[0]).to.include({ price: '100', priceAt: world.mondayClose, symbol: 'SPY' })
    expect(ordersOf(events)).to.deep.equal([])
    const after = continued(before, world.together(...events))
    expect(after.books).to.deep.equal({ hedge: { [SPY.conId]: '-10' }, trend: { [SPY.conId]: '10' } })
    expect(booksIn(after, SPY.conId)).to.equal('0')
    expect(deciding({}, { step: 'second' })(after)).to.have.length(1)
  })

  it('orders only what is left, in the name of those who still want it', () => {
    const events = given(...account(), target('trend', '100'), target('hedge', '-30')).when(deciding())
    expect(movesOf(events)).to.deep.equal([{ hedge: '-30', trend: '30' }])
    const [order] = dataOf(events, 'OrderPlanned')
    expect(order).to.deep.include({ quantity: '70', shares: [{ strategy: 'trend', quantity: '70' }] })
  })

  it('settles the largest wish first, and by name between equals', () => {
    const steps = [target('trend', '-40'), target('carry', '20'), target('hedge', '50')]
    expect(movesOf(given(...account(), ...steps).when(deciding()))).to.deep.equal([{ hedge: '40', trend: '-40' }])
    const equals = [target('trend', '-40'), target('carry', '50'), target('hedge', '50')]
    expect(movesOf(given(...account(), ...equals).when(deciding()))).to.deep.equal([{ carry: '40', trend: '-40' }])
  })

  it('settles the reduction of a flip before its increase', () => {
    const steps = [booked('trend', SPY, '30'), target('trend', '-20'), target('hedge', '40')]
    const events = given(...account('30'), ...steps).when(deciding())
    expect(movesOf(events)).to.deep.equal([{ hedge: '40', trend: '-40' }])
    expect(dataOf(events, 'OrderPlanned').map(({ quantity, reduces }) => `${quantity} ${reduces}`)).to.deep.equal(['-10 false'])
  })

  it('nets what has the same direction: one order for the reductions and one for the increases', () => {
    const books = [booked('trend', SPY, '30'), booked('hedge', SPY, '20')]
    const targets = [target('trend', '0'), target('hedge', '5'), target('carry', '-40')]
    const [reduction, increase, ...others] = dataOf(given(...account('50'), ...books, ...targets).when(deciding()), 'OrderPlanned')
    expect(reduction).to.deep.include({ quantity: '-45', reduces: true })
    expect(reduction!.shares).to.deep.equal([
      { strategy: 'hedge', quantity: '-15' },
      { strategy: 'trend', quantity: '-30' },
    ])
    expect(increase).to.deep.include({ quantity: '-40', reduces: false, shares: [{ strategy: 'carry', quantity: '-40' }] })
    expect(others).to.deep.equal([])
    expect(sum(reduction!.shares.map(({ quantity }) => quantity))).to.equal(reduction!.quantity)
  })

  it('puts the reductions of all instruments before all increases', () => {
    const { VIXY } = world
    const steps = [booked('hedge', SPY, '30'), target('hedge', '0'), wants('trend', [{ instrument: VIXY, quantity: '10' }])]
    expect(ordersOf(given(...account('30'), ...steps).when(deciding()))).to.deep.equal(['SPY -30', 'VIXY 10'])
  })

  it('does nothing in a blocked instrument', () => {
    const blocked = event('DiscrepancyFound', { conId: SPY.conId, symbol: 'SPY', kind: 'position', quantity: '3', text: '3 too many' })
    const events = given(...account(), blocked, target('trend', '10'), target('hedge', '-10')).when(deciding())
    expect(movesOf(events)).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['BLOCKED'])
    expect(codesOf(events, 'hedge')).to.deep.equal(['BLOCKED'])
  })

  it('does not cross what has no price', () => {
    const books = [booked('trend', SPY, '10'), booked('hedge', SPY, '-10')]
    const standing = ['trend', 'hedge'].flatMap((id) => [stands(id, [{ instrument: SPY, quantity: '0' }], '0.1'), neutral(id, [])])
    const events = given(...ready, snapshot(), allocations, ...books, ...standing).when(deciding())
    expect(movesOf(events)).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['PRICE_MISSING'])
  })
})
