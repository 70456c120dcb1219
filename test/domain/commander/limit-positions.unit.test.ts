import { expect } from 'chai'
import * as world from '../../given.ts'
import { both, held, limits } from './accounts.ts'
import { deciding, noteOf, ordersOf } from './decision.ts'

const { booked, given, ready, SPY, snapshot, wants } = world

describe('commander: limit on the number of positions', () => {
  it('lets in the largest of the new ones', () => {
    const events = given(...ready, snapshot(), limits({ 'strategies.trend.limits.positions': 1 }), wants('trend', both('100', '200'))).when(
      deciding(),
    )
    expect(ordersOf(events)).to.deep.equal(['VIXY 200'])
    expect(noteOf(events, 'LIMIT_POSITIONS').numbers).to.include({ wanted: '100', allowed: '0', limit: '1' })
  })

  it('counts what is held first, and lets that grow', () => {
    const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
    const events = given(...ready, ...steps, wants('trend', both('50', '200'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 40'])
  })

  it('gives the place of one that is closed to a new one', () => {
    const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
    const events = given(...ready, ...steps, wants('trend', both('0', '200'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -10', 'VIXY 200'])
  })
})
