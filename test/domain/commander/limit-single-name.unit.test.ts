import { expect } from 'chai'
import * as world from '../../given.ts'
import { both, held, limits, quantity } from './accounts.ts'
import { deciding, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, given, neutral, ready, SPY, snapshot, wants } = world

describe('commander: limit on a single name', () => {
  it('of a strategy holds for each instrument by itself', () => {
    const events = given(
      ...ready,
      snapshot(),
      limits({ 'strategies.trend.limits.singleName': 0.5 }),
      wants('trend', both('400', '100')),
    ).when(deciding())
    expect(ordersOf(events)).to.have.members(['SPY 250', 'VIXY 100'])
    expect(noteOf(events, 'LIMIT_SINGLE_NAME').numbers).to.include({ wanted: '400', allowed: '250', limit: '25000' })
  })

  it('of the account looks at the net of all books', () => {
    const steps = [held('-300'), booked('hedge', SPY, '-300'), limits({ 'limits.singleName': 0.4 }), neutral('hedge')]
    const within = given(...ready, ...steps, wants('trend', [quantity(SPY, '700')])).when(deciding())
    expect(targetOf(within, 'trend', SPY).target).to.equal('700')
    const above = given(...ready, ...steps, wants('trend', [quantity(SPY, '800')])).when(deciding())
    expect(targetOf(above, 'trend', SPY).target).to.equal('700')
    expect(noteOf(above, 'LIMIT_SINGLE_NAME').numbers).to.include({ level: 'account', limit: '40000' })
  })

  it('shares the room of the account among those who add', () => {
    const steps = [wants('trend', [quantity(SPY, '600')]), wants('hedge', [quantity(SPY, '200')])]
    const events = given(...ready, snapshot(), limits({ 'limits.singleName': 0.4 }), ...steps).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'hedge', SPY).target]).to.deep.equal(['300', '100'])
  })
})
