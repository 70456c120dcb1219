import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { aapl, closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient, versions } from './client.ts'

const statuses = (client: TestClient, orderId: number): unknown[] =>
  client
    .all(EventName.orderStatus)
    .filter(([id]) => id === orderId)
    .map(([, status]) => status)
const errors = (client: TestClient): unknown[] => client.all(EventName.error).map(([, code, id]) => [id, code])
const fills = (client: TestClient): Loose[] => client.all(EventName.execDetails).map(([, , execution]) => execution)

for (const maxServerVersion of versions) {
  describe(`gateway simulator, orders, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    it('holds a market order until the open, and fills it there at the opening price', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 100))
      const [, , text] = (await client.next(EventName.error)).toReversed()
      expect(text).to.equal(399)
      expect(String(client.all(EventName.error)[0]![0])).to.contain('will not be placed at the exchange until 20190603 09:30:00 US/Eastern')
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted'])

      const { nextEventAt } = await simulator.state()
      expect(nextEventAt).to.equal('2019-06-03T13:30:00.000Z')
      await simulator.clock(nextEventAt)
      const [report] = await client.next(EventName.commissionReport)
      expect(report).to.include({ commission: 1, currency: 'USD' })
      expect(report.realizedPNL).to.equal(undefined)
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Filled'])
      expect(fills(client)[0]).to.include({
        ...{ orderId: 1, clientId: 7, shares: 100, price: 101, cumQty: 100, avgPrice: 101 },
        side: 'BOT',
      })
      expect(fills(client)[0]).to.include({ orderRef: 'ref', acctNumber: 'DU1234567', time: '20190603 09:30:00 US/Eastern' })
      expect(client.heard.map(({ name }) => name).slice(-4)).to.deep.equal(['openOrder', 'orderStatus', 'execDetails', 'commissionReport'])
    })

    it('fills a market order at once while the session is on', async () => {
      const simulator = await simulate({ maxServerVersion })
      await simulator.clock(monday('11:00'))
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('SELL', 10))
      await client.next(EventName.commissionReport)
      expect(statuses(client, 1)).to.deep.equal(['Submitted', 'Filled'])
      expect(fills(client)[0].price).to.be.within(100, 105)
      expect((await simulator.state()).positions[0]).to.include({ symbol: 'SPY', quantity: -10 })
    })

    it('fills a limit better than the open at the open, and another when the price reaches it', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 103))
      client.api.placeOrder(2, spy, limit('SELL', 10, 104.5))
      client.api.placeOrder(3, spy, limit('BUY', 10, 100.5))
      await client.settled()
      await simulator.clock(monday('09:30'))
      await client.settled()
      expect(fills(client).map(({ orderId, price }) => [orderId, price])).to.deep.equal([[1, 101]])
      expect(statuses(client, 2)).to.deep.equal(['PreSubmitted', 'Submitted'])

      let state = await simulator.state()
      while (state.executions.length < 3) {
        await simulator.clock(state.nextEventAt)
        state = await simulator.state()
        expect(Date.parse(state.clock)).to.be.lessThan(Date.parse(monday('16:00')))
      }
      await client.settled()
      expect(fills(client).map(({ orderId, price }) => [orderId, price])).to.have.deep.members([
        [1, 101],
        [2, 104.5],
        [3, 100.5],
      ])
      const reached = state.executions
        .filter(({ orderId }: { orderId: number }) => orderId !== 1)
        .map(({ at }: { at: string }) => Date.parse(at))
      for (const at of reached) expect(at).to.be.greaterThan(Date.parse(monday('09:30')))
    })

    it('ends a DAY order at the close with 202, and lets a GTC order work on', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 90.5))
      client.api.placeOrder(2, spy, limit('BUY', 10, 90.5, { tif: 'GTC' }))
      await client.settled()
      await simulator.clock(monday('16:00'))
      await client.settled()
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Submitted', 'Cancelled'])
      expect(errors(client)).to.deep.include([1, 202])
      expect(statuses(client, 2)).to.deep.equal(['PreSubmitted', 'Submitted'])

      await simulator.clock(on(6, '16:00'))
      await client.settled()
      expect(fills(client)).to.have.length(1)
      expect(fills(client)[0]).to.include({ orderId: 2, price: 90.5 })
    })

    it('gives an order of Friday evening the session of Monday', async () => {
      const simulator = await simulate({ maxServerVersion, start: '2019-05-31T22:00:00Z' })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 50))
      await client.settled()
      await simulator.clock('2019-06-03T19:59:59Z')
      expect((await simulator.state()).orders[0].status).to.equal('Submitted')
      await simulator.clock('2019-06-03T20:00:00Z')
      expect((await simulator.state()).orders[0].status).to.equal('Cancelled')
    })

    it('takes an order for the opening auction, ends it there when it does not trade, and refuses it when too late', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 1, { tif: 'OPG' as never }))
      client.api.placeOrder(2, spy, limit('BUY', 1, 100.99, { tif: 'OPG' as never }))
      await client.settled()
      await simulator.clock(monday('09:30'))
      client.api.placeOrder(3, spy, market('BUY', 1, { tif: 'OPG' as never }))
      await client.settled()
      expect(statuses(client, 1)).to.deep.equal(['PreSubmitted', 'Filled'])
      expect(statuses(client, 2)).to.deep.equal(['PreSubmitted', 'Cancelled'])
      expect(errors(client)).to.deep.include([3, 201])
    })

    it('cancels: Cancelled and then 202; 10147 for what is not found, 10148 for what is over', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 90))
      await client.settled()
      client.listenAnew()
      client.api.cancelOrder(1)
      await client.settled()
      expect(client.heard.map(({ name }) => name)).to.deep.equal(['openOrder', 'orderStatus', 'error', 'currentTime'])
      expect(statuses(client, 1)).to.deep.equal(['Cancelled'])
      client.api.cancelOrder(1)
      client.api.cancelOrder(99)
      await client.settled()
      expect(errors(client)).to.deep.equal([
        [1, 202],
        [1, 10148],
        [99, 10147],
      ])
    })

    it('refuses what IB refuses, with its code', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      const { api } = client
      api.placeOrder(1, { ...spy, symbol: 'NONE' }, market('BUY', 1))
      api.placeOrder(2, { symbol: 'AAPL', secType: aapl.secType, exchange: 'SMART' }, market('BUY', 1))
      api.placeOrder(3, spy, limit('BUY', 1, 100.005))
      api.placeOrder(4, spy, market('BUY', 1.5))
      api.placeOrder(5, spy, market('BUY', 1, { account: 'DU999' }))
      api.placeOrder(6, spy, market('BUY', 1, { orderType: 'REL' as never, auxPrice: 5 }))
      api.placeOrder(7, spy, market('BUY', 0))
      api.placeOrder(8, spy, market('BUY', 1, { parentId: 3 }))
      api.placeOrder(9, spy, market('BUY', 1, { tif: 'DTC' as never }))
      api.placeOrder(20, spy, market('BUY', 1))
      api.placeOrder(19, spy, market('BUY', 1))
      await client.settled()
      expect(errors(client)).to.deep.equal([
        [1, 200],
        [2, 200],
        [3, 110],
        [4, 10243],
        [5, 321],
        [6, 387],
        [7, 434],
        [8, 10006],
        [9, 321],
        [20, 399],
        [19, 103],
      ])
      expect(String(client.all(EventName.error)[3]![0])).to.contain('size 1.5')
      await simulator.clock(monday('09:30'))
      api.placeOrder(20, spy, market('BUY', 1))
      await client.settled()
      expect(errors(client).at(-1)).to.deep.equal([20, 103])
      expect((await simulator.state()).orders).to.have.length(1)
    })

    it('changes a working order that comes again under its id, but not into another one', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 90))
      client.api.placeOrder(1, spy, limit('BUY', 20, 91, { tif: 'GTC' }))
      client.api.placeOrder(1, spy, limit('SELL', 20, 91))
      await client.settled()
      const [order] = (await simulator.state()).orders
      expect(order).to.include({ totalQuantity: 20, lmtPrice: 91, tif: 'GTC', status: 'PreSubmitted' })
      expect(errors(client).filter(([, code]: Loose) => code !== 399)).to.deep.equal([[1, 105]])
      await simulator.clock(monday('10:00'))
      client.api.placeOrder(1, spy, market('BUY', 20))
      await client.settled()
      expect(statuses(client, 1).at(-1)).to.equal('Filled')
    })

    it('keeps an order without transmit to itself until it comes again with it', async () => {
      const simulator = await simulate({ maxServerVersion })
      await simulator.clock(monday('10:00'))
      const client = await connect(simulator.port, 7)
      const { transmit: _, ...untransmitted } = market('BUY', 10)
      client.api.placeOrder(1, spy, untransmitted)
      client.api.reqAllOpenOrders()
      await client.next(EventName.openOrderEnd)
      expect(client.all(EventName.openOrder)).to.deep.equal([])
      client.api.placeOrder(1, spy, market('BUY', 10))
      await client.next(EventName.execDetails)
    })

    it('answers a what-if with margins and commission, and takes no order', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 100, { whatIf: true }))
      const [, , order, state] = await client.next(EventName.openOrder)
      expect(order.whatIf).to.equal(true)
      expect(state).to.include({ initMarginBefore: 0, initMarginAfter: 5000, commission: 1, commissionCurrency: 'USD' })
      expect((await simulator.state()).orders).to.deep.equal([])
    })

    it('forgets executions and completed orders at midnight, not orders that work', async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.placeOrder(2, spy, limit('BUY', 10, 50, { tif: 'GTC' }))
      await client.settled()
      const ask = async (): Promise<number[]> => {
        client.listenAnew()
        client.api.reqExecutions(1, {})
        client.api.reqCompletedOrders(false)
        client.api.reqAllOpenOrders()
        await client.next(EventName.openOrderEnd)
        return [EventName.execDetails, EventName.completedOrder, EventName.openOrder].map((name) => client.all(name).length)
      }
      await simulator.clock(monday('23:59'))
      expect(await ask()).to.deep.equal([1, 1, 1])
      await simulator.clock(on(4, '00:00'))
      expect(await ask()).to.deep.equal([0, 0, 1])
      const state = await simulator.state()
      expect(state.executions[0].forgotten).to.equal(true)
      expect(state.positions[0].quantity).to.equal(10)
    })

    it('cancels the orders of every client on a global cancel, and tells each its own', async () => {
      const simulator = await simulate({ maxServerVersion })
      const [first, second] = [await connect(simulator.port, 1), await connect(simulator.port, 2)]
      first.api.placeOrder(5, spy, limit('BUY', 10, 90))
      second.api.placeOrder(5, spy, limit('BUY', 20, 90))
      await Promise.all([first.settled(), second.settled()])
      first.api.cancelOrder(6)
      first.api.reqGlobalCancel()
      await Promise.all([first.settled(), second.settled()])
      expect(statuses(first, 5)).to.deep.equal(['PreSubmitted', 'Cancelled'])
      expect(statuses(second, 5)).to.deep.equal(['PreSubmitted', 'Cancelled'])
      expect(second.all(EventName.openOrder).map(([, , order]: Loose) => order.totalQuantity)).to.deep.equal([20, 20])
    })

    it('closes and turns a position: cash, average cost and realised profit come out to the cent', async () => {
      const simulator = await simulate({ maxServerVersion, cash: 50_000 })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 300))
      await client.settled()
      await simulator.clock(monday('16:00'))
      client.api.placeOrder(2, spy, market('SELL', 400))
      await client.settled()
      await simulator.clock(on(4, '09:30'))
      await client.settled()
      const realised = (106 - (101 + 1.5 / 300)) * 300 - (2 * 300) / 400
      expect(client.all(EventName.commissionReport)[1]![0]).to.include({ commission: 2 })
      expect((client.all(EventName.commissionReport)[1]![0] as Loose).realizedPNL).to.be.closeTo(realised, 1e-6)
      const state = await simulator.state()
      expect(state.cash).to.be.closeTo(50_000 - 300 * 101 - 1.5 + 400 * 106 - 2, 1e-6)
      expect(state.positions[0].quantity).to.equal(-100)
      expect(state.positions[0].averageCost).to.be.closeTo(106 - 0.5 / 100, 1e-6)
      expect(state.netLiquidation).to.be.closeTo(state.cash - 100 * 106, 1e-6)
    })
  })
}

describe('gateway simulator, ids', () => {
  afterEach(closeAll)

  it('gives the same ids, prices and times for the same inputs, and others for another seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const simulator = await simulate({ seed })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.placeOrder(2, spy, limit('SELL', 10, 104.5))
      await client.settled()
      await simulator.clock(monday('16:00'))
      await client.settled()
      return JSON.stringify([client.all(EventName.execDetails), client.all(EventName.openOrder)])
    }
    const once = await run(3)
    expect(await run(3)).to.equal(once)
    expect(await run(4)).not.to.equal(once)
  })
})
