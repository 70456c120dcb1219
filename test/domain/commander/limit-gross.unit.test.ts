import { expect } from 'chai'
import * as world from '../../given.ts'
import { both, held, limits, quantity } from './accounts.ts'
import { deciding, decisionOf, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, given, ordered, ready, SPY, snapshot, VIXY, wants } = world

describe('commander: limit on gross exposure', () => {
  it('of a strategy is a part of its own capital and scales all it adds by one factor', () => {
    const events = given(...ready, snapshot(), limits({ 'strategies.trend.limits.gross': 0.5 }), wants('trend', both('300', '-200'))).when(
      deciding(),
    )
    // Half of 50 000; 50 000 asked.
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', VIXY).target]).to.deep.equal(['150', '-100'])
    const said = decisionOf(events).notes.find(({ conId }) => conId === SPY.conId)
    expect(said).to.include({ code: 'LIMIT_GROSS', strategy: 'trend' })
    expect(said!.numbers).to.deep.equal({ wanted: '300', allowed: '150', level: 'strategy', limit: '25000', held: '0' })
  })

  it('counts what is held first, at its market price, and scales only what is added', () => {
    const steps = [held('200', '0', '120'), booked('trend', SPY, '200'), limits({ 'strategies.trend.limits.gross': 0.5 })]
    const events = given(...ready, ...steps, wants('trend', both('200', '100'))).when(deciding())
    expect(targetOf(events, 'trend', SPY).target).to.equal('200')
    expect(targetOf(events, 'trend', VIXY).target).to.equal('10') // 25 000 − 24 000 leaves 1 000
  })

  it('of the account looks at all books, also of strategies that are not asked', () => {
    const steps = [held('0', '600'), booked('hedge', VIXY, '600'), limits({ 'limits.gross': 1 })]
    const events = given(...ready, ...steps, wants('trend', [quantity(SPY, '500')])).when(deciding({ strategies: ['trend'] }))
    expect(targetOf(events, 'trend', SPY).target).to.equal('400')
    expect(noteOf(events, 'LIMIT_GROSS').numbers).to.include({ level: 'account', held: '60000', limit: '100000' })
  })

  it('counts what others have in flight', () => {
    const steps = [ordered('r-1', VIXY, { hedge: '600' }), limits({ 'limits.gross': 1 })]
    const events = given(...ready, snapshot(), ...steps, wants('trend', [quantity(SPY, '500')])).when(deciding({ strategies: ['trend'] }))
    expect(targetOf(events, 'trend', SPY).target).to.equal('400')
  })

  it('frees in the same decision what is sold', () => {
    const steps = [held('500'), booked('trend', SPY, '500'), limits({ 'strategies.trend.limits.gross': 1 })]
    const events = given(...ready, ...steps, wants('trend', both('0', '500'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -500', 'VIXY 500'])
  })
})
