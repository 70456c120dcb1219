/** Prices as they change, and as they are now. */
import { add, type Decimal, divide, sign } from '../../domain/decimal.ts'
import type { BrokerQuote } from '../../domain/ports/broker.ts'
import { isoTime } from '../../domain/ports/clock.ts'

/** One price of a contract as it changed. `delayed`: by a quarter of an hour, where real-time data is not subscribed. */
export type Quote = { field: 'bid' | 'ask' | 'last' | 'close'; price: Decimal; delayed: boolean }
/** What follows is how the market stood when it closed. */
export type Frozen = 'frozen'

/** IB's numbers of price ticks; from 66 on the delayed ones. */
const fields: Readonly<Record<number, Pick<Quote, 'field' | 'delayed'>>> = {
  ...{ 1: { field: 'bid', delayed: false }, 2: { field: 'ask', delayed: false } },
  ...{ 4: { field: 'last', delayed: false }, 9: { field: 'close', delayed: false } },
  ...{ 66: { field: 'bid', delayed: true }, 67: { field: 'ask', delayed: true } },
  ...{ 68: { field: 'last', delayed: true }, 75: { field: 'close', delayed: true } },
}

/** @returns undefined for a tick of something else, and where there is no price: none at all, or 0 of a halted market */
export const quoteOf = (field: number, price: Decimal | undefined): Quote | undefined => {
  const known = fields[field]
  return known === undefined || price === undefined || sign(price) <= 0 ? undefined : { ...known, price }
}

// ── As they are now ──

/** Of IB's market data types: delayed quotes where real-time ones are not subscribed, and marked as such, instead of none. */
export const liveOrDelayed = 3
const [frozenType, delayedFrozenType] = [2, 4]
export const isFrozen = (type: number): boolean => type === frozenType || type === delayedFrozenType

const quarterOfAnHour = 15 * 60_000

/** What was traded last, else the middle of bid and ask; yesterday's close is no price of now. @param now market time of the answer */
export const priceOf = (ticks: readonly (Quote | Frozen)[], conId: number, now: number): BrokerQuote | undefined => {
  if (ticks.includes('frozen')) return undefined
  const quotes = ticks.flatMap((tick) => (tick === 'frozen' ? [] : [tick]))
  const latest = (field: Quote['field']) => quotes.findLast((quote) => quote.field === field)
  const [bid, ask, last] = [latest('bid'), latest('ask'), latest('last')]
  const of = (price: Decimal, delayed: boolean): BrokerQuote => ({
    ...{ conId, price, delayed },
    at: isoTime(delayed ? now - quarterOfAnHour : now),
  })
  if (last !== undefined) return of(last.price, last.delayed)
  if (bid === undefined || ask === undefined) return undefined
  return of(divide(add(bid.price, ask.price), '2'), bid.delayed || ask.delayed)
}
