import {
  ConjunctionConnection,
  EventName,
  ExecutionCondition,
  MarginCondition,
  PercentChangeCondition,
  PriceCondition,
  SecType,
  TimeCondition,
  VolumeCondition,
} from '@stoqey/ib'
import { expect } from 'chai'
import { aapl, type Loose, limit, market, monday, on, spy } from './client.ts'
import { closeUpAndDown, openUpAndDown, type UpAndDown, volumeOfHalfHour } from './course.ts'

const spyId = 756733
const { AND, OR } = ConjunctionConnection
const price = (value: number, above: boolean, joined = AND) => new PriceCondition(value, 0 as never, spyId, 'SMART', above, joined)
const time = (text: string, joined = AND) => new TimeCondition(`20190603 ${text} US/Eastern`, true, joined)

describe('gateway simulator, conditions of orders', () => {
  let simulator: UpAndDown['simulator']
  let client: UpAndDown['client']
  let until: UpAndDown['until']
  beforeEach(async () => {
    ;({ simulator, client, until } = await openUpAndDown())
  })
  afterEach(closeUpAndDown)
  const filled = async (): Promise<Loose> => {
    await client.settled()
    return Object.fromEntries(client.all(EventName.execDetails).map(([, , { orderId, time }]: Loose) => [orderId, time.slice(9, 17)]))
  }
  const when = (conditions: Loose[], more: object = {}) => market('BUY', 10, { conditions, ...more })

  it('hold an order back until a time, a price, a change or a volume is reached', async () => {
    client.api.placeOrder(1, spy, when([time('11:15:00')]))
    client.api.placeOrder(2, spy, when([price(98, false)]))
    client.api.placeOrder(3, spy, when([new PercentChangeCondition(5, spyId, 'SMART', true, AND)]))
    client.api.placeOrder(4, spy, when([new VolumeCondition(volumeOfHalfHour * 1.5, spyId, 'SMART', true, AND)]))
    await until(monday('10:00'))
    expect((await simulator.state()).orders.map(({ status }: Loose) => status)).to.deep.equal(Array(4).fill('PreSubmitted'))
    await until(monday('16:00'))
    expect(await filled()).to.deep.equal({ 1: '11:15:00', 2: '12:15:00', 3: '14:16:40', 4: '10:15:00' })
  })

  it('are joined by and, and by or', async () => {
    client.api.placeOrder(1, spy, when([price(103, true), time('12:00:00')]))
    client.api.placeOrder(2, spy, when([price(103, true, OR), time('12:00:00')]))
    client.api.placeOrder(3, spy, when([price(150, true, OR), price(103, true), time('10:20:00')]))
    await until(monday('16:00'))
    expect(await filled()).to.deep.equal({ 1: '13:50:00', 2: '10:15:00', 3: '10:20:00' })
  })

  it('look at trades and at the margin of the account', async () => {
    client.api.placeOrder(1, spy, when([new ExecutionCondition('SMART', SecType.STK, 'AAPL', AND)]))
    client.api.placeOrder(2, spy, when([new MarginCondition(80, false, AND)]))
    await until(monday('11:00'))
    expect(await filled()).to.deep.equal({})
    await simulator.fault('handTrade', { symbol: 'AAPL', quantity: 800, price: 100 })
    await until(monday('11:30'))
    expect(Object.keys(await filled())).to.deep.equal(['1', '2'])
  })

  it('end an order when they are there to cancel it', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 98, { conditions: [time('11:00:00')], conditionsCancelOrder: true }))
    client.api.placeOrder(2, spy, limit('BUY', 10, 98, { conditions: [time('13:00:00')], conditionsCancelOrder: true }))
    await until(monday('10:00'))
    expect((await simulator.state()).orders[0].status).to.equal('Submitted')
    await until(monday('16:00'))
    expect(await filled()).to.deep.equal({ 2: '12:15:00' })
    expect((await simulator.state()).orders[0].completedAt).to.equal('2019-06-03T15:00:00.000Z')
  })

  it('count outside the session only for those that say so', async () => {
    const early = { conditions: [price(105, false)], outsideRth: true, tif: 'GTC' as never }
    client.api.placeOrder(1, spy, limit('BUY', 10, 100, { ...early, conditionsIgnoreRth: true }))
    client.api.placeOrder(2, spy, limit('BUY', 10, 100, early))
    await until(monday('09:29'))
    expect(await filled()).to.deep.equal({ 1: '09:00:00' })
    await until(monday('09:30'))
    expect(await filled()).to.deep.equal({ 1: '09:00:00', 2: '09:30:00' })
  })

  it('are refused when they mean nothing', async () => {
    client.api.placeOrder(1, spy, when([new TimeCondition('noon', true, AND)]))
    client.api.placeOrder(2, spy, when([new PriceCondition(1, 0 as never, 5, 'SMART', true, AND)]))
    client.api.placeOrder(3, aapl, when([price(50, true)]))
    await until(on(4, '09:00'))
    expect(client.all(EventName.error).flatMap(([, code, id]) => (code === 399 ? [] : [[id, code]]))).to.deep.equal([
      [1, 321],
      [2, 321],
      [3, 202],
    ])
  })
})
