/**
 * Rule 7: what may go out, and how? First what holds a wish back (a blocked instrument, no price, the minimum trade, a working order the
 * other way), then the type and the limit price of what goes.
 */
import type { OrderProperties } from '../commands.ts'
import { type Configuration, settingOf } from '../configuration.ts'
import { absolute, add, compare, type Decimal, decimal, downTo, isZero, larger, multiply, sign, subtract, sum, upTo } from '../decimal.ts'
import type { EventData, Note } from '../events.ts'
import { type Ledger, openOrdersIn } from '../ledger.ts'
import { remainingOf } from '../order.ts'
import type { Net } from './cross-and-net.ts'
import { totalOf, type Wish } from './difference.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

// ── What may go ──

/** A rebalance band: what is worth less stays, unless it ends a position. Without a price nothing is called small. */
export const aboveMinimum = (wishes: readonly Wish[], configuration: Configuration, market: Market): { wishes: Wish[]; notes: Note[] } => {
  const minimum = decimal(settingOf(configuration, 'orders.minimumTrade'))
  const notes: Note[] = []
  const remaining = wishes.filter((wish) => {
    const { strategy, conId } = wish
    const { exitValue } = market(conId)
    const value = exitValue === undefined ? undefined : multiply(absolute(totalOf(wish)), exitValue)
    if (wish.closes || value === undefined || compare(value, minimum) >= 0) return true
    notes.push(note('BELOW_MINIMUM', { strategy, conId, numbers: { difference: totalOf(wish), value, minimum } }))
    return false
  })
  return { wishes: remaining, notes }
}

/** Refs of our working orders that oppose the net of all wishes in an instrument. An unresolved one cannot be cancelled: nobody knows it. */
const opposing = (ledger: Readonly<Ledger>, conId: number, wanted: Decimal): string[] =>
  openOrdersIn(ledger, conId)
    .filter((order) => order.status !== 'unresolved' && !isZero(wanted) && sign(remainingOf(order)) === -sign(wanted))
    .map(({ orderRef }) => orderRef)

/** Takes out instruments in which nothing may move now. `cancels`: what has to end before it is decided again. */
export const standAside = (
  ledger: Readonly<Ledger>,
  wishes: readonly Wish[],
  market: Market,
): { wishes: Wish[]; cancels: string[]; notes: Note[] } => {
  const notes: Note[] = []
  const cancels: string[] = []
  const stopped = new Set<number>()
  const stop = (conId: number, noteOf: (wish: Wish) => Note): void => {
    stopped.add(conId)
    notes.push(...wishes.filter((wish) => wish.conId === conId).map(noteOf))
  }
  for (const conId of [...new Set(wishes.map((wish) => wish.conId))].sort((left, right) => left - right)) {
    const { blocked, exit, problem } = market(conId)
    const about = (wish: Wish) => ({ strategy: wish.strategy, conId, numbers: { difference: totalOf(wish) } })
    const refs = opposing(ledger, conId, sum(wishes.filter((wish) => wish.conId === conId).map(totalOf)))
    cancels.push(...refs)
    if (blocked !== undefined) stop(conId, (wish) => note('BLOCKED', about(wish), blocked))
    if (refs.length > 0) stop(conId, (wish) => note('CANCEL_FIRST', about(wish), refs.join(', ')))
    if (stopped.has(conId)) continue
    if (problem === 'NOT_TRADABLE') stop(conId, (wish) => note('NOT_TRADABLE', about(wish)))
    else if (exit === undefined) stop(conId, (wish) => note('PRICE_MISSING', about(wish)))
  }
  return { wishes: wishes.filter((wish) => !stopped.has(wish.conId)), cancels, notes }
}

// ── How it goes ──

export type OrderTerms = Pick<EventData<'OrderPlanned'>, 'type' | 'timeInForce' | 'outsideRegularHours' | 'referencePrice'> & {
  limitPrice?: Decimal
  algo?: NonNullable<EventData<'OrderPlanned'>['algo']>
}

/** The collar around the reference, rounded to the tick to the safer side: a buy down, a sell up; never below one tick. */
export const collarPrice = (reference: Decimal, quantity: Decimal, collar: Decimal, minTick: Decimal): Decimal => {
  const away = multiply(reference, collar)
  return larger(sign(quantity) > 0 ? downTo(add(reference, away), minTick) : upTo(subtract(reference, away), minTick), minTick)
}

/** Adaptive knows only orders for the day and in regular hours. */
const algoOf = (configuration: Configuration): OrderTerms['algo'] =>
  settingOf(configuration, 'orders.algo') === 'Adaptive'
    ? { strategy: 'Adaptive', parameters: { adaptivePriority: settingOf(configuration, 'orders.adaptivePriority') } }
    : undefined

/**
 * Type, time in force and price of an order.
 * What the request asks for changes increases only: a reduction always goes at market, for the day, in regular hours. A market order for an
 * increase gives up the collar; outside regular hours only a limit order goes.
 */
export const termsOf = (
  { conId, reduces, quantity, shares }: Net,
  configuration: Configuration,
  properties: OrderProperties,
  market: Market,
): { terms: OrderTerms; notes: Note[] } => {
  const { exit, reference, marketPrice, instrument } = market(conId)
  const collar = decimal(settingOf(configuration, 'orders.priceCollar'))
  const price = (reduces ? exit : reference)!.value
  const algo = algoOf(configuration)
  const withAlgo = algo === undefined ? {} : { algo }
  const about = { conId, numbers: { referencePrice: price, collar, shares: shares.map(({ strategy }) => strategy).join(', ') } }
  if (reduces) {
    const far = marketPrice !== undefined && compare(absolute(subtract(marketPrice, price)), multiply(price, collar)) > 0
    const notes = far ? [note('COLLAR_REDUCTION', { ...about, numbers: { ...about.numbers, marketPrice } })] : []
    return { terms: { type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false, referencePrice: price, ...withAlgo }, notes }
  }
  const { type = 'LMT', timeInForce = 'DAY', outsideRegularHours = false } = properties
  if (type === 'MKT') {
    const terms = { type, timeInForce, outsideRegularHours: false, referencePrice: price, ...(timeInForce === 'DAY' ? withAlgo : {}) }
    return { terms, notes: [note('COLLAR_OFF', about)] }
  }
  const limitPrice = collarPrice(price, quantity, collar, instrument!.minTick)
  const plain = timeInForce === 'DAY' && !outsideRegularHours
  return { terms: { type, timeInForce, outsideRegularHours, referencePrice: price, limitPrice, ...(plain ? withAlgo : {}) }, notes: [] }
}
