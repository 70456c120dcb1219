import { expect } from 'chai'
import fc from 'fast-check'
import { lessSettled, splitAtZero, totalOf } from '../../../domain/commander/difference.ts'
import { absolute, add, compare, type Decimal, isZero, sign, towardsZero } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, closed, configured, filled, given, ordered, ready, SPY, snapshot, wants } = world

const account = (quantity: Decimal = '0') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice: '100' }] }),
  configured({ 'strategies.trend.allocation': 1, 'orders.minimumTrade': 0 }),
]
const target = (quantity: Decimal) => wants('trend', [{ instrument: SPY, quantity }])
const hundreds = fc.integer({ min: -100_000, max: 100_000 }).map((hundredth) => String(hundredth / 100))

describe('commander: difference', () => {
  it('is the target less the book less what is in flight (open orders were ignored)', () => {
    const steps = [booked('trend', SPY, '30'), ordered('r-1', SPY, { trend: '50' })]
    const events = given(...account('30'), ...steps, target('100')).when(deciding())
    expect(targetOf(events, 'trend', SPY)).to.include({ book: '30', inFlight: '50', difference: '20' })
    expect(ordersOf(events)).to.deep.equal(['SPY 20'])
  })

  it('says that all of it is on its way', () => {
    const events = given(...account(), ordered('r-1', SPY, { trend: '100' }), target('100')).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['IN_FLIGHT'])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('counts only the unfilled part of an order as in flight (partial fills were never booked)', () => {
    const steps = [ordered('r-1', SPY, { trend: '100' }), filled('r-1', SPY, 'e1.01', { trend: '40' })]
    const events = given(...account('40'), ...steps, target('100')).when(deciding())
    expect(targetOf(events, 'trend', SPY)).to.include({ book: '40', inFlight: '60', difference: '0' })
  })

  it('asks again for what a cancelled order did not bring, and for no more (it was booked as filled)', () => {
    const steps = [ordered('r-1', SPY, { trend: '100' }), filled('r-1', SPY, 'e1.01', { trend: '40' }), closed('r-1', 'cancelled', '40')]
    const events = given(...account('40'), ...steps, target('100')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 60'])
  })

  it('counts only the part of an order that belongs to the strategy', () => {
    const steps = [ordered('r-1', SPY, { trend: '60', hedge: '40' })]
    const events = given(...account(), ...steps, target('100')).when(deciding())
    expect(targetOf(events, 'trend', SPY)).to.include({ inFlight: '60', difference: '40' })
  })

  it('splits at zero: a reduction and an increase, in this order', () => {
    const events = given(...account('30'), booked('trend', SPY, '30'), target('-20')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -30', 'SPY -20'])
    expect(world.dataOf(events, 'OrderPlanned').map(({ reduces, type }) => `${reduces} ${type}`)).to.deep.equal(['true MKT', 'false LMT'])
  })

  it('leaves a rest that is smaller than the size step, and says so', () => {
    const steps = [booked('trend', SPY, '10.5'), target('0')]
    const events = given(...account('10.5'), ...steps).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -10'])
    expect(noteOf(events, 'RESIDUAL').numbers).to.deep.equal({ residual: '-0.5', sizeStep: '1' })
  })

  it('has only a residual when nothing else is left', () => {
    const events = given(...account('0.5'), booked('trend', SPY, '0.5'), target('0')).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['RESIDUAL'])
  })

  it('cannot be ordered in a contract that was never resolved', () => {
    const unknown = { ...SPY, conId: 4711, symbol: 'OLD' }
    const steps = [booked('trend', unknown, '10'), world.stands('trend', [{ instrument: unknown, quantity: '0' }]), world.neutral('trend')]
    const events = given(...account(), ...steps).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['INSTRUMENT_UNKNOWN'])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('is split into parts of its own sign that sum to it, the reduction no larger than the position', () => {
    fc.assert(
      fc.property(hundreds, hundreds, fc.constantFrom('1', '0.01', '10'), (position, difference, step) => {
        const { reduction, increase } = splitAtZero(position, difference, step)
        expect(add(reduction, increase)).to.equal(towardsZero(difference, step))
        for (const part of [reduction, increase]) {
          expect(towardsZero(part, step)).to.equal(part)
          if (!isZero(part)) expect(sign(part)).to.equal(sign(difference))
        }
        expect(compare(absolute(reduction), absolute(position))).to.be.at.most(0)
        if (!isZero(reduction)) expect(sign(reduction)).to.equal(-sign(position))
        // What increases starts at zero, or less than a step from it.
        if (!isZero(increase) && sign(position) === -sign(difference))
          expect(compare(absolute(add(position, reduction)), step)).to.equal(-1)
      }),
    )
  })

  it('loses its reduction first when a part of it is settled', () => {
    const wish = { strategy: 'trend', conId: 1, reduction: '-30', increase: '-20', closes: false }
    expect(lessSettled(wish, '-40')).to.include({ reduction: '0', increase: '-10' })
    expect(lessSettled(wish, '-10')).to.include({ reduction: '-20', increase: '-20' })
    expect(totalOf(lessSettled(wish, '-50'))).to.equal('0')
  })
})
