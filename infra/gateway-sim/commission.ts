/** What a trade costs, in the currency in which its commission is paid. */
import type { Listing } from './listing.ts'

/**
 * IB's two published schedules: `fixed` is 0.005 a share, at least 1, at most 1 % of the value; `tiered` is 0.0035 a share, at least
 * 0.35, at most 1 %, the lowest tier and IB's own part, without the fees of exchanges and clearing. The bounds hold for the whole order.
 */
const schedules = {
  fixed: { perShare: 0.005, least: 1, mostOfValue: 0.01 },
  tiered: { perShare: 0.0035, least: 0.35, mostOfValue: 0.01 },
  none: { perShare: 0, least: 0, mostOfValue: 0 },
} as const

export type Schedule = keyof typeof schedules
export const scheduleNames = Object.keys(schedules) as Schedule[]

/** Of an order that has traded so many shares for that value. */
export const orderCommission = (shares: number, value: number, schedule: Schedule = 'fixed'): number => {
  const { perShare, least, mostOfValue } = schedules[schedule]
  return Number(Math.min(Math.max(shares * perShare, least), value * mostOfValue).toFixed(8))
}

/** IB's lowest tier for futures of the US, fees included, and 0.2 basis points of a currency pair, at least 2 in the base currency. */
const perContract = 2.25
const pairs = { ofValue: 0.00002, least: 2 }

/** Of an order that has traded so many shares, contracts or units; `value` is quantity times price. */
export const commissionFor = (
  { secType, currency }: Listing,
  quantity: number,
  value: number,
  schedule: Schedule,
  rateOf: (currency: string) => number,
): number => {
  if (schedule === 'none') return 0
  if (secType === 'FUT') return Number((quantity * perContract).toFixed(8))
  if (secType === 'CASH') return Number(Math.max(pairs.least, value * rateOf(currency) * pairs.ofValue).toFixed(8))
  return orderCommission(quantity, value, schedule)
}
