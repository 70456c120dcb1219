import { EventName, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, versions } from './client.ts'

const account = 'DU1234567'
const synth = { symbol: 'SYNTH', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }

for (const maxServerVersion of versions) {
  describe(`gateway simulator, dividends and splits, server version ${maxServerVersion}`, () => {
    afterEach(closeAll)

    const holding = async (action: 'BUY' | 'SELL' = 'BUY', size = 100) => {
      const simulator = await simulate({ maxServerVersion, start: new Date(monday('09:00')).toISOString() })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market(action, size))
      await client.settled()
      await simulator.clock(monday('12:00'))
      await client.settled()
      client.listenAnew()
      return { client, simulator }
    }
    const announce = async ({ post }: { post: (path: string, body: unknown) => Promise<Loose> }, body: object) =>
      post('/corporate-actions', body)
    const told = (client: Awaited<ReturnType<typeof connect>>, key: string, currency = 'USD') =>
      client
        .all(EventName.updateAccountValue)
        .filter(([name, , of]) => name === key && of === currency)
        .map(([, value]) => value)

    it('a dividend is owed on its ex-date to whoever held the evening before, and paid on its pay date', async () => {
      const { client, simulator } = await holding()
      await announce(simulator, { symbol: 'SPY', kind: 'dividend', exDate: '2019-06-05', payDate: '2019-06-07', amount: 1.5 })
      client.api.reqAccountUpdates(true, account)
      await simulator.clock(on(4, '16:00'))
      await client.settled()
      expect(told(client, 'AccruedDividend')).to.deep.equal(['0.00'])
      const { cash } = await simulator.state()
      await simulator.clock(on(5, '09:00'))
      client.api.placeOrder(2, spy, market('SELL', 100))
      await simulator.clock(on(5, '12:00'))
      await client.settled()
      expect(told(client, 'AccruedDividend')).to.deep.equal(['0.00', '150.00'])
      const sold = (await simulator.state()).cash
      expect(sold).to.be.closeTo(cash + 100 * 107 - 1, 0.01)
      await simulator.clock(on(7, '00:00'))
      await client.settled()
      expect(told(client, 'AccruedDividend')).to.deep.equal(['0.00', '150.00', '0.00'])
      expect((await simulator.state()).cash).to.be.closeTo(sold + 150, 0.01)
      await simulator.clock(on(7, '16:00'))
      expect((await simulator.state()).cash).to.be.closeTo(sold + 150, 0.01)
    })

    it('whoever is short pays the dividend', async () => {
      const { simulator } = await holding('SELL')
      await announce(simulator, { symbol: 'SPY', kind: 'dividend', exDate: '2019-06-04', payDate: '2019-06-05', amount: 2 })
      const { cash } = await simulator.state()
      await simulator.clock(on(5, '00:00'))
      expect((await simulator.state()).cash).to.be.closeTo(cash - 200, 0.01)
    })

    it('a split multiplies the position, divides its cost and all prices, cancels what works, and leaves the account as it was worth', async () => {
      const { client, simulator } = await holding()
      await announce(simulator, { symbol: 'SPY', kind: 'split', date: '2019-06-05', ratio: 4 })
      client.api.placeOrder(2, spy, limit('SELL', 10, 140, { tif: 'GTC' }))
      client.api.reqPositions()
      await simulator.clock(on(4, '20:00'))
      const before = await simulator.state()
      await simulator.clock(on(5, '00:00'))
      const [, , , cost] = await client.next(EventName.position, (_, __, quantity) => quantity === 400)
      expect(cost).to.equal(101.01 / 4)
      const [text] = (await client.next(EventName.error, (_, code, id) => code === 202 && id === 2)) as [Error]
      expect(text.message).to.contain('Corporate action')
      const after = await simulator.state()
      expect(after.netLiquidation).to.be.closeTo(before.netLiquidation, 0.001)
      expect(after.orders[1]).to.include({ status: 'Cancelled' })
      expect(after.positions[0]).to.include({ marketPrice: 26.75, quantity: 400 })
      await simulator.clock(on(5, '16:00'))
      client.listenAnew()
      client.api.reqHistoricalData(3, spy, '', '3 D', '1 day' as Loose, 'TRADES' as Loose, 1, 1, false)
      await client.next(EventName.historicalData, (_, date) => String(date).startsWith('finished-'))
      expect(
        client
          .all(EventName.historicalData)
          .slice(0, 3)
          .map(([, date, , , , close, volume]) => [date, close, volume]),
      ).to.deep.equal([
        ['20190603', 26, 4_000_000],
        ['20190604', 26.75, 4_000_000],
        ['20190605', 27.25, 4_000_000],
      ])
    })

    it('a reverse split pays what is less than a share in cash', async () => {
      const { simulator } = await holding('BUY', 105)
      await announce(simulator, { symbol: 'SPY', kind: 'split', date: '2019-06-04', ratio: 0.1 })
      const before = await simulator.state()
      await simulator.clock(on(4, '00:00'))
      const { positions, cash, netLiquidation } = await simulator.state()
      expect(positions[0]).to.include({ quantity: 10, marketPrice: 1040 })
      expect(cash).to.be.closeTo(before.cash + 520, 0.01)
      expect(netLiquidation).to.be.closeTo(before.cash + 105 * 104, 0.01)
    })

    it('those of the universe happen by themselves', async () => {
      const simulator = await simulate({ maxServerVersion, start: '2019-06-04T14:00:00Z' })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, synth, market('BUY', 10))
      await client.next(EventName.commissionReport)
      const { cash } = await simulator.state()
      await simulator.clock('2019-06-12T09:00:00-04:00')
      const state = await simulator.state()
      expect(state.positions[0]).to.include({ symbol: 'SYNTH', quantity: 20 })
      expect(state.cash).to.be.closeTo(cash + 6, 0.01)
      expect(state.corporateActions.map(({ symbol, kind }: Loose) => [symbol, kind])).to.deep.equal([
        ['SYNTH', 'dividend'],
        ['SYNTH', 'dividend'],
        ['SYNTH', 'split'],
      ])
    })

    it('says in one line why something cannot be announced', async () => {
      const { simulator } = await holding()
      const split = { symbol: 'SPY', kind: 'split', date: '2019-06-05', ratio: 2 }
      const dividend = { symbol: 'SPY', kind: 'dividend', exDate: '2019-06-05', payDate: '2019-06-07', amount: 1 }
      const wrong: [object, string][] = [
        [{ ...split, symbol: 'NONE' }, 'symbol: there is no contract "NONE"'],
        [{ ...split, symbol: 'EUR.USD' }, 'symbol: EUR is no stock'],
        [{ ...split, date: '2019-06-03' }, 'date: 2019-06-03 is not after today'],
        [{ ...split, date: '2019-06-08' }, 'date: on 2019-06-08 there is no session'],
        [{ ...split, date: 'soon' }, 'date: "soon" is no date'],
        [{ ...split, ratio: 0 }, 'ratio: expected a number above 0 other than 1, got 0'],
        [{ ...split, amount: 1 }, 'amount: a split has symbol, kind, date, ratio, inBars'],
        [{ ...dividend, amount: -1 }, 'amount: expected a number above 0, got -1'],
        [{ ...dividend, payDate: '2019-06-04' }, 'payDate: 2019-06-04 is before exDate 2019-06-05'],
        [{ ...dividend, kind: 'gift' }, 'kind: expected dividend or split, got "gift"'],
      ]
      for (const [body, error] of wrong) expect(await announce(simulator, body)).to.deep.equal({ status: 400, error })
      expect((await simulator.state()).corporateActions).to.have.length(3)
    })
  })
}
