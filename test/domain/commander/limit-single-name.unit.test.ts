import { expect } from 'chai'
import type { Configuration } from '../../../domain/configuration.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { deciding, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, configured, given, neutral, ready, SPY, snapshot, VIXY, wants } = world

/** Three strategies with enough money for anything, and the limits under test. */
const limits = (changes: Configuration) =>
  configured({
    ...{
      'strategies.trend.allocation': 0.5,
      'strategies.hedge.allocation': 0.25,
      'strategies.carry.allocation': 0.25,
      'exposure.overall': 1,
    },
    ...{ 'orders.minimumTrade': 0, 'limits.singleName': 4, 'limits.gross': 4 },
    ...Object.fromEntries(
      ['trend', 'hedge', 'carry'].flatMap((id) => ['gross', 'singleName'].map((name) => [`strategies.${id}.limits.${name}`, 4] as const)),
    ),
    ...changes,
  })
const quantity = (instrument: world.Traded, wanted: Decimal) => ({ instrument, quantity: wanted })
const both = (spy: Decimal, vixy: Decimal) => [quantity(SPY, spy), quantity(VIXY, vixy)]
const held = (spy: Decimal, vixy: Decimal = '0', marketPrice = '100') =>
  snapshot({
    holdings: [
      { instrument: SPY, quantity: spy, marketPrice },
      { instrument: VIXY, quantity: vixy, marketPrice },
    ],
  })

describe('commander: limit on single name', () => {
  it('of a strategy holds for each instrument by itself', () => {
    const events = given(
      ...ready,
      snapshot(),
      limits({ 'strategies.trend.limits.singleName': 0.5 }),
      wants('trend', both('400', '100')),
    ).when(deciding())
    expect(ordersOf(events)).to.have.members(['SPY 250', 'VIXY 100'])
    expect(noteOf(events, 'LIMIT_SINGLE_NAME').numbers).to.include({ wanted: '400', allowed: '250', limit: '25000' })
  })

  it('of the account looks at the net of all books', () => {
    const steps = [held('-300'), booked('hedge', SPY, '-300'), limits({ 'limits.singleName': 0.4 }), neutral('hedge')]
    const within = given(...ready, ...steps, wants('trend', [quantity(SPY, '700')])).when(deciding())
    expect(targetOf(within, 'trend', SPY).target).to.equal('700')
    const above = given(...ready, ...steps, wants('trend', [quantity(SPY, '800')])).when(deciding())
    expect(targetOf(above, 'trend', SPY).target).to.equal('700')
    expect(noteOf(above, 'LIMIT_SINGLE_NAME').numbers).to.include({ level: 'account', limit: '40000' })
  })

  it('shares the room of the account among those who add', () => {
    const steps = [wants('trend', [quantity(SPY, '600')]), wants('hedge', [quantity(SPY, '200')])]
    const events = given(...ready, snapshot(), limits({ 'limits.singleName': 0.4 }), ...steps).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'hedge', SPY).target]).to.deep.equal(['300', '100'])
  })
})
