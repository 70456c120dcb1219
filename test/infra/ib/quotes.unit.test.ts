import { expect } from 'chai'
import { isFrozen, priceOf, type Quote, quoteOf } from '../../../infra/ib/quotes.ts'

const at = '2020-02-04T15:00:00.000Z'
const now = Date.parse(at)
const tick = (field: Quote['field'], price: string, delayed = false): Quote => ({ field, price, delayed })

describe('a quote', () => {
  it('is no price where the broker says −1, 0 or nothing', () => {
    expect([undefined, '0', '-0.5'].map((price) => quoteOf(4, price))).to.deep.equal([undefined, undefined, undefined])
    expect(quoteOf(4, '101.5')).to.deep.equal(tick('last', '101.5'))
    expect(quoteOf(68, '101.5')).to.deep.equal(tick('last', '101.5', true))
    expect(quoteOf(14, '101.5'), 'the open of the day').to.equal(undefined)
  })

  it('is what was traded last, else the middle of bid and ask', () => {
    expect(priceOf([tick('bid', '101'), tick('ask', '102'), tick('last', '101.7')], 7, now)).to.deep.equal({
      ...{ conId: 7, price: '101.7', at, delayed: false },
    })
    expect(priceOf([tick('bid', '101'), tick('ask', '102')], 7, now)!.price).to.equal('101.5')
    expect(priceOf([tick('last', '101'), tick('last', '103')], 7, now)!.price).to.equal('103')
  })

  it('is of a quarter of an hour ago where it is delayed', () => {
    expect(priceOf([tick('last', '101', true)], 7, now)).to.deep.equal({
      ...{ conId: 7, price: '101', at: '2020-02-04T14:45:00.000Z', delayed: true },
    })
    expect(priceOf([tick('bid', '101', true), tick('ask', '102')], 7, now)!.delayed).to.equal(true)
  })

  it('is none of a frozen market, of one side alone, or of yesterday', () => {
    expect([1, 2, 3, 4].map(isFrozen)).to.deep.equal([false, true, false, true])
    expect(priceOf(['frozen', tick('last', '101')], 7, now)).to.equal(undefined)
    expect(priceOf([tick('bid', '101')], 7, now)).to.equal(undefined)
    expect(priceOf([tick('close', '101')], 7, now)).to.equal(undefined)
    expect(priceOf([], 7, now)).to.equal(undefined)
  })
})
