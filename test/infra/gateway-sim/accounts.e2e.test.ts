import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, market, monday, on, simulate, spy, versions } from './client.ts'

const [own, other] = ['DU1234567', 'DU7654321']

for (const maxServerVersion of versions)
  describe(`gateway simulator, another account of the login, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const inSession = async () => {
      const simulator = await simulate({ maxServerVersion, start: monday('10:00') })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 10))
      await client.settled()
      return { simulator, client }
    }
    const asked = async (simulator: { port: number }) => {
      const client = await connect(simulator.port, 8)
      client.api.reqExecutions(1, {})
      client.api.reqPositions()
      client.api.reqAllOpenOrders()
      client.api.reqCompletedOrders(false)
      await client.next(EventName.completedOrdersEnd)
      await client.disconnect()
      return {
        accounts: client.all(EventName.managedAccounts)[0]![0],
        executions: client.all(EventName.execDetails).map(([, , { acctNumber, side, shares }]: Loose) => [acctNumber, side, shares]),
        commissions: client.all(EventName.commissionReport).length,
        positions: client.all(EventName.position).map(([account, , quantity]) => [account, quantity]),
        open: client.all(EventName.openOrder).map(([, , order]: Loose) => [order.account, order.orderRef]),
        completed: client.all(EventName.completedOrder).map(([, order]: Loose) => [order.account, order.orderRef]),
      }
    }

    it('trades, holds and orders beside the own one, and each line says whose it is', async () => {
      const { simulator } = await inSession()
      await simulator.fault('handTrade', { account: other, symbol: 'SPY', quantity: -5 })
      await simulator.fault('position', { account: other, symbol: 'AAPL', quantity: 3, price: 170 })
      const byHand = { account: other, symbol: 'SPY', action: 'BUY', quantity: 2 }
      await simulator.post('/orders', { ...byHand, orderRef: 'theirs' })
      const { permId } = await simulator.post('/orders', { ...byHand, orderType: 'LMT', lmtPrice: 50, tif: 'GTC', orderRef: 'waits' })
      expect(await asked(simulator)).to.deep.equal({
        accounts: `${own},${other}`,
        executions: [
          [own, 'BOT', 10],
          [other, 'SLD', 5],
          [other, 'BOT', 2],
        ],
        commissions: 3,
        positions: [
          [own, 10],
          [other, -3],
          [other, 3],
        ],
        open: [[other, 'waits']],
        completed: [
          [own, 'ref'],
          [other, 'theirs'],
        ],
      })
      expect((await simulator.post('/orders/cancel', { permId })).status).to.equal(200)
      const state = await simulator.state()
      expect([state.positions, state.otherAccounts[other].positions].map((positions) => positions.length)).to.deep.equal([1, 2])
      expect(state.otherAccounts[other].orders.map(({ status }: Loose) => status)).to.deep.equal(['Filled', 'Cancelled'])
      expect(state.orders).to.have.length(1)
    })

    it('is told live to whoever it names, and leaves the values of the own one alone', async () => {
      const { simulator, client } = await inSession()
      client.api.reqAccountUpdates(true, own)
      await client.next(EventName.accountDownloadEnd)
      client.api.reqPositions()
      await client.next(EventName.positionEnd)
      client.listenAnew()
      const before = await simulator.state()
      await simulator.fault('handTrade', { account: other, symbol: 'SPY', quantity: 100, clientId: 7, orderId: 1, orderRef: 'ref' })
      await client.settled()
      const [[, , execution]] = client.all(EventName.execDetails) as Loose[]
      expect(execution).to.include({ acctNumber: other, orderId: 1, clientId: 7, orderRef: 'ref', shares: 100 })
      expect(client.all(EventName.commissionReport)).to.have.length(1)
      expect(client.all(EventName.position).map(([account, , quantity]) => [account, quantity])).to.deep.equal([[other, 100]])
      expect([...client.all(EventName.updateAccountValue), ...client.all(EventName.updatePortfolio)]).to.deep.equal([])
      const { cash, netLiquidation, positions } = await simulator.state()
      expect({ cash, netLiquidation, positions }).to.deep.include({ cash: before.cash, netLiquidation: before.netLiquidation })
      expect(positions).to.deep.equal(before.positions)
    })

    it('has orders that fill in its own time, ids of its own, and forgets its executions at midnight', async () => {
      const { simulator } = await inSession()
      await simulator.clock(monday('18:00'))
      await simulator.post('/orders', { account: other, symbol: 'SPY', action: 'BUY', quantity: 2, tif: 'DAY' })
      await simulator.clock(on(4, '10:00'))
      const { executions, completed } = await asked(simulator)
      expect([executions, completed]).to.deep.equal([[[other, 'BOT', 2]], [[other, '']]])
      const state = await simulator.state()
      const ids = [...state.executions, ...state.otherAccounts[other].executions].map(({ execId }: Loose) => execId)
      expect(new Set(ids).size).to.equal(2)
      expect(state.otherAccounts[other].executions[0].at).to.equal('2019-06-04T13:30:00.000Z')
      await simulator.clock(on(5, '00:00'))
      expect((await asked(simulator)).executions).to.deep.equal([])
    })

    it('has a name as accounts have', async () => {
      const { simulator } = await inSession()
      for (const path of ['/faults', '/orders']) {
        const what = path === '/faults' ? { fault: 'handTrade' } : { action: 'BUY' }
        const { status, error } = await simulator.post(path, { ...what, symbol: 'SPY', quantity: 1, account: 'mine' })
        expect([status, String(error).includes('account')], path).to.deep.equal([400, true])
      }
    })
  })
