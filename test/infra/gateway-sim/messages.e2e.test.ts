import { EventName, IBApiTickType, MarketDataType } from '@stoqey/ib'
import { expect } from 'chai'
import fc from 'fast-check'
import { aapl, closeAll, connect, type Loose, limit, market, monday, simulate, spy, type TestClient, versions } from './client.ts'

const account = 'DU1234567'

for (const maxServerVersion of versions) {
  describe(`gateway simulator, messages as the genuine client reads them, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const at = async (start = monday('09:00')): Promise<{ client: TestClient; simulator: Awaited<ReturnType<typeof simulate>> }> => {
      const simulator = await simulate({ maxServerVersion, start: new Date(start).toISOString() })
      return { simulator, client: await connect(simulator.port, 7) }
    }
    const holding = async () => {
      const { client, simulator } = await at()
      client.api.placeOrder(1, spy, market('BUY', 100))
      await client.settled()
      await simulator.clock(monday('16:00'))
      await client.settled()
      client.listenAnew()
      return { client, simulator }
    }

    it('greets with version, time, accounts, next order id and the state of the farms', async () => {
      const { client } = await at()
      await client.next(EventName.info, (_, code) => code === 2158)
      expect(client.all(EventName.server)[0]).to.deep.equal([maxServerVersion, '20190603 13:00:00 UTC'])
      expect(client.all(EventName.managedAccounts)[0]).to.deep.equal([account])
      expect(client.all(EventName.nextValidId)[0]).to.deep.equal([1])
      expect(client.all(EventName.info).map(([, code]) => code)).to.deep.equal([2104, 2106, 2158])
    })

    it('tells the simulated time, the accounts and the next id when asked', async () => {
      const { client } = await at()
      client.listenAnew()
      client.api.reqIds()
      client.api.reqManagedAccts()
      client.api.reqCurrentTime()
      const [time] = await client.next(EventName.currentTime)
      expect(time).to.equal(Date.parse(monday('09:00')) / 1000)
      expect(client.all(EventName.nextValidId)).to.deep.equal([[1]])
      expect(client.all(EventName.managedAccounts)).to.deep.equal([[account]])
    })

    it('describes a contract with its steps and hours', async () => {
      const { client } = await at('2019-07-03T09:00:00-04:00')
      client.api.reqContractDetails(4, spy)
      await client.next(EventName.contractDetailsEnd)
      const [[id, details]] = client.all(EventName.contractDetails) as Loose[]
      expect(id).to.equal(4)
      expect(details.contract).to.include({ conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' })
      expect(details.contract).to.include({ primaryExch: 'ARCA', localSymbol: 'SPY', tradingClass: 'SPY' })
      expect(details).to.include({
        minTick: 0.01,
        minSize: 1,
        sizeIncrement: 1,
        timeZoneId: 'US/Eastern',
        stockType: 'ETF',
        priceMagnifier: 1,
      })
      expect(details.longName).to.equal('SPDR S&P 500 ETF TRUST')
      expect(details.marketRuleIds.split(',')[0]).to.equal('26')
      expect(details.liquidHours.split(';').slice(0, 3)).to.deep.equal([
        '20190703:0930-20190703:1300',
        '20190704:CLOSED',
        '20190705:0930-20190705:1600',
      ])
      client.api.reqMarketRule(26)
      expect(await client.next(EventName.marketRule)).to.deep.equal([26, [{ lowEdge: 0, increment: 0.01 }]])
    })

    it('finds one contract, several when too little is said, or none', async () => {
      const { client } = await at()
      const { symbol, secType } = aapl
      client.api.reqContractDetails(1, { symbol, secType })
      client.api.reqContractDetails(2, { conId: 265598 })
      client.api.reqContractDetails(3, { symbol: 'NONE', secType })
      client.api.reqContractDetails(4, { ...aapl, exchange: 'LSE' })
      await client.settled()
      const found = client.all(EventName.contractDetails).map(([id, details]: Loose) => [id, details.contract.currency])
      expect(found).to.deep.equal([
        [1, 'USD'],
        [1, 'MXN'],
        [2, 'USD'],
      ])
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
        [3, 200],
        [4, 200],
      ])
    })

    it('tells an order as it was given, with its ids and its state', async () => {
      const { client } = await at()
      const given = limit('SELL', 30, 104.5, {
        ...{ tif: 'GTC', orderRef: 'abc123-ref', account, outsideRth: true, hidden: true, displaySize: 10, openClose: 'O', origin: 0 },
        ...{ discretionaryAmt: 0.25, modelCode: 'model', clearingIntent: 'IB', notHeld: true, usePriceMgmtAlgo: true, triggerMethod: 2 },
        ...{ algoStrategy: 'Adaptive', algoParams: [{ tag: 'adaptivePriority', value: 'Patient' }] },
      })
      client.api.placeOrder(12, spy, given)
      const [orderId, contract, order, state] = await client.next(EventName.openOrder)
      expect(orderId).to.equal(12)
      expect(contract).to.include({ conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD', localSymbol: 'SPY' })
      const { transmit: _, algoParams, ...echoed } = given
      expect(order).to.include({ ...echoed, clientId: 7, orderId: 12, permId: 1_001_000_001 })
      expect(order.algoParams).to.deep.equal(algoParams)
      expect(state.status).to.equal('Submitted')
      const [, ...status] = await client.next(EventName.orderStatus)
      expect(status).to.deep.equal(['Submitted', 0, 30, 0, 1_001_000_001, 0, 0, 7, '', 0])
      client.listenAnew()
      client.api.reqOpenOrders()
      client.api.reqAutoOpenOrders(true)
      await client.next(EventName.openOrderEnd)
      expect(client.all(EventName.openOrder)[0]![2]).to.deep.include(echoed)
      expect(client.all(EventName.orderStatus)).to.have.length(1)
    })

    it('gives every simple field of an order back', async () => {
      const { client } = await at()
      const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' })
      const count = fc.integer({ min: 1, max: 1_000_000 })
      const price = fc.integer({ min: 1, max: 1_000_000 }).map((value) => value / 100)
      const fields = fc.record(
        {
          ...{ orderRef: text, faGroup: text, faMethod: text, faPercentage: text, modelCode: text, settlingFirm: text, rule80A: text },
          ...{ clearingAccount: text, clearingIntent: text, designatedLocation: text, openClose: text },
          ...{ displaySize: count, triggerMethod: count, origin: count, shortSaleSlot: count, ocaType: count, auctionStrategy: count },
          ...{ volatilityType: count, referencePriceType: count, duration: count, postToAts: count, scaleInitLevelSize: count },
          ...{ auxPrice: price, discretionaryAmt: price, percentOffset: price, startingPrice: price, stockRefPrice: price, delta: price },
          ...{ stockRangeLower: price, stockRangeUpper: price, volatility: price, trailStopPrice: price, trailingPercent: price },
          ...{ nbboPriceCap: price, triggerPrice: price, lmtPriceOffset: price, adjustedStopPrice: price },
          ...{ outsideRth: fc.boolean(), hidden: fc.boolean(), blockOrder: fc.boolean(), sweepToFill: fc.boolean(), notHeld: fc.boolean() },
          ...{ eTradeOnly: fc.boolean(), firmQuoteOnly: fc.boolean(), optOutSmartRouting: fc.boolean(), solicited: fc.boolean() },
          ...{ randomizeSize: fc.boolean(), randomizePrice: fc.boolean(), dontUseAutoPriceForHedge: fc.boolean() },
          ...{ isOmsContainer: fc.boolean(), discretionaryUpToLimitPrice: fc.boolean(), autoCancelParent: fc.boolean() },
        },
        { requiredKeys: [] },
      )
      let orderId = 0
      await fc.assert(
        fc.asyncProperty(fields, fc.integer({ min: 1, max: 9999 }), price, async (more, quantity, lmtPrice) => {
          orderId += 1
          const asked = orderId
          const { transmit: _, ...given } = limit('BUY', quantity, lmtPrice, more as Loose)
          client.api.placeOrder(asked, spy, { ...given, transmit: true })
          const [, , order] = await client.next(EventName.openOrder, (id) => id === asked)
          expect(order).to.include(given)
        }),
        { numRuns: 40 },
      )
    })

    if (maxServerVersion === 193) {
      it('gives the fields of the newest version back', async () => {
        const { client } = await at()
        const newest = {
          customerAccount: 'C1',
          professionalCustomer: true,
          includeOvernight: true,
          extOperator: 'desk',
          manualOrderIndicator: 1,
        }
        client.api.placeOrder(1, spy, limit('BUY', 1, 90, newest))
        const [, , order] = await client.next(EventName.openOrder)
        expect(order).to.include(newest)
        client.api.cancelOrder(1)
        client.api.reqCompletedOrders(false)
        const [, completed] = await client.next(EventName.completedOrder)
        expect(completed).to.include({ customerAccount: 'C1', professionalCustomer: true })
      })
    }

    it('lists the orders of all clients or only its own', async () => {
      const { client, simulator } = await at()
      const other = await connect(simulator.port, 8)
      client.api.placeOrder(1, spy, limit('BUY', 1, 90, { orderRef: 'mine' }))
      other.api.placeOrder(1, spy, limit('BUY', 2, 90, { orderRef: 'theirs' }))
      await Promise.all([client.settled(), other.settled()])
      const refs = async (): Promise<unknown[]> => {
        await client.next(EventName.openOrderEnd)
        const orders = client.all(EventName.openOrder).map(([, , order]: Loose) => [order.clientId, order.orderRef])
        client.listenAnew()
        return orders
      }
      client.listenAnew()
      client.api.reqOpenOrders()
      expect(await refs()).to.deep.equal([[7, 'mine']])
      client.api.reqAllOpenOrders()
      expect(await refs()).to.deep.equal([
        [7, 'mine'],
        [8, 'theirs'],
      ])
    })

    it('lists completed orders, filled and cancelled, with their refs', async () => {
      const { client, simulator } = await at()
      client.api.placeOrder(1, spy, market('BUY', 100, { orderRef: 'bought' }))
      client.api.placeOrder(2, spy, limit('BUY', 50, 91, { orderRef: 'expired', algoStrategy: 'Adaptive' }))
      await client.settled()
      await simulator.clock(monday('16:00'))
      client.api.reqCompletedOrders(false)
      await client.next(EventName.completedOrdersEnd)
      const [bought, expired] = client.all(EventName.completedOrder) as Loose[]
      expect(bought[0]).to.include({ conId: 756733, symbol: 'SPY', exchange: 'SMART', currency: 'USD' })
      expect(bought[1]).to.include({
        ...{ action: 'BUY', totalQuantity: 100, orderType: 'MKT', tif: 'DAY' },
        orderRef: 'bought',
        filledQuantity: 100,
      })
      expect(bought[1]).to.include({ permId: 1_001_000_001, account })
      expect(bought[2]).to.deep.equal({
        ...{ status: 'Filled', completedTime: '20190603 09:30:00 US/Eastern', completedStatus: 'Filled Size: 100' },
      })
      expect(expired[1]).to.include({ orderRef: 'expired', lmtPrice: 91, filledQuantity: 0, algoStrategy: 'Adaptive' })
      expect(expired[2]).to.include({ status: 'Cancelled', completedTime: '20190603 16:00:00 US/Eastern', completedStatus: 'Cancelled' })
    })

    it('lists executions with their commissions, as the filter asks', async () => {
      const { client } = await holding()
      const ask = async (requestId: number, filter: object): Promise<Loose[]> => {
        client.listenAnew()
        client.api.reqExecutions(requestId, filter)
        await client.next(EventName.execDetailsEnd)
        return client.all(EventName.execDetails)
      }
      const [[requestId, contract, execution]] = await ask(9, {})
      expect(requestId).to.equal(9)
      expect(contract).to.include({ conId: 756733, symbol: 'SPY', secType: 'STK', currency: 'USD' })
      expect(execution).to.deep.include({
        execId: '00000001.5cf519d0.00000001.01',
        time: '20190603 09:30:00 US/Eastern',
        acctNumber: account,
      })
      expect(execution).to.include({
        orderId: 1,
        exchange: 'ARCA',
        side: 'BOT',
        shares: 100,
        price: 101,
        permId: 1_001_000_001,
        clientId: 7,
      })
      expect(execution).to.include({
        cumQty: 100,
        avgPrice: 101,
        orderRef: 'ref',
        liquidation: 0,
        lastLiquidity: 2,
        pendingPriceRevision: false,
      })
      expect((client.all(EventName.commissionReport)[0] as Loose)[0]).to.include({ execId: execution.execId, commission: 1 })
      for (const fits of [{ clientId: '0' }, { clientId: '7' }, { symbol: 'SPY' }, { side: 'BUY' }, { time: '20190603-09:30:00' }]) {
        expect(await ask(10, fits), JSON.stringify(fits)).to.have.length(1)
      }
      for (const misses of [{ clientId: '8' }, { symbol: 'AAPL' }, { side: 'SELL' }, { time: '20190603-09:30:01' }, { acctCode: 'DU9' }]) {
        expect(await ask(11, misses), JSON.stringify(misses)).to.deep.equal([])
      }
    })

    it('tells positions and keeps telling them until it is told to stop', async () => {
      const { client, simulator } = await holding()
      client.api.reqPositions()
      await client.next(EventName.positionEnd)
      const [[of, contract, quantity, averageCost]] = client.all(EventName.position) as Loose[]
      expect([of, quantity, averageCost]).to.deep.equal([account, 100, 101.01])
      expect(contract).to.include({ conId: 756733, symbol: 'SPY', exchange: 'ARCA', currency: 'USD' })
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -100 })
      await client.next(EventName.position, (_, __, quantity) => quantity === 0)
      client.api.cancelPositions()
      await client.settled()
      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: 5 })
      client.api.reqPositions()
      await client.next(EventName.positionEnd)
      expect(client.all(EventName.position).map(([, , quantity]) => quantity)).to.deep.equal([5])
    })

    it('tells the account by keys and currencies, and what changes of it', async () => {
      const { client, simulator } = await holding()
      client.api.reqAccountUpdates(true, account)
      expect(await client.next(EventName.accountDownloadEnd)).to.deep.equal([account])
      const values = (): Record<string, unknown> =>
        Object.fromEntries(client.all(EventName.updateAccountValue).map(([key, value, currency]) => [`${key} ${currency}`, value]))
      const cash = (100_000 - 100 * 101 - 1).toFixed(2)
      expect(values()).to.include({
        'NetLiquidation USD': (100_000 + 300 - 1).toFixed(2),
        'TotalCashValue USD': cash,
        'AccountType ': 'INDIVIDUAL',
      })
      expect(values()).to.include({
        'CashBalance USD': cash,
        'CashBalance BASE': cash,
        'ExchangeRate USD': '1.00',
        'ExchangeRate BASE': '1.00',
      })
      expect(values()).to.include({ 'AvailableFunds USD': (100_299 - 5200).toFixed(2), 'UnrealizedPnL USD': '299.00' })
      const [[contract, ...portfolio]] = client.all(EventName.updatePortfolio) as Loose[]
      expect(contract).to.include({ conId: 756733, primaryExch: 'ARCA' })
      expect(portfolio).to.deep.equal([100, 104, 10_400, 101.01, 299, 0, account])
      expect(client.all(EventName.updateAccountTime)).to.deep.equal([['16:00']])

      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -100, price: 105 })
      await client.next(EventName.updatePortfolio, (_, quantity) => quantity === 0)
      expect(values()).to.include({ 'RealizedPnL USD': '398.00', 'StockMarketValue USD': '0.00' })
      expect(values()).not.to.have.property('AccountType ')
      client.api.reqAccountUpdates(false, account)
      await client.settled()
      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: 1 })
      await client.settled()
      expect(client.all(EventName.updatePortfolio)).to.deep.equal([])
    })

    it('sums the account up by the tags asked for, with the ledger of each currency', async () => {
      const { client, simulator } = await holding()
      client.api.reqAccountSummary(5, 'All', 'NetLiquidation,TotalCashValue,$LEDGER:ALL')
      await client.next(EventName.accountSummaryEnd)
      const rows = client.all(EventName.accountSummary)
      expect(rows[0]).to.deep.equal([5, account, 'NetLiquidation', '100299.00', 'USD'])
      expect(rows.map(([, , tag, , currency]) => `${tag} ${currency}`)).to.include.members(['CashBalance USD', 'ExchangeRate BASE'])
      expect(rows.some(([, , tag]) => tag === 'AvailableFunds')).to.equal(false)
      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: 10, price: 100 })
      await client.next(EventName.accountSummary, (_, __, tag, value) => tag === 'TotalCashValue' && value === (89_899 - 1001).toFixed(2))
      client.api.cancelAccountSummary(5)
      await client.settled()
      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: 10, price: 100 })
      await client.settled()
      expect(client.all(EventName.accountSummary)).to.deep.equal([])
    })

    it('gives historical bars and their end, and says why when it cannot', async () => {
      const { client } = await at(monday('10:15'))
      client.api.reqHistoricalData(3, spy, '', '2 D', '30 mins' as Loose, 'TRADES' as Loose, 1, 1, false)
      await client.next(EventName.historicalData, (_, date) => String(date).startsWith('finished-'))
      const bars = client.all(EventName.historicalData)
      expect(bars).to.have.length(13 + 2 + 1)
      expect(bars[0]!.slice(0, 3)).to.deep.equal([3, '20190531 09:30:00 US/Eastern', 99])
      expect(bars[14]![1]).to.equal('20190603 10:00:00 US/Eastern')
      expect(bars[15]![1]).to.equal('finished-20190531 09:30:00 US/Eastern-20190603 10:15:00 US/Eastern')
      client.listenAnew()
      client.api.reqHistoricalData(4, spy, '', '1 D', '1 day' as Loose, 'TRADES' as Loose, 1, 1, false)
      const [, date, open, , , , volume, count, average] = await client.next(EventName.historicalData)
      expect([date, open]).to.deep.equal(['20190603', 101])
      expect(volume).to.be.greaterThan(0)
      expect(count).to.equal(Math.ceil(volume / 100))
      expect(average).to.be.within(100, 105)
      client.api.reqHistoricalData(5, aapl, '', '1 D', '1 day' as Loose, 'TRADES' as Loose, 1, 1, false)
      client.api.reqHistoricalData(6, spy, '', '1 X', '1 day' as Loose, 'TRADES' as Loose, 1, 1, false)
      client.api.reqHistoricalData(7, spy, '20190603 10:00:00', '1 D', '1 day' as Loose, 'TRADES' as Loose, 1, 1, true)
      client.api.reqHistoricalData(8, { ...spy, symbol: 'NONE' }, '', '1 D', '1 day' as Loose, 'TRADES' as Loose, 1, 1, false)
      client.api.cancelHistoricalData(9)
      await client.settled()
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
        [5, 162],
        [6, 321],
        [7, 321],
        [8, 200],
        [9, 366],
      ])
    })

    it('gives a snapshot of the market, or a stream until it is cancelled', async () => {
      const { client, simulator } = await at()
      client.api.reqMarketDataType(MarketDataType.FROZEN)
      client.api.reqMktData(3, spy, '', true, false)
      await client.next(EventName.tickSnapshotEnd)
      const prices = client.all(EventName.tickPrice).map(([id, type, price]) => [id, type, price])
      expect(prices).to.deep.equal([
        [3, IBApiTickType.BID, 99.99],
        [3, IBApiTickType.ASK, 100.01],
        [3, IBApiTickType.LAST, 100],
        [3, IBApiTickType.CLOSE, 100],
      ])
      expect(client.all(EventName.marketDataType)).to.deep.equal([[3, 2]])
      expect(client.all(EventName.tickSize)).to.deep.include([3, IBApiTickType.VOLUME, 0])
      client.listenAnew()
      client.api.reqMktData(4, spy, '', false, false)
      await client.settled()
      await simulator.clock(monday('09:30'))
      await client.next(EventName.tickPrice, (id, type, price) => id === 4 && type === IBApiTickType.LAST && price === 101)
      client.api.cancelMktData(4)
      client.api.cancelMktData(4)
      await client.settled()
      client.listenAnew()
      await simulator.clock(monday('10:00'))
      await client.settled()
      expect(client.all(EventName.tickPrice)).to.deep.equal([])
      client.api.reqMktData(5, aapl, '', true, false)
      client.api.reqMktData(6, { ...spy, symbol: 'NONE' }, '', true, false)
      await client.next(EventName.error, (_, code, id) => code === 200 && id === 6)
      expect(client.all(EventName.tickPrice)).to.deep.equal([])
      expect(client.all(EventName.tickSnapshotEnd)).to.deep.equal([[5]])
    })
  })
}
