/**
 * How net liquidation and each book went since the trading day began and since their best: what drawdowns are measured by.
 * Net liquidation cannot tell a deposit from a gain nor a withdrawal from a loss; after one, the peak is set anew by `risk-check`.
 */

import { profitOf } from '../books/profit.ts'
import { newYorkDate, newYorkMidnightAfter, nextSession, sessionOn } from '../calendar.ts'
import { add, compare, type Decimal, subtract } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import type { Mark, Performance, Track } from './track.ts'

const dayOf = (at: string): Performance['day'] => {
  const date = newYorkDate(Date.parse(at))
  const session = sessionOn(date) ?? nextSession(date)
  return { session: session.date, until: new Date(newYorkMidnightAfter(session.open)).toISOString() }
}

/** Marks are copied: two places of the state that share one would part in a snapshot of it. */
const followed = (before: Track | undefined, latest: Mark, begins: boolean): Track => {
  const peak = before === undefined || compare(latest.value, before.peak.value) > 0 ? { ...latest } : before.peak
  return { first: begins || !before?.first ? { ...latest } : before.first, peak, latest }
}

/** What a book has made; undefined while a part of it is not known. A commission that has not come yet hides nothing else. */
const madeBy = (ledger: Readonly<Ledger>, strategy: string): Decimal | undefined => {
  const { realized, unrealized, commissions, unknown } = profitOf(ledger, strategy)
  return unknown.some(({ what }) => what !== 'commission') ? undefined : subtract(add(realized, unrealized), commissions)
}

/** A book that nobody has seen before stood at 0 until now. */
const unseen = (at: string): Track => {
  const zero = (): Mark => ({ value: '0', at })
  return { first: zero(), peak: zero(), latest: zero() }
}

/** After the ledger's newest snapshot; the same where that says no net liquidation, which is unknown and not zero. */
export const performanceAfter = (ledger: Readonly<Ledger>): Performance | null => {
  const { snapshot } = ledger
  const before = ledger.performance
  if (snapshot?.netLiquidation === undefined || snapshot.baseCurrency === undefined) return before
  const { takenAt: at, netLiquidation, baseCurrency: currency } = snapshot
  const known = before?.currency === currency ? before : null
  const begins = known === null || at >= known.day.until
  const tracked = followed(known?.netLiquidation, { value: netLiquidation, at }, begins)
  const books: Performance['books'] = {}
  for (const strategy of new Set([...Object.keys(known?.books ?? {}), ...Object.keys(ledger.books)])) {
    const earlier = known?.books[strategy] ?? (known === null ? undefined : unseen(tracked.first!.at))
    const made = madeBy(ledger, strategy)
    if (made !== undefined) books[strategy] = followed(earlier, { value: made, at }, begins)
    else if (earlier !== undefined) books[strategy] = begins ? { ...earlier, first: null } : earlier
  }
  return { currency, day: begins ? dayOf(at) : known.day, netLiquidation: tracked, books }
}

/** A person says that what went away was no loss: the best is what is now. */
export const withPeaksReset = (performance: Performance): Performance => ({
  ...performance,
  netLiquidation: { ...performance.netLiquidation, peak: { ...performance.netLiquidation.latest } },
  books: Object.fromEntries(
    Object.entries(performance.books).map(([strategy, track]) => [strategy, { ...track, peak: { ...track.latest } }]),
  ),
})
