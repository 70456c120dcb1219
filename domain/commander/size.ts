/**
 * Rule 3: how much is that? A signal is sized once, with the money and the price of that moment: its standing targets.
 * Later decisions pursue these quantities and never size again, so that a price that moves is no reason to trade.
 */
import { absolute, add, compare, type Decimal, isZero, larger, multiply, proportion, sum } from '../decimal.ts'
import type { EventData, Note } from '../events.ts'
import { isBeforeCorporateAction, type Ledger, openOrdersIn, type StandingTarget } from '../ledger.ts'
import { inFlightOf } from '../order.ts'
import type { Market } from './market.ts'
import type { Grounds } from './may-we.ts'
import { type NoteCode, note } from './notes.ts'
import { hasStakes, type Verdict } from './signals.ts'

/** One strategy in one instrument. `wanted` is the target before limits. A held line stays as it is, whatever is in flight. */
export type Line = {
  strategy: string
  conId: number
  symbol: string
  weight?: Decimal
  book: Decimal
  inFlight: Decimal
  wanted: Decimal
  target: Decimal
  held: boolean
}

export type Sized = { lines: Line[]; standing: EventData<'StandingTargetsSet'>[]; notes: Note[] }

type SignalTarget = EventData<'SignalGenerated'>['targets'][number]

const bookOf = (ledger: Readonly<Ledger>, strategy: string, conId: number): Decimal => ledger.books[strategy]?.[conId] ?? '0'

const inFlightIn = (ledger: Readonly<Ledger>, strategy: string, conId: number): Decimal =>
  sum(openOrdersIn(ledger, conId).map((order) => inFlightOf(order, strategy)))

/** Instruments in which the strategy holds, waits, or has a target; in a fixed order. */
const instrumentsOf = (ledger: Readonly<Ledger>, strategy: string, targets: readonly number[]): number[] => {
  const waiting = Object.values(ledger.orders).flatMap((order) => (isZero(inFlightOf(order, strategy)) ? [] : [order.conId]))
  const held = Object.keys(ledger.books[strategy] ?? {}).map(Number)
  return [...new Set([...held, ...waiting, ...targets])].sort((left, right) => left - right)
}

/** The quantity a target stands for, or the reason why it cannot be told. A target of 0 needs neither price nor rate. */
const quantityOf = (target: SignalTarget, capital: Decimal, weights: Decimal, factor: Decimal, market: Market): Decimal | NoteCode => {
  if (isZero(factor)) return '0'
  if (target.quantity !== undefined) return target.quantity
  const weight = target.weight ?? '0'
  if (isZero(weight)) return '0'
  const { instrument, unitValue, problem } = market(target.conId)
  if (problem !== undefined || instrument === undefined || unitValue === undefined) return problem ?? 'PRICE_MISSING'
  return proportion(capital, weight, multiply(weights, unitValue), instrument.sizeStep)
}

const isCode = (answer: Decimal | NoteCode): answer is NoteCode => /^[A-Z]/.test(answer)

