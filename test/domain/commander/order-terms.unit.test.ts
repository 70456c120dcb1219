import { expect } from 'chai'
import fc from 'fast-check'
import { tickAt, toSaferTick } from '../../../domain/commander/price-step.ts'
import type { OrderProperties } from '../../../domain/commands.ts'
import { compare, towardsZero } from '../../../domain/decimal.ts'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, now } from './decision.ts'

const { configured, dataOf, given, ready, SPY, snapshot, wants } = world
const bands = {
  minTick: '0.0001',
  priceIncrements: [
    { from: '0', increment: '0.0001' },
    { from: '1', increment: '0.01' },
    { from: '100', increment: '0.05' },
  ],
}
const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]
const orderOf = (orderProperties: OrderProperties, quantity = '50', instrument: world.Traded = SPY, price = '100') => {
  const events = given(...account, world.resolved(instrument), wants('trend', [{ instrument, quantity }], { price })).when(
    deciding({ orderProperties }),
  )
  return { order: dataOf(events, 'OrderPlanned')[0]!, codes: codesOf(events) }
}

describe('commander: order terms', () => {
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

  it('carry times, algo and priority of the request', () => {
    const later = new Date(now + 3_600_000).toISOString()
    expect(orderOf({ goodAfterTime: later }).order).to.include({ goodAfter: later, timeInForce: 'DAY', inForceUntil: world.tuesdayClose })
    expect(orderOf({ goodAfterTime: '09:45 New York' }).order).to.include({
      goodAfter: '2024-01-10T14:45:00.000Z',
      inForceUntil: '2024-01-10T21:00:00.000Z',
    })
    expect(orderOf({ timeInForce: 'GTD', goodTillDate: '2024-01-12' }).order).to.include({
      ...{ timeInForce: 'GTD', goodTill: '2024-01-12T21:00:00.000Z', inForceUntil: '2024-01-12T21:00:00.000Z' },
    })
    expect(orderOf({ algo: 'Adaptive', adaptivePriority: 'Urgent' }).order.algo).to.deep.equal({
      ...{ strategy: 'Adaptive', parameters: { adaptivePriority: 'Urgent' } },
    })
  })

  it('count the time of the wish from the command, not from the decision', () => {
    const asked = { askedAt: now - 3_600_000 }
    const events = given(...account, wants('trend', [{ instrument: SPY, quantity: '5' }])).when(
      deciding({ orderProperties: { goodAfterTime: '09:45 New York' } }, asked),
    )
    expect(dataOf(events, 'OrderPlanned')[0]).to.include({ goodAfter: '2024-01-09T14:45:00.000Z', inForceUntil: world.tuesdayClose })
  })

  it('ask for a preview before an increase where that is wished, under an order id of its own', () => {
    const previewed = (setting: string, mode: 'paper' | 'live') => {
      const steps = [...account, event('EngineStarted', { epoch: 2, mode }), configured({ 'orders.whatIf': setting })]
      const both = [
        { instrument: SPY, quantity: '-50' },
        { instrument: world.VIXY, quantity: '5' },
      ]
      const events = given(...steps, world.booked('trend', SPY, '10'), wants('trend', both)).when(deciding())
      return dataOf(events, 'OrderPlanned').map(({ orderId, previewId }) => [previewId, orderId])
    }
    const asked = [
      [undefined, 1],
      ...[
        [2, 3],
        [4, 5],
      ],
    ]
    expect(previewed('always', 'paper')).to.deep.equal(asked)
    expect(previewed('live', 'live')).to.deep.equal(asked)
    const plain = [
      [undefined, 1],
      [undefined, 2],
      [undefined, 3],
    ]
    expect(previewed('live', 'paper')).to.deep.equal(plain)
    expect(previewed('never', 'live')).to.deep.equal(plain)
  })
})

describe('price steps', () => {
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
    expect(orderOf({}, '500', banded, '0.97').order.limitPrice).to.equal('1.01') // 1.0185
    expect(orderOf({}, '500', banded, '0.5').order.limitPrice).to.equal('0.525')
  })
})
