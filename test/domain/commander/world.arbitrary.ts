/** Random accounts for the properties: three strategies in two or three instruments, with books, orders, blocks and limits of all kinds. */
import fc from 'fast-check'
import { type Decimal, sum } from '../../../domain/decimal.ts'
import { type DomainEvent, event } from '../../../domain/events.ts'
import * as world from '../../given.ts'

const { SPY, VIXY } = world
export const FUTURE: world.Traded = {
  ...SPY,
  conId: 495512557,
  symbol: 'ES',
  secType: 'FUT',
  currency: 'EUR',
  multiplier: '5',
  minTick: '0.25',
}
export const instruments = [SPY, VIXY, FUTURE] as const
export const strategies = ['carry', 'hedge', 'trend'] as const

const whole = (most: number) => fc.integer({ min: -most, max: most }).map(String)
const price = fc.integer({ min: 50_00, max: 150_00 }).map((cents) => String(cents / 100))
const chance = (percent: number) => fc.integer({ min: 1, max: 100 }).map((drawn) => drawn <= percent)
const each = <T>(arbitrary: fc.Arbitrary<T>) => fc.tuple(arbitrary, arbitrary, arbitrary)

const target = fc.oneof(
  fc.record({ weight: fc.integer({ min: -150, max: 150 }).map((percent) => String(percent / 100)) }),
  fc.record({ quantity: whole(900) }),
)

const word = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('targets' as const), targets: each(fc.option(target, { freq: 4 })) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('neutral' as const, 'failed' as const, 'stale' as const, 'silent' as const) }),
  },
)

const limit = fc.constantFrom(0, 0.1, 0.3, 0.5, 1, 4)
const configuration = fc.record({
  'exposure.overall': fc.constantFrom(0, 0.5, 0.9, 2),
  'limits.gross': limit,
  'limits.net': fc.constantFrom(0.1, 0.5, 4, 4),
  'limits.singleName': limit,
  'limits.positions': fc.constantFrom(0, 1, 2, 20),
  'orders.maximumNotional': fc.constantFrom(4000, 1_000_000, 1_000_000),
  'orders.minimumTrade': fc.constantFrom(0, 100, 5000),
  'strategies.trend.allocation': fc.constantFrom(0, 0.2, 0.5),
  'strategies.hedge.allocation': fc.constantFrom(0.1, 0.3),
  'strategies.carry.allocation': fc.constantFrom(0.1, 0.2),
  'strategies.trend.limits.gross': limit,
  'strategies.trend.limits.singleName': limit,
  'strategies.hedge.limits.net': fc.constantFrom(0.2, 4, 4),
  'strategies.hedge.limits.positions': fc.constantFrom(0, 1, 20),
  'strategies.carry.enabled': chance(80),
})

export const arbitraryWorld = fc.record({
  configuration,
  prices: each(price),
  /** The market as a factor of the reference, in percent. */
  market: fc.constantFrom(100, 100, 97, 108),
  books: each(each(fc.option(whole(300), { nil: '0' }))),
  standing: each(fc.option(each(whole(300)), { freq: 2 })),
  orders: fc.array(fc.record({ instrument: fc.nat(2), shares: each(fc.nat(80)), short: fc.boolean() }), { maxLength: 2 }),
  words: each(word),
  blocked: each(chance(10)),
})
export type World = typeof arbitraryWorld extends fc.Arbitrary<infer W> ? W : never

const timesMarket = (value: Decimal, percent: number): Decimal => String(Math.round(Number(value) * percent) / 100)

const wordOf = (strategy: string, said: World['words'][number], prices: World['prices']): DomainEvent[] => {
  const priced = instruments.map(({ conId }, index) => ({ conId, value: prices[index]!, at: world.mondayClose, source: 'bar' }))
  if (said.kind === 'targets') {
    const targets = said.targets.flatMap((wanted, index) => (wanted === null ? [] : [{ instrument: instruments[index]!, ...wanted }]))
    return [world.wants(strategy, targets, { prices: priced })]
  }
  if (said.kind === 'silent') return []
  if (said.kind === 'failed') return [world.failed(strategy)]
  if (said.kind === 'neutral') return [world.neutral(strategy, [], { prices: priced })]
  return [world.neutral(strategy, [], { prices: priced, freshUntil: world.mondayClose })]
}

/** The steps of a random account; `given` folds them. */
export const stepsOf = ({ configuration, prices, market, books, standing, orders, words, blocked }: World): world.Step[] => {
  const holdings = instruments.map((instrument, index) => ({
    instrument,
    quantity: sum(books.map((book) => book[index]!)),
    marketPrice: timesMarket(prices[index]!, market),
  }))
  return [
    ...world.ready,
    world.resolved(FUTURE),
    world.configured(configuration),
    world.snapshot({ holdings, exchangeRates: { USD: '1', EUR: '1.1' } }),
    ...strategies.flatMap((strategy, who) => [
      ...instruments.flatMap((instrument, index) =>
        books[who]![index] === '0' ? [] : [world.booked(strategy, instrument, books[who]![index]!)],
      ),
      ...(standing[who] === null
        ? []
        : [
            world.stands(
              strategy,
              instruments.map((instrument, index) => ({ instrument, quantity: standing[who]![index]! })),
              '0.1',
            ),
          ]),
      ...wordOf(strategy, words[who]!, prices),
    ]),
    ...orders.flatMap(({ instrument, shares, short }, number) => {
      const parts = strategies.flatMap((strategy, who) =>
        shares[who] === 0 ? [] : [[strategy, `${short ? '-' : ''}${shares[who]}`] as const],
      )
      return parts.length === 0
        ? []
        : [world.ordered(`r-${number}`, instruments[instrument]!, Object.fromEntries(parts), { orderId: number + 1 })]
    }),
    ...instruments.flatMap(({ conId, symbol }, index) =>
      blocked[index] ? [event('DiscrepancyFound', { conId, symbol, kind: 'position', quantity: '1', text: 'one too many' })] : [],
    ),
  ]
}
