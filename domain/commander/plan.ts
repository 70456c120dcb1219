/** The orders of a decision as they are planned: our name for each, an order id, and until when it is in force. */
import { addDays, newYorkDate, newYorkTime } from '../calendar.ts'
import { sha256 } from '../commit.ts'
import { settingOf } from '../configuration.ts'
import type { EventData } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import { comingDay, type TradingHours } from '../trading-days.ts'
import type { Net } from './cross-and-net.ts'
import type { Market } from './market.ts'
import type { OrderTerms } from './order-terms.ts'
import type { AllocationFacts } from './request.ts'

/** A Good-Till-Cancel order is judged for so many days; by then it has been decided anew. */
const daysOfGoodTillCancelled = 90

/**
 * ISO time after which the broker no longer works the order: for the day the end of the trading day in which it will work, the present one or
 * else the next (from `goodAfter` on); good till a date the end of that; good till cancelled that of the first trading day after 90 days.
 * @param hours of the instrument
 */
export const inForceUntil = (
  { timeInForce, outsideRegularHours, goodAfter, goodTill }: OrderTerms,
  decided: number,
  hours?: TradingHours,
): string => {
  if (goodTill !== undefined) return goodTill
  const now = goodAfter === undefined ? decided : Math.max(decided, Date.parse(goodAfter))
  const begins = timeInForce === 'GTC' ? newYorkTime(addDays(newYorkDate(now), daysOfGoodTillCancelled), '00:00') : now
  return new Date(comingDay(hours, begins, outsideRegularHours ? 'extended' : 'regular').close).toISOString()
}

/** At most 24 characters: 6 of the journal, 12 of the step, the leg. */
export const orderRefOf = (prefix: string, step: string, leg: number): string => `${prefix}-${sha256(step).slice(0, 12)}-${leg}`

/** The broker's next valid id may go back after its restart; ours never do. */
export const firstOrderId = ({ nextValidId, highestOrderId }: Readonly<Ledger>): number => Math.max(nextValidId - 1, highestOrderId) + 1

/** Whether the broker is asked what an increase would take, before it goes out. */
const asksFirst = ({ configuration, mode }: Readonly<Ledger>): boolean => {
  const when = settingOf(configuration, 'orders.whatIf')
  return when === 'always' || (when === 'live' && mode === 'live')
}

/** A preview uses up an order id of its own, right under that of its order. */
export const plan = (
  ledger: Readonly<Ledger>,
  orders: readonly { net: Net; terms: OrderTerms }[],
  market: Market,
  { decision, step }: AllocationFacts,
  now: number,
): EventData<'OrderPlanned'>[] => {
  let nextId = firstOrderId(ledger)
  const takeId = (): number => {
    nextId += 1
    return nextId - 1
  }
  const previews = asksFirst(ledger)
  return orders.map(({ net: { conId, quantity, reduces, shares }, terms }, index) => {
    const { instrument } = market(conId)
    const { symbol, secType, exchange, currency, sizeStep } = instrument!
    const preview = previews && !reduces ? { previewId: takeId() } : {}
    return {
      orderRef: orderRefOf(ledger.prefix!, step, index + 1),
      orderId: takeId(),
      account: ledger.account!,
      ...{ conId, symbol, secType, exchange, currency, sizeStep },
      ...{ quantity, reduces, shares },
      ...terms,
      ...preview,
      inForceUntil: inForceUntil(terms, now, instrument!.hours),
      decision,
    }
  })
}
