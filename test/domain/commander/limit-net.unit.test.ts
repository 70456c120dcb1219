import { expect } from 'chai'
import fc from 'fast-check'
import type { Configuration } from '../../../domain/configuration.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, targetOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, VIXY, wants } = world

const ids = ['trend', 'hedge', 'carry'] as const
const account = (changes: Configuration, holdings: { instrument: world.Traded; quantity: Decimal }[] = []) => [
  ...ready,
  snapshot({ holdings: holdings.map((holding) => ({ ...holding, marketPrice: '100' })) }),
  configured({
    ...{ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.25, 'strategies.carry.allocation': 0.25 },
    ...{ 'exposure.overall': 1, 'orders.minimumTrade': 0, 'limits.singleName': 4, 'limits.gross': 4 },
    ...Object.fromEntries(ids.flatMap((id) => ['gross', 'singleName'].map((name) => [`strategies.${id}.limits.${name}`, 4] as const))),
    ...changes,
  }),
]
const both = (spy: Decimal, vixy: Decimal) => [
  { instrument: SPY, quantity: spy },
  { instrument: VIXY, quantity: vixy },
]

describe('commander: net exposure', () => {
  it('of a strategy scales what makes it larger, and leaves the other side', () => {
    const events = given(...account({ 'strategies.trend.limits.net': 0.2 }), wants('trend', both('400', '-200'))).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', VIXY).target]).to.deep.equal(['300', '-200'])
    expect(noteOf(events, 'LIMIT_NET').numbers).to.deep.equal({
      ...{ wanted: '400', allowed: '300', level: 'strategy', limit: '10000', held: '0' },
    })
  })

  it('lets a pair go that is neutral, however large', () => {
    const events = given(...account({ 'strategies.trend.limits.net': 0 }), wants('trend', both('400', '-400'))).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', VIXY).target]).to.deep.equal(['400', '-400'])
    expect(codesOf(events)).not.to.include('LIMIT_NET')
  })

  it('of the account looks at all books, each way', () => {
    const held = [...account({ 'limits.net': 0.5 }, [{ instrument: VIXY, quantity: '-300' }]), booked('hedge', VIXY, '-300')]
    const long = given(...held, wants('trend', both('900', '0'))).when(deciding({ strategies: ['trend'] }))
    expect(targetOf(long, 'trend', SPY).target).to.equal('800')
    const short = given(...held, wants('trend', both('-900', '0'))).when(deciding({ strategies: ['trend'] }))
    expect(targetOf(short, 'trend', SPY).target).to.equal('-200')
    expect(noteOf(short, 'LIMIT_NET').numbers).to.include({ level: 'account', limit: '50000', held: '30000' })
  })

  it('never stops an exit, though what is left is too much', () => {
    const steps = [...account({ 'limits.net': 0 }, both('400', '-100')), booked('trend', SPY, '400'), booked('hedge', VIXY, '-100')]
    const events = given(...steps, wants('trend', [{ instrument: SPY, quantity: '300' }]), wants('hedge', both('0', '0'))).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'hedge', VIXY).target]).to.deep.equal(['300', '0'])
  })

  it('counts no hedge that another limit took away', () => {
    const limits = { 'strategies.trend.limits.net': 0.2, 'limits.positions': 1 }
    const events = given(...account(limits), wants('trend', both('400', '-350'))).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', VIXY).target]).to.deep.equal(['100', '0'])
  })

  it('holds for every strategy and for the account at once, whatever is wanted', () => {
    const quantity = fc.integer({ min: -400, max: 400 }).map(String)
    const wanted = fc.record({
      trend: fc.tuple(quantity, quantity),
      hedge: fc.tuple(quantity, quantity),
      carry: fc.tuple(quantity, quantity),
    })
    const limits = fc.record({
      'limits.net': fc.constantFrom(0, 0.1, 0.3),
      'limits.singleName': fc.constantFrom(0.2, 4),
      'limits.gross': fc.constantFrom(0.5, 4),
      'strategies.trend.limits.net': fc.constantFrom(0, 0.2, 4),
      'strategies.hedge.limits.net': fc.constantFrom(0.1, 4),
    })
    fc.assert(
      fc.property(wanted, limits, (all, configuration) => {
        const events = given(...account(configuration), ...ids.map((id) => wants(id, both(...all[id])))).when(deciding())
        const { targets } = decisionOf(events)
        const netOf = (lines: typeof targets) => Math.abs(lines.reduce((total, { target }) => total + Number(target) * 100, 0))
        expect(netOf(targets)).to.be.at.most(100_000 * configuration['limits.net'])
        for (const [id, capital] of [['trend', 50_000] as const, ['hedge', 25_000] as const]) {
          const own = targets.filter(({ strategy }) => strategy === id)
          expect(netOf(own)).to.be.at.most(capital * configuration[`strategies.${id}.limits.net`])
        }
        for (const instrument of [SPY, VIXY])
          expect(netOf(targets.filter(({ conId }) => conId === instrument.conId))).to.be.at.most(
            100_000 * configuration['limits.singleName'],
          )
      }),
      { numRuns: 200 },
    )
  })
})
