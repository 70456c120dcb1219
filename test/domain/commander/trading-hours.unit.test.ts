import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import * as world from '../../given.ts'
import { deciding, noteOf, ordersOf } from './decision.ts'

const { booked, configured, dataOf, given, ready, SPY, snapshot, wants } = world
const tuesdayAt = (time: string) => newYorkTime('2024-01-09', time)
const decidedAt = (time: string, type: 'MOC' | 'LOC' | 'LMT', quantity: string, timeInForce: 'DAY' | 'OPG' = 'DAY') =>
  given(
    ...ready,
    snapshot({ takenAt: new Date(tuesdayAt(time)).toISOString(), holdings: [{ instrument: SPY, quantity: '50', marketPrice: '100' }] }),
    configured({ 'strategies.trend.allocation': 1 }),
    booked('trend', SPY, '50'),
    wants('trend', [{ instrument: SPY, quantity }], { freshUntil: '2024-01-10T21:00:00.000Z' }),
  ).when(deciding({ orderProperties: { type, timeInForce } }, {}, tuesdayAt(time)))

describe('commander: trading hours', () => {
  it('let an order for the closing auction go until ten minutes before the close', () => {
    const events = decidedAt('15:50', 'MOC', '80')
    expect(ordersOf(events)).to.deep.equal(['SPY 30'])
    expect(dataOf(events, 'OrderPlanned')[0]).to.include({ type: 'MOC', inForceUntil: world.tuesdayClose })
    expect(dataOf(events, 'OrderPlanned')[0]).not.to.have.property('limitPrice')
  })

  it('hold it back after that, with the time until which it could have gone', () => {
    const events = decidedAt('15:51', 'LOC', '80')
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'TRADING_HOURS').numbers).to.include({ auction: 'close', latest: '2024-01-09T20:50:00.000Z' })
  })

  it('let it go again for the next day once the market has closed (an order at the boundary was rejected)', () => {
    expect(dataOf(decidedAt('16:00', 'LOC', '80'), 'OrderPlanned')[0]).to.include({ type: 'LOC', inForceUntil: '2024-01-10T21:00:00.000Z' })
  })

  it('hold an order for the opening auction back from two minutes before the open until the close', () => {
    expect(ordersOf(decidedAt('09:28', 'LMT', '80', 'OPG'))).to.deep.equal(['SPY 30'])
    for (const time of ['09:29', '12:00', '15:59']) expect(ordersOf(decidedAt(time, 'LMT', '80', 'OPG')), time).to.deep.equal([])
    expect(ordersOf(decidedAt('17:00', 'LMT', '80', 'OPG'))).to.deep.equal(['SPY 30'])
  })

  it('are those of the instrument: a future that closes an hour later takes the order an hour longer, and works it until then', () => {
    const until = (time: string) => ({ open: `2024-01-${time}T14:30:00.000Z`, close: `2024-01-${time}T22:00:00.000Z` })
    const days = [until('09'), until('10')]
    const future = { ...SPY, conId: 495512563, symbol: 'ES', secType: 'FUT', exchange: 'CME', multiplier: '50' }
    const hours = { from: '2024-01-09', until: '2024-01-10', regular: days, extended: days }
    const ordered = (time: string, type: 'MOC' | 'LMT') =>
      given(
        ...ready,
        world.resolved({ ...future, hours } as world.Traded),
        snapshot({ takenAt: new Date(tuesdayAt(time)).toISOString(), netLiquidation: '9000000' }),
        configured({ 'strategies.trend.allocation': 1 }),
        wants('trend', [{ instrument: future, quantity: '2' }], { freshUntil: '2024-01-10T21:00:00.000Z' }),
      ).when(deciding({ orderProperties: { type } }, {}, tuesdayAt(time)))
    expect(dataOf(ordered('16:30', 'MOC'), 'OrderPlanned')[0]).to.include({ symbol: 'ES', inForceUntil: '2024-01-09T22:00:00.000Z' })
    expect(noteOf(ordered('16:51', 'MOC'), 'TRADING_HOURS').numbers).to.include({ latest: '2024-01-09T21:50:00.000Z' })
    expect(dataOf(ordered('16:51', 'LMT'), 'OrderPlanned')[0]).to.include({ inForceUntil: '2024-01-09T22:00:00.000Z' })
    expect(dataOf(ordered('17:00', 'LMT'), 'OrderPlanned')[0]).to.include({ inForceUntil: '2024-01-10T22:00:00.000Z' })
  })

  it('never hold back an exit, nor what waits for the open at the broker', () => {
    expect(ordersOf(decidedAt('15:59', 'MOC', '0'))).to.deep.equal(['SPY -50'])
    expect(ordersOf(decidedAt('20:30', 'LMT', '80'))).to.deep.equal(['SPY 30'])
  })
})
