/** What a pipeline that has begun is at, for whoever waits for it: he is answered before it has ended. */
import { newYorkDate, nextSession, sessionOn } from '../domain/calendar.ts'
import { closingOf, holdersOf } from '../domain/closing/holders.ts'
import type { Ledger, Pipeline } from '../domain/ledger.ts'
import { isoTime } from '../domain/ports/clock.ts'

const named = (names: unknown): string => (Array.isArray(names) && names.length > 0 ? names.join(', ') : 'nobody')

/** When New York opens next; undefined while it is open. */
const opensAt = (now: number): number | undefined => {
  const today = sessionOn(newYorkDate(now))
  if (today === undefined || now >= today.close) return nextSession(newYorkDate(now)).open
  return now < today.open ? today.open : undefined
}

const closing = (ledger: Readonly<Ledger>, pipeline: Pipeline, now: number): string => {
  const whom = closingOf(pipeline)
  const text = `closing ${named(whom && holdersOf(ledger, whom, now))}: targets are 0; cancels, exits and the proof follow`
  const open = opensAt(now)
  return open === undefined ? text : `${text}. New York is closed: exits wait at the broker for its open at ${isoTime(open)}`
}

/** @param recordedAt of its first commit, ISO */
export const underWayText = (ledger: Readonly<Ledger>, pipeline: Pipeline, recordedAt: string): string => {
  const { type, plan } = pipeline
  const dry = plan['dryRun'] === true ? 'dry run: ' : ''
  switch (type) {
    case 'close-all':
      return closing(ledger, pipeline, Date.parse(recordedAt))
    case 'orchestrator':
      return `${dry}signals of ${named(plan['signals'])}, then ${plan['runReconcile'] === false ? '' : 'reconcile and '}allocation`
    case 'allocation':
      return `${dry}deciding, and placing what is decided`
    case 'eod-check':
      return `closing the day ${plan['session']}`
    default:
      return `${type} is under way`
  }
}
