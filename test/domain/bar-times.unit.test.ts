import { expect } from 'chai'
import { latestClosedStart, regularEnd, startsIn } from '../../domain/bar-times.ts'
import { sessionOn } from '../../domain/calendar.ts'
import { isoTime } from '../../domain/ports/clock.ts'

const at = Date.parse
const starts = (date: string, ...more: [Parameters<typeof startsIn>[1], boolean?]) =>
  startsIn(sessionOn(date)!, ...more).map((start) => isoTime(start).slice(11, 16))

describe('bars of a session', () => {
  it('begin on the clock, the first with the session', () => {
    expect(starts('2024-01-09', '1 hour')).to.deep.equal(['14:30', '15:00', '16:00', '17:00', '18:00', '19:00', '20:00'])
    expect(starts('2024-01-09', '30 mins')).to.have.length(13)
    expect(starts('2024-01-09', '20 mins').slice(0, 3)).to.deep.equal(['14:30', '14:40', '15:00'])
    expect(starts('2024-01-09', '1 min')).to.have.length(390)
  })

  it('are fewer before a holiday, and an hour earlier by UTC in summer', () => {
    expect(starts('2024-07-03', '30 mins')).to.deep.equal(['13:30', '14:00', '14:30', '15:00', '15:30', '16:00', '16:30'])
  })

  it('of all hours do not begin anew with the session', () => {
    expect(starts('2024-01-09', '1 hour', true)[0]).to.equal('14:00')
  })

  it('end at the next border, or with the session', () => {
    expect(regularEnd('2024-01-09T14:30:00.000Z', '1 hour')).to.equal(at('2024-01-09T15:00:00Z'))
    expect(regularEnd('2024-07-03T16:50:00.000Z', '20 mins')).to.equal(at('2024-07-03T17:00:00Z'))
    expect(regularEnd('2024-07-03', '1 day')).to.equal(at('2024-07-03T17:00:00Z'))
    expect(regularEnd('2024-01-09T21:00:00.000Z', '5 mins')).to.equal(undefined)
  })

  it('name the latest that has closed, on a weekend and before the first border too', () => {
    expect(latestClosedStart('1 hour', at('2024-01-09T15:59:59Z'))).to.equal('2024-01-09T14:30:00.000Z')
    expect(latestClosedStart('1 hour', at('2024-01-09T14:59:59Z'))).to.equal('2024-01-08T20:00:00.000Z')
    expect(latestClosedStart('5 mins', at('2024-01-07T12:00:00Z'))).to.equal('2024-01-05T20:55:00.000Z')
    expect(latestClosedStart('1 day', at('2024-01-07T12:00:00Z'))).to.equal('2024-01-05')
  })
})
