import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, limit, monday, simulate, spy, versions } from './client.ts'

const openOrders = (heard: unknown[][]): unknown[] =>
  heard.map(([id, , order, state]: Loose) => [id, order.clientId, order.permId, order.orderRef, state.status])

for (const maxServerVersion of versions) {
  describe(`gateway simulator, orders placed by hand, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const ready = async () => {
      const simulator = await simulate({ maxServerVersion })
      const byHand = async (fields: object): Promise<Loose> => {
        const answer = await simulator.post('/orders', { symbol: 'SPY', action: 'BUY', quantity: 10, ...fields })
        expect(answer.status, JSON.stringify(answer)).to.be.oneOf([200, 'PreSubmitted', 'Submitted', 'Filled'])
        return answer
      }
      return { simulator, byHand, zero: await connect(simulator.port, 0), seven: await connect(simulator.port, 7) }
    }

    it('are seen by client 0 under the number 0, their fills without a ref, and by no other client unasked', async () => {
      const { simulator, byHand, zero, seven } = await ready()
      const { permId } = await byHand({})
      await zero.settled()
      expect(openOrders(zero.all(EventName.openOrder))).to.deep.equal([[0, 0, permId, '', 'PreSubmitted']])
      await simulator.clock(monday('09:30'))
      await Promise.all([zero.settled(), seven.settled()])
      const [[, , execution]] = zero.all(EventName.execDetails) as Loose[]
      expect(execution).to.include({ orderId: 0, clientId: 0, permId, orderRef: '', shares: 10, price: 101 })
      expect(seven.heard.filter(({ name }) => name === EventName.execDetails || name === EventName.openOrder)).to.deep.equal([])
      seven.api.reqExecutions(1, {})
      await seven.next(EventName.execDetailsEnd)
      expect(seven.all(EventName.execDetails)).to.have.length(1)
    })

    it('are bound when client 0 asks for its open orders; then it can change and cancel them', async () => {
      const { byHand, zero, seven } = await ready()
      const { permId } = await byHand({ orderType: 'LMT', lmtPrice: 90, tif: 'GTC' })
      await zero.settled()
      zero.listenAnew()
      zero.api.reqOpenOrders()
      await zero.next(EventName.openOrderEnd)
      expect(zero.all(EventName.orderBound)).to.deep.equal([[permId, 0, -1]])
      expect(openOrders(zero.all(EventName.openOrder))).to.deep.equal([[-1, 0, permId, '', 'PreSubmitted']])
      zero.api.placeOrder(-1, spy, limit('BUY', 20, 91, { tif: 'GTC', orderRef: '' }))
      await zero.next(EventName.openOrder, (_, __, order) => order.totalQuantity === 20 && order.lmtPrice === 91)
      seven.api.cancelOrder(-1)
      zero.api.cancelOrder(-1)
      zero.api.cancelOrder(0)
      await Promise.all([zero.settled(), seven.settled()])
      // the library takes a message about −1 for a notice
      expect(seven.all(EventName.info).map(([, code]) => code)).to.include(10147)
      expect(zero.all(EventName.info).map(([, code]) => code)).to.include(202)
      expect(zero.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([[0, 10147]])
      expect(zero.all(EventName.orderStatus).at(-1)!.slice(0, 2)).to.deep.equal([-1, 'Cancelled'])
    })

    it('are bound as they come once client 0 wishes so, which no other client may', async () => {
      const { byHand, zero, seven } = await ready()
      seven.api.reqAutoOpenOrders(true)
      await seven.next(EventName.info, (_, code) => code === 327)
      zero.api.reqAutoOpenOrders(true)
      await zero.settled()
      const [first, second] = [await byHand({ orderType: 'LMT', lmtPrice: 90 }), await byHand({ orderType: 'LMT', lmtPrice: 91 })]
      zero.api.reqAutoOpenOrders(false)
      await zero.settled()
      const third = await byHand({ orderType: 'LMT', lmtPrice: 92 })
      await zero.settled()
      expect(zero.all(EventName.orderBound)).to.deep.equal([
        [first.permId, 0, -1],
        [second.permId, 0, -2],
      ])
      expect(openOrders(zero.all(EventName.openOrder)).map(([id, , permId]: Loose) => [id, permId])).to.deep.equal([
        [-1, first.permId],
        [-2, second.permId],
        [0, third.permId],
      ])
      seven.api.reqAllOpenOrders()
      await seven.next(EventName.openOrderEnd)
      expect(seven.all(EventName.openOrder).map(([id]) => id)).to.deep.equal([-1, -2, 0])
    })

    it('are among the completed orders, but not among those of the API', async () => {
      const { simulator, byHand, seven } = await ready()
      const { permId } = await byHand({ orderType: 'STP', auxPrice: 900 })
      seven.api.placeOrder(1, spy, limit('BUY', 1, 90, { orderRef: 'ours' }))
      seven.api.cancelOrder(1)
      await seven.settled()
      expect(await simulator.post('/orders/cancel', { permId })).to.include({ status: 200, done: true })
      const refs = async (apiOnly: boolean): Promise<unknown[]> => {
        seven.listenAnew()
        seven.api.reqCompletedOrders(apiOnly)
        await seven.next(EventName.completedOrdersEnd)
        return seven.all(EventName.completedOrder).map(([, order]: Loose) => [order.orderRef, order.orderType])
      }
      expect(await refs(true)).to.deep.equal([['ours', 'LMT']])
      expect(await refs(false)).to.deep.equal([
        ['', 'STP'],
        ['ours', 'LMT'],
      ])
    })

    it('are refused with the reason', async () => {
      const { simulator } = await ready()
      const refused = async (path: string, body: object): Promise<string> => {
        const { status, error } = await simulator.post(path, body)
        expect(status).to.equal(400)
        return error
      }
      const order = { symbol: 'SPY', action: 'BUY', quantity: 10 }
      expect(await refused('/orders', { ...order, symbol: 'NONE' })).to.match(/^symbol: /)
      expect(await refused('/orders', { ...order, action: 'HOLD' })).to.match(/^action: /)
      expect(await refused('/orders', { ...order, quantity: 0 })).to.match(/^434: /)
      expect(await refused('/orders', { ...order, orderType: 'LMT', lmtPrice: 90.001 })).to.match(/^110: /)
      expect(await refused('/orders', { symbol: 'SPY' })).to.match(/^action: /)
      expect(await refused('/orders/cancel', { permId: 5 })).to.match(/^10147: /)
      expect((await simulator.state()).orders).to.deep.equal([])
    })
  })
}
