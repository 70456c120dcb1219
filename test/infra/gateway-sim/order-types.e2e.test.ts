import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { aapl, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient } from './client.ts'
import { closeUpAndDown, openUpAndDown, type UpAndDown } from './course.ts'

const statuses = (client: TestClient, orderId: number): unknown[] =>
  client.all(EventName.orderStatus).flatMap(([id, status]) => (id === orderId ? [status] : []))
const held = (client: TestClient, orderId: number): unknown =>
  client
    .all(EventName.orderStatus)
    .filter(([id]) => id === orderId)
    .at(-1)?.[9]
const fills = (client: TestClient): Loose[] =>
  client.all(EventName.execDetails).map(([, , { orderId, shares, price, time }]: Loose) => [orderId, shares, price, time.slice(9, 17)])
const errors = (client: TestClient): unknown[] => client.all(EventName.error).flatMap(([, code, id]) => (code === 399 ? [] : [[id, code]]))

const stop = (action: 'BUY' | 'SELL', auxPrice: number, more: object = {}) =>
  market(action, 10, { orderType: 'STP' as never, auxPrice, ...more })
const trail = (action: 'BUY' | 'SELL', more: object) => market(action, 10, { orderType: 'TRAIL' as never, ...more })

describe('gateway simulator, types of orders', () => {
  let simulator: UpAndDown['simulator']
  let client: UpAndDown['client']
  let until: UpAndDown['until']
  beforeEach(async () => {
    ;({ simulator, client, until } = await openUpAndDown())
  })
  afterEach(closeUpAndDown)

  it('lets a stop sleep until its price is reached, and then trades at market', async () => {
    client.api.placeOrder(1, spy, stop('SELL', 99))
    client.api.placeOrder(2, spy, stop('BUY', 103))
    await until(monday('09:31'))
    expect([statuses(client, 1), held(client, 1)]).to.deep.equal([['PreSubmitted'], 'trigger'])
    await until(monday('12:00'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Submitted', 'Filled'])
    expect(held(client, 1)).to.equal('')
    expect(fills(client)).to.deep.equal([
      [2, 10, 103, '10:15:00'],
      [1, 10, 99, '11:50:00'],
    ])
  })

  it('trades a stop that the open jumps over at the opening price', async () => {
    client.api.placeOrder(1, spy, stop('SELL', 96, { tif: 'GTC' }))
    await until(on(4, '09:30'))
    expect(fills(client)).to.deep.equal([[1, 10, 90, '09:30:00']])
  })

  it('works a stop limit at its limit once the stop is reached, and leaves it there when the price has gone', async () => {
    client.api.placeOrder(1, spy, stop('SELL', 99, { orderType: 'STP LMT', lmtPrice: 102 }))
    client.api.placeOrder(2, spy, stop('SELL', 96, { orderType: 'STP LMT', lmtPrice: 95, tif: 'GTC' }))
    await until(monday('12:00'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Submitted'])
    await until(on(4, '10:00'))
    expect(fills(client)).to.deep.equal([[1, 10, 102, '13:46:40']])
    expect((await simulator.state()).orders[1]).to.include({ status: 'Submitted', triggered: true, lmtPrice: 95 })
  })

  it('wakes an order if touched from the better side', async () => {
    client.api.placeOrder(1, spy, market('BUY', 10, { orderType: 'MIT' as never, auxPrice: 98 }))
    client.api.placeOrder(2, spy, limit('SELL', 10, 105.5, { orderType: 'LIT' as never, auxPrice: 105 }))
    await until(monday('16:00'))
    expect(fills(client)).to.deep.equal([
      [1, 10, 98, '12:15:00'],
      [2, 10, 105.5, '14:18:20'],
    ])
  })

  it('lets a trailing stop follow the price by an amount, tells where it stands, and never takes it back', async () => {
    client.api.placeOrder(1, spy, trail('SELL', { auxPrice: 2 }))
    await until(monday('10:30'))
    const stops = (): unknown[] => client.all(EventName.openOrder).map(([, , order]: Loose) => order.trailStopPrice)
    expect(stops()).to.deep.equal([98, 100, 102])
    await until(monday('16:00'))
    expect(stops()).to.deep.equal([98, 100, 102, 102, 102])
    expect(fills(client)).to.deep.equal([[1, 10, 102, '11:15:00']])
  })

  it('lets a trailing stop follow by percent, from the stop that the client wants first', async () => {
    client.api.placeOrder(1, spy, trail('BUY', { trailingPercent: 5, trailStopPrice: 110, tif: 'GTC' }))
    await until(monday('12:30'))
    expect((await simulator.state()).orders[0].stopPrice).to.equal(101.85)
    await until(monday('14:00'))
    expect(fills(client).map(([, , price]) => price)).to.deep.equal([101.85])
  })

  it('lets a trailing stop see the best price of the day, whenever it was', async () => {
    const days = await simulate()
    const other = await connect(days.port, 7)
    other.api.placeOrder(1, spy, trail('SELL', { auxPrice: 50, tif: 'GTC' }))
    other.api.placeOrder(2, spy, trail('BUY', { auxPrice: 50, tif: 'GTC' }))
    await other.settled()
    await days.clock(monday('16:00'))
    expect((await days.state()).orders.map(({ stopPrice }: Loose) => stopPrice)).to.deep.equal([105 - 50, 100 + 50])
  })

  it('sets the limit of a trailing stop limit from where its stop was reached', async () => {
    client.api.placeOrder(1, spy, trail('SELL', { orderType: 'TRAIL LIMIT', auxPrice: 2, lmtPriceOffset: 0.5 }))
    client.api.placeOrder(2, spy, trail('SELL', { orderType: 'TRAIL LIMIT', auxPrice: 2, trailStopPrice: 98, lmtPrice: 98.25 }))
    await until(monday('16:00'))
    expect((await simulator.state()).orders.map(({ lmtPrice, status }: Loose) => [lmtPrice, status])).to.deep.equal([
      [101.5, 'Filled'],
      [101.75, 'Filled'],
    ])
    client.api.placeOrder(3, spy, trail('SELL', { orderType: 'TRAIL LIMIT', auxPrice: 2, lmtPrice: 98.25 }))
    client.api.placeOrder(4, spy, trail('SELL', { auxPrice: 2, trailingPercent: 1 }))
    client.api.placeOrder(5, spy, trail('SELL', {}))
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [3, 321],
      [4, 321],
      [5, 321],
    ])
  })

  it('trades on close at the closing price, within the limit or not at all, and takes none back or in shortly before', async () => {
    const onClose = (more: object) => market('SELL', 10, { orderType: 'MOC' as never, ...more })
    client.api.placeOrder(1, spy, onClose({}))
    client.api.placeOrder(2, spy, onClose({ orderType: 'LOC', lmtPrice: 104 }))
    client.api.placeOrder(3, spy, onClose({ orderType: 'LOC', lmtPrice: 104.01 }))
    client.api.placeOrder(4, spy, onClose({ tif: 'GTC' }))
    await until(monday('15:51'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Submitted'])
    client.api.cancelOrder(1)
    client.api.placeOrder(5, spy, onClose({}))
    await until(monday('16:00'))
    expect(fills(client)).to.deep.equal([
      [1, 10, 104, '16:00:00'],
      [2, 10, 104, '16:00:00'],
    ])
    expect(errors(client)).to.deep.equal([
      [4, 113],
      [1, 161],
      [5, 201],
      [3, 202],
    ])
    client.api.placeOrder(6, spy, onClose({}))
    await until(on(4, '16:00'))
    expect(fills(client).at(-1)).to.deep.equal([6, 10, 90, '16:00:00'])
  })

  it('cancels the rest of an order that is to trade at once, and waits for the open to decide', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 99, { tif: 'IOC' }))
    client.api.placeOrder(2, spy, market('BUY', 10, { tif: 'IOC' }))
    await until(monday('09:29'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted'])
    await until(monday('09:45'))
    client.api.placeOrder(3, spy, limit('BUY', 10, 99, { tif: 'FOK' as never }))
    client.api.placeOrder(4, spy, market('SELL', 10, { tif: 'FOK' as never }))
    client.api.placeOrder(5, spy, stop('SELL', 90, { tif: 'IOC' }))
    await client.settled()
    expect([1, 2, 3, 4].map((id) => statuses(client, id).at(-1))).to.deep.equal(['Cancelled', 'Filled', 'Cancelled', 'Filled'])
    expect(errors(client)).to.deep.equal([
      [1, 202],
      [3, 202],
      [5, 111],
    ])
  })

  it('ends an order at its good-till date, and refuses a date that is none', async () => {
    const until15 = (goodTillDate: string) => limit('BUY', 10, 50, { tif: 'GTD' as never, goodTillDate })
    client.api.placeOrder(1, spy, until15('20190604 10:15:00 US/Eastern'))
    client.api.placeOrder(2, spy, until15('20190604-14:20:00'))
    client.api.placeOrder(3, spy, until15('20190604'))
    client.api.placeOrder(4, spy, until15('tomorrow'))
    client.api.placeOrder(5, spy, until15('20190603 08:00:00 US/Eastern'))
    client.api.placeOrder(6, spy, until15('20190602'))
    await until(on(4, '23:00'))
    expect(errors(client).slice(0, 3)).to.deep.equal([
      [4, 334],
      [5, 334],
      [6, 334],
    ])
    const { orders } = await simulator.state()
    expect(orders.map(({ completedAt }: Loose) => completedAt)).to.deep.equal([
      '2019-06-04T14:15:00.000Z',
      '2019-06-04T14:20:00.000Z',
      '2019-06-04T20:00:00.000Z',
    ])
  })

  it('lets an order sleep until its good-after time', async () => {
    client.api.placeOrder(1, spy, market('BUY', 10, { goodAfterTime: '20190603 12:00:00 US/Eastern' }))
    client.api.placeOrder(2, spy, market('BUY', 10, { goodAfterTime: 'noon' }))
    await until(monday('11:59'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted'])
    await until(monday('12:00'))
    expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Submitted', 'Filled'])
    expect(fills(client)).to.deep.equal([[1, 10, 99, '12:00:00']])
    expect(errors(client)).to.deep.equal([[2, 337]])
  })

  it('works an order outside regular hours at the price that stands there, and says which types cannot', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 100, { outsideRth: true }))
    client.api.placeOrder(2, spy, limit('BUY', 10, 99.5, { outsideRth: true }))
    client.api.placeOrder(3, spy, limit('BUY', 10, 50, { outsideRth: true }))
    client.api.placeOrder(4, spy, market('BUY', 10, { outsideRth: true }))
    await client.settled()
    expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
      [4, 399],
      [4, 2109],
    ])
    expect([statuses(client, 1), statuses(client, 4)]).to.deep.equal([['Submitted', 'Filled'], ['PreSubmitted']])
    await until(monday('12:00'))
    expect(fills(client)).to.deep.equal([
      [1, 10, 100, '09:00:00'],
      [4, 10, 100, '09:30:00'],
      [2, 10, 99.5, '11:47:30'],
    ])
    await until(monday('20:30'))
    expect((await simulator.state()).orders[2].completedAt).to.equal('2019-06-04T00:00:00.000Z')
    client.api.placeOrder(5, spy, limit('BUY', 10, 110, { outsideRth: true }))
    await until(on(4, '04:00'))
    expect(fills(client).at(-1)).to.deep.equal([5, 10, 104, '04:00:00'])
  })

  it('takes fractions where the contract allows them, and only in its steps', async () => {
    client.api.placeOrder(1, aapl, market('BUY', 0.5))
    client.api.placeOrder(2, aapl, market('BUY', 0.00005))
    client.api.placeOrder(3, spy, market('BUY', 0.5))
    client.api.placeOrder(4, spy, market('BUY', 0, { cashQty: 100 }))
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [2, 355],
      [3, 10243],
      [4, 10244],
    ])
    const [, , order] = await client.next(EventName.openOrder)
    expect(order.totalQuantity).to.equal(0.5)
  })

  it('changes what IB lets be changed, and names what does not match', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 90))
    client.api.placeOrder(1, spy, stop('BUY', 103, { totalQuantity: 20, tif: 'GTC' }))
    client.api.placeOrder(1, spy, stop('BUY', 103, { orderRef: 'other' }))
    client.api.placeOrder(1, aapl, stop('BUY', 103))
    client.api.placeOrder(1, spy, stop('BUY', 103, { algoStrategy: 'Adaptive' }))
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [1, 105],
      [1, 105],
      [1, 105],
    ])
    expect((await simulator.state()).orders[0]).to.include({ orderType: 'STP', stopPrice: 103, totalQuantity: 20, tif: 'GTC' })
    expect((await simulator.state()).orders[0]).not.to.have.property('lmtPrice')
    await until(monday('10:30'))
    client.api.placeOrder(2, spy, limit('SELL', 10, 106))
    await client.settled()
    await simulator.fault('partialFill', { orderRef: 'ref', quantity: 4 })
    client.api.placeOrder(2, spy, limit('SELL', 4, 106))
    client.api.placeOrder(2, spy, limit('SELL', 5, 106))
    await until(monday('14:30'))
    expect(errors(client).at(-1)).to.deep.equal([2, 104])
    expect(fills(client).map(([id, shares]) => [id, shares])).to.deep.equal([
      [1, 20],
      [2, 4],
      [2, 1],
    ])
  })

  it('places nothing while the API may only read, and nothing of a symbol without permission', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 90))
    await client.settled()
    await simulator.fault('readOnly')
    client.api.placeOrder(2, spy, market('BUY', 10))
    client.api.cancelOrder(1)
    await client.settled()
    await simulator.fault('readOnly', { on: false })
    await simulator.fault('noPermission', { symbol: 'SPY' })
    client.api.placeOrder(3, spy, market('BUY', 10))
    client.api.placeOrder(4, aapl, market('BUY', 10))
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [2, 321],
      [1, 321],
      [3, 460],
    ])
    expect((await simulator.state()).orders.map(({ orderId, status }: Loose) => [orderId, status])).to.deep.equal([
      [1, 'PreSubmitted'],
      [4, 'PreSubmitted'],
    ])
  })
})
