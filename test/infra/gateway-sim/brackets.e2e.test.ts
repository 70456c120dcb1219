import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient } from './client.ts'
import { closeUpAndDown, openUpAndDown, type UpAndDown, upAndDown } from './course.ts'

const lastStatus = (client: TestClient, orderId: number): unknown =>
  client
    .all(EventName.orderStatus)
    .filter(([id]) => id === orderId)
    .at(-1)
const statuses = (client: TestClient, orderId: number): unknown[] =>
  client.all(EventName.orderStatus).flatMap(([id, status]) => (id === orderId ? [status] : []))
const fills = (client: TestClient): Loose[] =>
  client.all(EventName.execDetails).map(([, , { orderId, shares, price }]: Loose) => [orderId, shares, price])
const errors = (client: TestClient): unknown[] => client.all(EventName.error).flatMap(([, code, id]) => (code === 399 ? [] : [[id, code]]))
const stop = (action: 'BUY' | 'SELL', auxPrice: number, more: object = {}) =>
  market(action, 10, { orderType: 'STP' as never, auxPrice, ...more })

describe('gateway simulator, orders that belong together', () => {
  let simulator: UpAndDown['simulator']
  let client: UpAndDown['client']
  let until: UpAndDown['until']
  beforeEach(async () => {
    ;({ simulator, client, until } = await openUpAndDown())
  })
  afterEach(closeUpAndDown)
  const orders = async (): Promise<Loose[]> => (await simulator.state()).orders

  describe('brackets', () => {
    const bracket = (target: number, loss: number) => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 98, { transmit: false, tif: 'GTC' }))
      client.api.placeOrder(2, spy, limit('SELL', 10, target, { parentId: 1, transmit: false, tif: 'GTC' }))
      client.api.placeOrder(3, spy, stop('SELL', loss, { parentId: 1, tif: 'GTC' }))
    }

    it('go out together when the last is transmitted; the children wait for the parent, and one child ends the other', async () => {
      bracket(105, 95)
      await client.settled()
      const placed = client.all(EventName.openOrder).map(([id, , order]: Loose) => [id, order.parentId])
      expect(placed).to.deep.equal([
        [1, 0],
        [2, 1],
        [3, 1],
      ])
      await until(monday('12:00'))
      expect(lastStatus(client, 2)).to.deep.include.members([2, 'PreSubmitted', 1, 'child'])
      expect(lastStatus(client, 3)).to.deep.include.members([3, 'PreSubmitted', 1, 'child,trigger'])
      await until(monday('12:30'))
      expect(fills(client)).to.deep.equal([[1, 10, 98]])
      expect(lastStatus(client, 2)).to.deep.include.members([2, 'Submitted', 1, ''])
      expect(lastStatus(client, 3)).to.deep.include.members([3, 'PreSubmitted', 1, 'trigger'])
      await until(monday('16:00'))
      expect(fills(client)).to.deep.equal([
        [1, 10, 98],
        [2, 10, 105],
      ])
      expect(statuses(client, 3).at(-1)).to.equal('Cancelled')
      expect(errors(client)).to.deep.equal([[3, 202]])
    })

    it('are one group without the client saying so: a part of one child makes the other smaller', async () => {
      bracket(105, 95)
      await until(monday('13:00'))
      const group = client.all(EventName.openOrder).map(([, , order]: Loose) => order.ocaGroup)
      expect(new Set(group)).to.deep.equal(new Set(['', '1001000001']))
      client.listenAnew()
      client.api.placeOrder(2, spy, limit('SELL', 10, 105, { parentId: 1, tif: 'GTC', orderRef: 'ref' }))
      await client.settled()
      await simulator.fault('partialFill', { quantity: 3, orderRef: 'ref' })
      await until(monday('13:30'))
      expect((await orders()).map(({ totalQuantity, remaining }) => [totalQuantity, remaining])).to.deep.equal([
        [10, 0],
        [10, 7],
        [7, 7],
      ])
    })

    it('fall with their parent', async () => {
      bracket(105, 95)
      await client.settled()
      client.api.cancelOrder(1)
      await client.settled()
      expect([1, 2, 3].map((id) => statuses(client, id).at(-1))).to.deep.equal(['Cancelled', 'Cancelled', 'Cancelled'])
      expect(errors(client)).to.deep.equal([
        [1, 202],
        [2, 202],
        [3, 202],
      ])
      client.api.placeOrder(4, spy, stop('SELL', 95, { parentId: 1 }))
      client.api.placeOrder(5, spy, stop('SELL', 95, { parentId: 99 }))
      await client.settled()
      expect(errors(client).slice(3)).to.deep.equal([
        [4, 10006],
        [5, 10006],
      ])
    })

    it('take the parent along when the child says so, and leave it else', async () => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 90))
      client.api.placeOrder(2, spy, stop('SELL', 80, { parentId: 1 }))
      client.api.placeOrder(3, spy, stop('SELL', 80, { parentId: 1, autoCancelParent: true }))
      await client.settled()
      client.api.cancelOrder(2)
      await client.settled()
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted'])
      client.api.cancelOrder(3)
      await client.settled()
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Cancelled'])
    })

    it('send their children after a fill at once, though these were placed later', async () => {
      await until(monday('12:00'))
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.placeOrder(2, spy, limit('SELL', 10, 98, { parentId: 1 }))
      await client.settled()
      expect(fills(client)).to.deep.equal([
        [1, 10, 99],
        [2, 10, 99],
      ])
    })

    it('let a stop of a child follow the price only from the fill of its parent on', async () => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 98, { transmit: false }))
      client.api.placeOrder(2, spy, market('SELL', 10, { orderType: 'TRAIL' as never, auxPrice: 3, parentId: 1 }))
      await until(monday('12:15'))
      expect((await orders())[1]).to.include({ stopPrice: 95, whyHeld: 'trigger' })
      await until(monday('14:00'))
      expect((await orders())[1].stopPrice).to.equal(100)
    })

    it('count the time of what was held from when it went out', async () => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 90, { transmit: false }))
      await until(monday('20:00'))
      client.api.placeOrder(2, spy, stop('SELL', 80, { parentId: 1 }))
      await until(on(4, '09:30'))
      expect(fills(client)).to.deep.equal([[1, 10, 90]])
    })

    it('end with a parent that ends as it goes out, and are told of no more', async () => {
      await until(monday('11:00'))
      client.api.placeOrder(1, spy, limit('BUY', 10, 90, { transmit: false, tif: 'FOK' as never }))
      client.api.placeOrder(2, spy, stop('SELL', 80, { parentId: 1 }))
      await client.settled()
      expect(statuses(client, 1)).to.deep.equal(['Submitted', 'Cancelled'])
      expect(statuses(client, 2)).to.deep.equal(['Cancelled'])
    })

    it('are not sent by a parent alone', async () => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 98, { transmit: false }))
      client.api.placeOrder(2, spy, stop('SELL', 95, { parentId: 1, transmit: false }))
      client.api.placeOrder(1, spy, limit('BUY', 10, 98))
      await client.settled()
      expect((await orders()).map(({ status }) => status)).to.deep.equal(['PreSubmitted', 'ApiPending'])
    })
  })

  describe('one cancels all', () => {
    const group = (ocaType: number) => ({ ocaGroup: 'either', ocaType })

    it('of type 1 cancels the others at any fill, of other clients too', async () => {
      const other = await connect(simulator.port, 8)
      client.api.placeOrder(1, spy, limit('BUY', 10, 98, group(1)))
      client.api.placeOrder(2, spy, limit('SELL', 10, 110, { ...group(1), orderRef: 'first' }))
      other.api.placeOrder(1, spy, limit('SELL', 10, 111, group(1)))
      await Promise.all([client.settled(), other.settled()])
      await until(monday('10:00'))
      await simulator.fault('partialFill', { quantity: 1, orderRef: 'first' })
      await other.settled()
      await client.settled()
      expect(statuses(client, 1).at(-1)).to.equal('Cancelled')
      expect(statuses(other, 1).at(-1)).to.equal('Cancelled')
      expect(errors(other)).to.deep.equal([[1, 202]])
      expect((await orders()).find(({ orderRef }) => orderRef === 'first')).to.include({ status: 'Submitted', remaining: 9 })
    })

    it('of type 2 makes the others smaller in proportion, and cancels them at last', async () => {
      client.api.placeOrder(1, spy, limit('SELL', 10, 110, { ...group(2), orderRef: 'first' }))
      client.api.placeOrder(2, spy, limit('BUY', 30, 50, group(2)))
      await until(monday('10:00'))
      await simulator.fault('partialFill', { quantity: 4, orderRef: 'first' })
      expect((await orders())[1]).to.include({ totalQuantity: 18, status: 'Submitted' })
      await simulator.fault('partialFill', { quantity: 6, orderRef: 'first' })
      expect((await orders())[1]).to.include({ totalQuantity: 18, status: 'Cancelled' })
    })

    it('lets only one trade in a moment with a block, and all of them without', async () => {
      const boughtWith = async (ocaType: number): Promise<number> => {
        const simulator = await simulate({ bars: { SPY: upAndDown() } })
        const client = await connect(simulator.port, 7)
        client.api.placeOrder(1, spy, limit('BUY', 10, 98, group(ocaType)))
        client.api.placeOrder(2, spy, limit('BUY', 10, 98, group(ocaType)))
        await client.settled()
        await simulator.clock(monday('16:00'))
        return (await simulator.state()).positions[0].quantity
      }
      expect(await boughtWith(1)).to.equal(10)
      expect(await boughtWith(2)).to.equal(10)
      expect(await boughtWith(3)).to.equal(20)
    })

    it('does not end by a cancel, and refuses a type that there is not', async () => {
      client.api.placeOrder(1, spy, limit('BUY', 10, 90, group(1)))
      client.api.placeOrder(2, spy, limit('BUY', 10, 91, group(1)))
      client.api.placeOrder(3, spy, limit('BUY', 10, 91, group(4)))
      client.api.cancelOrder(1)
      await client.settled()
      expect(errors(client)).to.deep.equal([
        [3, 321],
        [1, 202],
      ])
      expect(statuses(client, 2)).to.deep.equal(['PreSubmitted'])
    })
  })

  it('are all cancelled by a global cancel, but for those that the auction has already', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 90, { tif: 'GTC' }))
    client.api.placeOrder(2, spy, stop('SELL', 80, { parentId: 1, tif: 'GTC' }))
    client.api.placeOrder(3, spy, market('BUY', 10, { orderType: 'MOC' as never }))
    await until(monday('15:55'))
    client.api.reqGlobalCancel()
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [1, 202],
      [2, 202],
      [3, 161],
    ])
    await until(on(4, '09:30'))
    expect(fills(client)).to.deep.equal([[3, 10, 104]])
  })

  it('say by 161 that a cancel is on its way already', async () => {
    client.api.placeOrder(1, spy, limit('BUY', 10, 90))
    await client.settled()
    await simulator.fault('cancelStays')
    client.api.cancelOrder(1)
    client.api.cancelOrder(1)
    await client.settled()
    expect(errors(client)).to.deep.equal([[1, 161]])
    await simulator.fault('cancelStays', { on: false })
    await client.settled()
    expect(errors(client)).to.deep.equal([
      [1, 161],
      [1, 202],
    ])
  })
})
