import { expect } from 'chai'
import { asInNewYork } from '../../../domain/trading-days.ts'
import { tradingHoursOf } from '../../../infra/ib/trading-hours.ts'

const told = (liquidHours: string, timeZoneId: string, tradingHours = liquidHours) =>
  tradingHoursOf({ liquidHours, tradingHours, timeZoneId })

describe('trading hours of a contract', () => {
  it('are read in the zone of the contract, closed days left out', () => {
    const hours = told(
      '20240108:0930-20240108:1600;20240109:CLOSED;20240110:0930-20240110:1300',
      'US/Eastern',
      '20240108:0400-20240108:2000;20240109:CLOSED;20240110:0400-20240110:1700',
    )
    expect(hours).to.deep.equal({
      ...{ from: '2024-01-08', until: '2024-01-10' },
      regular: [
        { open: '2024-01-08T14:30:00.000Z', close: '2024-01-08T21:00:00.000Z' },
        { open: '2024-01-10T14:30:00.000Z', close: '2024-01-10T18:00:00.000Z' },
      ],
      extended: [
        { open: '2024-01-08T09:00:00.000Z', close: '2024-01-09T01:00:00.000Z' },
        { open: '2024-01-10T09:00:00.000Z', close: '2024-01-10T22:00:00.000Z' },
      ],
    })
  })

  it('of a future and of a currency pair run over midnight, and belong to the date on which they end', () => {
    expect(told('20240107:1700-20240108:1600;20240108:1700-20240109:1600', 'US/Central')!.regular).to.deep.equal([
      { open: '2024-01-07T23:00:00.000Z', close: '2024-01-08T22:00:00.000Z' },
      { open: '2024-01-08T23:00:00.000Z', close: '2024-01-09T22:00:00.000Z' },
    ])
    expect(told('20240107:1715-20240108:1700', 'US/Eastern')).to.include({ from: '2024-01-08', until: '2024-01-08' })
  })

  it('take a break at noon, or a halt in the afternoon, for one day: an order for the day lives on', () => {
    const tokyo = [{ open: '2024-01-09T00:00:00.000Z', close: '2024-01-09T06:00:00.000Z' }]
    expect(told('20240109:0900-20240109:1130;20240109:1230-20240109:1500', 'Japan')!.regular).to.deep.equal(tokyo)
    expect(told('20240109:0900-1130,1230-1500', 'Japan')!.regular).to.deep.equal(tokyo) // as older versions write it
    expect(told('20240108:1700-20240109:1515,20240109:1530-20240109:1600', 'US/Central')!.regular).to.deep.equal([
      { open: '2024-01-08T23:00:00.000Z', close: '2024-01-09T22:00:00.000Z' },
    ])
  })

  it('of a New York share are those of the calendar', () => {
    const week = ['12', '16', '17'].map((date) => `202401${date}`)
    const entries = (open: string, close: string) =>
      [`${week[0]}`, `${week[1]}`, `${week[2]}`].map((date) => `${date}:${open}-${date}:${close}`).join(';')
    expect(asInNewYork(told(entries('0930', '1600'), 'America/New_York', entries('0400', '2000'))!)).to.equal(true)
    expect(asInNewYork(told(entries('0830', '1500'), 'US/Central', entries('0300', '1900'))!)).to.equal(true)
    expect(asInNewYork(told(entries('0930', '1700'), 'America/New_York', entries('0400', '2000'))!)).to.equal(false)
  })

  it('are not known where nothing is told, or nothing that can be read', () => {
    const texts = ['', 'CLOSED', '20240230:CLOSED', '20240109:0930', '20240109:0930-20240109:0900', '20240109:9930-20240109:1600', 'soon']
    for (const text of texts) expect(told(text, 'US/Eastern'), text).to.equal(undefined)
    expect(told('20240109:0930-20240109:1600', '')).to.equal(undefined)
    expect(told('20240109:0930-20240109:1600', 'Mars/Olympus')).to.equal(undefined)
    expect(tradingHoursOf({})).to.equal(undefined)
  })
})
