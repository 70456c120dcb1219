/** What a trade of US stocks costs, in US dollars. */

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
