/** What the gateway says about orders, as the genuine client reads it, whole: at both versions, equal to what was meant. */
import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { type Loose, limit, market, monday, spy, versions } from './client.ts'
import { closeUpAndDown, openUpAndDown, type UpAndDown } from './course.ts'

for (const maxServerVersion of versions) {
  describe(`gateway simulator, messages about orders, server version ${maxServerVersion}`, () => {
    let simulator: UpAndDown['simulator']
    let client: UpAndDown['client']
    let until: UpAndDown['until']
    beforeEach(async () => {
      ;({ simulator, client, until } = await openUpAndDown({ maxServerVersion }))
    })
    afterEach(closeUpAndDown)
    const [parentPermId, childPermId] = [1_001_000_001, 1_001_000_002]
    const bracket = () => {
      client.api.placeOrder(4, spy, limit('BUY', 10, 98, { tif: 'GTC', orderRef: 'parent', transmit: false }))
      const child = { orderType: 'TRAIL' as never, auxPrice: 2.5, parentId: 4, tif: 'GTC' as never, orderRef: 'child' }
      client.api.placeOrder(5, spy, market('SELL', 10, child))
    }

    it('the status of an order: what it traded, its ids, its parent and why it is held', async () => {
      bracket()
      await client.settled()
      const last = (orderId: number): unknown =>
        client
          .all(EventName.orderStatus)
          .filter(([id]) => id === orderId)
          .at(-1)
      expect(last(4)).to.deep.equal([4, 'PreSubmitted', 0, 10, 0, parentPermId, 0, 0, 7, '', 0])
      expect(last(5)).to.deep.equal([5, 'PreSubmitted', 0, 10, 0, childPermId, 4, 0, 7, 'child,trigger', 0])
      await until(monday('10:00'))
      await simulator.fault('partialFill', { quantity: 4, orderRef: 'parent', price: 97.5 })
      await until(monday('12:30'))
      expect(last(4)).to.deep.equal([4, 'Filled', 10, 0, 97.8, parentPermId, 0, 98, 7, '', 0])
      expect(last(5)).to.deep.equal([5, 'PreSubmitted', 0, 10, 0, childPermId, 4, 0, 7, 'trigger', 0])
    })

    it('an open order: its group, its parent and where its stop stands', async () => {
      bracket()
      await until(monday('14:30'))
      const [, contract, order, state] = client.all(EventName.openOrder).at(-1) as Loose[]
      expect(contract).to.deep.include({ conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD', strike: 0 })
      expect(order).to.include({ orderId: 5, clientId: 7, permId: childPermId, parentId: 4, action: 'SELL', orderType: 'TRAIL' })
      expect(order).to.include({ auxPrice: 2.5, trailStopPrice: 103.5, ocaGroup: String(parentPermId), ocaType: 3, orderRef: 'child' })
      expect(order).to.include({ totalQuantity: 10, tif: 'GTC', account: 'DU1234567', adjustedOrderType: 'None', exemptCode: -1 })
      expect(order.lmtPrice).to.equal(undefined)
      expect(order.trailingPercent).to.equal(undefined)
      expect(state.status).to.equal('PreSubmitted')
      expect(state.commission).to.equal(undefined)
    })

    it('completed orders: what became of them, without numbers of the client', async () => {
      bracket()
      await until(monday('16:00'))
      client.api.cancelOrder(5)
      client.api.reqCompletedOrders(true)
      await client.next(EventName.completedOrdersEnd)
      const told = client.all(EventName.completedOrder).map(([, order, state]: Loose) => ({ ...order, ...state }))
      expect(told).to.have.length(2)
      expect(told[0]).to.include({ orderRef: 'parent', permId: parentPermId, filledQuantity: 10, status: 'Filled', parentPermId: 0 })
      expect(told[0]).to.include({ completedStatus: 'Filled Size: 10', completedTime: '20190603 12:15:00 US/Eastern' })
      expect(told[1]).to.include({ orderRef: 'child', permId: childPermId, parentPermId, trailStopPrice: 103.5, orderType: 'TRAIL' })
      expect(told[1]).to.include({ filledQuantity: 0, status: 'Cancelled', completedTime: '20190603 16:00:00 US/Eastern' })
      expect(told[1].orderId).to.equal(undefined)
      expect(told[1].clientId).to.equal(undefined)
    })

    it('an execution with its commission, and its correction as a further revision', async () => {
      client.api.placeOrder(4, spy, market('BUY', 300, { orderRef: 'r' }))
      client.api.placeOrder(5, spy, limit('SELL', 300, 104, { orderRef: 's' }))
      await until(monday('12:00'))
      const executions = (): Loose[] => client.all(EventName.execDetails)
      const [requestId, contract, execution] = executions()[1]
      expect(requestId).to.equal(-1)
      expect(contract).to.include({ conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' })
      expect(execution).to.deep.include({
        ...{ orderId: 5, clientId: 7, permId: childPermId, execId: '00000001.5cf519d0.00000002.01', orderRef: 's', side: 'SLD' },
        ...{ shares: 300, price: 104, cumQty: 300, avgPrice: 104, exchange: 'ARCA', acctNumber: 'DU1234567' },
        ...{ time: '20190603 10:20:00 US/Eastern', lastLiquidity: 2, liquidation: 0, pendingPriceRevision: false, modelCode: '' },
      })
      const [[opening], [closing]] = client.all(EventName.commissionReport) as Loose[]
      expect(opening).to.include({ commission: 1.5, currency: 'USD', realizedPNL: undefined, yield: undefined })
      expect(closing).to.include({ execId: execution.execId, commission: 1.5 })
      expect(closing.realizedPNL).to.be.closeTo(300 * 4 - 3, 1e-6)
      await simulator.fault('correctExecution', { execId: execution.execId, price: 103 })
      await client.settled()
      expect(executions()[2][2]).to.deep.equal({ ...execution, execId: '00000001.5cf519d0.00000002.02', price: 103, avgPrice: 103 })
      expect((client.all(EventName.commissionReport)[2] as Loose)[0].realizedPNL).to.be.closeTo(300 * 3 - 3, 1e-6)
    })

    it('a what-if: margins before, after and between, the commission, and nothing else', async () => {
      client.api.placeOrder(4, spy, limit('BUY', 400, 100, { whatIf: true }))
      await client.settled()
      const [, , order, state] = client.all(EventName.openOrder)[0] as Loose[]
      expect(order).to.include({ orderId: 4, whatIf: true, permId: 0, totalQuantity: 400 })
      expect(state).to.deep.include({
        ...{ status: 'PreSubmitted', initMarginBefore: 0, initMarginChange: 20_000, initMarginAfter: 20_000 },
        ...{ maintMarginBefore: 0, maintMarginChange: 10_000, maintMarginAfter: 10_000 },
        ...{ equityWithLoanBefore: 100_000, equityWithLoanChange: -2, equityWithLoanAfter: 99_998 },
        ...{ commission: 2, commissionCurrency: 'USD', warningText: '' },
      })
      expect(client.all(EventName.orderStatus)).to.deep.equal([])
      client.api.reqIds()
      await client.next(EventName.nextValidId, (id) => id === 1)
      client.api.reqAllOpenOrders()
      client.api.reqCompletedOrders(false)
      await client.next(EventName.completedOrdersEnd)
      expect([client.all(EventName.openOrder).length, client.all(EventName.completedOrder).length]).to.deep.equal([1, 0])
    })

    it('a rejection by script, with the JSON of an advanced one', async () => {
      const advanced = { '8229': 'IBDBUYTX', '8230': 'Too “large”\nby far' }
      await simulator.fault('rejectNext', { code: 201, text: 'Order rejected - reason:size', advanced })
      client.api.placeOrder(4, spy, market('BUY', 1))
      const [error, code, id, json] = await client.next(EventName.error)
      expect([error.message, code, id, json]).to.deep.equal(['Order rejected - reason:size', 201, 4, advanced])
    })
  })
}
