import { expect } from 'chai'
import { asInNewYork, comingDay, isTrading, type TradingHours } from '../../domain/trading-days.ts'

const iso = ({ open, close }: { open: number; close: number }) => [new Date(open).toISOString(), new Date(close).toISOString()]
const day = (open: string, close: string) => ({ open: `${open}:00.000Z`, close: `${close}:00.000Z` })

/** A future in Chicago: regular 08:30 to 16:00, all in all from 17:00 of the day before; Monday the 15th is a holiday there. */
const future: TradingHours = {
  from: '2024-01-08',
  until: '2024-01-12',
  regular: ['08', '09', '10', '11', '12'].map((date) => day(`2024-01-${date}T14:30`, `2024-01-${date}T22:00`)),
  extended: [
    ['07', '08'],
    ['08', '09'],
    ['09', '10'],
    ['10', '11'],
    ['11', '12'],
  ].map(([eve, date]) => day(`2024-01-${eve}T23:00`, `2024-01-${date}T22:00`)),
}
/** A currency pair: 17:15 to 17:00 New York time. */
const pair: TradingHours = {
  ...{ from: '2024-01-08', until: '2024-01-09' },
  regular: [day('2024-01-07T22:15', '2024-01-08T22:00'), day('2024-01-08T22:15', '2024-01-09T22:00')],
  extended: [day('2024-01-07T22:15', '2024-01-08T22:00'), day('2024-01-08T22:15', '2024-01-09T22:00')],
}
const share = (...dates: string[]) => ({
  regular: dates.map((date) => day(`${date}T14:30`, `${date}T21:00`)),
  extended: dates.map((date) => ({
    open: `${date}T09:00:00.000Z`,
    close: new Date(Date.parse(`${date}T00:00:00Z`) + 25 * 3_600_000).toISOString(),
  })),
})

describe('trading days', () => {
  const at = (hours: TradingHours | undefined, time: string, kind?: 'regular' | 'extended') =>
    iso(comingDay(hours, Date.parse(`2024-01-${time}:00Z`), kind))

  it('are those of New York where the broker tells nothing', () => {
    expect(at(undefined, '09T15:00')).to.deep.equal(['2024-01-09T14:30:00.000Z', '2024-01-09T21:00:00.000Z'])
    expect(at(undefined, '09T21:00')).to.deep.equal(['2024-01-10T14:30:00.000Z', '2024-01-10T21:00:00.000Z'])
    expect(at(undefined, '09T22:00', 'extended')).to.deep.equal(['2024-01-09T09:00:00.000Z', '2024-01-10T01:00:00.000Z'])
    expect(at({ from: '2024-01-09', until: '2024-01-09', regular: [], extended: [] }, '09T15:00')[1]).to.equal('2024-01-09T21:00:00.000Z')
  })

  it('are those of the instrument: a future goes on for an hour, a pair over night', () => {
    expect(at(future, '09T21:30')).to.deep.equal(['2024-01-09T14:30:00.000Z', '2024-01-09T22:00:00.000Z'])
    expect(at(future, '09T22:00')).to.deep.equal(['2024-01-10T14:30:00.000Z', '2024-01-10T22:00:00.000Z'])
    expect(at(future, '10T02:00', 'extended')).to.deep.equal(['2024-01-09T23:00:00.000Z', '2024-01-10T22:00:00.000Z'])
    expect(at(pair, '09T02:00')).to.deep.equal(['2024-01-08T22:15:00.000Z', '2024-01-09T22:00:00.000Z'])
    expect([isTrading(pair, Date.parse('2024-01-09T02:00Z')), isTrading(undefined, Date.parse('2024-01-09T02:00Z'))]).to.deep.equal([
      true,
      false,
    ])
    expect(isTrading(pair, Date.parse('2024-01-08T22:05Z'))).to.equal(false)
  })

  it('repeat the week that was told, when nothing newer is known', () => {
    expect(at(future, '13T12:00')).to.deep.equal(['2024-01-15T14:30:00.000Z', '2024-01-15T22:00:00.000Z'])
    expect(at(future, '24T21:59')[1]).to.equal('2024-01-24T22:00:00.000Z')
    expect(at(future, '26T22:00')[1]).to.equal('2024-01-29T22:00:00.000Z')
  })

  it('leave out a day of mourning that the broker tells and the calendar does not know, and are the calendar’s again after that', () => {
    const mourning = { from: '2024-01-09', until: '2024-01-11', ...share('2024-01-09', '2024-01-11') }
    expect(asInNewYork(mourning)).to.equal(false)
    expect(at(mourning, '09T21:00')[1]).to.equal('2024-01-11T21:00:00.000Z')
    expect(at(mourning, '12T12:00')[1]).to.equal('2024-01-12T21:00:00.000Z')
    const closedLast = { from: '2024-01-09', until: '2024-01-10', ...share('2024-01-09') }
    expect(at(closedLast, '10T15:00')[1]).to.equal('2024-01-11T21:00:00.000Z')
  })

  it('are as in New York when every day and every end of a day is', () => {
    const told = { from: '2024-01-12', until: '2024-01-16', ...share('2024-01-12', '2024-01-16') } // a weekend and a holiday between
    expect(asInNewYork(told)).to.equal(true)
    expect(asInNewYork({ ...told, extended: told.extended.slice(1) })).to.equal(false)
    expect(asInNewYork({ ...told, until: '2024-01-17' })).to.equal(false)
    expect(asInNewYork(future)).to.equal(false)
  })
})
