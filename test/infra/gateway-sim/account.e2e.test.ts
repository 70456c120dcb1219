import { EventName, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, market, monday, on, simulate, spy, versions } from './client.ts'

const account = 'DU1234567'
const pair = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }
const future = { symbol: 'ES', secType: SecType.FUT, exchange: 'CME', currency: 'USD', lastTradeDateOrContractMonth: '201906' }
const german = { symbol: 'SYNEUR', secType: SecType.STK, exchange: 'SMART', currency: 'EUR' }

for (const maxServerVersion of versions) {
  describe(`gateway simulator, the account as the genuine client reads it, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const at = async (start = monday('09:00'), options: object = {}) => {
      const simulator = await simulate({ maxServerVersion, start: new Date(start).toISOString(), ...options })
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

    it('the account under several ids, for nobody or for a model, until each is cancelled', async () => {
      const { client, simulator } = await holding()
      client.api.reqAccountUpdatesMulti(1, account, '', false)
      client.api.reqAccountUpdatesMulti(2, account, '', true)
      client.api.reqAccountUpdatesMulti(3, account, 'model', false)
      client.api.reqAccountUpdatesMulti(4, 'DU9', '', false)
      await client.settled()
      const values = (requestId: number) => client.all(EventName.accountUpdateMulti).filter(([id]) => id === requestId)
      expect(values(1)).to.deep.include([1, account, '', 'NetLiquidation', '100299.00', 'USD'])
      expect(values(1)).to.deep.include([1, account, '', 'BuyingPower', String((2 * (100_299 - 5200)).toFixed(2)), 'USD'])
      expect(values(2)).to.deep.include([2, account, '', 'NetLiquidation', '100299.00', 'USD'])
      expect(values(2)).to.deep.include([2, account, '', 'CashBalance', '89899.00', 'BASE'])
      expect(values(2).some(([, , , key]) => key === 'BuyingPower')).to.equal(false)
      expect(values(3)).to.deep.equal([])
      expect(client.all(EventName.accountUpdateMultiEnd)).to.deep.equal([['1'], ['2'], ['3']])
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([[4, 321]])
      client.listenAnew()
      client.api.cancelAccountUpdatesMulti(1)
      await client.settled()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -100, price: 105 })
      await client.settled()
      expect(values(2)).to.deep.include([2, account, '', 'RealizedPnL', '398.00', 'USD'])
      expect(values(1)).to.deep.equal([])
    })

    it('positions under several ids, with the model that was asked for', async () => {
      const { client, simulator } = await holding()
      client.api.reqPositionsMulti(1, account, '')
      client.api.reqPositionsMulti(2, account, 'model')
      client.api.reqPositionsMulti(3, 'DU9', '')
      await client.settled()
      const [[id, of, model, contract, ...rest], another] = client.all(EventName.positionMulti) as Loose[]
      expect([id, of, model, ...rest]).to.deep.equal([1, account, '', 100, 101.01])
      expect(contract).to.include({ conId: 756733, symbol: 'SPY', exchange: 'ARCA' })
      expect(another).to.equal(undefined)
      expect(client.all(EventName.positionMultiEnd)).to.deep.equal([[1], [2]])
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([[3, 321]])
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -30 })
      await client.next(EventName.positionMulti, (id, _, __, ___, quantity) => id === 1 && quantity === 70)
      client.api.cancelPositionsMulti(1)
      await client.settled()
      client.listenAnew()
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -30 })
      await client.settled()
      expect(client.all(EventName.positionMulti)).to.deep.equal([])
    })

    it('profit and loss of the day, of the account and of one position, as prices and positions change', async () => {
      const { client, simulator } = await holding()
      client.api.reqPnL(1, account, '')
      client.api.reqPnLSingle(2, account, '', 756733)
      client.api.reqPnLSingle(3, account, '', 265598)
      expect(await client.next(EventName.pnl)).to.deep.equal([1, 299, 299, 0])
      expect(await client.next(EventName.pnlSingle, (id) => id === 2)).to.deep.equal([2, 100, 299, 299, 0, 10_400])
      expect(await client.next(EventName.pnlSingle, (id) => id === 3)).to.deep.equal([3, 0, undefined, undefined, undefined, undefined])
      await simulator.clock(on(4, '09:30'))
      expect(await client.next(EventName.pnl, (_, daily) => daily === 200)).to.deep.equal([1, 200, 499, 0])
      await simulator.fault('handTrade', { symbol: 'SPY', quantity: -40, price: 106 })
      expect(await client.next(EventName.pnlSingle, (_, quantity) => quantity === 60)).to.deep.equal([2, 60, 199, 299.4, 198.6, 6360])
      expect(client.all(EventName.pnl).at(-1)).to.deep.equal([1, 199, 299.4, 198.6])
      await simulator.clock(on(5, '00:00'))
      await client.settled()
      expect(client.all(EventName.pnl).at(-1)).to.deep.equal([1, 0, Number((60 * (107 - 101.01)).toFixed(2)), 0])
      client.api.cancelPnL(1)
      client.api.cancelPnLSingle(2)
      await client.settled()
      client.listenAnew()
      await simulator.clock(on(5, '12:00'))
      await client.settled()
      expect([...client.all(EventName.pnl), ...client.all(EventName.pnlSingle)]).to.deep.equal([])
    })

    it('two summaries at a time, each with its tags; the third must wait for one to be cancelled', async () => {
      const { client } = await holding()
      client.api.reqAccountSummary(1, 'All', 'NetLiquidation,Cushion')
      client.api.reqAccountSummary(2, account, '$LEDGER')
      client.api.reqAccountSummary(3, 'All', 'BuyingPower')
      client.api.reqAccountSummary(4, 'Nobody', 'BuyingPower')
      client.api.cancelAccountSummary(1)
      client.api.reqAccountSummary(5, 'All', 'Leverage')
      await client.settled()
      const rows = client.all(EventName.accountSummary)
      expect(rows.filter(([id]) => id === 1).map(([, , tag, value]) => [tag, value])).to.deep.equal([
        ['NetLiquidation', '100299.00'],
        ['Cushion', ((100_299 - 2600) / 100_299).toFixed(6)],
      ])
      expect(rows.filter(([id]) => id === 2).every(([, , , , currency]) => currency === 'BASE')).to.equal(true)
      expect(rows.filter(([id]) => id === 5)).to.deep.equal([[5, account, 'Leverage', '0.10', '']])
      expect(client.all(EventName.accountSummaryEnd)).to.deep.equal([[1], [2], [5]])
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
        [3, 322],
        [4, 321],
      ])
    })

    it('several currencies: a pair exchanges cash, a German share is paid in euros', async () => {
      const { client, simulator } = await at(monday('10:00'), { cash: { USD: 50_000, EUR: 100 } })
      client.api.reqAccountUpdates(true, account)
      client.api.placeOrder(1, pair, market('BUY', 20_000))
      const [, , bought] = await client.next(EventName.execDetails)
      const [report] = await client.next(EventName.commissionReport)
      expect(report).to.include({ commission: 2, currency: 'USD' })
      client.api.placeOrder(2, german, market('BUY', 30))
      const [, , share] = await client.next(EventName.execDetails, (_, contract) => contract.symbol === 'SYNEUR')
      expect((await client.next(EventName.commissionReport, ({ execId }) => execId === share.execId))[0]).to.include({ currency: 'EUR' })
      await client.settled()
      const values = Object.fromEntries(
        client.all(EventName.updateAccountValue).map(([key, value, currency]) => [`${key} ${currency}`, value]),
      )
      expect(values['CashBalance USD']).to.equal((50_000 - 20_000 * bought.price - 2).toFixed(2))
      expect(values['CashBalance EUR']).to.equal((20_100 - 30 * share.price - 1).toFixed(2))
      expect(Number(values['ExchangeRate EUR'])).to.be.closeTo(bought.price, 1e-6)
      expect(values['StockMarketValue EUR']).to.equal((30 * share.price).toFixed(2))
      expect(values['ExchangeRate USD']).to.equal('1.00')
      const { currencies, netLiquidation } = await simulator.state()
      const inBase = currencies.reduce((sum: number, value: Loose) => sum + value.netLiquidation * value.exchangeRate, 0)
      expect(netLiquidation).to.be.closeTo(inBase, 0.01)
      expect(Number(values['NetLiquidation USD'])).to.be.closeTo(50_000 + 100 * bought.price - 2 - bought.price, 0.02)
      client.api.reqPositions()
      await client.next(EventName.positionEnd)
      const positions = client
        .all(EventName.position)
        .map(([, contract, quantity]: Loose) => [contract.localSymbol, contract.secType, quantity])
      expect(positions).to.deep.equal([
        ['EUR.USD', 'CASH', 20_000],
        ['SYNEUR', 'STK', 30],
      ])
    })

    it('a future: contract size in cost and value, its profit apart from cash, and what is left when it expires', async () => {
      const { client, simulator } = await at('2019-06-20T10:00:00-04:00')
      client.api.placeOrder(1, future, market('SELL', 2, { tif: 'GTC' }))
      const [, contract, execution] = await client.next(EventName.execDetails)
      expect(contract).to.include({ multiplier: 50, lastTradeDateOrContractMonth: '20190621', exchange: 'CME' })
      client.api.placeOrder(2, future, market('BUY', 1, { tif: 'GTC', orderType: 'LMT' as Loose, lmtPrice: 1000 }))
      client.api.reqAccountUpdates(true, account)
      await client.next(EventName.accountDownloadEnd)
      const [[, quantity, price, value, cost]] = client.all(EventName.updatePortfolio) as Loose[]
      expect([quantity, value, cost]).to.deep.equal([-2, -100 * price, 50 * execution.price - 2.25])
      await simulator.clock('2019-06-21T16:00:00-04:00')
      await client.settled()
      const { positions, cash, orders } = await simulator.state()
      expect(positions).to.deep.equal([])
      const [, , settled] = client.all(EventName.updatePortfolio).at(-1) as Loose[]
      expect(cash).to.be.closeTo(100_000 - 4.5 + 100 * (execution.price - settled), 0.01)
      expect(orders[1]).to.include({ status: 'Cancelled' })
      client.api.placeOrder(3, future, market('BUY', 1))
      expect((await client.next(EventName.error, (_, __, id) => id === 3))[1]).to.equal(200)
    })
  })
}
