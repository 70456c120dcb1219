/**
 * Conditions of an order: on time, a price, its change since yesterday, the day's volume, the account's margin, or a trade in
 * something. They are joined from the first to the last, each to the next by "and" or "or". Pure: what the client gave and a world to ask.
 */

import { isSet, type Values } from './field-layout.ts'
import { comingSession, type Market, openSession } from './market.ts'
import { invalid, type Rejection } from './rejections.ts'
import { instantOfIb } from './time-text.ts'
import type { Listing, Universe } from './universe.ts'

export type Condition = { or: boolean } & (
  | { kind: 'time'; after: boolean; at: number }
  | { kind: 'price' | 'change' | 'volume'; above: boolean; value: number; symbol: string }
  | { kind: 'margin'; above: boolean; value: number }
  | { kind: 'execution'; symbol: string; secType: string }
)

export type Conditions = {
  all: readonly Condition[]
  /** They end the order instead of letting it work. */
  cancel: boolean
  /** They are judged outside the session too. */
  always: boolean
}

export type World = {
  market: Market
  /** Excess liquidity in percent of net liquidation. */
  cushion: () => number
  /** Since the order was placed. */
  executions: readonly { listing: Listing }[]
}

export const readConditions = (
  rows: readonly Values[],
  { ignoreRth, cancel }: { ignoreRth: boolean; cancel: boolean },
  universe: Universe,
): Conditions | Rejection | undefined => {
  if (rows.length === 0) return undefined
  const all = rows.map((row) => readCondition(row, universe))
  const wrong = all.find((condition) => 'code' in condition)
  return wrong && 'code' in wrong ? wrong : { all: all as Condition[], cancel, always: ignoreRth }
}

const onMarket = { '1': 'price', '6': 'volume', '7': 'change' } as const

const readCondition = (row: Values, universe: Universe): Condition | Rejection => {
  const field = (name: string): string => String(row[name] ?? '')
  const or = field('conjunction').toLowerCase() === 'o'
  const [above, value, type] = [isSet(field('isMore')), Number(field('value') || Number.NaN), field('type')]
  if (type === '3') {
    const at = instantOfIb(field('value'))
    return at === undefined ? invalid(`the condition's time "${field('value')}" is none`) : { or, kind: 'time', after: above, at }
  }
  if (type === '5') return { or, kind: 'execution', symbol: field('symbol'), secType: field('secType') }
  if (Number.isNaN(value)) return invalid(`the condition's value "${field('value')}" is no number`)
  if (type === '4') return { or, kind: 'margin', above, value }
  if (!Object.hasOwn(onMarket, type)) return invalid(`a condition of type "${type}" is not known`)
  const listing = universe.listings.find(({ conId }) => String(conId) === field('conId'))
  if (!listing) return invalid(`the condition's contract ${field('conId')} is not known`)
  return { or, kind: onMarket[type as keyof typeof onMarket], above, value, symbol: listing.series }
}

/** Whether all that must hold does so at `now`. */
export const areMet = ({ all, always }: Conditions, world: World, now: number): boolean => {
  if (!always && !openSession(now)) return false
  const [first, ...others] = all
  return others.reduce(
    (met, condition, place) => (all[place]!.or ? met || holds(condition, world, now) : met && holds(condition, world, now)),
    holds(first!, world, now),
  )
}

const holds = (condition: Condition, world: World, now: number): boolean => {
  switch (condition.kind) {
    case 'time':
      return condition.after ? now >= condition.at : now < condition.at
    case 'margin':
      return condition.above ? world.cushion() >= condition.value : world.cushion() <= condition.value
    case 'execution':
      return world.executions.some(
        ({ listing }) => listing.symbol === condition.symbol && ['', listing.secType].includes(condition.secType),
      )
    case 'volume': {
      const volume = world.market.volume(condition.symbol, now)
      return condition.above ? volume >= condition.value : volume <= condition.value
    }
    default: {
      const [price, level] = [world.market.price(condition.symbol, now), levelOf(condition, world.market, now)]
      if (price === undefined || level === undefined) return false
      return touchAt(condition, world.market, now)?.at === now || (condition.above ? price >= level : price <= level)
    }
  }
}

type OnPrice = Extract<Condition, { kind: 'price' | 'change' | 'volume' }>

/** The price at which it begins to hold; a change counts from yesterday's close, in percent. */
const levelOf = ({ kind, value, symbol }: OnPrice, market: Market, now: number): number | undefined => {
  if (kind === 'price') return value
  const before = market.previousClose(symbol, comingSession(now).open)
  return before === undefined ? undefined : before * (1 + value / 100)
}

const touchAt = (condition: OnPrice, market: Market, from: number) => {
  const level = levelOf(condition, market, from)
  return level === undefined
    ? undefined
    : market.touch(condition.symbol, comingSession(from), from, condition.above ? 'SELL' : 'BUY', level)
}

/** The next moment after `now` at which one that does not hold may come to; margins and trades are looked at whenever something happens. */
export const nextJudgement = (conditions: Conditions, world: World, now: number): number | undefined => {
  const moments = conditions.all
    .filter((condition) => !holds(condition, world, now))
    .map((condition) => momentOf(condition, world.market, now))
  const later = [...moments, comingSession(now).open].filter((at) => at !== undefined && at > now) as number[]
  return later.length === 0 ? undefined : Math.min(...later)
}

const momentOf = (condition: Condition, market: Market, now: number): number | undefined => {
  if (condition.kind === 'time') return condition.at
  if (condition.kind === 'volume') return market.volumeReached(condition.symbol, comingSession(now), condition.value)
  return condition.kind === 'price' || condition.kind === 'change' ? touchAt(condition, market, now + 1)?.at : undefined
}
