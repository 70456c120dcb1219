import { expect } from 'chai'
import { asInNewYork } from '../../../domain/trading-days.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { until } from './scripted-gateway.ts'
import { failure, type SessionUnderTest, sessionAt, ticket } from './session-under-test.ts'

const account = 'DU1234567'
const spy = { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }

for (const maxServerVersion of [178, 193])
  describe(`broker session at the simulated gateway, protocol ${maxServerVersion}`, () => {
    let gateway: GatewaySimulator
    let session: SessionUnderTest

    const control = async (path: string, body?: object) => {
      const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      const response = await fetch(`http://127.0.0.1:${gateway.controlPort}${path}`, request)
      if (!response.ok) throw new Error(await response.text())
      return response.json()
    }
    const contract = async () => {
      const [found] = await session.broker.contracts(spy)
      return { conId: found!.conId, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
    }
    const order = async (orderId: number, changes: Parameters<typeof ticket>[1] = {}) =>
      session.broker.place(ticket(orderId, { account, contract: await contract(), ...changes }))

    beforeEach(async () => {
      gateway = await startGatewaySimulator({ start: '2019-06-03', account, maxServerVersion })
      session = sessionAt(gateway.port)
      await session.start()
    })
    afterEach(async () => {
      const unread = session.of('notice').filter(({ code }) => code === 505 || code === 0)
      await session.broker.close('the test is over')
      await gateway.close()
      expect(unread, 'messages that could not be read').to.deep.equal([])
    })

    it('knows account, protocol, time and contracts', async () => {
      expect(session.reports[0]).to.deep.equal({
        kind: 'connected',
        managedAccounts: [account],
        nextValidId: 1,
        serverVersion: maxServerVersion,
      })
      expect(await session.broker.currentTime()).to.equal('2019-06-03T04:00:00.000Z')
      const [found] = await session.broker.contracts(spy)
      expect(found).to.include({ symbol: 'SPY', secType: 'STK', currency: 'USD', multiplier: '1', minTick: '0.01', sizeStep: '1' })
      expect(found!.conId).to.be.greaterThan(0)
      expect(await session.broker.contracts({ ...spy, symbol: 'NOSUCH' })).to.deep.equal([])
    })

    it('knows the hours of a share in New York and of a future in Chicago, which are those of the calendar here', async () => {
      const [share] = await session.broker.contracts(spy)
      const future = { symbol: 'ES', secType: 'FUT', exchange: 'CME', currency: 'USD' }
      const [contract] = await session.broker.contracts(future)
      for (const hours of [share!.hours, contract!.hours]) {
        expect(hours).to.include({ from: '2019-06-03', until: '2019-06-09' })
        expect(hours!.regular[0]).to.deep.equal({ open: '2019-06-03T13:30:00.000Z', close: '2019-06-03T20:00:00.000Z' })
        expect(asInNewYork(hours!)).to.equal(true)
      }
    })

    it('gets daily and intraday bars', async () => {
      const request = { contract: await contract(), duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true }
      const daily = await session.broker.bars({ ...request, size: '1 day' })
      expect(daily.map(({ start }) => start)).to.deep.equal(['2019-05-24', '2019-05-28', '2019-05-29', '2019-05-30', '2019-05-31'])
      expect(daily.at(-1)!.close).to.be.within(daily.at(-1)!.low, daily.at(-1)!.high)
      const halfHours = await session.broker.bars({ ...request, size: '30 mins', duration: '1 D' })
      expect(halfHours).to.have.length(13)
      expect(halfHours[0]!.start).to.equal('2019-05-31T13:30:00.000Z')
      const refused = await failure(session.broker.bars({ ...request, contract: { ...request.contract, conId: 12 }, size: '1 day' }))
      expect(refused).to.include({ name: 'BrokerUnavailable', why: 'refused' })
    })

    it('sees an order wait for the open, fill, and stand in the snapshot', async () => {
      await order(1)
      await session.broker.currentTime()
      expect(session.of('order')[0]!.sighting).to.deep.include({
        orderRef: 'abc-1',
        orderId: 1,
        clientId: 7,
        account,
        status: 'PreSubmitted',
      })
      expect(session.of('orderMessage')[0]).to.deep.include({ orderId: 1, code: 399, meaning: 'warning' })
      const before = await session.broker.snapshot(account)
      expect(before.openOrders.map(({ orderRef, status, filled, remaining }) => [orderRef, status, filled, remaining])).to.deep.equal([
        ['abc-1', 'PreSubmitted', '0', '10'],
      ])
      expect(before.values).to.deep.include({
        baseCurrency: 'USD',
        netLiquidation: '100000',
        cash: { USD: '100000' },
        exchangeRates: { USD: '1' },
      })

      await control('/clock', { to: '2019-06-03T13:31:00Z' })
      await session.broker.currentTime()
      const { execution } = session.of('execution')[0]!
      expect(execution).to.deep.include({ orderRef: 'abc-1', orderId: 1, account, quantity: '10', time: '2019-06-03T13:30:00.000Z' })
      expect(session.of('commission')[0]!.commission).to.deep.include({
        executionId: execution.executionId,
        commission: '1',
        currency: 'USD',
      })
      expect(session.of('order').at(-1)!.sighting).to.deep.include({ status: 'Filled', filled: '10', remaining: '0' })

      const reported = session.of('execution').length
      const after = await session.broker.snapshot(account)
      expect(after.executions).to.deep.equal([execution])
      expect(after.commissions).to.deep.equal(session.of('commission').map(({ commission }) => commission))
      expect(after.openOrders).to.deep.equal([])
      expect(after.completedOrders[0]).to.deep.include({ orderRef: 'abc-1', status: 'Filled', account, filled: '10' })
      expect(after.positions[0]).to.deep.include({ quantity: '10' })
      expect(Number(after.positions[0]!.marketPrice)).to.be.greaterThan(0)
      expect(session.of('execution')).to.have.length(reported)
    })

    it('cancels, and is told when it cannot', async () => {
      await order(1, { type: 'LMT', limitPrice: '100.5', timeInForce: 'GTC' })
      session.broker.cancel(1)
      session.broker.cancel(99)
      await session.broker.currentTime()
      expect(session.of('orderMessage').map(({ orderId, code, meaning }) => [orderId, code, meaning])).to.deep.include.members([
        [1, 202, 'cancelled'],
        [99, 10147, 'cancelRefused'],
      ])
      const { completedOrders, openOrders } = await session.broker.snapshot(account)
      expect(openOrders).to.deep.equal([])
      expect(completedOrders[0]).to.deep.include({ orderRef: 'abc-1', status: 'Cancelled' })
    })

    it('hands a limit order over as it was meant', async () => {
      await order(1, { action: 'SELL', quantity: '3', type: 'LMT', limitPrice: '900.25', timeInForce: 'GTC', outsideRegularHours: true })
      await session.broker.currentTime()
      const { orders } = (await control('/state')) as { orders: object[] }
      expect(orders[0]).to.include({ orderRef: 'abc-1', action: 'SELL', totalQuantity: 3, orderType: 'LMT', lmtPrice: 900.25, tif: 'GTC' })
    })

    it('is told of a rejection', async () => {
      await control('/faults', { fault: 'rejectNext', code: 201, text: 'Order rejected - reason: margin' })
      await order(1)
      await session.broker.currentTime()
      expect(session.of('orderMessage')[0]).to.deep.include({ orderId: 1, code: 201, meaning: 'rejected' })
    })

    it('finds an order again that was sent just before the connection broke, and never sends it a second time', async () => {
      await control('/faults', { fault: 'dropConnections', when: 'beforeAck' })
      await order(1)
      await session.connected(2)
      expect(session.of('connected')[1]!.nextValidId).to.equal(2)
      expect(session.of('order')).to.have.length(0)
      const { openOrders } = await session.broker.snapshot(account)
      expect(openOrders.map(({ orderRef, orderId, clientId }) => [orderRef, orderId, clientId])).to.deep.equal([['abc-1', 1, 7]])
      const { received } = (await control('/state')) as { received: Record<string, object[]> }
      expect(received['7']).to.deep.equal([{ orderRef: 'abc-1', count: 1 }])
    })

    it('sees trades by hand in the snapshot, without a ref', async () => {
      await control('/faults', { fault: 'handTrade', symbol: 'SPY', quantity: -4, price: 275.5 })
      const { executions, positions } = await session.broker.snapshot(account)
      expect(executions[0]).to.include({ orderRef: '', orderId: 0, clientId: 0, quantity: '-4', price: '275.5' })
      expect(positions[0]!.quantity).to.equal('-4')
    })

    it('waits for its client id while another session has it', async () => {
      const second = sessionAt(gateway.port)
      second.broker.start(second.hear)
      await until('it says that it waits', () => second.of('notice').some(({ code }) => code === 326))
      await session.broker.close('it makes room')
      await second.connected()
      await second.broker.close('the test is over')
    })

    it('gives leases quotes and positions as they change, and ends them', async () => {
      const lease = session.broker.lease('watcher')
      const prices: string[] = []
      const held: string[] = []
      lease.quotes(await contract(), ({ field }) => prices.push(field))
      lease.positions(({ quantity }) => held.push(quantity))
      await until('a price', () => prices.length > 0)
      await control('/faults', { fault: 'handTrade', symbol: 'SPY', quantity: 4, price: 275.5 })
      await until('the position', () => held.at(-1) === '4')
      lease.release()
      await session.broker.currentTime()
      expect(session.broker.state().open).to.include({ subscriptions: 0, listeners: 0, leases: 0, questions: 0 })
    })

    it('tells the price of now: live, delayed, or none at all', async () => {
      const wanted = await contract()
      await control('/clock', { to: '2019-06-03T14:30:00Z' })
      const [live, ...more] = await session.broker.quotes([wanted])
      const minutesAgo = (time: string) => Math.round((Date.now() - Date.parse(time)) / 60_000) // this session's clock is the machine's
      expect([live!.conId, live!.delayed, minutesAgo(live!.at)]).to.deep.equal([wanted.conId, false, 0])
      expect([Number(live!.price) > 100, more]).to.deep.equal([true, []])
      await control('/permissions', { symbol: 'SPY', marketData: 'delayed' })
      const [delayed] = await session.broker.quotes([wanted])
      expect([delayed!.delayed, minutesAgo(delayed!.at)]).to.deep.equal([true, 15])
      expect(delayed!.price).to.not.equal(live!.price)
      await control('/permissions', { symbol: 'SPY', marketData: 'none' })
      expect(await session.broker.quotes([wanted])).to.deep.equal([])
      expect(session.broker.state().open).to.include({ questions: 0, subscriptions: 0 })
    })

    it('survives a restart of the gateway that takes a while', async () => {
      await control('/faults', { fault: 'refuseConnections' })
      await control('/faults', { fault: 'dropConnections', when: 'now' })
      await until('it has tried in vain', () => session.of('lost').length === 1 && session.of('notice').length > 0)
      expect(session.broker.state().phase).to.be.oneOf(['down', 'connecting'])
      await control('/faults', { fault: 'refuseConnections', on: false })
      await session.connected(2)
      await session.broker.snapshot(account)
      expect(session.broker.state().phase).to.equal('ready')
    })

    it('goes down and up with the line to IB', async () => {
      await control('/faults', { fault: 'linkDown' })
      await until('down', () => session.of('link').length === 1)
      await control('/faults', { fault: 'linkUp', dataLost: true })
      await until('up', () => session.of('link').length === 2)
      expect(session.of('link').map(({ state }) => state)).to.deep.equal(['down', 'up'])
      expect(session.broker.connected()).to.equal(true)
      expect((await session.broker.snapshot(account)).openOrders).to.deep.equal([])
    })

    it('learns on connecting that the gateway has lost IB, sends nothing, and asks when it is back', async () => {
      const contractBefore = await contract()
      await control('/faults', { fault: 'linkDown' })
      await control('/faults', { fault: 'dropConnections', when: 'now' })
      await session.connected(2)
      await until('degraded', () => session.broker.state().phase === 'degraded')
      expect(session.of('link').at(-1)).to.deep.include({ state: 'down' })
      expect(session.of('link').at(-1)!.reason).to.contain('2110')
      expect(() => session.broker.place(ticket(1, { account, contract: contractBefore }))).to.throw('2110')
      await control('/faults', { fault: 'linkUp' })
      await until('up', () => session.broker.state().phase === 'syncing')
      await session.broker.snapshot(account)
      expect(session.broker.state().phase).to.equal('ready')
      expect(((await control('/state')) as { received: object }).received).to.deep.equal({})
    })
  })
