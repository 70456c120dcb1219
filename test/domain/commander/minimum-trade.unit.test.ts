import { expect } from 'chai'
import * as world from '../../given.ts'
import { account, target } from './accounts.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf } from './decision.ts'

const { booked, dataOf, given, ordered, SPY } = world

describe('commander: minimum trade', () => {
  it('leaves a smaller difference alone, with its numbers', () => {
    const events = given(...account('50', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '50'), target('59')).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'BELOW_MINIMUM').numbers).to.deep.equal({ difference: '9', value: '900', minimum: '1000' })
  })

  it('trades a difference of exactly the minimum', () => {
    const events = given(...account('50', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '50'), target('60')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 10'])
  })

  it('never keeps a position from being closed', () => {
    const events = given(...account('5', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '5'), target('0')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -5'])
  })

  it('holds for what crossing leaves, too', () => {
    const events = given(...account('0', { 'orders.minimumTrade': 1000 }), target('100'), target('-95', 'hedge')).when(deciding())
    expect(dataOf(events, 'PositionsCrossed')).to.have.length(1)
    expect(ordersOf(events)).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['BELOW_MINIMUM'])
  })

  it('cancels nothing', () => {
    const steps = [ordered('r-1', SPY, { trend: '50' }), target('45')]
    const events = given(...account('0', { 'orders.minimumTrade': 1000 }), ...steps).when(deciding())
    expect(decisionOf(events).cancels).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['BELOW_MINIMUM'])
  })
})
