/** What drawdowns are measured by: one value over time, and those of the account and its books. In base currency. */
import type { Decimal } from '../decimal.ts'

export type Mark = { value: Decimal; at: string }

/** `first`: of the trading day; null until the day has shown a value that is known. */
export type Track = { first: Mark | null; peak: Mark; latest: Mark }

/** `day`: the session that the day belongs to (what comes on days without one counts to the next), and its end, New York midnight, ISO. */
export type Performance = {
  currency: string
  day: { session: string; until: string }
  netLiquidation: Track
  /** By strategy: realised and unrealised profit less commissions, in base currency. */
  books: Record<string, Track>
}
