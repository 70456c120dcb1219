/** Which executions a client wants to hear of. */
import type { Execution } from './book.ts'
import { ibDate, instantOfIb, newYorkClock } from './time-text.ts'

/** An empty field, and the client id 0, ask for all. */
export type ExecutionFilter = {
  clientId: string
  account: string
  time: string
  symbol: string
  secType: string
  exchange: string
  side: string
}

/** Those that midnight has not taken and that are not held back, in the order in which they happened. */
export const executionsLike = (executions: readonly Execution[], account: string, filter: ExecutionFilter): Execution[] =>
  executions.filter(
    (execution) =>
      !execution.forgotten &&
      !execution.held &&
      ['', '0', String(execution.clientId)].includes(filter.clientId) &&
      ['', account].includes(filter.account) &&
      isFrom(filter.time, execution.at) &&
      ['', execution.listing.symbol].includes(filter.symbol) &&
      ['', execution.listing.secType].includes(filter.secType) &&
      ['', 'SMART', execution.listing.primaryExchange].includes(filter.exchange) &&
      (filter.side === '' || (filter.side.toUpperCase().startsWith('B') ? 'BUY' : 'SELL') === execution.side),
  )

/** The earliest time: `yyyymmdd-hh:mm:ss` or with a space in New York, or a time that names its zone. */
const isFrom = (earliest: string, at: number): boolean => {
  if (earliest === '') return true
  const named = / [A-Za-z]/.test(earliest) ? instantOfIb(earliest) : undefined
  if (named !== undefined) return Math.floor(at / 1000) * 1000 >= named
  return `${ibDate(at)}-${newYorkClock(at)}` >= earliest.slice(0, 17).replace(' ', '-')
}
