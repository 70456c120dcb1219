import { expect } from 'chai'
import { closedBars } from '../../domain/bars.ts'
import type { Bar } from '../../domain/strategy.ts'

const bar = (start: string, price = 100): Bar => ({ start, open: price, high: price + 1, low: price - 1, close: price, volume: 1000 })
const daily = ['2024-01-04', '2024-01-05', '2024-01-08'].map((date) => bar(date))
const day = { size: '1 day', atLeast: 2 } as const
const half = { size: '30 mins', atLeast: 1 } as const
const at = Date.parse

describe('closed bars', () => {
  it('of days leave out the one that is still running', () => {
    const closed = closedBars([...daily, bar('2024-01-09')], day, at('2024-01-09T15:00:00Z'))
    expect(closed).to.deep.include({ bars: daily, lastSession: '2024-01-08', lastEnd: at('2024-01-08T21:00:00Z') })
  })

  it('count today’s bar from the close on, also of an early close', () => {
    const eve = [bar('2024-07-02'), bar('2024-07-03')]
    expect(closedBars(eve, day, at('2024-07-03T17:00:00Z'))).to.have.property('lastSession', '2024-07-03')
    expect(closedBars(eve, day, at('2024-07-03T16:59:59Z'))).to.have.property('code', 'BARS_INCOMPLETE')
  })

  it('of yesterday are stale: a signal is never computed from them', () => {
    const stale = closedBars(daily, day, at('2024-01-09T21:05:00Z'))
    expect(stale).to.deep.equal({ code: 'BARS_STALE', text: 'the last closed bar of 1 day is of 2024-01-08, it should be of 2024-01-09' })
  })

  it('too few are incomplete, and none at all', () => {
    expect(closedBars(daily.slice(-1), day, at('2024-01-09T15:00:00Z'))).to.have.property('code', 'BARS_INCOMPLETE')
    expect(closedBars([], { ...day, atLeast: 0 }, at('2024-01-09T15:00:00Z'))).to.have.property('code', 'BARS_INCOMPLETE')
  })

  it('of half hours end with the last one that has closed', () => {
    const bars = [bar('2024-01-09T14:30:00.000Z'), bar('2024-01-09T15:00:00.000Z')]
    expect(closedBars(bars, half, at('2024-01-09T15:29:59Z'))).to.deep.include({ bars: bars.slice(0, 1) })
    expect(closedBars(bars, half, at('2024-01-09T15:30:00Z'))).to.deep.include({ bars })
    expect(closedBars(bars, half, at('2024-01-09T16:00:00Z'))).to.have.property('code', 'BARS_STALE')
  })

  it('before the first half hour is over are those of the session before', () => {
    const friday = bar('2024-01-05T20:30:00.000Z')
    expect(closedBars([friday], half, at('2024-01-08T14:45:00Z'))).to.deep.include({ bars: [friday], lastSession: '2024-01-05' })
  })

  it('of an hour begin on the hour, so the first of a session is the shorter one', () => {
    const hour = { size: '1 hour', atLeast: 1 } as const
    const [first, second, last] = [bar('2024-01-09T14:30:00.000Z'), bar('2024-01-09T15:00:00.000Z'), bar('2024-01-09T20:00:00.000Z')]
    expect(closedBars([first, second], hour, at('2024-01-09T15:00:00Z'))).to.deep.include({ bars: [first] })
    expect(closedBars([last], hour, at('2024-01-09T21:00:00Z'))).to.have.property('lastEnd', at('2024-01-09T21:00:00Z'))
    expect(closedBars([last], hour, at('2024-01-09T20:59:00Z'))).to.have.property('code')
  })

  it('that are out of order, doubled, or impossible are invalid by name', () => {
    const wrong = (...bars: Bar[]) => (closedBars(bars, day, at('2024-01-09T15:00:00Z')) as { text: string }).text
    expect(wrong(daily[1]!, daily[0]!)).to.include('2024-01-04 follows one of 2024-01-05')
    expect(wrong(daily[0]!, daily[0]!)).to.include('follows')
    expect(wrong({ ...daily[0]!, close: 0 }, daily[1]!)).to.include('not positive')
    expect(wrong({ ...daily[0]!, high: 99 }, daily[1]!)).to.include('inside its body')
  })

  it('keep only as many of the newest as were asked for', () => {
    expect(closedBars(daily, { ...day, count: 2 }, at('2024-01-09T15:00:00Z'))).to.deep.include({ bars: daily.slice(-2) })
  })
})
