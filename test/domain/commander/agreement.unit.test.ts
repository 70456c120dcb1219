import { expect } from 'chai'
import { agreementOf } from '../../../domain/commander/agreement.ts'

import type { Ledger } from '../../../domain/ledger.ts'
import * as world from '../../given.ts'
import { deciding, decisionOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, wants } = world

const account = (changes = {}, holding = '30') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity: holding, marketPrice: '100' }] }),
  configured({ 'exposure.overall': 1, 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, ...changes }),
]
const agreed = (ledger: Ledger, request = {}) => agreementOf(ledger, decisionOf(deciding(request)(ledger)), 'allocation-1')
const half = wants('trend', [{ instrument: SPY, weight: '0.5' }])

describe('strategies and commander', () => {
  it('agree when no rule stands between them', () => {
    const { ledger } = given(...account(), booked('trend', SPY, '30'), half)
    expect(agreed(ledger)).to.deep.equal([
      { strategy: 'trend', conId: SPY.conId, symbol: 'SPY', proposed: '220', decided: '220', inFlight: '0', agree: true, why: [] },
    ])
  })

  it('agree on what is on its way already', () => {
    const working = world.ordered('r-1', SPY, { trend: '220' })
    const { ledger } = given(...account(), booked('trend', SPY, '30'), half, working)
    expect(agreed(ledger)[0]).to.deep.include({ proposed: '220', decided: '0', inFlight: '220', agree: true })
  })

  it('differ by a limit, which is named with its numbers', () => {
    const { ledger } = given(...account({ 'strategies.trend.limits.singleName': 0.2 }), booked('trend', SPY, '30'), half)
    const [line] = agreed(ledger)
    expect(line).to.include({ proposed: '220', decided: '70', agree: false })
    expect(line!.why).to.have.length(1)
    expect(line!.why[0]).to.contain('LIMIT_SINGLE_NAME').and.to.contain('"allowed":"100"')
  })

  it('differ when the signal is no longer fresh: the book is held', () => {
    const stale = wants('trend', [{ instrument: SPY, weight: '0.5' }], { freshUntil: world.mondayClose })
    const [line] = agreed(given(...account(), booked('trend', SPY, '30'), stale).ledger)
    expect(line).to.include({ proposed: '220', decided: '0', agree: false })
    expect(line!.why.join()).to.contain('SIGNAL_STALE')
  })

  it('differ when it was sized by another price than its own', () => {
    const newer = wants('hedge', [{ instrument: SPY, quantity: '0' }], { price: '125', pricedAt: world.tuesday })
    const [line] = agreed(given(...account(), booked('trend', SPY, '30'), half, newer).ledger).filter(
      ({ strategy }) => strategy === 'trend',
    )
    expect(line).to.include({ proposed: '220', decided: '170', agree: false })
    expect(line!.why[0]).to.contain('another price')
  })

  it('show a strategy in the shadow too', () => {
    const { ledger } = given(...account({ 'strategies.trend.mode': 'shadow' }), booked('trend', SPY, '30'), half)
    expect(agreed(ledger)[0]).to.deep.include({ strategy: 'trend', proposed: '220', decided: '220', agree: true })
  })

  it('have nothing to say where nobody spoke and nothing is held', () => {
    expect(agreed(given(...account()).ledger)).to.deep.equal([])
  })
})
