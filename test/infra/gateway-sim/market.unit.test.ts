import { expect } from 'chai'
import fc from 'fast-check'
import { sessionOn } from '../../../domain/calendar.ts'
import type { DailyBar } from '../../../infra/gateway-sim/bars.ts'
import { history } from '../../../infra/gateway-sim/history.ts'
import { createMarket, sliceBetween } from '../../../infra/gateway-sim/market.ts'
import { monday, on, week } from './client.ts'

const marketOf = (bars: readonly DailyBar[], seed = 1) => createMarket(new Map([['SPY', { daily: [...bars] }]]), seed)
const at = (text: string): number => Date.parse(text)
const minute = 60_000
const cents = fc.integer({ min: 5000, max: 15_000 }).map((value) => value / 100)
const dayBar = fc.tuple(cents, cents, cents, cents, fc.integer({ min: 0, max: 1e8 })).map(([open, close, one, other, volume]): DailyBar => {
  const [high, low] = [Math.max(open, close, one, other), Math.min(open, close, one, other)]
  return { date: '2019-06-03', open, high, low, close, volume }
})
const { open, close } = sessionOn('2019-06-03')!

describe('the simulated market', () => {
  it('goes from the open to the close of each day and stays within its range', () => {
    fc.assert(
      fc.property(dayBar, fc.integer({ min: 0, max: 390 * minute - 1 }), (bar, since) => {
        const market = marketOf([bar])
        expect(market.price('SPY', open)).to.equal(bar.open)
        expect(market.price('SPY', close)).to.equal(bar.close)
        expect(market.price('SPY', open + since)).to.be.within(bar.low, bar.high)
      }),
      { numRuns: 50 },
    )
  })

  it('lets the last close stand outside the session, and knows no price before the first bar', () => {
    const market = marketOf(week)
    expect(market.price('SPY', at(monday('09:29')))).to.equal(100)
    expect(market.price('SPY', at(monday('20:00')))).to.equal(104)
    expect(market.price('SPY', at('2019-06-08T12:00:00Z'))).to.equal(94)
    expect(market.price('SPY', at('2019-05-29T12:00:00Z'))).to.equal(undefined)
    expect(market.previousClose('SPY', at(monday('12:00')))).to.equal(100)
    expect(market.price('AAPL', at(monday('12:00')))).to.equal(undefined)
  })

  it('touches a limit exactly when the price first reaches it, never worse than the limit', () => {
    fc.assert(
      fc.property(dayBar, cents, fc.constantFrom('BUY', 'SELL'), fc.nat(389), (bar, limit, side, minutes) => {
        const market = marketOf([bar])
        const from = open + minutes * minute
        const touch = market.touch('SPY', sessionOn(bar.date)!, from, side, limit)
        const day = market.day('SPY', bar.date)!
        const rest = sliceBetween(day, from, close)!
        const reachable = side === 'BUY' ? rest.low <= limit : rest.high >= limit
        expect(touch !== undefined).to.equal(reachable)
        if (!touch) return
        expect(side === 'BUY' ? touch.price <= limit : touch.price >= limit).to.equal(true)
        const before = touch.at > from + 1 ? sliceBetween(day, from, touch.at - 1) : undefined
        if (before) expect(side === 'BUY' ? before.low >= limit : before.high <= limit).to.equal(true)
      }),
      { numRuns: 100 },
    )
  })

  it('cuts a day into bars of any size that give the day again', () => {
    fc.assert(
      fc.property(dayBar, fc.constantFrom('1 min', '5 mins', '10 mins', '20 mins', '30 mins', '1 hour'), (bar, barSize) => {
        const asked = { endDateTime: '', barSize, duration: '1 D', whatToShow: 'TRADES', formatDate: '2' }
        const answer = history(marketOf([bar]), 'SPY', asked, close)
        if ('refused' in answer) throw new Error(answer.refused)
        const { bars } = answer
        expect(bars[0]!.open).to.equal(bar.open)
        expect(bars.at(-1)!.close).to.equal(bar.close)
        expect(Math.max(...bars.map(({ high }) => high))).to.equal(bar.high)
        expect(Math.min(...bars.map(({ low }) => low))).to.equal(bar.low)
        expect(bars.reduce((sum, { volume }) => sum + volume, 0)).to.equal(bar.volume)
      }),
      { numRuns: 30 },
    )
  })
})

