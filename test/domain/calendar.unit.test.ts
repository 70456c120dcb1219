import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  isOpen,
  latestClosedSession,
  newYorkTime,
  nextSession,
  previousSession,
  type Session,
  sessionOn,
  sessions,
} from '../../domain/calendar.ts'

const utc = (instant: number): string => new Date(instant).toISOString()
const expectClosed = (dates: string[]): void => {
  for (const date of dates) expect(sessionOn(date), date).to.equal(undefined)
}
const expectOpen = (dates: string[]): void => {
  for (const date of dates) expect(sessionOn(date)?.date, date).to.equal(date)
}

describe('trading calendar', () => {
  it('has exactly the dates on which the S&P 500 index was published from 2000 to 2020', () => {
    const file = readFileSync(new URL('../../infra/gateway-sim/data/sp500-2000-2020.csv', import.meta.url), 'utf8')
    const published = file
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.slice(0, 10))
    expect(published).to.have.length(5105)
    expect(sessions(published[0]!, published.at(-1)!).map(({ date }) => date)).to.deep.equal(published)
  })

  describe('holidays', () => {
    it('keeps New Year, on Monday when it falls on Sunday, and never on the Friday before', () => {
      expectClosed(['2020-01-01', '2017-01-02', '2023-01-02'])
      expectOpen(['2010-12-31', '2021-12-31', '2022-01-03'])
    })

    it('keeps Martin Luther King Day, the third Monday of January, since 1998', () => {
      expectClosed(['1998-01-19', '2024-01-15', '2026-01-19'])
      expectOpen(['1997-01-20'])
    })

    it("keeps Washington's Birthday, the third Monday of February", () => expectClosed(['1999-02-15', '2024-02-19', '2026-02-16']))

    it('keeps Good Friday, wherever Easter falls', () =>
      expectClosed([
        '1990-04-13',
        '2000-04-21',
        '2008-03-21',
        '2011-04-22',
        '2019-04-19',
        '2024-03-29',
        '2025-04-18',
        '2026-04-03',
        '2038-04-23',
      ]))

    it('keeps it a week earlier in the rare years of a late moon', () => {
      expectClosed(['2049-04-16'])
      expectOpen(['2049-04-23'])
    })

    it('is open on Easter Monday', () => expectOpen(['2024-04-01', '2025-04-21']))

    it('keeps Memorial Day, the last Monday of May', () => {
      expectClosed(['2021-05-31', '2022-05-30', '2026-05-25'])
      expectOpen(['2021-05-24'])
    })

    it('keeps Juneteenth since 2022, on the nearest weekday', () => {
      expectClosed(['2022-06-20', '2023-06-19', '2024-06-19', '2027-06-18'])
      expectOpen(['2021-06-18', '2020-06-19'])
    })

    it('keeps Independence Day, on Friday when it falls on Saturday, on Monday when on Sunday', () =>
      expectClosed(['2019-07-04', '2020-07-03', '2021-07-05', '2026-07-03']))

    it('keeps Labor Day, Thanksgiving and Christmas', () => {
      expectClosed(['2024-09-02', '2025-09-01'])
      expectClosed(['2018-11-22', '2024-11-28', '2025-11-27'])
      expectClosed(['2024-12-25', '2004-12-24', '2010-12-24', '2021-12-24', '2022-12-26'])
    })

    it('has no session on the days of mourning, attack and storm', () => {
      expectClosed(['1994-04-27', '2001-09-11', '2001-09-12', '2001-09-13', '2001-09-14', '2004-06-11'])
      expectClosed(['2007-01-02', '2012-10-29', '2012-10-30', '2018-12-05', '2025-01-09'])
      expectOpen(['2001-09-10', '2001-09-17', '2012-10-31', '2018-12-06', '2025-01-08', '2025-01-10'])
    })

    it('has between 248 and 254 sessions in every year', () => {
      for (let year = 1990; year <= 2050; year += 1) {
        expect(sessions(`${year}-01-01`, `${year}-12-31`).length, String(year)).to.be.within(248, 254)
      }
    })
  })

  describe('hours', () => {
    const hours = (date: string): string => {
      const { open, close, early } = sessionOn(date) as Session
      return `${utc(open).slice(11, 16)} ${utc(close).slice(11, 16)}${early ? ' early' : ''}`
    }

    it('is 09:30 to 16:00 in New York, in winter and in summer', () => {
      expect(hours('2020-01-15')).to.equal('14:30 21:00')
      expect(hours('2020-07-15')).to.equal('13:30 20:00')
    })

    it('changes over the weekends on which clocks change', () => {
      expect([hours('2021-03-12'), hours('2021-03-15')]).to.deep.equal(['14:30 21:00', '13:30 20:00'])
      expect([hours('2021-11-05'), hours('2021-11-08')]).to.deep.equal(['13:30 20:00', '14:30 21:00'])
      expect([hours('2006-03-31'), hours('2006-04-03')]).to.deep.equal(['14:30 21:00', '13:30 20:00'])
    })

    it('closes at 13:00 after Thanksgiving and on Christmas Eve', () => {
      for (const date of ['2018-11-23', '2024-11-29', '2018-12-24', '2024-12-24', '2025-12-24'])
        expect(hours(date)).to.equal('14:30 18:00 early')
    })

    it('closes at 13:00 on July 3, but until 2012 on the Friday after a Thursday holiday', () => {
      for (const date of ['2007-07-03', '2013-07-03', '2023-07-03', '2024-07-03', '2025-07-03', '2002-07-05', '1996-07-05'])
        expect(hours(date), date).to.equal('13:30 17:00 early')
      for (const date of ['2002-07-03', '2013-07-05', '2024-07-05', '2022-07-01', '2021-07-02', '2020-07-02'])
        expect(hours(date), date).to.equal('13:30 20:00')
    })

    it('closed at 13:00 on two Fridays after Christmas and at 14:00 before 1993', () => {
      for (const date of ['1997-12-26', '2003-12-26']) expect(hours(date)).to.equal('14:30 18:00 early')
      for (const date of ['1990-12-24', '1992-11-27']) expect(hours(date)).to.equal('14:30 19:00 early')
      expect(hours('2008-12-26')).to.equal('14:30 21:00')
    })
  })

  describe('around an instant', () => {
    const friday = sessionOn('2020-02-14') as Session

    it('is open from the opening instant until just before the close', () => {
      expect([friday.open - 1, friday.open, friday.close - 1, friday.close].map(isOpen)).to.deep.equal([false, true, true, false])
      expect(isOpen(newYorkTime('2020-02-15', '12:00'))).to.equal(false)
      expect([isOpen(newYorkTime('2018-11-23', '12:59')), isOpen(newYorkTime('2018-11-23', '13:00'))]).to.deep.equal([true, false])
    })

    it('has closed a session at the instant of its close, not before', () => {
      expect(latestClosedSession(friday.close - 1).date).to.equal('2020-02-13')
      expect(latestClosedSession(friday.close).date).to.equal('2020-02-14')
      expect(latestClosedSession(newYorkTime('2020-02-18', '15:59')).date).to.equal('2020-02-14') // over a long weekend
    })

    it('steps to the strictly next and previous session, over weekends, holidays and the turn of the year', () => {
      expect(nextSession('2020-02-14').date).to.equal('2020-02-18')
      expect(previousSession('2020-02-18').date).to.equal('2020-02-14')
      expect(previousSession('2020-02-16').date).to.equal('2020-02-14')
      expect(nextSession('2018-12-31').date).to.equal('2019-01-02')
      expect(previousSession('2007-01-03').date).to.equal('2006-12-29')
      expect(nextSession('2001-09-10').date).to.equal('2001-09-17')
    })

    it('goes forward and back to where it was, from any session', () => {
      const all = sessions('1990-01-01', '2035-12-31')
      fc.assert(
        fc.property(fc.nat(all.length - 2), (position) => {
          const [session, next] = [all[position]!, all[position + 1]!]
          expect(nextSession(session.date)).to.deep.equal(next)
          expect(previousSession(next.date)).to.deep.equal(session)
          expect(latestClosedSession(next.close - 1)).to.deep.equal(session)
          expect(session.open < session.close && session.close < next.open).to.equal(true)
        }),
      )
    })

    it('gives the sessions of a range with both its ends, and none of a range that is upside down', () => {
      expect(sessions('2019-12-30', '2020-01-03').map(({ date }) => date)).to.deep.equal([
        '2019-12-30',
        '2019-12-31',
        '2020-01-02',
        '2020-01-03',
      ])
      expect(sessions('2020-01-04', '2020-01-05')).to.deep.equal([])
      expect(sessions('2020-01-10', '2020-01-06')).to.deep.equal([])
      expect(sessions('2020-01-10', '2019-01-06')).to.deep.equal([])
    })

    it('refuses what is no date and what lies before its tables', () => {
      expect(() => sessionOn('2021-02-30')).to.throw('not a date (YYYY-MM-DD): 2021-02-30')
      expect(() => sessionOn('20210226')).to.throw('not a date')
      expect(() => sessionOn('1989-12-29')).to.throw('begins in 1990')
      expect(() => previousSession('1990-01-02')).to.throw('begins in 1990')
    })
  })
})
