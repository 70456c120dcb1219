import { expect } from 'chai'
import { oldestUsablePrice } from '../../../domain/commander/price-age.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, ordersOf } from './decision.ts'

const { configured, given, ready, SPY, snapshot, wants } = world

const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]

describe('commander: the age of a price', () => {
  it('may be that of the close before the latest closed session, not a millisecond longer', () => {
    const friday = Date.parse('2024-01-05T21:00:00.000Z') // on Tuesday, Monday's session is the latest closed one
    const priced = (time: number) => wants('trend', [{ instrument: SPY, weight: '1' }], { pricedAt: new Date(time).toISOString() })
    expect(ordersOf(given(...account, priced(friday)).when(deciding()))).to.deep.equal(['SPY 900'])
    const events = given(...account, priced(friday - 1)).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['PRICE_STALE'])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('counts sessions, not days: over a holiday and on short days too', () => {
    const oldest = (now: string) => new Date(oldestUsablePrice(Date.parse(now))).toISOString()
    expect(oldest('2024-01-16T15:00:00.000Z'), 'a Tuesday after a holiday').to.equal('2024-01-11T21:00:00.000Z')
    expect(oldest('2024-11-29T18:00:00.000Z'), 'at the early close of a Friday after a holiday').to.equal('2024-11-27T21:00:00.000Z')
    expect(oldest('2024-11-29T17:59:59.999Z')).to.equal('2024-11-26T21:00:00.000Z')
  })
})
