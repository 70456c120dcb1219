import { expect } from 'chai'
import fc from 'fast-check'
import { addDays, newYorkDate, newYorkMidnightAfter, newYorkTime, weekday } from '../../domain/new-york-time.ts'

const utc = (instant: number): string => new Date(instant).toISOString()

describe('New York time', () => {
  it('knows standard and daylight time', () => {
    expect(utc(newYorkTime('2020-01-15', '09:30'))).to.equal('2020-01-15T14:30:00.000Z')
    expect(utc(newYorkTime('2020-07-15', '09:30'))).to.equal('2020-07-15T13:30:00.000Z')
  })

  it('reads the skipped hour of spring as the hour after it, on a day of 23 hours', () => {
    expect(utc(newYorkTime('2021-03-14', '01:59'))).to.equal('2021-03-14T06:59:00.000Z')
    expect(utc(newYorkTime('2021-03-14', '02:30'))).to.equal('2021-03-14T07:30:00.000Z')
    expect(utc(newYorkTime('2021-03-14', '03:00'))).to.equal('2021-03-14T07:00:00.000Z')
    expect(newYorkTime('2021-03-15', '00:00') - newYorkTime('2021-03-14', '00:00')).to.equal(23 * 3_600_000)
  })

  it('means the first of the hour that comes twice in autumn, on a day of 25 hours', () => {
    expect(utc(newYorkTime('2021-11-07', '01:30'))).to.equal('2021-11-07T05:30:00.000Z')
    expect(utc(newYorkTime('2021-11-07', '02:00'))).to.equal('2021-11-07T07:00:00.000Z')
    expect(newYorkTime('2021-11-08', '00:00') - newYorkTime('2021-11-07', '00:00')).to.equal(25 * 3_600_000)
  })

  it('follows the rules of the year: daylight time began in April until 2006', () => {
    expect(utc(newYorkTime('2006-03-20', '12:00'))).to.equal('2006-03-20T17:00:00.000Z')
    expect(utc(newYorkTime('2007-03-20', '12:00'))).to.equal('2007-03-20T16:00:00.000Z')
  })

  it('dates an instant by the New York day', () => {
    expect(newYorkDate(Date.parse('2020-01-16T04:59:59Z'))).to.equal('2020-01-15')
    expect(newYorkDate(Date.parse('2020-01-16T05:00:00Z'))).to.equal('2020-01-16')
  })

  it('finds the midnight strictly after an instant, at midnight the next one', () => {
    const midnight = newYorkTime('2021-03-14', '00:00')
    expect(utc(newYorkMidnightAfter(midnight - 1))).to.equal(utc(midnight))
    expect(utc(newYorkMidnightAfter(midnight))).to.equal('2021-03-15T04:00:00.000Z')
  })

  it('leads from an instant to a date and a midnight that contain it, always', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1990, 0, 2), max: Date.UTC(2040, 0, 1) }), (instant) => {
        const date = newYorkDate(instant)
        expect(newYorkTime(date, '00:00')).to.be.at.most(instant)
        expect(newYorkMidnightAfter(instant)).to.be.greaterThan(instant)
        expect(newYorkMidnightAfter(instant)).to.equal(newYorkTime(addDays(date, 1), '00:00'))
      }),
    )
  })

  it('shows at any instant the date that Intl shows, back to 1967', () => {
    const intl = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York', year: 'numeric', month: '2-digit', day: '2-digit' })
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1967, 0, 1), max: Date.UTC(2050, 0, 1) }), (instant) => {
        expect(newYorkDate(instant)).to.equal(intl.format(instant))
      }),
      { numRuns: 1_000 },
    )
  })

  it('adds days over months and leap years, and names weekdays', () => {
    expect([addDays('2020-02-28', 1), addDays('2020-03-01', -1), addDays('2020-12-31', 1)]).to.deep.equal([
      '2020-02-29',
      '2020-02-29',
      '2021-01-01',
    ])
    expect([weekday('2020-02-16'), weekday('2020-02-22')]).to.deep.equal([0, 6])
  })

  it('refuses what is no date or no time of day', () => {
    expect(() => newYorkTime('2020-13-01', '09:30')).to.throw('not a date')
    expect(() => newYorkTime('2020-12-01', '9:30')).to.throw('not a time of day (HH:MM): 9:30')
    expect(() => newYorkTime('2020-12-01', '24:00')).to.throw('not a time of day')
  })
})
