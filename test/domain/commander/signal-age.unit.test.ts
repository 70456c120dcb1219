import { expect } from 'chai'
import { isFreshSignal } from '../../../domain/commander/signal-age.ts'
import * as world from '../../given.ts'
import { deciding, decisionOf, now } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, wants } = world

const holdsSpy = snapshot({ holdings: [{ instrument: SPY, quantity: '80', marketPrice: '100' }] })
const allocated = configured({ 'strategies.trend.allocation': 1 })
const holding = [...ready, holdsSpy, allocated, booked('trend', SPY, '80')]
const verdictOf = (events: ReturnType<ReturnType<typeof deciding>>, strategy = 'trend') =>
  decisionOf(events).strategies.find((judged) => judged.strategy === strategy)?.verdict

describe('commander: the age of a signal', () => {
  it('counts a signal until just before freshUntil', () => {
    const fresh = wants('trend', [{ instrument: SPY, weight: '0' }], { freshUntil: new Date(now + 1).toISOString() })
    expect(verdictOf(given(...holding, fresh).when(deciding()))).to.equal('targets')
    expect(verdictOf(given(...holding, fresh).when(deciding({}, {}, now + 1)))).to.equal('held')
  })

  it('counts none whose time cannot be read', () => {
    expect(isFreshSignal({ freshUntil: 'soon' }, now)).to.equal(false)
  })
})
