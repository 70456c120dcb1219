import { expect } from 'chai'
import * as world from '../../given.ts'
import { codesOf, deciding, noteOf, ordersOf } from './decision.ts'

const { booked, configured, given, ready, resolved, SPY, snapshot, wants } = world

const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]

describe('commander: what can be traded', () => {
  it('never holds what is no holding: an index', () => {
    const index = { ...SPY, conId: 13455763, symbol: 'VIX', secType: 'IND' }
    const events = given(...account, resolved(index), wants('trend', [{ instrument: index, weight: '1' }])).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['NOT_TRADABLE'])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('has a price: without any, not even of the account, nothing is ordered or crossed', () => {
    const unpriced = snapshot({ holdings: [{ instrument: SPY, quantity: '80' }] })
    const flat = wants('trend', [{ instrument: SPY, quantity: '0' }], { prices: [] })
    const events = given(...account, unpriced, booked('trend', SPY, '80'), flat).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'PRICE_MISSING')).to.deep.include({ strategy: 'trend', numbers: { difference: '-80' } })
  })
})
