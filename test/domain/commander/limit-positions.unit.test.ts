import { expect } from 'chai'
import type { Configuration } from '../../../domain/configuration.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { deciding, noteOf, ordersOf } from './decision.ts'

const { booked, configured, given, ready, SPY, snapshot, VIXY, wants } = world

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

describe('commander: limit on number of positions', () => {
  it('lets in the largest of the new ones', () => {
    const events = given(...ready, snapshot(), limits({ 'strategies.trend.limits.positions': 1 }), wants('trend', both('100', '200'))).when(
      deciding(),
    )
    expect(ordersOf(events)).to.deep.equal(['VIXY 200'])
    expect(noteOf(events, 'LIMIT_POSITIONS').numbers).to.include({ wanted: '100', allowed: '0', limit: '1' })
  })

  it('counts what is held first, and lets that grow', () => {
    const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
    const events = given(...ready, ...steps, wants('trend', both('50', '200'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 40'])
  })

  it('gives the place of one that is closed to a new one', () => {
    const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
    const events = given(...ready, ...steps, wants('trend', both('0', '200'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -10', 'VIXY 200'])
  })
})
