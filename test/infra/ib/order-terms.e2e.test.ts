/** What an order asks for goes out whole and comes back equal; what it would take is known before; prices step as the market rule says. */
import { EventName, type IBApi, type Order } from '@stoqey/ib'
import { expect } from 'chai'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { closeAll, connect } from '../gateway-sim/client.ts'
import { until } from './scripted-gateway.ts'
import { failure, type SessionUnderTest, sessionAt, ticket } from './session-under-test.ts'

const account = 'DU1234567'
const spy = { conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }

for (const maxServerVersion of [178, 193])
  describe(`orders at the simulated gateway, protocol ${maxServerVersion}`, () => {
    let gateway: GatewaySimulator
    let session: SessionUnderTest

    beforeEach(async () => {
      gateway = await startGatewaySimulator({ start: '2019-06-03T13:00:00Z', account, maxServerVersion })
      session = sessionAt(gateway.port)
      await session.start()
    })
    afterEach(async () => {
      await session.broker.close('the test is over')
      await closeAll()
      await gateway.close()
    })

    /** The order as another client of the gateway is told of it. */
    const toldBack = async (orderId: number): Promise<Order> => {
      const other = await connect(gateway.port, 90 + orderId)
      ;(other.api as IBApi).reqAllOpenOrders()
      const [, , order] = await other.next(EventName.openOrder, (id) => id === orderId)
      return order as Order
    }
    const placed = async (orderId: number, changes: Parameters<typeof ticket>[1]): Promise<Order> => {
      session.broker.place(ticket(orderId, { account, contract: spy, ...changes }))
      await until('the order is seen', () => session.of('order').some(({ sighting }) => sighting.orderId === orderId))
      return toldBack(orderId)
    }

    it('carry a limit, a time after which they work, and one until which', async () => {
      const order = await placed(1, {
        ...{ type: 'LMT', limitPrice: '250.01', timeInForce: 'GTD' },
        ...{ goodAfter: '2019-06-03T14:30:00.000Z', goodTill: '2019-06-05T20:00:00.000Z', outsideRegularHours: true },
      })
      expect(order).to.include({
        ...{ action: 'BUY', totalQuantity: 10, orderType: 'LMT', lmtPrice: 250.01, tif: 'GTD', orderRef: 'abc-1', outsideRth: true },
        ...{ goodAfterTime: '20190603 10:30:00 US/Eastern', goodTillDate: '20190605 16:00:00 US/Eastern' },
      })
    })

    it('carry the Adaptive algo with its priority', async () => {
      const algo = { strategy: 'Adaptive', parameters: { adaptivePriority: 'Patient' } }
      const order = await placed(1, { algo, action: 'SELL' })
      expect(order).to.include({ action: 'SELL', orderType: 'MKT', algoStrategy: 'Adaptive', tif: 'DAY' })
      expect(order.algoParams).to.deep.equal([{ tag: 'adaptivePriority', value: 'Patient' }])
    })

    it('go to the auctions', async () => {
      expect(await placed(1, { type: 'MOC' })).to.include({ orderType: 'MOC', tif: 'DAY' })
      expect(await placed(2, { type: 'LOC', limitPrice: '250' })).to.include({ orderType: 'LOC', lmtPrice: 250 })
      expect(await placed(3, { type: 'LMT', limitPrice: '250', timeInForce: 'OPG' })).to.include({ orderType: 'LMT', tif: 'OPG' })
    })

    it('are not placed by a preview, which says what they would take', async () => {
      const preview = await session.broker.whatIf(ticket(1, { account, contract: spy }))
      expect(Number(preview.initialMarginAfter)).to.be.greaterThan(0)
      expect(preview.initialMarginChange).to.equal(preview.initialMarginAfter)
      expect(Number(preview.availableFundsAfter)).to.be.within(90_000, 100_000)
      expect(Number(preview.commission)).to.be.greaterThan(0)
      const far = await session.broker.whatIf(ticket(2, { account, contract: spy, quantity: '100000' }))
      expect(Number(far.availableFundsAfter)).to.be.lessThan(0)
      expect((await session.broker.snapshot(account)).openOrders).to.deep.equal([])
      expect(session.of('order')).to.deep.equal([])
      session.broker.place(ticket(3, { account, contract: spy }))
      await until('the order is seen', () => session.of('order').length > 0)
    })

    it('are known to be refused before they are placed, and nothing is said of an order', async () => {
      const refused = await failure(session.broker.whatIf(ticket(1, { account, contract: { ...spy, conId: 12 } })))
      expect(refused).to.include({ name: 'BrokerUnavailable', why: 'refused' })
      expect(session.of('orderMessage')).to.deep.equal([])
    })

    it('step as the market rule of the contract says, where it has more than one step', async () => {
      const [plain] = await session.broker.contracts({ symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' })
      expect(plain).not.to.have.property('priceIncrements')
      const [banded] = await session.broker.contracts({ symbol: 'SYNEUR', secType: 'STK', exchange: 'SMART', currency: 'EUR' })
      expect(banded).to.deep.include({
        minTick: '0.001',
        priceIncrements: [
          { from: '0', increment: '0.001' },
          { from: '10', increment: '0.005' },
          { from: '50', increment: '0.01' },
        ],
      })
    })
  })
