import { expect } from 'chai'
import fc from 'fast-check'
import type { DailyBar } from '../../../infra/gateway-sim/bars.ts'
import { type HistoryBar, type HistoryTerms, history, latestBars } from '../../../infra/gateway-sim/history.ts'
import { createMarket, type Market } from '../../../infra/gateway-sim/market.ts'
import { createUniverse } from '../../../infra/gateway-sim/universe.ts'
import { monday, on, week } from './client.ts'

const at = (text: string): number => Date.parse(text)
const universe = createUniverse([])
const builtIn = (seed: number): Market => createMarket({ get: universe.bars }, seed, universe.tickOf)
const weekly = (): Market => createMarket(new Map([['SPY', { daily: [...week] }]]), 1)
const plain: HistoryTerms = { zone: 'US/Eastern', halfSpread: 0, dividends: [] }

const ask = (market: Market, series: string, now: number, asked: object, terms = plain): HistoryBar[] => {
  const request = { endDateTime: '', barSize: '1 day', duration: '1 D', whatToShow: 'TRADES', formatDate: '2', ...asked }
  const answer = history(market, series, request, now, terms)
  if ('refused' in answer) throw new Error(answer.refused)
  return answer.bars
}
const refusal = (asked: object): unknown => {
  const request = { endDateTime: '', barSize: '1 day', duration: '1 D', whatToShow: 'TRADES', formatDate: '1', ...asked }
  return history(weekly(), 'SPY', request, at(monday('12:00')))
}
const together = (bars: readonly HistoryBar[]) => ({
  open: bars[0]!.open,
  high: Math.max(...bars.map(({ high }) => high)),
  low: Math.min(...bars.map(({ low }) => low)),
  close: bars.at(-1)!.close,
  volume: bars.reduce((sum, { volume }) => sum + volume, 0),
})
const prices = ({ open, high, low, close, volume }: HistoryBar) => ({ open, high, low, close, volume })

const seconds: Readonly<Record<string, number>> = {
  ...{ '1 min': 60, '2 mins': 120, '3 mins': 180, '5 mins': 300, '10 mins': 600, '15 mins': 900, '20 mins': 1200, '30 mins': 1800 },
  ...{ '1 hour': 3600, '2 hours': 7200, '3 hours': 10_800, '4 hours': 14_400, '8 hours': 28_800 },
}
const midnight = at('2019-06-03T00:00:00-04:00') / 1000