/** The lines of one strategy. */
const sizeStrategy = (ledger: Readonly<Ledger>, verdict: Verdict, { netLiquidation }: Grounds, market: Market): Sized => {
  const { strategy, factor, allocation } = verdict
  const notes: Note[] = []
  const sizedNow = new Map<number, Decimal>()
  const unsized = new Set<number>()
  const before = ledger.standing[strategy] ?? {}
  const targets = verdict.verdict === 'targets' ? verdict.signal.targets : []
  const recordedOnly = isZero(factor) && !hasStakes(ledger, strategy)

  if (verdict.verdict === 'targets') {
    const { signal } = verdict
    const weights = sum(targets.map(({ weight }) => absolute(weight ?? '0')))
    const capital = multiply(netLiquidation, factor)
    if (recordedOnly) notes.push(note('NOT_ALLOCATED', { strategy, numbers: { allocation } }))
    if (compare(weights, '1') > 0) notes.push(note('WEIGHTS_SCALED', { strategy, numbers: { weights } }))
    for (const target of recordedOnly ? [] : targets) {
      const { conId } = target
      if (before[conId]?.signal === signal.position) continue
      const outdated = isBeforeCorporateAction(ledger, signal, conId) && !isZero(target.quantity ?? target.weight ?? '0') && !isZero(factor)
      const quantity = outdated ? 'CORPORATE_ACTION_SINCE' : quantityOf(target, capital, larger(weights, '1'), factor, market)
      if (isCode(quantity)) {
        unsized.add(conId)
        notes.push(note(quantity, { strategy, conId }))
      } else sizedNow.set(conId, quantity)
    }
  }

  const standingOf = (conId: number): StandingTarget | undefined => {
    const quantity = sizedNow.get(conId)
    return quantity === undefined || verdict.verdict !== 'targets' ? before[conId] : { quantity, signal: verdict.signal.position, factor }
  }

  /** The standing target as far as exposure × allocation still carries it. */
  const pursued = (conId: number, { quantity, factor: then }: StandingTarget, atStake: boolean): Decimal => {
    if (isZero(factor)) {
      if (atStake || !isZero(before[conId]?.quantity ?? '0'))
        notes.push(note('ALLOCATION_ZERO', { strategy, conId, numbers: { quantity, before: then } }))
      return '0'
    }
    if (isZero(quantity) || compare(factor, then) >= 0) return quantity
    notes.push(note('EXPOSURE_REDUCED', { strategy, conId, numbers: { quantity, before: then, now: factor } }))
    return proportion(quantity, factor, then, market(conId).instrument?.sizeStep ?? '1')
  }

  const pursues = verdict.verdict === 'targets' || verdict.verdict === 'standing'
  /** The book closes now, and the standing target is pursued again when the days without a session are over. */
  const flattened = (conId: number, quantity: Decimal, atStake: boolean): Decimal => {
    if (atStake || !isZero(quantity)) notes.push(note('WEEKEND_FLAT', { strategy, conId, numbers: { quantity } }))
    return '0'
  }
  const wantedIn = (conId: number, book: Decimal, inFlight: Decimal, standing: StandingTarget | undefined): Decimal => {
    const atStake = !isZero(add(book, inFlight))
    if (verdict.flat) return flattened(conId, standing?.quantity ?? '0', atStake)
    return standing === undefined ? book : pursued(conId, standing, atStake)
  }

  const named = pursues ? [...Object.keys(before).map(Number), ...targets.map(({ conId }) => conId)] : []
  const lines = instrumentsOf(ledger, strategy, named).map((conId): Line => {
    const book = bookOf(ledger, strategy, conId)
    const inFlight = inFlightIn(ledger, strategy, conId)
    const weight = targets.find((target) => target.conId === conId)?.weight
    const standing = pursues && !unsized.has(conId) && !recordedOnly ? standingOf(conId) : undefined
    const wanted = wantedIn(conId, book, inFlight, standing)
    const { symbol } = market(conId)
    return {
      ...{ strategy, conId, symbol, ...(weight === undefined ? {} : { weight }) },
      ...{ book, inFlight, wanted, target: wanted, held: standing === undefined && !verdict.flat },
    }
  })
  const set = targets.flatMap(({ conId, symbol }) => (sizedNow.has(conId) ? [{ conId, symbol, quantity: sizedNow.get(conId)! }] : []))
  const standing =
    verdict.verdict !== 'targets' || set.length === 0 ? [] : [{ strategy, signal: verdict.signal.position, factor, targets: set }]
  return { lines, standing, notes }
}

export const size = (ledger: Readonly<Ledger>, verdicts: readonly Verdict[], grounds: Grounds, market: Market): Sized => {
  const each = verdicts.map((verdict) => sizeStrategy(ledger, verdict, grounds, market))
  return {
    lines: each.flatMap(({ lines }) => lines),
    standing: each.flatMap(({ standing }) => standing),
    notes: each.flatMap(({ notes }) => notes),
  }
}
