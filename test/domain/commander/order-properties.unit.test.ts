import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import { resolveProperties } from '../../../domain/commander/order-properties.ts'
import { OrderProperties } from '../../../domain/commands.ts'
import { decode } from '../../../domain/decode.ts'
import { isRefusal } from '../../../domain/errors.ts'

const monday = (time: string) => newYorkTime('2026-11-23', time)
const resolved = (properties: object, asked = monday('08:00')) => {
  const decoded = decode(OrderProperties, properties)
  if (!decoded.ok) return decoded.problem
  const answer = resolveProperties(decoded.value, asked)
  return isRefusal(answer) ? `${answer.refusal}: ${answer.text}` : answer
}
const newYork = (date: string, time: string) => new Date(newYorkTime(date, time)).toISOString()

describe('order properties', () => {
  it('are what was asked for, when it goes together', () => {
    expect(resolved({})).to.deep.equal({})
    const all = { type: 'LMT', limitOffset: 0.002, timeInForce: 'DAY', algo: 'Adaptive', adaptivePriority: 'Urgent' }
    expect(resolved(all)).to.deep.equal(all)
    expect(resolved({ type: 'LOC', limitOffset: '-3 ticks' })).to.deep.equal({ type: 'LOC', limitOffset: '-3 ticks' })
  })

  it('are refused by name where a field or a value is none', () => {
    expect(resolved({ goodAfter: '10:30' })).to.contain('"goodAfter" is not a field')
    expect(resolved({ type: 'STP' })).to.contain('STP')
    expect(resolved({ limitOffset: 2 })).to.contain('a fraction of the reference price')
    expect(resolved({ limitOffset: '3 pips' })).to.contain('ticks such as "3 ticks"')
    expect(resolved({ goodAfterTime: 'tomorrow at noon' })).to.contain('10:30 New York')
    expect(resolved({ goodAfterTime: '2026-11-23T10:30:00' })).to.contain('an ISO time with its zone')
    expect(resolved({ adaptivePriority: 'High' })).to.contain('High')
  })

  it('are refused where they contradict each other', () => {
    const wrong: [object, string][] = [
      [{ type: 'MOC', timeInForce: 'GTC' }, 'timeInForce must be DAY'],
      [{ type: 'LOC', outsideRegularHours: true }, 'type LOC trades in an auction'],
      [{ timeInForce: 'OPG', goodAfterTime: '10:30 New York' }, 'timeInForce OPG trades in an auction'],
      [{ timeInForce: 'GTD' }, 'need each other'],
      [{ goodTillDate: '2026-11-24' }, 'need each other'],
      [{ type: 'MKT', limitOffset: 0.01 }, 'limitOffset needs a limit order, type is MKT'],
      [{ algo: 'Adaptive', timeInForce: 'GTC' }, 'algo Adaptive'],
      [{ algo: 'Adaptive', type: 'MOC' }, 'algo Adaptive'],
    ]
    for (const [properties, text] of wrong) expect(resolved(properties), text).to.contain('ORDER_PROPERTIES_INVALID').and.to.contain(text)
  })

  describe('good after a time', () => {
    const goodAfter = (goodAfterTime: string, asked?: number, more: object = {}) => resolved({ goodAfterTime, ...more }, asked)

    it('of New York is the next such time of a trading day', () => {
      expect(goodAfter('10:30 New York')).to.deep.equal({ goodAfter: newYork('2026-11-23', '10:30') })
      expect(goodAfter('10:30 New York', monday('10:30'))).to.deep.equal({ goodAfter: newYork('2026-11-24', '10:30') })
      // The evening before Thanksgiving: Friday is next.
      expect(goodAfter('10:30 New York', newYorkTime('2026-11-25', '17:00'))).to.deep.equal({ goodAfter: newYork('2026-11-27', '10:30') })
    })

    it('is refused after the session ends, also on a short day', () => {
      expect(goodAfter('16:00 New York')).to.contain('is after the session of 2026-11-23')
      expect(goodAfter('14:00 New York', newYorkTime('2026-11-27', '08:00'))).to.contain('ends at 2026-11-27T18:00:00.000Z')
      expect(goodAfter('17:00 New York', monday('08:00'), { outsideRegularHours: true })).to.have.property('goodAfter')
    })

    it('may be absolute, in any zone', () => {
      expect(goodAfter('2026-11-24T16:00:00+01:00')).to.deep.equal({ goodAfter: newYork('2026-11-24', '10:00') })
      expect(goodAfter('2026-11-22T15:00:00Z')).to.contain('is over')
      expect(goodAfter('2026-11-26T15:00:00Z')).to.contain('when there is no session')
      expect(goodAfter('2027-11-24T15:00:00Z')).to.contain('more than 90 days ahead')
    })
  })

  describe('good till a date', () => {
    const goodTill = (goodTillDate: string, more: object = {}) => resolved({ timeInForce: 'GTD', goodTillDate, ...more })

    it('end with its session', () => {
      expect(goodTill('2026-11-27')).to.deep.include({ goodTill: newYork('2026-11-27', '13:00') })
      expect(goodTill('2026-11-27', { outsideRegularHours: true })).to.deep.include({ goodTill: newYork('2026-11-27', '20:00') })
    })

    it('are refused where there is none, or it is over', () => {
      expect(goodTill('2026-11-26')).to.contain('has no session')
      expect(goodTill('2026-11-20')).to.contain('is over')
      expect(goodTill('2026-02-30')).to.contain('is no date')
      expect(goodTill('2026-11-24', { goodAfterTime: '2026-11-25T15:00:00Z' })).to.contain('goodAfterTime is not before')
    })
  })
})
