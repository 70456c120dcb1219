/** The orders of a decision as they are planned: our name for each, an order id, and until when it is in force. */
import { addDays, newYorkDate, newYorkTime, nextSession, type Session, sessionOn } from '../calendar.ts'
import { sha256 } from '../commit.ts'
import type { EventData } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import type { Net } from './cross-and-net.ts'
import type { Market } from './market.ts'
import type { OrderTerms } from './order-terms.ts'
import type { AllocationFacts } from './request.ts'

/** A Good-Till-Cancel order is judged for so many days; by then it has been decided anew. */
const daysOfGoodTillCancelled = 90

const sessionFrom = (date: string): Session => sessionOn(date) ?? nextSession(date)

/** Orders that trade before and after the session end at 20:00 New York time. */
const endOfDay = (session: Session, outsideRegularHours: boolean): number =>
  outsideRegularHours ? newYorkTime(session.date, '20:00') : session.close

/**
 * ISO time after which the broker no longer works the order: for the day the end of the session in which it will work, the present one or
 * else the next; good till cancelled that of the first session after 90 days.
 */
export const inForceUntil = ({ timeInForce, outsideRegularHours }: OrderTerms, now: number): string => {
  const today = newYorkDate(now)
  if (timeInForce === 'GTC')
    return new Date(endOfDay(sessionFrom(addDays(today, daysOfGoodTillCancelled)), outsideRegularHours)).toISOString()
  const first = sessionFrom(today)
  const end = endOfDay(first, outsideRegularHours)
  return new Date(now < end ? end : endOfDay(nextSession(first.date), outsideRegularHours)).toISOString()
}

/** At most 24 characters: 6 of the journal, 12 of the step, the leg. */
export const orderRefOf = (prefix: string, step: string, leg: number): string => `${prefix}-${sha256(step).slice(0, 12)}-${leg}`

/** The broker's next valid id may go back after its restart; ours never do. */
export const firstOrderId = ({ nextValidId, highestOrderId }: Readonly<Ledger>): number => Math.max(nextValidId - 1, highestOrderId) + 1

export const plan = (
  ledger: Readonly<Ledger>,
  orders: readonly { net: Net; terms: OrderTerms }[],
  market: Market,
  { decision, step }: AllocationFacts,
  now: number,
): EventData<'OrderPlanned'>[] =>
  orders.map(({ net: { conId, quantity, reduces, shares }, terms }, index) => {
    const { instrument } = market(conId)
    const { symbol, secType, exchange, currency, sizeStep } = instrument!
    return {
      orderRef: orderRefOf(ledger.prefix!, step, index + 1),
      orderId: firstOrderId(ledger) + index,
      account: ledger.account!,
      ...{ conId, symbol, secType, exchange, currency, sizeStep },
      ...{ quantity, reduces, shares },
      ...terms,
      inForceUntil: inForceUntil(terms, now),
      decision,
    }
  })
