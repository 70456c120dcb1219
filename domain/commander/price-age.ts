/** The age of the price: nothing is sized, and nothing increases, by one that more than one whole session has closed since. */
import { latestClosedSession, previousSession } from '../calendar.ts'

/** Epoch milliseconds: the close of the session before the latest closed one. What is from before it is stale. */
export const oldestUsablePrice = (now: number): number => previousSession(latestClosedSession(now).date).close
