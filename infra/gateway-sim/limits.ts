/**
 * IB's limits, for one client: 50 messages a second, the pacing of historical requests and how many may be open, lines of market data. Not
 * kept unless armed; a number of a subscription that is in use is always refused.
 * Source: IB's pages "Pacing Limitations" and "Historical Data Limitations".
 */
import type { Misbehaviour } from './misbehaviour.ts'
import type { Rejection } from './rejections.ts'
import type { Request } from './requests.ts'

/** `breach`: too many messages; the connection ends with the last warning. */
export type Limits = {
  message: () => { warning: string; ends: boolean } | undefined
  /** Before anything else becomes of the request. `updated`: the client's bars that are kept up to date. */
  room: (request: Request, updated: ReadonlyMap<number, unknown>) => Rejection | undefined
  /** The request waits for its answer, perhaps for ever. */
  waits: (request: Request) => void
  /** As the request is answered. `lines`: the client's subscriptions to market data, by the number of the request. */
  request: (request: Request, lines: ReadonlyMap<number, unknown>) => Rejection | undefined
}

type Asked = { at: number; what: string; series: string; weight: number }

const second = 1000
const tenMinutes = 600_000

const pacingViolation = (what: string): Rejection => ({
  code: 162,
  text: `Historical Market Data Service error message:Historical data request pacing violation: ${what}`,
})

const duplicateTicker: Rejection = { code: 322, text: "Error processing request.-'bU' : cause - Duplicate ticker ID for API" }
const noMoreHistories = (most: number): Rejection => ({
  code: 322,
  text: `Error processing request.-'bT' : cause - Only ${most} simultaneous API historical data requests allowed.`,
})
const noMoreLines: Rejection = { code: 101, text: 'Max number of tickers has been reached' }

export const createLimits = (
  armed: Pick<Misbehaviour, 'messageLimit' | 'historyLimits' | 'openHistories' | 'marketDataLines'>,
  machineNow: () => number,
  marketNow: () => number,
): Limits => {
  let sent: number[] = []
  let warnings = 0
  let asked: Asked[] = []
  /** Historical requests without an answer. */
  const unanswered = new Set<number>()

  const message: Limits['message'] = () => {
    if (!armed.messageLimit) return undefined
    const { perSecond, clock } = armed.messageLimit
    const now = clock === 'machine' ? machineNow() : marketNow()
    sent = [...sent.filter((at) => now - at < second), now]
    if (sent.length <= perSecond) return undefined
    const count = sent.length
    sent = []
    warnings += 1
    const warning = `Max rate of messages per second has been exceeded:max=${perSecond} rec=${count} (${warnings})`
    return { warning, ends: warnings >= armed.messageLimit.warnings }
  }

  /** Those that break a rule count as well. */
  const historical = ({ contract, history }: Extract<Request, { kind: 'reqHistoricalData' }>): Rejection | undefined => {
    const now = marketNow()
    const series = JSON.stringify([contract, history.whatToShow])
    const what = JSON.stringify([series, history])
    asked = asked.filter(({ at }) => now - at < tenMinutes)
    const identical = asked.some((other) => other.what === what && now - other.at < 15 * second)
    const weight = history.whatToShow === 'BID_ASK' ? 2 : 1
    const together = (others: readonly Asked[]): number => others.reduce((sum, other) => sum + other.weight, weight)
    const ofSeries = together(asked.filter((other) => other.series === series && now - other.at < 2 * second))
    const ofAll = together(asked)
    asked.push({ at: now, what, series, weight })
    if (identical) return pacingViolation('the same request within 15 seconds')
    if (ofSeries > 5) return pacingViolation('six of the same contract and kind within two seconds')
    return ofAll > 60 ? pacingViolation('more than 60 in ten minutes') : undefined
  }

  return {
    message,
    room: (request, updated) => {
      if (request.kind === 'cancelHistoricalData') unanswered.delete(request.requestId)
      if (request.kind !== 'reqHistoricalData' || armed.openHistories === undefined) return undefined
      return unanswered.size + updated.size < armed.openHistories ? undefined : noMoreHistories(armed.openHistories)
    },
    waits: (request) => {
      if (request.kind === 'reqHistoricalData') unanswered.add(request.requestId)
    },
    request: (request, lines) => {
      if (request.kind === 'reqHistoricalData') unanswered.delete(request.requestId)
      if (request.kind === 'reqHistoricalData' && armed.historyLimits) return historical(request)
      if (request.kind !== 'reqMktData' || request.snapshot) return undefined
      if (lines.has(request.requestId)) return duplicateTicker
      if (armed.marketDataLines !== undefined && lines.size >= armed.marketDataLines) return noMoreLines
      return undefined
    },
  }
}
