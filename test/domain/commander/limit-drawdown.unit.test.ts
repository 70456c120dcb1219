import { expect } from 'chai'
import { allocate } from '../../../domain/commander/commander.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import {
  accepted,
  booked,
  closed,
  configured,
  dataOf,
  facts,
  filled,
  given,
  ordered,
  ready,
  request,
  SPY,
  type Step,
  snapshot,
  tuesday,
  VIXY,
  wants,
} from '../../given.ts'

const money = configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5 })
const morning = '2024-01-09T14:45:00.000Z'
const deciding = (ledger: Ledger) => accepted(allocate(ledger, request(), facts(), Date.parse(tuesday)))
const ordersAfter = (...steps: Step[]) => {
  const events = given(ready, money, steps).when(deciding)
  const orders = dataOf(events, 'OrderPlanned').map(({ symbol, quantity }) => `${symbol} ${quantity}`)
  const notes = dataOf(events, 'AllocationDecided')[0]!.notes.flatMap(({ code, strategy }) => (code === 'LIMIT_DRAWDOWN' ? [strategy] : []))
  return { orders, notes }
}
const wish = [wants('trend', [{ instrument: SPY, quantity: '100' }]), wants('hedge', [{ instrument: VIXY, quantity: '20' }])]
const lost = (netLiquidation: string) => [snapshot({ takenAt: morning }), snapshot({ netLiquidation })]

describe('commander: drawdown', () => {
  it('stops every increase while the account has lost more than is allowed', () => {
    expect(ordersAfter(lost('96000'), wish)).to.deep.equal({ orders: ['VIXY 20', 'SPY 100'], notes: [] })
    expect(ordersAfter(lost('94000'), wish)).to.deep.equal({ orders: [], notes: ['hedge', 'trend'] })
  })

  it('never stops an exit, and stops only what goes beyond it', () => {
    const holdings = [{ instrument: SPY, quantity: '40', marketPrice: '100' }]
    const held = [booked('trend', SPY, '40'), snapshot({ takenAt: morning, holdings }), snapshot({ netLiquidation: '94000', holdings })]
    expect(ordersAfter(held, wants('trend', [{ instrument: SPY, quantity: '0' }])).orders).to.deep.equal(['SPY -40'])
    expect(ordersAfter(held, wants('trend', [{ instrument: SPY, quantity: '-60' }])).orders).to.deep.equal(['SPY -40'])
  })

  it('stops a strategy that lost its own money, and leaves the others alone', () => {
    const holdings = (marketPrice: string) => [{ instrument: SPY, quantity: '100', marketPrice }]
    const bought = [
      ordered('r-1', SPY, { trend: '100' }),
      filled('r-1', SPY, 'e1.01', { trend: '100' }, '100'),
      closed('r-1', 'filled', '100'),
    ]
    const limits = configured({ 'strategies.trend.risk.dailyDrawdown': 0.01 })
    const fell = [snapshot({ takenAt: morning, holdings: holdings('100') }), snapshot({ holdings: holdings('90') })]
    const more = [wants('trend', [{ instrument: SPY, quantity: '150' }]), wants('hedge', [{ instrument: VIXY, quantity: '20' }])]
    expect(ordersAfter(bought, fell, more).notes, 'within its usual limit').to.deep.equal([])
    expect(ordersAfter(bought, limits, fell, more)).to.deep.equal({ orders: ['VIXY 20'], notes: ['trend'] })
  })

  it('lets go when the day is another, or when the limit is raised', () => {
    expect(ordersAfter(lost('94000'), configured({ 'risk.dailyDrawdown': 0.1 }), wish).notes).to.deep.equal([])
    const yesterday = [snapshot({ takenAt: '2024-01-08T15:00:00.000Z' }), snapshot({ netLiquidation: '94000' })]
    expect(ordersAfter(yesterday, wish).notes).to.deep.equal([])
  })
})