describe('historical bars of every size', () => {
  it('add up to those of each larger size, with prices on the tick, until any moment of the day', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('SPY', 'EUR.USD', 'ES201909', 'USD.JPY', 'SYNEUR.EUR', 'SPX'),
        fc.constantFrom(...Object.keys(seconds)),
        fc.constantFrom(...Object.keys(seconds)),
        fc.integer({ min: 1, max: 390 * 60 }),
        fc.nat(5),
        (series, one, other, since, seed) => {
          const [small, large] = seconds[one]! <= seconds[other]! ? [one, other] : [other, one]
          fc.pre(seconds[large]! % seconds[small]! === 0)
          const market = builtIn(seed)
          const now = at(monday('09:30')) + since * 1000
          const fine = ask(market, series, now, { barSize: small })
          const coarse = ask(market, series, now, { barSize: large })
          const grouped = [...Map.groupBy(fine, ({ date }) => Math.floor((Number(date) - midnight) / seconds[large]!)).values()]
          expect(coarse.map(prices)).to.deep.equal(grouped.map(together))
          const tick = universe.tickOf(series)
          for (const { close } of fine.slice(0, -1)) expect(Math.abs(close / tick - Math.round(close / tick))).to.be.lessThan(1e-4)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of seconds add up to minutes', () => {
    const now = at(monday('11:00'))
    const minutes = ask(builtIn(1), 'SPY', now, { barSize: '1 min', duration: '1800 S' })
    expect(minutes).to.have.length(30)
    for (const [barSize, count] of Object.entries({ '1 sec': 1800, '5 secs': 360, '10 secs': 180, '15 secs': 120, '30 secs': 60 })) {
      const fine = ask(builtIn(1), 'SPY', now, { barSize, duration: '1800 S' })
      expect(fine, barSize).to.have.length(count)
      const grouped = [...Map.groupBy(fine, ({ date }) => Math.floor(Number(date) / 60)).values()]
      expect(grouped.map(together), barSize).to.deep.equal(minutes.map(prices))
    }
  })

  it('of weeks and months add up the days, the first one whole, the last one as far as it has come, dated by its last session', () => {
    const market = builtIn(1)
    const now = at('2019-07-17T12:00:00-04:00')
    const days = ask(market, 'SPY', now, { duration: '1 Y' })
    const weeks = ask(market, 'SPY', now, { barSize: '1 week', duration: '1 M' })
    expect(weeks.map(({ date }) => date)).to.deep.equal(['20190621', '20190628', '20190705', '20190712', '20190717'])
    const within = (from: string, to: string) => days.filter(({ date }) => date >= from && date <= to)
    expect(prices(weeks[1]!)).to.deep.equal(together(within('20190624', '20190628')))
    expect(prices(weeks[4]!)).to.deep.equal(together(within('20190715', '20190717')))
    const months = ask(market, 'SPY', now, { barSize: '1 month', duration: '1 Y' })
    expect(months.map(({ date }) => date.slice(0, 6)).slice(-3)).to.deep.equal(['201905', '201906', '201907'])
    expect(prices(months.at(-2)!)).to.deep.equal(together(within('20190601', '20190630')))
  })

  it('reach over the night when they are counted in seconds', () => {
    const bars = ask(weekly(), 'SPY', at(monday('09:40')), { barSize: '5 mins', duration: '1800 S', formatDate: '1' })
    const times = bars.map(({ date }) => date.slice(6, 14))
    expect(times).to.deep.equal(['31 15:40', '31 15:45', '31 15:50', '31 15:55', '03 09:30', '03 09:35'])
  })

  it('carry the time of the zone of their exchange', () => {
    const [first] = ask(
      builtIn(1),
      'ES201909',
      at(monday('12:00')),
      { barSize: '1 hour', formatDate: '1' },
      { ...plain, zone: 'US/Central' },
    )
    expect(first!.date).to.equal('20190603 08:30:00 US/Central')
  })
})

