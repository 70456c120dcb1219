import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import { closedWindow } from '../../../domain/commander/trading-window.ts'
import * as world from '../../given.ts'
import { deciding, noteOf, ordersOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, VIXY, wants } = world
const closedAt = (time: string, window: string) =>
  closedWindow({ 'strategies.trend.window': window }, 'trend', newYorkTime('2024-01-09', time))

describe('commander: the time window of a strategy', () => {
  it('is open from its beginning until just before its end, in New York', () => {
    expect(closedAt('09:59', '10:00-15:30')).to.equal('10:00-15:30')
    expect(closedAt('10:00', '10:00-15:30')).to.equal(undefined)
    expect(closedAt('15:29', '10:00-15:30')).to.equal(undefined)
    expect(closedAt('15:30', '10:00-15:30')).to.equal('10:00-15:30')
  })

  it('may go over midnight, and is always open where none is set', () => {
    expect([closedAt('23:00', '22:00-02:00'), closedAt('01:59', '22:00-02:00')]).to.deep.equal([undefined, undefined])
    expect(closedAt('12:00', '22:00-02:00')).to.equal('22:00-02:00')
    expect([closedAt('12:00', ''), closedAt('12:00', '09:30-09:30')]).to.deep.equal([undefined, undefined])
  })

  it('stops what increases while it is closed, and lets every exit go', () => {
    const events = given(
      ...ready,
      snapshot({ holdings: [{ instrument: SPY, quantity: '50', marketPrice: '100' }] }),
      configured({ 'strategies.trend.allocation': 1, 'strategies.trend.window': '11:00-16:00' }),
      booked('trend', SPY, '50'),
      wants('trend', [
        { instrument: SPY, quantity: '20' },
        { instrument: VIXY, quantity: '40' },
      ]),
    ).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -30'])
    expect(noteOf(events, 'OUTSIDE_WINDOW')).to.deep.include({
      ...{ strategy: 'trend', conId: VIXY.conId },
      numbers: { wanted: '40', allowed: '0', window: '11:00-16:00' },
    })
  })
})
