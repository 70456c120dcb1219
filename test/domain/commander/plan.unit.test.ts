import { expect } from 'chai'
import { inForceUntil, orderRefOf } from '../../../domain/commander/plan.ts'
import { sha256 } from '../../../domain/commit.ts'
import * as world from '../../given.ts'
import { deciding } from './decision.ts'

const { configured, connected, dataOf, given, ordered, ready, SPY, snapshot, VIXY, wants } = world

const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]
const both = wants('trend', [
  { instrument: SPY, quantity: '10' },
  { instrument: VIXY, quantity: '20' },
])
const day = { type: 'LMT', timeInForce: 'DAY', outsideRegularHours: false, referencePrice: '100' } as const
const until = (time: string, more: { timeInForce?: 'GTC'; outsideRegularHours?: boolean } = {}) =>
  inForceUntil({ ...day, ...more }, Date.parse(time))

describe('commander: plan', () => {
  it('names orders by journal, step and leg, in at most 24 characters', () => {
    const { ledger } = given(...account, both)
    const refs = dataOf(deciding({}, { step: 'job@2024-01-09:allocation' })(ledger), 'OrderPlanned').map(({ orderRef }) => orderRef)
    const stem = `${ledger.prefix}-${sha256('job@2024-01-09:allocation').slice(0, 12)}`
    expect(refs).to.deep.equal([`${stem}-1`, `${stem}-2`])
    expect(orderRefOf('abcdef', 'x'.repeat(96), 9999)).to.have.length(24)
  })

  it('carries all that the order desk needs', () => {
    const [order] = dataOf(given(...account, both).when(deciding({}, { decision: 'orchestrator-7' })), 'OrderPlanned')
    expect(order).to.include({ conId: VIXY.conId, symbol: 'VIXY', secType: 'STK', exchange: 'SMART', currency: 'USD', sizeStep: '1' })
    expect(order).to.include({ account: 'DU1234567', decision: 'orchestrator-7', inForceUntil: world.tuesdayClose })
  })

  it('counts order ids on from the highest of ours and the broker’s, also when the broker’s goes back', () => {
    const idsAfter = (...steps: world.Step[]) =>
      dataOf(given(...account, ...steps, both).when(deciding()), 'OrderPlanned').map(({ orderId }) => orderId)
    expect(idsAfter(connected(40))).to.deep.equal([40, 41])
    expect(idsAfter(connected(40), ordered('r-1', SPY, { hedge: '5' }, { orderId: 45 }), connected(38))).to.deep.equal([46, 47])
  })

  it('is in force for the day until the close of the session in which it works', () => {
    expect(until('2024-01-09T15:00:00Z')).to.equal('2024-01-09T21:00:00.000Z') // open
    expect(until('2024-01-09T12:00:00Z')).to.equal('2024-01-09T21:00:00.000Z') // before the open
    expect(until('2024-01-09T21:00:00Z')).to.equal('2024-01-10T21:00:00.000Z') // at the close
    expect(until('2024-01-12T22:00:00Z')).to.equal('2024-01-16T21:00:00.000Z') // Friday evening before a holiday
    expect(until('2024-07-03T14:00:00Z')).to.equal('2024-07-03T17:00:00.000Z') // closes early
  })

  it('is in force until the evening when it works outside regular hours', () => {
    expect(until('2024-01-09T22:00:00Z', { outsideRegularHours: true })).to.equal('2024-01-10T01:00:00.000Z')
    expect(until('2024-01-10T01:00:00Z', { outsideRegularHours: true })).to.equal('2024-01-11T01:00:00.000Z')
  })

  it('is in force 90 days and to the end of that session when it is good till cancelled', () => {
    expect(until('2024-01-09T15:00:00Z', { timeInForce: 'GTC' })).to.equal('2024-04-08T20:00:00.000Z')
    expect(until('2024-01-05T15:00:00Z', { timeInForce: 'GTC' })).to.equal('2024-04-04T20:00:00.000Z')
    expect(until('2024-01-07T15:00:00Z', { timeInForce: 'GTC' })).to.equal('2024-04-08T20:00:00.000Z') // a Saturday
  })
})
