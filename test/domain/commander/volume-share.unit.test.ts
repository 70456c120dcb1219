import { expect } from 'chai'
import type { Configuration } from '../../../domain/configuration.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, noteOf, ordersOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, wants } = world

const account = (changes: Configuration, quantity = '0') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice: '100' }] }),
  configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, ...changes }),
]
const priced = (averageVolume?: string) => [
  { conId: SPY.conId, value: '100', at: world.mondayClose, source: 'bar', ...(averageVolume === undefined ? {} : { averageVolume }) },
]
const target = (quantity: string, averageVolume?: string, strategy = 'trend') =>
  wants(strategy, [{ instrument: SPY, quantity }], { prices: priced(averageVolume) })
const tenth = { 'orders.volumeShare': 0.1 }

describe('commander: share of average volume', () => {
  it('clips an increase to its part of an average day', () => {
    const events = given(...account(tenth), target('100', '500')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 50'])
    expect(noteOf(events, 'VOLUME_SHARE').numbers).to.deep.equal({ wanted: '100', allowed: '50', averageVolume: '500', share: '0.1' })
  })

  it('counts what is still at work', () => {
    const working = world.ordered('r-1', SPY, { hedge: '30' })
    const events = given(...account(tenth), working, target('100', '500')).when(deciding({ strategies: ['trend'] }))
    expect(ordersOf(events)).to.deep.equal(['SPY 20'])
  })

  it('never clips an exit', () => {
    const events = given(...account(tenth, '100'), booked('trend', SPY, '100'), target('0', '10')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -100'])
  })

  it('says that the volume is not known, and clips nothing', () => {
    const events = given(...account(tenth), target('100')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 100'])
    expect(noteOf(events, 'VOLUME_UNKNOWN').text).to.contain('all the same')
  })

  it('stops an increase of unknown volume where the setting demands to know it, never an exit', () => {
    const required = { 'orders.volumeRequired': true }
    const events = given(...account(required), target('100')).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'VOLUME_UNKNOWN')).to.deep.include({ strategy: 'trend', numbers: { wanted: '100', allowed: '0' } })
    expect(ordersOf(given(...account(required, '9'), booked('trend', SPY, '9'), target('0')).when(deciding()))).to.deep.equal(['SPY -9'])
  })

  it('takes the volume from whichever fresh signal knows it', () => {
    const events = given(...account(tenth), target('0', '200', 'hedge'), target('100')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 20'])
    expect(codesOf(events)).not.to.include('VOLUME_UNKNOWN')
  })
})
