/**
 * IB's rules for historical data, for everyone together: at most 60 requests in ten minutes, fewer than six of the same contract and kind within
 * two seconds, nothing identical within fifteen, at most 50 open; bid and ask in one request count twice. Broken, they cost an error 162 and, in
 * the end, the connection. Source: IB's page on pacing violations.
 */
import type { HistoryRequest } from '../../domain/ports/broker.ts'

/** When a request went out, in market time. */
export type Past = { at: number; key: string; series: string; weight: number }

const inTenMinutes = 60
/** What goes back before now is a collection: a signal, which asks until now, must not have to wait for it. */
const leftForNow = 15
const tenMinutes = 600_000
const ofOneSeries = 5
const twoSeconds = 2_000
export const identicalFor = 15_000
export const openAtOnce = 50

/** Equal for requests that ask for the same. */
export const keyOf = ({ contract, size, duration, whatToShow, regularHoursOnly, end = '' }: HistoryRequest): string =>
  JSON.stringify([contract.conId, contract.symbol, contract.secType, contract.exchange, size, duration, whatToShow, regularHoursOnly, end])

/** Equal for requests that count together in two seconds: contract, exchange and what is shown. */
const seriesOf = ({ contract, whatToShow }: HistoryRequest): string => JSON.stringify([contract.conId, contract.exchange, whatToShow])

export const pastOf = (request: HistoryRequest, at: number): Past => ({
  at,
  key: keyOf(request),
  series: seriesOf(request),
  weight: request.whatToShow.toUpperCase() === 'BID_ASK' ? 2 : 1,
})

/** What can still hold a request back. */
export const stillCounts = (past: readonly Past[], now: number): Past[] => past.filter(({ at }) => now - at < tenMinutes)

/** The time from which a window of `length` that ends then holds at most `room`. `past` is in the order of time. */
const freeAt = (past: readonly Past[], now: number, length: number, room: number): number => {
  const inside = past.filter(({ at }) => now - at < length)
  let sum = inside.reduce((total, { weight }) => total + weight, 0)
  for (const { at, weight } of inside) {
    if (sum <= room) break
    sum -= weight
    if (sum <= room) return at + length
  }
  return now
}

/** The earliest market time, `now` or later, at which the request may go. */
export const earliest = (past: readonly Past[], request: HistoryRequest, now: number): number => {
  const { key, series, weight } = pastOf(request, now)
  const identical = past.findLast((one) => one.key === key && now - one.at < identicalFor)
  const sameSeries = past.filter((one) => one.series === series)
  return Math.max(
    identical === undefined ? now : identical.at + identicalFor,
    freeAt(past, now, tenMinutes, inTenMinutes - (request.end === undefined ? 0 : leftForNow) - weight),
    freeAt(sameSeries, now, twoSeconds, ofOneSeries - weight),
  )
}