describe('what historical bars show', () => {
  const now = at(on(5, '16:00'))

  it('bid and ask lie around the midpoint, which is where trades are; bid and ask together as IB joins them', () => {
    const terms = { ...plain, halfSpread: 0.02 }
    const of = (whatToShow: string) =>
      ask(weekly(), 'SPY', now, { whatToShow }, terms).map(({ open, high, low, close }) => [open, high, low, close])
    expect(of('MIDPOINT')).to.deep.equal([[107, 110, 106, 109]])
    expect(of('TRADES')).to.deep.equal(of('MIDPOINT'))
    expect(of('BID')).to.deep.equal([[106.98, 109.98, 105.98, 108.98]])
    expect(of('ASK')).to.deep.equal([[107.02, 110.02, 106.02, 109.02]])
    expect(of('BID_ASK')).to.deep.equal([[106.98, 110.02, 105.98, 109.02]])
    expect(ask(weekly(), 'SPY', now, { whatToShow: 'BID' })[0]).to.include({ volume: -1, average: -1, count: -1 })
  })

  it('quotes stand in the hours around the session, trades do not', () => {
    const night = { barSize: '1 hour', regularHours: false, formatDate: '1' }
    const quotes = ask(weekly(), 'SPY', at(on(5, '20:00')), { ...night, whatToShow: 'MIDPOINT' })
    expect(quotes).to.have.length(16)
    expect(quotes[0]).to.deep.include({ date: '20190605 04:00:00 US/Eastern', open: 107, high: 107, low: 107, close: 107 })
    expect(quotes.at(-1)).to.deep.include({ date: '20190605 19:00:00 US/Eastern', open: 109, close: 109 })
    const [day] = ask(weekly(), 'SPY', at(on(5, '20:00')), { regularHours: false, whatToShow: 'MIDPOINT' })
    expect(together(quotes)).to.deep.include({ open: day!.open, high: day!.high, low: day!.low, close: day!.close })
    const trades = { ...night, whatToShow: 'TRADES' }
    expect(ask(weekly(), 'SPY', now, trades)).to.deep.equal(ask(weekly(), 'SPY', now, { ...trades, regularHours: true }))
  })

  it('splits change all that was before them, dividends only adjusted prices', () => {
    const market = weekly()
    market.split('SPY', '2019-06-05', 2, false)
    const dividends = [{ exDate: '2019-06-06', amount: 1.09 }]
    const closes = (now: string, whatToShow = 'TRADES') => {
      const bars = ask(market, 'SPY', at(now), { duration: '3 D', whatToShow }, { ...plain, dividends })
      return bars.map(({ close, volume }) => [close, volume])
    }
    expect(closes(on(4, '16:00')).slice(1)).to.deep.equal([
      [104, 1_000_000],
      [107, 1_000_000],
    ])
    expect(closes(on(5, '16:00'))).to.deep.equal([
      [52, 2_000_000],
      [53.5, 2_000_000],
      [54.5, 2_000_000],
    ])
    expect(closes(on(6, '16:00'), 'ADJUSTED_LAST')).to.deep.equal([
      [Number((53.5 * 0.98).toFixed(6)), 2_000_000],
      [Number((54.5 * 0.98).toFixed(6)), 2_000_000],
      [46, 2_000_000],
    ])
    expect(market.price('SPY', at(on(5, '09:00')))).to.equal(53.5)
    expect(market.price('SPY', at(on(4, '20:00')))).to.equal(107)
  })

  it('bars that fall by a split themselves are left as they are', () => {
    const bars: DailyBar[] = [
      { date: '2019-06-03', open: 100, high: 102, low: 99, close: 100, volume: 1000 },
      { date: '2019-06-04', open: 50, high: 52, low: 49, close: 51, volume: 2000 },
    ]
    const market = createMarket(new Map([['SPY', { daily: bars }]]), 1)
    market.split('SPY', '2019-06-04', 2, true)
    expect(ask(market, 'SPY', at(on(4, '16:00')), { duration: '2 D' }).map(({ close, volume }) => [close, volume])).to.deep.equal([
      [50, 2000],
      [51, 2000],
    ])
    expect(market.previousClose('SPY', at(on(4, '09:00')))).to.equal(50)
  })

  it('latest bars are those that changed since', () => {
    const request = { endDateTime: '', barSize: '5 mins', duration: '1 D', whatToShow: 'TRADES', formatDate: '2' }
    const since = at(monday('10:00'))
    const bars = latestBars(weekly(), 'SPY', request, since, at(monday('10:12')))
    expect(bars.map(({ start }) => (start - since) / 60_000)).to.deep.equal([0, 5, 10])
    expect(bars).to.deep.equal(ask(weekly(), 'SPY', at(monday('10:12')), { barSize: '5 mins' }).slice(-3))
  })

  it('refuses what is too long or does not go together', () => {
    expect(refusal({ duration: '366 D' }))
      .to.have.property('refused')
      .that.contains('365 days must be made in years')
    expect(refusal({ duration: '86401 S' }))
      .to.have.property('refused')
      .that.contains('86400 seconds')
    expect(refusal({ duration: '1 D', barSize: '1 sec' })).to.deep.equal({
      ...{ refused: 'Historical Market Data Service error message:Time length exceed max.', code: 162 },
    })
    expect(refusal({ duration: '10 Y', barSize: '1 min' })).to.have.property('code', 162)
    expect(refusal({ whatToShow: 'ADJUSTED_LAST', endDateTime: '20190603 10:00:00' }))
      .to.have.property('refused')
      .that.contains('adjusted last')
  })
})
