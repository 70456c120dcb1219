import { expect } from 'chai'
import { addDays } from '../../domain/calendar.ts'
import { decode } from '../../domain/decode.ts'
import {
  DurationText,
  durationStart,
  endOfDate,
  mostRequests,
  pieceStart,
  planRequests,
  readDuration,
  withinDuration,
} from '../../domain/durations.ts'

const at = Date.parse
/** 10:00 in New York on a Tuesday. */
const tuesday = at('2024-01-09T15:00:00Z')
const start = (text: string, now = tuesday) => durationStart(readDuration(text)!, now)
const plan = (text: string, size: Parameters<typeof planRequests>[1], divisible = true) =>
  planRequests(readDuration(text)!, size, divisible, tuesday)

describe('a duration', () => {
  it('is a number and a unit in the words of IB, within bounds', () => {
    for (const text of ['1 D', '365 D', '2 Y', '86400 S', '6 M', '1 W'])
      expect(decode(DurationText, text), text).to.have.property('ok', true)
    for (const text of ['', '1', 'D', '0 D', '-1 D', '1.5 D', '1D', '1 d', '366 D', '86401 S', '31 Y', '1 year', ' 1 D', '999999 D'])
      expect(decode(DurationText, text), text).to.have.property('ok', false)
    expect(decode(DurationText, '400 D')).to.have.property('problem').that.includes('at most').and.includes('365 D')
  })

  it('counts days by sessions, the running one too', () => {
    expect([start('1 D'), start('2 D'), start('3 D')]).to.deep.equal(['2024-01-09', '2024-01-08', '2024-01-05'])
    expect(start('1 D', at('2024-01-09T14:00:00Z')), 'before the open').to.equal('2024-01-08')
  })

  it('counts weeks, months and years by the calendar', () => {
    expect([start('1 W'), start('1 M'), start('1 Y')]).to.deep.equal(['2024-01-03', '2023-12-10', '2023-01-10'])
    expect(start('1 M', at('2024-03-31T16:00:00Z')), 'the 31st of a month without one').to.equal('2024-03-01')
  })

  it('counts seconds by trading time', () => {
    expect([start('1800 S'), start('3600 S'), start(`${6.5 * 3600 + 1801} S`)]).to.deep.equal(['2024-01-09', '2024-01-08', '2024-01-05'])
  })

  it('cuts closed bars as the broker would have answered', () => {
    const days = ['2023-01-09', '2023-01-10', '2024-01-05', '2024-01-08'].map((date) => ({ start: date }))
    const cut = (text: string) => withinDuration(days, readDuration(text)!, '1 day', tuesday).map(({ start }) => start)
    expect(cut('1 Y')).to.deep.equal(['2023-01-10', '2024-01-05', '2024-01-08'])
    expect(cut('2 D'), 'today is one of the two and has not closed').to.deep.equal(['2024-01-08'])
    const halves = ['2024-01-08T20:00:00.000Z', '2024-01-08T20:30:00.000Z', '2024-01-09T14:30:00.000Z'].map((text) => ({ start: text }))
    expect(withinDuration(halves, readDuration('1 D')!, '30 mins', tuesday)).to.deep.equal(halves.slice(2))
    expect(withinDuration(halves, readDuration('3600 S')!, '30 mins', at('2024-01-09T15:10:00Z')), 'one of the two runs').to.deep.equal(
      halves.slice(2),
    )
  })
})

describe('a large request', () => {
  it('goes as it is while the step size allows it', () => {
    expect(plan('1 Y', '1 day')).to.include({ kind: 'whole', duration: '1 Y' })
    expect(plan('300 D', '1 day')).to.include({ kind: 'pieces' })
    expect(plan('200 D', '1 day')).to.include({ kind: 'whole', duration: '200 D' })
    expect(plan('1 W', '5 mins')).to.include({ kind: 'whole' })
  })

  it('is cut into pieces that reach its begin without a hole', () => {
    for (const [text, size, duration] of [
      ['10 Y', '1 day', '1 Y'],
      ['6 M', '30 mins', '1 M'],
      ['20 D', '5 mins', '1 W'],
      ['5 D', '1 min', '1 D'],
    ] as const) {
      const planned = plan(text, size)
      expect(planned).to.include({ kind: 'pieces', duration, from: start(text) })
      if (planned.kind !== 'pieces') continue
      let covered = pieceStart(duration, tuesday)
      for (let piece = 1; piece < planned.count; piece++) covered = pieceStart(duration, endOfDate(addDays(covered, -1)))
      expect(covered <= planned.from, `${text} of ${size}`).to.equal(true)
    }
  })

  it('is not cut where prices are adjusted until now', () => {
    expect(plan('10 Y', '1 day', false)).to.include({ kind: 'whole', duration: '10 Y' })
  })

  it('says when it would be too many', () => {
    const planned = plan('30 Y', '1 min')
    expect(planned.kind === 'pieces' && planned.count > mostRequests).to.equal(true)
  })
})
