import { EventName, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, limit, monday, simulate, versions } from './client.ts'

const future = { symbol: 'ES', secType: SecType.FUT, exchange: 'CME', currency: 'USD' }
const pair = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }
const index = { symbol: 'SPX', secType: SecType.IND, exchange: 'CBOE', currency: 'USD' }

for (const maxServerVersion of versions) {
  describe(`gateway simulator, contracts as the genuine client reads them, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const at = async (start = monday('09:00'), options: object = {}) => {
      const simulator = await simulate({ maxServerVersion, start: new Date(start).toISOString(), ...options })
      return { simulator, client: await connect(simulator.port, 7) }
    }
    const details = async (contract: object, start?: string): Promise<Loose[]> => {
      const { client } = await at(start)
      client.api.reqContractDetails(4, contract)
      await client.next(EventName.contractDetailsEnd)
      return client.all(EventName.contractDetails).map(([, found]) => found)
    }

    it('a future by its month: every field', async () => {
      const [es, another] = await details({ ...future, lastTradeDateOrContractMonth: '201909' })
      expect(another).to.equal(undefined)
      expect(es.contract).to.deep.equal({
        ...{ symbol: 'ES', secType: 'FUT', lastTradeDateOrContractMonth: '20190920', strike: 0, right: undefined, exchange: 'CME' },
        ...(maxServerVersion >= 182 ? { lastTradeDate: '20190920' } : {}),
        ...{ currency: 'USD', localSymbol: 'ESU9', tradingClass: 'ES', conId: es.contract.conId, multiplier: 50, primaryExch: '' },
      })
      const { contract: _, tradingHours, liquidHours, orderTypes, ...rest } = es
      expect(rest).to.deep.equal({
        ...{ marketName: 'ES', minTick: 0.25, validExchanges: 'CME', priceMagnifier: 1, underConId: 416904, contractMonth: '201909' },
        ...{ longName: 'E-MINI S&P 500 (SYNTHETIC PRICES)', industry: '', category: '', subcategory: '', timeZoneId: 'US/Central' },
        ...{ evRule: '', evMultiplier: 0, aggGroup: 2, underSymbol: 'SPX', underSecType: 'IND', marketRuleIds: '67' },
        ...{ realExpirationDate: '20190920', stockType: '', minSize: 1, sizeIncrement: 1, suggestedSizeIncrement: 1 },
        ...(maxServerVersion >= 186 ? { ineligibilityReasonList: [] } : {}),
      })
      expect(orderTypes.split(',')).to.include.members(['LMT', 'MKT', 'GTC'])
      expect(tradingHours.split(';')[0]).to.equal('20190603:0300-20190603:1900')
      expect(liquidHours.split(';')[0]).to.equal('20190603:0830-20190603:1500')
    })

    it('the months of a future that trade now, those that have expired on request, and the one that a continuous one stands for', async () => {
      const { client, simulator } = await at('2019-06-21T15:00:00-04:00')
      const ask = async (requestId: number, contract: object): Promise<string[]> => {
        client.api.reqContractDetails(requestId, contract)
        await client.next(EventName.contractDetailsEnd, (id) => id === requestId)
        const found = client.all(EventName.contractDetails).filter(([id]) => id === requestId)
        return found.map(
          ([, { contract }]: Loose) => `${contract.secType} ${contract.localSymbol} ${contract.lastTradeDateOrContractMonth}`,
        )
      }
      expect(await ask(1, future)).to.deep.equal(['FUT ESM9 20190621', 'FUT ESU9 20190920', 'FUT ESZ9 20191220', 'FUT ESH0 20200320'])
      expect(await ask(2, { ...future, secType: SecType.CONTFUT })).to.deep.equal(['CONTFUT ESM9 20190621'])
      await simulator.clock('2019-06-21T16:00:00-04:00')
      expect((await ask(3, future))[0]).to.equal('FUT ESU9 20190920')
      expect(await ask(4, { ...future, secType: SecType.CONTFUT })).to.deep.equal(['CONTFUT ESU9 20190920'])
      const expired = await ask(5, { ...future, includeExpired: true })
      expect(expired).to.have.length(8 + 4)
      expect(expired).to.include('FUT ESM9 20190621')
      expect(await ask(6, { ...future, localSymbol: 'ESZ9' })).to.deep.equal(['FUT ESZ9 20191220'])
      const gold = await ask(7, { symbol: 'SYNGOLD', secType: SecType.FUT, exchange: 'COMEX' })
      expect(gold[0]).to.equal('FUT SYNGOLDM9 20190628')
      client.api.reqContractDetails(8, { ...future, lastTradeDateOrContractMonth: '201907' })
      client.api.reqContractDetails(9, { ...future, multiplier: 20 })
      await client.settled()
      expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
        [8, 200],
        [9, 200],
      ])
    })

    it('a currency pair and an index', async () => {
      const [eur] = await details(pair)
      expect(eur.contract).to.include({ conId: 12087792, symbol: 'EUR', currency: 'USD', localSymbol: 'EUR.USD', exchange: 'IDEALPRO' })
      expect(eur).to.include({ minTick: 0.00005, sizeIncrement: 0.01, marketRuleIds: '239', aggGroup: 4, stockType: '' })
      const [spx] = await details(index)
      expect(spx.contract).to.include({ conId: 416904, exchange: 'CBOE', multiplier: 0 })
      expect(spx).to.include({ orderTypes: '', longName: 'S&P 500 STOCK INDEX' })
    })

    it('a company with its industry, and hours that know holidays and half days', async () => {
      const [synth] = await details({ symbol: 'SYNTH', secType: SecType.STK }, '2019-11-27T09:00:00-05:00')
      expect(synth).to.include({ industry: 'Industrial', category: 'Examples', subcategory: 'Dividends and splits', stockType: 'COMMON' })
      expect(synth.contract).to.include({ exchange: 'SMART', primaryExch: 'NYSE' })
      expect(synth.liquidHours.split(';').slice(0, 4)).to.deep.equal([
        ...['20191127:0930-20191127:1600', '20191128:CLOSED', '20191129:0930-20191129:1300', '20191130:CLOSED'],
      ])
    })

    it('market rules with several steps, or 321', async () => {
      const { client } = await at()
      client.api.reqMarketRule(109)
      expect(await client.next(EventName.marketRule)).to.deep.equal([
        109,
        [
          { lowEdge: 0, increment: 0.001 },
          { lowEdge: 10, increment: 0.005 },
          { lowEdge: 50, increment: 0.01 },
        ],
      ])
      client.api.reqMarketRule(4711)
      await client.next(EventName.info, (text, code) => code === 321 && text.includes('4711'))
    })

    it('holds the prices of orders to the step of their height', async () => {
      const { client } = await at()
      const german = { symbol: 'SYNEUR', secType: SecType.STK, exchange: 'SMART', currency: 'EUR' }
      for (const [orderId, price] of [9.999, 20.005, 20.003, 50.01, 50.005].entries()) {
        client.api.placeOrder(orderId + 1, german, limit('BUY', 1, price))
      }
      await client.settled()
      const refused = client.all(EventName.error).filter(([, code]) => code === 110)
      expect(refused.map(([, , id]) => id)).to.deep.equal([3, 5])
    })

    it('symbols that begin like what somebody types, or a word of their name', async () => {
      const { client } = await at()
      client.api.reqMatchingSymbols(1, 'syn')
      const [, found] = await client.next(EventName.symbolSamples)
      const described = found.map(({ contract }: Loose) => [contract.symbol, contract.secType, contract.primaryExch, contract.currency])
      expect(described).to.deep.include.members([
        ['SYNTH', 'STK', 'NYSE', 'USD'],
        ['SYNEUR', 'STK', 'IBIS', 'EUR'],
      ])
      expect(found[0]).to.deep.include({ derivativeSecTypes: [] })
      expect(found.find(({ contract }: Loose) => contract.symbol === 'SYNTH').contract.description).to.equal('SYNTHETIC EXAMPLE CORP')
      client.api.reqMatchingSymbols(2, 'nothing of the kind')
      expect(await client.next(EventName.symbolSamples, (id) => id === 2)).to.deep.equal([2, []])
    })

    it('takes orders for futures and pairs, and none for what nobody can buy', async () => {
      const { client } = await at()
      const es = { ...future, lastTradeDateOrContractMonth: '201909' }
      client.api.placeOrder(1, es, limit('BUY', 2, 100.25))
      const [, contract] = await client.next(EventName.openOrder, (id) => id === 1)
      expect(contract).to.include({ ...es, lastTradeDateOrContractMonth: '20190920', multiplier: 50, localSymbol: 'ESU9' })
      client.api.placeOrder(2, es, limit('BUY', 2, 100.3))
      client.api.placeOrder(3, pair, limit('BUY', 20_000, 1.00005))
      expect((await client.next(EventName.openOrder, (id) => id === 3))[1]).to.include({ conId: 12087792, exchange: 'IDEALPRO' })
      client.api.placeOrder(4, index, limit('BUY', 1, 100))
      client.api.placeOrder(5, future, limit('BUY', 1, 100))
      await client.settled()
      const refused = client.all(EventName.error).filter(([, code]) => code !== 399)
      expect(refused.map(([, code, id]) => [id, code])).to.deep.equal([
        [2, 110],
        [4, 387],
        [5, 200],
      ])
    })
  })
}
