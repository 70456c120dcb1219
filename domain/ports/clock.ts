/**
 * Two clocks. Market time (`now`, `at`) counts for decisions, validity, freshness, schedules, waits, back-off and pacing; it may be simulated.
 * Machine time (`monotonic`, `after`) counts for the lease, socket deadlines, heartbeats and ack deadlines; it never is, outside `test/world/`.
 */
export interface Clock {
  /** Market time in epoch milliseconds. */
  now(): number
  /** Runs at or after the market time. Returns the way to call it off. */
  at(time: number, run: () => void): () => void
  /** Machine time in milliseconds since some fixed moment. */
  monotonic(): number
  /** Runs after so many milliseconds of machine time. Returns the way to call it off. */
  after(milliseconds: number, run: () => void): () => void
}

export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString()
/** @throws RangeError when the text is not a time */
export const fromIso = (text: string): number => {
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) throw new RangeError(`"${text}" is not an ISO time`)
  return milliseconds
}
