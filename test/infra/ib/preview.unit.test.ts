import { OrderStatus } from '@stoqey/ib'
import { expect } from 'chai'
import { brokerTime } from '../../../infra/ib/fields.ts'
import { incrementsOf } from '../../../infra/ib/market-rules.ts'
import { isWhole, previewOf } from '../../../infra/ib/preview.ts'

describe('a preview as IB gives it', () => {
  it('has no number where IB says 1.79e308, and is not whole then (a preview once granted what nobody had reckoned)', () => {
    const unset = 1.7976931348623157e308
    const preview = previewOf({
      ...{ status: OrderStatus.PreSubmitted, initMarginChange: unset, initMarginAfter: unset, equityWithLoanAfter: unset },
      warningText: 'Your order is unusually large.',
    })
    expect(preview).to.deep.equal({
      ...{ initialMarginChange: undefined, initialMarginAfter: undefined, equityAfter: undefined, availableFundsAfter: undefined },
      ...{ commission: undefined, warning: 'Your order is unusually large.' },
    })
    expect(isWhole(preview)).to.equal(false)
  })

  it('leaves the funds that equity has over margin', () => {
    const preview = previewOf({ status: OrderStatus.PreSubmitted, initMarginAfter: 2500.25, equityWithLoanAfter: 2000 })
    expect(preview).to.deep.include({ availableFundsAfter: '-500.25', initialMarginAfter: '2500.25', warning: undefined })
    expect(isWhole(preview)).to.equal(true)
  })
})

describe('a market rule as IB gives it', () => {
  it('is read lowest first, without what is no step', () => {
    const rule = [
      { lowEdge: 1, increment: 0.01 },
      { lowEdge: 0, increment: 0.0001 },
      { lowEdge: 5, increment: 0 },
    ]
    expect(incrementsOf(rule)).to.deep.equal([
      { from: '0', increment: '0.0001' },
      { from: '1', increment: '0.01' },
    ])
  })
})

describe('a time in an order', () => {
  it('is New York’s, summer and winter', () => {
    expect(brokerTime('2019-06-03T14:30:00.000Z')).to.equal('20190603 10:30:00 US/Eastern')
    expect(brokerTime('2019-12-03T14:30:05.999Z')).to.equal('20191203 09:30:05 US/Eastern')
    expect(brokerTime('2019-12-04T04:59:59.000Z')).to.equal('20191203 23:59:59 US/Eastern')
  })
})
