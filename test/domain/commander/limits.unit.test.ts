import { expect } from 'chai'
import type { Decimal } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { both, held, limits, quantity } from './accounts.ts'
import { codesOf, deciding, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, configured, given, neutral, ready, SPY, snapshot, stands, VIXY, wants } = world

describe('commander: limits', () => {
  it('leaves alone what is within them', () => {
    const events = given(...ready, snapshot(), limits({}), wants('trend', both('100', '-100'))).when(deciding())
    expect(ordersOf(events)).to.have.members(['SPY 100', 'VIXY -100'])
    expect(codesOf(events, 'trend')).to.deep.equal([])
  })

  it('never clip a reduction, however far outside it ends', () => {
    const tight = { 'limits.gross': 0, 'limits.singleName': 0, 'limits.positions': 0, 'strategies.trend.limits.gross': 0 }
    const steps = [held('900'), booked('trend', SPY, '900'), limits(tight)]
    const events = given(...ready, ...steps, wants('trend', both('500', '10'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -400'])
  })

  it('let a flip go flat even when they forbid the other side', () => {
    const steps = [held('300'), booked('trend', SPY, '300'), limits({ 'strategies.trend.limits.singleName': 0.1 })]
    const events = given(...ready, ...steps, wants('trend', [quantity(SPY, '-300')])).when(deciding())
    expect(targetOf(events, 'trend', SPY).target).to.equal('-50')
    expect(ordersOf(events)).to.deep.equal(['SPY -300', 'SPY -50'])
  })

  it('cannot be checked without the market price of what is held: nothing increases, exits go on', () => {
    const unpriced = snapshot({
      holdings: [
        { instrument: VIXY, quantity: '10' },
        { instrument: SPY, quantity: '50', marketPrice: '100' },
      ],
    })
    const steps = [unpriced, booked('hedge', VIXY, '10'), booked('trend', SPY, '50'), limits({})]
    const more = given(...ready, ...steps, wants('trend', [quantity(SPY, '80')])).when(deciding({ strategies: ['trend'] }))
    expect(ordersOf(more)).to.deep.equal([])
    expect(noteOf(more, 'MARKET_PRICE_MISSING').numbers).to.include({ wanted: '80', allowed: '50', unvalued: String(VIXY.conId) })
    const less = given(...ready, ...steps, wants('trend', [quantity(SPY, '20')])).when(deciding({ strategies: ['trend'] }))
    expect(ordersOf(less)).to.deep.equal(['SPY -30'])
  })

  it('value what was bought after the snapshot at the reference', () => {
    const steps = [booked('trend', SPY, '300'), limits({ 'strategies.trend.limits.gross': 1 })]
    const events = given(...ready, snapshot(), ...steps, wants('trend', both('300', '400'))).when(deciding())
    expect(targetOf(events, 'trend', VIXY).target).to.equal('200')
    expect(codesOf(events)).not.to.include('MARKET_PRICE_MISSING')
  })

  it('stop an increase of a standing target whose price is gone, not its reduction', () => {
    const stood = (wanted: Decimal) => [
      booked('trend', SPY, '50'),
      stands('trend', [quantity(SPY, wanted)], '0.5'),
      neutral('trend', [VIXY]),
    ]
    const more = given(...ready, held('50'), limits({}), ...stood('80')).when(deciding())
    expect(codesOf(more, 'trend')).to.deep.equal(['PRICE_MISSING'])
    expect(ordersOf(more)).to.deep.equal([])
    const less = given(...ready, held('50'), limits({}), ...stood('20')).when(deciding())
    expect(ordersOf(less)).to.deep.equal(['SPY -30'])
  })

  it('offer again what rounding left: what is too little for a step of the one goes to the other', () => {
    const coarse = { ...VIXY, conId: 99, symbol: 'BRK', sizeStep: '100' }
    const steps = [world.resolved(coarse), limits({ 'strategies.trend.limits.gross': 1 })]
    const events = given(...ready, snapshot(), ...steps, wants('trend', [quantity(SPY, '500'), quantity(coarse, '500')])).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', coarse).target]).to.deep.equal(['298', '200'])
  })

  it('keeps exposure from adding up to more than there is (270 %)', () => {
    const greedy = configured({
      'exposure.overall': 4,
      'strategies.trend.allocation': 0.5,
      'strategies.hedge.allocation': 0.5,
      'limits.singleName': 4,
    })
    const steps = [wants('trend', [{ instrument: SPY, weight: '1' }]), wants('hedge', [{ instrument: VIXY, weight: '1' }])]
    const events = given(...ready, snapshot(), greedy, ...steps).when(deciding())
    expect(ordersOf(events)).to.have.members(['SPY 500', 'VIXY 500'])
  })
})