describe('historical bars', () => {
  const ask = (now: string, duration: string, barSize = '1 day', more: object = {}) => {
    const request = { endDateTime: '', barSize, duration, whatToShow: 'TRADES', formatDate: '1', ...more }
    const answer = history(marketOf(week), 'SPY', request, at(now))
    if ('refused' in answer) throw new Error(answer.refused)
    return answer.bars
  }
  const dates = (...asked: Parameters<typeof ask>): string[] => ask(...asked).map(({ date }) => date)

  it('end with the last completed session before the open', () => {
    expect(dates(monday('09:00'), '2 D')).to.deep.equal(['20190530', '20190531'])
  })

  it('include the running day while the session is on, as far as it has come', () => {
    const [, today] = ask(monday('09:31'), '2 D')
    expect(today).to.include({ date: '20190603', open: 101 })
    expect(today!.volume).to.be.lessThan(1_000_000)
    expect(ask(monday('16:00'), '1 D')[0]).to.include({ date: '20190603', open: 101, high: 105, low: 100, close: 104, volume: 1_000_000 })
  })

  it('never show a later price than the clock', () => {
    const noon = ask(monday('12:00'), '1 D', '30 mins')
    expect(noon.map(({ date }) => date.slice(9, 14))).to.deep.equal(['09:30', '10:00', '10:30', '11:00', '11:30'])
    const later = ask(monday('12:10'), '1 D', '30 mins')
    expect(later.slice(0, 5)).to.deep.equal(noon)
    expect(later).to.have.length(6)
    expect(dates(monday('12:00'), '1 W', '1 day', { endDateTime: '20200101 00:00:00' })).to.deep.equal(['20190530', '20190531', '20190603'])
  })

  it('count days in sessions, weeks, months and years by the calendar', () => {
    expect(dates(on(7, '16:00'), '3 D')).to.deep.equal(['20190605', '20190606', '20190607'])
    expect(dates(on(7, '16:00'), '1 W')).to.deep.equal(['20190603', '20190604', '20190605', '20190606', '20190607'])
    expect(dates(on(7, '16:00'), '1 M')).to.have.length(7)
    expect(dates(on(7, '16:00'), '1 Y')).to.have.length(7)
  })

  it('end where the request says, in New York time, in UTC, or at a midnight', () => {
    const end = (endDateTime: string) => dates(on(7, '16:00'), '1 D', '1 day', { endDateTime })
    expect(end('20190604 16:00:00')).to.deep.equal(['20190604'])
    expect(end('20190604 16:00:00 US/Eastern')).to.deep.equal(['20190604'])
    expect(end('20190604-20:00:00')).to.deep.equal(['20190604'])
    expect(end('20190604')).to.deep.equal(['20190603'])
  })

  it('carry epoch seconds with format 2, except daily bars', () => {
    expect(ask(monday('10:00'), '1 D', '30 mins', { formatDate: '2' })[0]!.date).to.equal(String(open / 1000))
    expect(dates(monday('09:00'), '1 D', '1 day', { formatDate: '2' })).to.deep.equal(['20190531'])
    expect(ask(monday('10:00'), '1 D', '30 mins')[0]!.date).to.equal('20190603 09:30:00 US/Eastern')
  })

  it('refuse what they cannot be, by name', () => {
    const refusal = (more: object): unknown => {
      const request = { endDateTime: '', barSize: '1 day', duration: '1 D', whatToShow: 'TRADES', formatDate: '1', ...more }
      return history(marketOf(week), 'SPY', request, open)
    }
    expect(refusal({ barSize: '7 mins' }))
      .to.have.property('refused')
      .that.contains('bar size "7 mins"')
    expect(refusal({ duration: 'D 5' }))
      .to.have.property('refused')
      .that.contains('duration "D 5"')
    expect(refusal({ whatToShow: 'FEE_RATE' }))
      .to.have.property('refused')
      .that.contains('FEE_RATE')
    expect(refusal({ endDateTime: 'yesterday' }))
      .to.have.property('refused')
      .that.contains('yesterday')
    expect(refusal({ endDateTime: '20190231 10:00:00' }))
      .to.have.property('refused')
      .that.contains('20190231')
    expect(refusal({ endDateTime: '20190603 25:00:00' }))
      .to.have.property('refused')
      .that.contains('25:00:00')
    expect(refusal({ endDateTime: '18000101' })).to.deep.include({ bars: [] })
    expect(refusal({ endDateTime: '20191399' }))
      .to.have.property('refused')
      .that.contains('20191399')
  })
})
