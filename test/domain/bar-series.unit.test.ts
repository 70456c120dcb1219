import { expect } from 'chai'
import { calendarOf, gapsIn, mergeBars, monthsBetween, onlyClosed } from '../../domain/bar-series.ts'
import { startsIn } from '../../domain/bar-times.ts'
import { sessions } from '../../domain/calendar.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Bar } from '../../domain/strategy.ts'

const at = Date.parse
const bar = (start: string, close = 100): Bar => ({ start, open: 100, high: 101, low: 99, close, volume: 10 })
const days = (from: string, to: string) => sessions(from, to).map(({ date }) => bar(date))
const halves = (from: string, to: string) =>
  sessions(from, to).flatMap((session) => startsIn(session, '30 mins').map((start) => bar(isoTime(start))))
const daily = { size: '1 day', regularHoursOnly: true } as const
const half = { size: '30 mins', regularHoursOnly: true } as const
const startsOf = (bars: readonly Bar[]) => bars.map(({ start }) => start)

describe('merged bars', () => {
  it('are in order, once each; what is received counts, and what it replaces is named', () => {
    const [one, two, three] = [bar('2024-01-04'), bar('2024-01-05'), bar('2024-01-08')]
    const revised = bar('2024-01-04', 100.5)
    expect(mergeBars([one, three], [three, two, revised, revised])).to.deep.equal({
      bars: [revised, two, three],
      added: 1,
      changed: [{ start: '2024-01-04', before: one, after: revised }],
    })
    expect(mergeBars([one], [])).to.deep.equal({ bars: [one], added: 0, changed: [] })
  })
})

describe('the months of a range', () => {
  it('go over the end of a year, both ends included', () => {
    expect(monthsBetween('2019-11-30', '2020-02-01T14:30:00.000Z')).to.deep.equal(['2019-11', '2019-12', '2020-01', '2020-02'])
    expect(monthsBetween('2020-02-02', '2020-01-01')).to.deep.equal([])
  })
})

describe('the bars that are kept', () => {
  const today = [bar('2024-01-08'), bar('2024-01-09')]

  it('are closed ones: today’s counts from the close on, an early close too', () => {
    expect(startsOf(onlyClosed(today, daily, 'NYSE', at('2024-01-09T20:59:59Z')))).to.deep.equal(['2024-01-08'])
    expect(startsOf(onlyClosed(today, daily, 'NYSE', at('2024-01-09T21:00:00Z')))).to.deep.equal(['2024-01-08', '2024-01-09'])
    expect(onlyClosed([bar('2024-07-03')], daily, 'NYSE', at('2024-07-03T17:00:00Z'))).to.have.length(1)
  })

  it('wait for midnight where no session says when the day ends', () => {
    const evening = at('2024-01-10T01:00:00Z')
    expect(onlyClosed(today, daily, 'none', evening)).to.have.length(1)
    expect(onlyClosed(today, { ...daily, regularHoursOnly: false }, 'NYSE', evening)).to.have.length(1)
    expect(onlyClosed(today, daily, 'none', at('2024-01-10T05:00:00Z'))).to.have.length(2)
  })

  it('of half hours are over at the next border, also outside the session', () => {
    const bars = [bar('2024-01-09T14:30:00.000Z'), bar('2024-01-09T15:00:00.000Z')]
    expect(onlyClosed(bars, half, 'NYSE', at('2024-01-09T15:29:59Z'))).to.have.length(1)
    expect(onlyClosed(bars, half, 'NYSE', at('2024-01-09T15:30:00Z'))).to.have.length(2)
    const early = [bar('2024-01-09T09:00:00.000Z')]
    expect(onlyClosed(early, { ...half, regularHoursOnly: false }, 'NYSE', at('2024-01-09T09:29:59Z'))).to.have.length(0)
    expect(onlyClosed(early, { ...half, regularHoursOnly: false }, 'NYSE', at('2024-01-09T09:30:00Z'))).to.have.length(1)
  })

  it('end with the session where it ends before the border', () => {
    const last = [bar('2024-07-03T16:50:00.000Z')]
    expect(onlyClosed(last, { size: '20 mins', regularHoursOnly: true }, 'NYSE', at('2024-07-03T17:00:00Z'))).to.have.length(1)
  })
})

describe('gaps', () => {
  const evening = at('2024-01-09T22:00:00Z')

  it('are none where every session has its bar: holidays, closures and weekends are no gaps', () => {
    expect(gapsIn(days('2018-11-15', '2019-01-10'), '2018-11-15', daily, 'NYSE', at('2019-01-10T22:00:00Z'))).to.deep.equal({
      count: 0,
      first: [],
    })
  })

  it('are the sessions without a bar, the latest closed one too', () => {
    const bars = days('2023-12-28', '2024-01-08').filter(({ start }) => start !== '2024-01-03')
    expect(gapsIn(bars, '2023-12-28', daily, 'NYSE', evening)).to.deep.equal({ count: 2, first: ['2024-01-03', '2024-01-09'] })
    expect(gapsIn(bars, '2023-12-28', daily, 'NYSE', at('2024-01-09T15:00:00Z')), 'today has not closed').to.include({ count: 1 })
  })

  it('within a day are seen in regular hours, and an early close is none', () => {
    const bars = halves('2024-07-02', '2024-07-05')
    const after = at('2024-07-05T22:00:00Z')
    expect(gapsIn(bars, bars[0]!.start, half, 'NYSE', after)).to.include({ count: 0 })
    const without = bars.filter(({ start }) => start !== '2024-07-03T15:00:00.000Z')
    expect(gapsIn(without, bars[0]!.start, half, 'NYSE', after)).to.deep.equal({ count: 1, first: ['2024-07-03T15:00:00.000Z'] })
  })

  it('are counted all, and named up to twenty', () => {
    const gaps = gapsIn([bar('2023-01-03')], '2023-01-03', daily, 'NYSE', evening)
    expect(gaps!.count).to.equal(sessions('2023-01-04', '2024-01-09').length)
    expect(gaps!.first).to.have.length(20)
  })

  it('are not judged without a calendar', () => {
    expect(gapsIn([], '2024-01-02', daily, 'none', evening)).to.equal(undefined)
    expect([
      calendarOf({ secType: 'STK', currency: 'USD' }),
      calendarOf({ secType: 'CASH', currency: 'USD' }),
      calendarOf({ secType: 'STK', currency: 'EUR' }),
    ]).to.deep.equal(['NYSE', 'none', 'none'])
  })
})
