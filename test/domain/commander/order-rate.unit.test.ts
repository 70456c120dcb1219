import { expect } from 'chai'
import type { Configuration } from '../../../domain/configuration.ts'
import * as world from '../../given.ts'
import { deciding, noteOf, now, ordersOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, VIXY, wants } = world

const account = (changes: Configuration, spy = '0') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity: spy, marketPrice: '100' }] }),
  configured({ 'strategies.trend.allocation': 1, ...changes }),
]
const both = (spy: string, vixy: string) =>
  wants('trend', [
    { instrument: SPY, quantity: spy },
    { instrument: VIXY, quantity: vixy },
  ])
/** An order of earlier, planned and ended so many seconds ago. */
const earlier = (seconds: number, ref: string) => [
  world.at(new Date(now - seconds * 1000).toISOString()),
  world.ordered(ref, SPY, { trend: '1' }),
  world.closed(ref, 'cancelled'),
]

describe('commander: order rate', () => {
  it('lets so many orders of a minute go, and the increase that is one too many waits', () => {
    const events = given(...earlier(20, 'r-1'), ...account({ 'orders.perMinute': 2 }), both('50', '40')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['VIXY 40'])
    expect(noteOf(events, 'ORDER_RATE')).to.deep.include({
      ...{ strategy: 'trend', conId: SPY.conId },
      numbers: { wanted: '50', allowed: '0', thisMinute: '2', perMinute: '2', today: '2', perDay: '1000' },
    })
  })

  it('forgets what is a minute old', () => {
    const events = given(...earlier(60, 'r-1'), ...account({ 'orders.perMinute': 1 }), both('50', '0')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 50'])
  })

  it('counts a day of New York', () => {
    const today = [...earlier(9 * 3600, 'r-1'), ...account({ 'orders.perDay': 1 })]
    expect(ordersOf(given(...today, both('50', '0')).when(deciding()))).to.deep.equal([])
    const yesterday = [...earlier(10 * 3600 + 1, 'r-1'), ...account({ 'orders.perDay': 1 })]
    expect(ordersOf(given(...yesterday, both('50', '0')).when(deciding()))).to.deep.equal(['SPY 50'])
  })

  it('counts reductions and lets all of them go', () => {
    const steps = [...account({ 'orders.perMinute': 1 }, '30'), booked('trend', SPY, '30'), both('0', '40')]
    expect(ordersOf(given(...steps).when(deciding()))).to.deep.equal(['SPY -30'])
    const none = [...account({ 'orders.perMinute': 0, 'orders.perDay': 0 }, '30'), booked('trend', SPY, '30'), both('0', '40')]
    expect(ordersOf(given(...none).when(deciding()))).to.deep.equal(['SPY -30'])
  })
})
