import { expect } from 'chai'
import fc from 'fast-check'
import { collarPrice } from '../../../domain/commander/price-collar.ts'
import { absolute, compare, multiply, subtract, towardsZero } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { account, target } from './accounts.ts'
import { codesOf, deciding, noteOf } from './decision.ts'

const { booked, dataOf, given, SPY } = world

describe('commander: price collar', () => {
  it('are a limit at the collar for an increase', () => {
    const [buy] = dataOf(given(...account(), target('50')).when(deciding()), 'OrderPlanned')
    expect(buy).to.include({ type: 'LMT', limitPrice: '105', referencePrice: '100', timeInForce: 'DAY', outsideRegularHours: false })
    const [sell] = dataOf(given(...account(), target('-50')).when(deciding()), 'OrderPlanned')
    expect(sell).to.include({ type: 'LMT', limitPrice: '95' })
  })

  it('round the collar to the tick on the safer side', () => {
    expect(collarPrice('33.33', '1', '0.05', { minTick: '0.25' })).to.equal('34.75') // 34.9965
    expect(collarPrice('33.33', '-1', '0.05', { minTick: '0.25' })).to.equal('31.75') // 31.6635
    expect(collarPrice('5', '-1', '1', { minTick: '0.01' })).to.equal('0.01')
  })

  it('never are further from the reference than the collar', () => {
    const cents = fc.integer({ min: 100, max: 100_000_00 }).map((value) => String(value / 100))
    fc.assert(
      fc.property(
        cents,
        fc.constantFrom('1', '-1'),
        fc.constantFrom('0.001', '0.05', '0.3'),
        fc.constantFrom('0.01', '0.05', '0.25'),
        (price, side, collar, tick) => {
          const limit = collarPrice(price, side, collar, { minTick: tick })
          expect(towardsZero(limit, tick)).to.equal(limit)
          const rounded = compare(absolute(subtract(limit, price)), multiply(price, collar)) <= 0
          const onSaferSide = side === '1' ? compare(limit, price) <= 0 : compare(limit, price) >= 0
          expect(rounded || onSaferSide).to.equal(true)
        },
      ),
    )
  })

  it('are a market order for a reduction, and the collar only alerts', () => {
    const near = given(...account('50'), booked('trend', SPY, '50'), target('0')).when(deciding())
    expect(codesOf(near, 'trend')).to.deep.equal([])
    const far = given(...account('50', {}, '110'), booked('trend', SPY, '50'), target('0')).when(deciding())
    expect(dataOf(far, 'OrderPlanned')[0]).to.include({ type: 'MKT', quantity: '-50', referencePrice: '100' })
    expect(dataOf(far, 'OrderPlanned')[0]).not.to.have.property('limitPrice')
    expect(noteOf(far, 'COLLAR_REDUCTION').numbers).to.include({ marketPrice: '110', referencePrice: '100', collar: '0.05' })
  })
})
