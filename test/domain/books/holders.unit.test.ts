import { expect } from 'chai'
import { holdersOf } from '../../../domain/books/transfer.ts'
import { booked, ledgerOf, ready, SPY } from '../../given.ts'

describe('who holds an instrument', () => {
  it('stands in the order of names, so that what is rounded among them does not hang on who traded first', () => {
    const [trend, hedge] = [booked('trend', SPY, '-1'), booked('hedge', SPY, '-9')]
    const expected = [
      { holder: 'hedge', quantity: '-9' },
      { holder: 'trend', quantity: '-1' },
    ]
    expect(holdersOf(ledgerOf(ready, trend, hedge), SPY.conId)).to.deep.equal(expected)
    expect(holdersOf(ledgerOf(ready, hedge, trend), SPY.conId)).to.deep.equal(expected)
  })
})
