/** Accounts and wishes that the tests of several rules begin with. */
import type { Configuration } from '../../../domain/configuration.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import { configured, ready, SPY, snapshot, type Traded, VIXY, wants } from '../../given.ts'

/** Holds so much of SPY, at a reference of 100; two strategies have half of the money each. */
export const account = (quantity = '0', changes: Configuration = {}, marketPrice = '100') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice }] }),
  configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, ...changes }),
]
export const target = (quantity: string, strategy = 'trend') => wants(strategy, [{ instrument: SPY, quantity }])

/** Three strategies with enough money for anything, and the limits under test. */
export const limits = (changes: Configuration) =>
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
export const quantity = (instrument: Traded, wanted: Decimal) => ({ instrument, quantity: wanted })
export const both = (spy: Decimal, vixy: Decimal) => [quantity(SPY, spy), quantity(VIXY, vixy)]
export const held = (spy: Decimal, vixy: Decimal = '0', marketPrice = '100') =>
  snapshot({
    holdings: [
      { instrument: SPY, quantity: spy, marketPrice },
      { instrument: VIXY, quantity: vixy, marketPrice },
    ],
  })
