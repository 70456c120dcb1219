import { expect } from 'chai'
import fc from 'fast-check'
import { tickAt, toSaferTick } from '../../../domain/commander/price-step.ts'
import { compare, towardsZero } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { deciding } from './decision.ts'

const { configured, dataOf, given, ready, resolved, SPY, snapshot, wants } = world
const bands = {
  minTick: '0.0001',
  priceIncrements: [
    { from: '0', increment: '0.0001' },
    { from: '1', increment: '0.01' },
    { from: '100', increment: '0.05' },
  ],
}

describe('commander: price steps', () => {
  it('are those of the price band', () => {
    expect(['0.5', '1', '99.99', '100', '250'].map((price) => tickAt(price, bands))).to.deep.equal([
      '0.0001',
      '0.01',
      '0.01',
      '0.05',
      '0.05',
    ])
    expect(tickAt('250', { minTick: '0.25' })).to.equal('0.25')
  })

  it('round a buy down and a sell up, over the edge into the wider band too (a dollar, a cent)', () => {
    expect(toSaferTick('1.005', '1', bands)).to.equal('1')
    expect(toSaferTick('0.99995', '-1', bands)).to.equal('1')
    expect(toSaferTick('99.999', '-1', bands)).to.equal('100')
    expect(toSaferTick('100.01', '-1', bands)).to.equal('100.05')
    const odd = { minTick: '0.01', priceIncrements: [{ from: '10', increment: '0.03' }] }
    expect(toSaferTick('9.999', '-1', odd)).to.equal('10.02')
    expect(toSaferTick('0.00001', '1', bands)).to.equal('0.0001')
    expect(toSaferTick('-3', '-1', bands)).to.equal('0.0001')
  })

  it('always are steps of the band in which they end', () => {
    const price = fc.integer({ min: 1, max: 200_000_000 }).map((units) => String(units / 1_000_000))
    fc.assert(
      fc.property(price, fc.constantFrom('1', '-1'), (value, side) => {
        const rounded = toSaferTick(value, side, bands)
        expect(towardsZero(rounded, tickAt(rounded, bands))).to.equal(rounded)
        if (side === '1' && compare(value, '0.0001') >= 0) expect(compare(rounded, value)).to.be.at.most(0)
        if (side === '-1') expect(compare(rounded, value)).to.be.at.least(0)
      }),
    )
  })

  it('stand in the limit of an order (a price off the tick was rejected)', () => {
    const banded = { ...SPY, ...bands, conId: 7, symbol: 'PENNY' }
    const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 }), resolved(banded)]
    const limitAt = (price: string) =>
      dataOf(given(...account, wants('trend', [{ instrument: banded, quantity: '500' }], { price })).when(deciding()), 'OrderPlanned')[0]!
        .limitPrice
    expect([limitAt('0.97'), limitAt('0.5')]).to.deep.equal(['1.01', '0.525']) // the first would be 1.0185
  })
})
