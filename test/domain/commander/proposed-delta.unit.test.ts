import { expect } from 'chai'
import { proposedDelta } from '../../../domain/commander/proposed-delta.ts'
import * as world from '../../given.ts'
import { deciding } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, VIXY, wants } = world

const account = (changes = {}, holding = '30') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity: holding, marketPrice: '100' }] }),
  configured({ 'exposure.overall': 1, 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, ...changes }),
]
const half = wants('trend', [{ instrument: SPY, weight: '0.5' }])

describe("a strategy's own difference", () => {
  it('is its target, sized with the account of now, less its book', () => {
    const { ledger } = given(...account(), booked('trend', SPY, '30'), half)
    expect(proposedDelta(ledger, ledger.signals['trend']!)).to.deep.equal([
      { conId: SPY.conId, symbol: 'SPY', target: '250', holding: '30', delta: '220' },
    ])
  })

  it('is the standing target less its book once it was sized, and on a neutral day', () => {
    const stood = world.stands('trend', [{ instrument: VIXY, quantity: '12' }], '0.5')
    const { ledger } = given(...account(), stood, world.neutral('trend'))
    expect(proposedDelta(ledger, ledger.signals['trend']!)).to.deep.equal([
      { conId: VIXY.conId, symbol: 'VIXY', target: '12', holding: '0', delta: '12' },
    ])
    const sized = world.continued(given(...account(), half).ledger)
    const later = world.continued(sized, world.together(...deciding()(sized)), snapshot({ netLiquidation: '50000' }))
    expect(proposedDelta(later, later.signals['trend']!)[0]).to.include({ target: '250' })
  })

  it('is not known where the target cannot be sized', () => {
    const { ledger } = given(...ready, half)
    expect(proposedDelta(ledger, ledger.signals['trend']!)[0]).to.include({ target: null, holding: '0', delta: null })
  })
})
