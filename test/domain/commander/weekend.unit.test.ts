import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import { goesFlat } from '../../../domain/commander/weekend.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf, standingOf, targetOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, wants } = world
const flatAt = (date: string, time: string) => goesFlat({ 'strategies.trend.weekend': 'flat' }, 'trend', newYorkTime(date, time))

/** A Friday. */
const friday = newYorkTime('2024-01-05', '10:00')
const fridays = (...said: world.Step[]) => [
  ...ready,
  snapshot({ takenAt: new Date(friday).toISOString(), holdings: [{ instrument: SPY, quantity: '50', marketPrice: '100' }] }),
  configured({ 'strategies.trend.allocation': 1, 'strategies.trend.weekend': 'flat' }),
  booked('trend', SPY, '50'),
  ...said,
]
const fresh = { freshUntil: '2024-01-05T21:00:00.000Z', pricedAt: '2024-01-04T21:00:00.000Z' }

describe('commander: the weekend rule of a strategy', () => {
  it('counts for whatever is decided for the last session before days without one', () => {
    expect(flatAt('2024-01-05', '09:00')).to.equal(true)
    expect(flatAt('2024-01-05', '15:59')).to.equal(true)
    expect(flatAt('2024-01-05', '16:00')).to.equal(false) // what is ordered now works on Monday
    expect(flatAt('2024-01-04', '15:59')).to.equal(false)
    expect(flatAt('2024-01-04', '16:00')).to.equal(true) // what is ordered now works on Friday
    expect(flatAt('2024-01-07', '12:00')).to.equal(false)
  })

  it('counts before a holiday and on short days', () => {
    expect(flatAt('2026-11-25', '12:00')).to.equal(true) // the day before Thanksgiving
    expect(flatAt('2026-11-27', '12:59')).to.equal(true)
    expect(flatAt('2026-11-27', '13:00')).to.equal(false)
  })

  it('makes the target 0, and keeps the standing one for afterwards', () => {
    const events = given(...fridays(wants('trend', [{ instrument: SPY, quantity: '80' }], fresh))).when(deciding({}, {}, friday))
    expect(ordersOf(events)).to.deep.equal(['SPY -50'])
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '80' })
    expect(noteOf(events, 'WEEKEND_FLAT')).to.deep.include({ strategy: 'trend', conId: SPY.conId, numbers: { quantity: '80' } })
  })

  it('waits for no signal: it is an explicit wish', () => {
    const events = given(...fridays(world.failed('trend'))).when(deciding({}, {}, friday))
    expect(ordersOf(events)).to.deep.equal(['SPY -50'])
    expect(codesOf(events, 'trend')).to.deep.equal(['SIGNAL_FAILED', 'WEEKEND_FLAT'])
  })

  it('touches no book of a disabled strategy, and none of another', () => {
    const steps = fridays(configured({ 'strategies.trend.enabled': false }))
    expect(ordersOf(given(...steps).when(deciding({}, {}, friday)))).to.deep.equal([])
    const others = fridays(configured({ 'strategies.trend.weekend': 'hold' }), world.failed('trend'))
    const events = given(...others).when(deciding({}, {}, friday))
    expect(targetOf(events, 'trend', SPY)).to.include({ target: '50', difference: '0' })
    expect(decisionOf(events).strategies).to.deep.include({ strategy: 'trend', verdict: 'held', allocation: '1' })
  })
})
