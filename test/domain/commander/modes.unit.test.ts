import { expect } from 'chai'
import fc from 'fast-check'
import { canonical } from '../../../domain/commit.ts'
import * as world from '../../given.ts'
import { continued, dataOf, given, together } from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf, standingOf } from './decision.ts'
import { arbitraryWorld, stepsOf } from './world.arbitrary.ts'

const { booked, configured, ready, SPY, snapshot, VIXY, wants } = world

const account = (trend: string, quantity = '0') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice: '100' }] }),
  configured({
    ...{ 'exposure.overall': 1, 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5 },
    'strategies.trend.mode': trend,
  }),
]
const target = (quantity: string, strategy = 'trend') => wants(strategy, [{ instrument: SPY, quantity }])

describe('commander: how far a strategy goes', () => {
  it('dry: nothing is decided about it, its book is held', () => {
    const events = given(...account('dry', '30'), booked('trend', SPY, '30'), target('90')).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(codesOf(events, 'trend')).to.deep.equal(['STRATEGY_DRY'])
    expect(decisionOf(events).strategies).to.deep.include({ strategy: 'trend', verdict: 'held', allocation: '0.5' })
  })

  it('shadow: every rule judges it, its line stands in the decision, and nothing is sent', () => {
    const limits = configured({ 'strategies.trend.limits.gross': 0.1 })
    const events = given(...account('shadow'), limits, target('90'), target('20', 'hedge')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 20'])
    const decision = decisionOf(events)
    expect(decision.strategies).to.deep.include({ strategy: 'trend', verdict: 'shadow', allocation: '0.5' })
    expect(decision.targets.map(({ strategy }) => strategy)).to.deep.equal(['hedge'])
    const [shadow] = decision.shadows!
    expect(shadow!.targets).to.deep.equal([
      { conId: SPY.conId, symbol: 'SPY', wanted: '90', target: '50', book: '0', inFlight: '0', difference: '50' },
    ])
    expect(shadow!.orders).to.deep.equal([
      { conId: SPY.conId, symbol: 'SPY', quantity: '50', type: 'LMT', reduces: false, referencePrice: '100', limitPrice: '105' },
    ])
    expect(shadow!.notes.map(({ code }) => code)).to.deep.equal(['LIMIT_GROSS'])
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '90' })
  })

  it('shadow: crosses nothing with a live one', () => {
    const events = given(...account('shadow'), target('-40'), target('40', 'hedge')).when(deciding())
    expect(dataOf(events, 'PositionsCrossed')).to.deep.equal([])
    expect(ordersOf(events)).to.deep.equal(['SPY 40'])
  })

  it('shadow: says no price for a live one', () => {
    const said = [target('10'), world.stands('hedge', [{ instrument: SPY, quantity: '10' }], '0.5'), world.neutral('hedge', [VIXY])]
    const events = given(...account('shadow'), ...said).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'PRICE_MISSING')).to.include({ strategy: 'hedge' })
  })

  it('shadow: its book still counts for the limits of all', () => {
    const steps = [...account('shadow', '600'), booked('trend', SPY, '600'), target('0'), target('500', 'hedge')]
    const events = given(...steps).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 300']) // 0.9 of 100 000 in one name
    expect(decisionOf(events).shadows![0]!.orders).to.deep.include({
      ...{ conId: SPY.conId, symbol: 'SPY', quantity: '-100', type: 'MKT', reduces: true, referencePrice: '100' },
    })
  })

  it('shadow: goes live with the target it last set', () => {
    const { ledger } = given(...account('shadow'), target('50'))
    const live = continued(ledger, together(...deciding()(ledger)), configured({ 'strategies.trend.mode': 'live' }))
    expect(ordersOf(deciding({}, { step: 'second' })(live))).to.deep.equal(['SPY 50'])
  })

  it('the live ones come out as if no shadow were there, whatever the account', () => {
    fc.assert(
      fc.property(arbitraryWorld, (drawn) => {
        const nobody = { ...drawn, standing: [null, drawn.standing[1], drawn.standing[2]] as typeof drawn.standing }
        const silent = { ...nobody, words: [{ kind: 'silent' }, drawn.words[1], drawn.words[2]] as typeof drawn.words }
        const without = given(...stepsOf(silent)).when(deciding())
        const beside = given(...stepsOf(drawn), configured({ 'strategies.carry.mode': 'shadow' })).when(deciding())
        const seen = (events: typeof without) => {
          const { targets, orders, cancels, notes } = decisionOf(events)
          const others = <T extends { strategy?: string }>(lines: readonly T[]) => lines.filter(({ strategy }) => strategy !== 'carry')
          const planned = dataOf(events, 'OrderPlanned')
          return canonical([others(targets), orders, cancels, others(notes), planned, dataOf(events, 'PositionsCrossed')])
        }
        expect(seen(beside)).to.equal(seen(without))
      }),
      { numRuns: 200 },
    )
  })
})
