import { EventName, IBApiTickType, MarketDataType, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, monday, on, simulate, spy, versions } from './client.ts'

const pair = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }
const index = { symbol: 'SPX', secType: SecType.IND, exchange: 'CBOE', currency: 'USD' }
const continuous = { symbol: 'ES', secType: SecType.CONTFUT, exchange: 'CME', currency: 'USD' }

for (const maxServerVersion of versions) {
  describe(`gateway simulator, prices as the genuine client reads them, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const at = async (start = monday('12:00'), options: object = {}) => {
      const simulator = await simulate({ maxServerVersion, start: new Date(start).toISOString(), ...options })
      const client = await connect(simulator.port, 7)
      const bars = (id: number, contract: object, more: { [name: string]: unknown } = {}): void => {
        const asked = { end: '', duration: '1 D', size: '1 hour', what: 'TRADES', rth: 1, format: 1, keep: false, ...more }
        const { end, duration, size, what, rth, format, keep } = asked as Loose
        client.api.reqHistoricalData(id, contract, end, duration, size, what, rth, format, keep)
      }
      const errors = () => client.all(EventName.error).map(([error, code, id]: Loose) => [id, code, error.message])
      return { simulator, client, bars, errors }
    }
    const ticks = (client: { all: (name: EventName) => unknown[][] }, id: number) =>
      Object.fromEntries(
        client
          .all(EventName.tickPrice)
          .filter(([of]) => of === id)
          .map(([, type, price]) => [IBApiTickType[type as number], price]),
      )

    it('a quote with the range of the day; an index without bid and ask, a pair without trades', async () => {
      const { client } = await at()
      client.api.reqMktData(1, spy, '', true, false)
      client.api.reqMktData(2, index, '', true, false)
      client.api.reqMktData(3, pair, '', true, false)
      await client.next(EventName.tickSnapshotEnd, (id) => id === 3)
      const quote = ticks(client, 1) as Record<string, number>
      expect(quote).to.include({ OPEN: 101, CLOSE: 100 })
      expect(quote['ASK']! - quote['BID']!).to.be.closeTo(0.02, 1e-9)
      expect(quote['LAST']).to.be.within(quote['LOW']!, quote['HIGH']!)
      expect(Object.keys(ticks(client, 2)).sort()).to.deep.equal(['CLOSE', 'HIGH', 'LAST', 'LOW', 'OPEN'])
      expect(Object.keys(ticks(client, 3)).sort()).to.deep.equal(['ASK', 'BID', 'CLOSE', 'HIGH', 'LOW', 'OPEN'])
      const euro = ticks(client, 3) as Record<string, number>
      expect(euro['ASK']! - euro['BID']!).to.be.closeTo(0.0001, 1e-9)
    })

    it('no quotes without permission; delayed ones, a quarter of an hour old, for whoever takes them', async () => {
      const { client, simulator, bars, errors } = await at(monday('09:40'))
      await simulator.post('/permissions', { symbol: 'SPY', marketData: 'delayed' })
      await simulator.post('/permissions', { symbol: 'SPX', marketData: 'none' })
      client.api.reqMktData(1, spy, '', false, false)
      client.api.reqMktData(2, index, '', false, false)
      client.api.reqMarketDataType(MarketDataType.DELAYED)
      client.api.reqMktData(3, spy, '', false, false)
      client.api.reqMktData(4, index, '', false, false)
      bars(5, index)
      await client.settled()
      expect(errors()).to.deep.equal([
        [1, 354, 'Requested market data is not subscribed.Delayed market data is available.SPY ARCA/TOP/ALL'],
        [2, 354, 'Requested market data is not subscribed.SPX CBOE/TOP/ALL'],
        [3, 10167, 'Requested market data is not subscribed. Displaying delayed market data.'],
        [4, 354, 'Requested market data is not subscribed.SPX CBOE/TOP/ALL'],
        [5, 162, 'Historical Market Data Service error message:No market data permissions for CBOE IND'],
      ])
      expect(client.all(EventName.marketDataType)).to.deep.equal([[3, 3]])
      expect(ticks(client, 3)).to.deep.equal({ DELAYED_BID: 99.99, DELAYED_ASK: 100.01, DELAYED_LAST: 100, DELAYED_CLOSE: 100 })
      await simulator.clock(monday('09:45'))
      await client.next(EventName.tickPrice, (id, type, price) => id === 3 && type === IBApiTickType.DELAYED_LAST && price === 101)
      await simulator.post('/permissions', { symbol: 'SPY', marketData: 'live' })
      client.api.reqMktData(6, spy, '', true, false)
      await client.next(EventName.marketDataType, (id) => id === 6)
      expect(client.all(EventName.marketDataType).at(-1)).to.deep.equal([6, 1])
      expect(await simulator.post('/permissions', { symbol: 'SPY', marketData: 'some' })).to.deep.equal({
        ...{ status: 400, error: 'marketData: expected one of live, delayed, none, got "some"' },
      })
    })

    it('bars in words or in seconds, in the zone of the exchange, of days by their date', async () => {
      const { client, bars } = await at(monday('12:00'))
      const dates = async (id: number, contract: object, more: object): Promise<unknown[]> => {
        bars(id, contract, more as Loose)
        await client.next(EventName.historicalData, (of, date) => of === id && String(date).startsWith('finished-'))
        return client
          .all(EventName.historicalData)
          .filter(([of]) => of === id)
          .slice(0, -1)
          .map(([, date]) => date)
      }
      expect(await dates(1, spy, {})).to.deep.equal([
        ...['20190603 09:30:00 US/Eastern', '20190603 10:00:00 US/Eastern', '20190603 11:00:00 US/Eastern'],
      ])
      expect(await dates(2, spy, { format: 2, size: '4 hours' })).to.deep.equal([String(Date.parse(monday('09:30')) / 1000)])
      expect(await dates(3, continuous, {})).to.include('20190603 08:30:00 US/Central')
      expect(await dates(4, spy, { format: 2, size: '1 day', duration: '2 D' })).to.deep.equal(['20190531', '20190603'])
      expect(await dates(5, spy, { size: '1 week', duration: '2 W' })).to.deep.equal(['20190531', '20190603'])
      expect(await dates(6, spy, { size: '1 month', duration: '1 M' })).to.deep.equal(['20190531', '20190603'])
      expect(await dates(7, pair, { what: 'MIDPOINT', rth: 0, size: '8 hours' })).to.deep.equal([
        ...['20190603 04:00:00 US/Eastern', '20190603 08:00:00 US/Eastern'],
      ])
      const [, , , , , , volume, count, average] = client.all(EventName.historicalData).find(([id]) => id === 7)!
      expect([volume, count, average]).to.deep.equal([-1, -1, -1])
      expect(await dates(8, spy, { size: '5 secs', duration: '60 S' })).to.have.length(12)
    })

    it('why there are no bars, in the words of IB', async () => {
      const { client, bars, errors } = await at()
      bars(1, pair)
      bars(2, index, { what: 'BID' })
      bars(3, continuous, { end: '20190603 10:00:00' })
      bars(4, spy, { what: 'ADJUSTED_LAST', end: '20190603 10:00:00' })
      bars(5, { ...spy, symbol: 'AAPL' })
      bars(6, spy, { duration: '400 D' })
      bars(7, spy, { size: '1 sec' })
      bars(8, spy, { size: '7 mins' })
      client.api.cancelHistoricalData(9)
      await client.settled()
      expect(errors().map(([id, code]) => [id, code])).to.deep.equal([
        ...[
          [1, 162],
          [2, 162],
          [3, 10339],
          [4, 321],
          [5, 162],
          [6, 321],
          [7, 162],
          [8, 321],
          [9, 366],
        ],
      ])
      const said = errors().map(([, , message]) => message)
      expect(said[0]).to.equal('Historical Market Data Service error message:No market data permissions for IDEALPRO CASH')
      expect(said[1]).to.equal('Historical Market Data Service error message:HMDS query returned no data: SPX@CBOE Bid')
      expect(said[4]).to.equal('Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades')
      expect(said[5]).to.contain('durations longer than 365 days must be made in years.')
      expect(said[6]).to.equal('Historical Market Data Service error message:Time length exceed max.')
    })

    it('bars that are kept up to date: each that ends and the one that runs, until cancelled', async () => {
      const { client, simulator, bars, errors } = await at(monday('10:00'))
      bars(1, spy, { size: '5 mins', keep: true, format: 2 })
      await client.next(EventName.historicalData, (_, date) => String(date).startsWith('finished-'))
      const first = client.all(EventName.historicalData).slice(0, -1)
      await simulator.clock(monday('10:12'))
      await client.settled()
      const updates = client.all(EventName.historicalDataUpdate)
      const minutes = updates.map(([, date]) => (Number(date) * 1000 - Date.parse(monday('10:00'))) / 60_000)
      expect(minutes.at(-1)).to.equal(10)
      expect(new Set(minutes)).to.deep.equal(new Set([0, 5, 10]))
      client.listenAnew()
      bars(2, spy, { size: '5 mins', format: 2 })
      await client.next(EventName.historicalData, (_, date) => String(date).startsWith('finished-'))
      const again = client
        .all(EventName.historicalData)
        .slice(0, -1)
        .map((values) => values.slice(1, 9))
      const latest = new Map([...first, ...updates].map(([, ...values]) => [values[0], values.slice(0, 8)]))
      expect([...latest.values()]).to.deep.equal(again)
      bars(1, spy, { keep: true })
      bars(3, spy, { keep: true, end: '20190603 10:00:00' })
      bars(4, spy, { keep: true, what: 'ADJUSTED_LAST' })
      client.api.cancelHistoricalData(1)
      await client.settled()
      expect(errors().map(([id, code]) => [id, code])).to.deep.equal([
        ...[
          [1, 322],
          [3, 321],
          [4, 321],
          [1, 162],
        ],
      ])
      client.listenAnew()
      await simulator.clock(on(4, '12:00'))
      await client.settled()
      expect(client.all(EventName.historicalDataUpdate)).to.deep.equal([])
    })

    it('streams while the clock runs by itself', async () => {
      const { client, simulator, bars } = await at(monday('12:00'))
      bars(1, spy, { size: '1 min', keep: true, format: 2 })
      client.api.reqMktData(2, spy, '', false, false)
      await client.settled()
      client.listenAnew()
      await simulator.post('/clock', { mode: 'real', speed: 120 })
      const wanted = Date.parse(monday('12:03')) / 1000
      await client.next(EventName.historicalDataUpdate, (_, date) => Number(date) >= wanted)
      await client.next(EventName.tickPrice, (id, type) => id === 2 && type === IBApiTickType.LAST)
      await simulator.post('/clock', { mode: 'step' })
    })

    it('where the bars begin', async () => {
      const { client, errors } = await at()
      client.api.reqHeadTimestamp(1, spy, 'TRADES', true, 1)
      client.api.reqHeadTimestamp(2, spy, 'TRADES', true, 2)
      client.api.reqHeadTimestamp(3, { ...spy, symbol: 'AAPL' }, 'TRADES', true, 1)
      client.api.reqHeadTimestamp(4, pair, 'TRADES', true, 1)
      client.api.reqHeadTimestamp(5, pair, 'MIDPOINT', true, 1)
      client.api.cancelHeadTimestamp(5)
      await client.settled()
      expect(client.all(EventName.headTimestamp)).to.deep.equal([
        [1, '20190530-13:30:00'],
        [2, String(Date.parse('2019-05-30T13:30:00Z') / 1000)],
        [5, '20100104-14:30:00'],
      ])
      expect(errors().map(([id, code]) => [id, code])).to.deep.equal([
        [3, 162],
        [4, 162],
      ])
    })
  })
}
