import { expect } from 'chai'
import type { OrderProperties } from '../../../domain/commands.ts'
import * as world from '../../given.ts'
import { codesOf, deciding } from './decision.ts'

const { configured, dataOf, given, ready, SPY, snapshot, wants } = world

const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]
const orderOf = (orderProperties: OrderProperties, quantity = '50', instrument: world.Traded = SPY, price = '100') => {
  const events = given(...account, world.resolved(instrument), wants('trend', [{ instrument, quantity }], { price })).when(
    deciding({ orderProperties }),
  )
  return { order: dataOf(events, 'OrderPlanned')[0]!, codes: codesOf(events) }
}

describe('commander: limit offset', () => {
  it('put the limit where the offset wishes it: worse than the reference, or better', () => {
    expect(orderOf({ limitOffset: 0.002 }).order.limitPrice).to.equal('100.2')
    expect(orderOf({ limitOffset: 0.002 }, '-50').order.limitPrice).to.equal('99.8')
    expect(orderOf({ limitOffset: -0.01 }).order.limitPrice).to.equal('99')
    expect(orderOf({ limitOffset: '3 ticks' }).order.limitPrice).to.equal('100.03')
    expect(orderOf({ limitOffset: '-1 tick' }, '-50').order.limitPrice).to.equal('100.01')
  })

  it('never put it beyond the collar, and say so', () => {
    const { order, codes } = orderOf({ limitOffset: 0.2 })
    expect(order.limitPrice).to.equal('105')
    expect(codes).to.include('LIMIT_AT_COLLAR')
    expect(orderOf({ limitOffset: 1 }, '-50').order.limitPrice).to.equal('95')
  })
})
