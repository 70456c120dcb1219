/**
 * What of the journal a person has to know at once, and what to do about it. Pure; one alert a cause, however often it is mentioned:
 * its id names the cause, and an id that was told is not told again.
 */
import { newYorkDate } from '../domain/calendar.ts'
import type { Cause, Commit } from '../domain/commit.ts'
import type { DomainEvent, EventData, Note } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Alert } from '../domain/ports/alert-channel.ts'
import { isoTime } from '../domain/ports/clock.ts'
import { endsWithinOf, type Schedule, slotId, type Topics, validForOf } from '../domain/topics.ts'
import { orderWords } from './order-lines.ts'

type About = Omit<Alert, 'at' | 'position'>
type Place = { position: number; recordedAt: string; index: number; cause: Cause }

const alert = (severity: Alert['severity'], id: string, title: string, text: string, next: string): About => ({
  ...{ severity, id, title, text, next },
})

const signalNext = (strategy: string): string =>
  `Its book is held, nothing is sold for it. See why: ibt document strategies/${strategy}/intent/latest; ask again: ibt publish ${strategy}`

/** Notes of a decision that somebody has to look at, a day or a cause each. */
const ofNote = ({ code, text, strategy }: Note, date: string): About[] => {
  if (strategy === undefined) return []
  switch (code) {
    case 'SIGNAL_STALE':
    case 'SIGNAL_FAILED':
      return [alert('warning', `signal-${strategy}-${date}`, `No fresh signal of ${strategy}`, text, signalNext(strategy))]
    case 'SIGNAL_MISSING':
      return [alert('warning', `signal-missing-${strategy}`, `No signal of ${strategy}`, text, signalNext(strategy))]
    case 'BOOK_WITHOUT_STRATEGY':
      return [
        alert(
          'warning',
          `book-without-strategy-${strategy}-${date.slice(0, 7)}`, // once a month, for as long as it is so
          `Nobody looks after the book of ${strategy}`,
          text,
          `Enable it (ibt publish configure --data '{"changes":{"strategies.${strategy}.enabled":true}}') or close its book ` +
            `(ibt publish close-all --data '{"strategies":["${strategy}"]}')`,
        ),
      ]
    default:
      return []
  }
}

/** What a schedule is refused for on ordinary days; that trading is halted was told when somebody halted it. */
const expectedOfJobs: ReadonlySet<string> = new Set(['NO_SESSION', 'OTHER_CLOSE', 'HALTED'])
const badEnds = new Set<EventData<'PipelineEnded'>['outcome']>(['failed', 'partial_success', 'expired', 'refused'])

/** A loss from the peak does not end by itself while nothing may increase. */
const liftedBy = (rule: string): string =>
  rule === 'peakDrawdown' ? `. To go on from here: ibt publish risk-check --data '{"resetPeaks":true,"reason":"…"}'` : ''

const ofEvent = (event: DomainEvent, ledger: Readonly<Ledger>, { position, recordedAt, index, cause }: Place): About[] => {
  const id = (what: string): string => `${what}-${position}.${index}`
  switch (event.type) {
    case 'TradingHalted':
      return [
        alert(
          'error',
          id('halt'),
          'Trading is halted',
          event.data.reason,
          `Orders at the broker ${event.data.cancelWorking ? 'are cancelled' : 'stay'}. When the cause is gone: ibt publish resume`,
        ),
      ]
    case 'RiskBreached':
      return [
        alert(
          'error',
          id('breach'),
          `A risk limit is breached: ${event.data.rule} of ${event.data.scope}`,
          event.data.text,
          `Exits go on. Look at the books (ibt documents positions/…); close what should go (ibt publish close-all)${liftedBy(event.data.rule)}`,
        ),
      ]
    case 'OrderUnresolved': {
      const { orderRef, text } = event.data
      return [
        alert(
          'error',
          `unresolved-${orderRef}`,
          `${orderWords(ledger, orderRef)} is in doubt`,
          text,
          `Look for it at the broker. If it is not there: ibt publish resolve-order --data '{"orderRef":"${orderRef}","as":"lost","reason":"…"}'`,
        ),
      ]
    }
    case 'OrderClosed': {
      const { orderRef, how, text } = event.data
      if (how !== 'rejected' && how !== 'lost') return []
      return [
        alert(
          'warning',
          `${how}-${orderRef}`,
          `${orderWords(ledger, orderRef)} was ${how}`,
          text,
          'It is not sent again; the next decision orders anew what is still missing',
        ),
      ]
    }
    case 'DiscrepancyFound': {
      const { symbol, conId, text, quantity } = event.data
      return [
        alert(
          'error',
          id('discrepancy'),
          `${symbol} is blocked`,
          text,
          `Find out what it is, then: ibt publish explain --data '{"instrument":${conId},"quantity":"${quantity}","as":"manual"}'`,
        ),
      ]
    }
    case 'CommandRefused': {
      const { code, text } = event.data
      if (cause.kind !== 'command' || cause.job === undefined || cause.pipeline !== undefined || expectedOfJobs.has(code)) return []
      return [
        alert(
          'error',
          `not-run-${cause.id}`,
          `${cause.job} did not run`,
          `${code}: ${text}`,
          `If it is still wanted, by hand: ibt publish ${cause.type}`,
        ),
      ]
    }
    case 'CommandFailed':
      return [
        alert(
          'error',
          id('failed'),
          'A command failed by a fault of ours',
          event.data.text,
          'See the log at that time; the engine goes on',
        ),
      ]
    case 'PipelineEnded': {
      const { pipeline, outcome, code, text } = event.data
      // That trading is halted was told when somebody halted it.
      if (!badEnds.has(outcome) || code === 'HALTED') return []
      const severity = outcome === 'failed' ? 'error' : 'warning'
      const why = code === undefined ? text : `${code}: ${text}`
      const what = cause.kind === 'command' ? cause.type : pipeline
      return [alert(severity, `pipeline-${pipeline}`, `${what} ended ${outcome}`, why, `See ibt document executions/${pipeline}`)]
    }
    case 'SignalFailed': {
      const { strategy, dryRun, code, text } = event.data
      if (dryRun) return []
      const date = newYorkDate(Date.parse(recordedAt))
      return [alert('warning', `signal-${strategy}-${date}`, `No signal of ${strategy}`, `${code}: ${text}`, signalNext(strategy))]
    }
    case 'AllocationDecided':
      if (event.data.dryRun) return []
      return event.data.notes.flatMap((note) => ofNote(note, newYorkDate(Date.parse(recordedAt))))
    default:
      return []
  }
}

/** The alerts of one commit. @param ledger after it */
export const alertsOf = (
  { position, recordedAt, cause }: Pick<Commit, 'position' | 'recordedAt' | 'cause'>,
  events: readonly DomainEvent[],
  ledger: Readonly<Ledger>,
): Alert[] =>
  events.flatMap((event, index) =>
    ofEvent(event, ledger, { position, recordedAt, index, cause }).map((about) => ({ ...about, at: recordedAt, position })),
  )

// ── What no event says ──

/** Market time at which the gateway has been away for too long; undefined while it is there or nobody ever missed it. */
export const goneTooLongAt = ({ gateway }: Readonly<Ledger>, minutes: number): number | undefined =>
  gateway.connected || gateway.since === null ? undefined : Date.parse(gateway.since) + minutes * 60_000

const absence = 'gateway-'

export const goneTooLong = ({ gateway }: Readonly<Ledger>, now: number): Alert => ({
  severity: 'error',
  id: `${absence}${gateway.since}`,
  title: `The gateway is away since ${gateway.since}`,
  text: gateway.reason ?? 'no reason was given',
  next: 'Nothing is traded and no fill is seen meanwhile. Look at IB Gateway: a login, a second factor, a restart that did not come back',
  at: isoTime(now),
  position: null,
})

/**
 * Whoever was told of an absence is told of its end: of the latest one, since an engine that starts anew meanwhile begins another.
 * @param told ids of all alerts until now @param ledger after the commit with which the gateway is back
 */
export const backAgain = (told: Iterable<string>, { gateway, position, recordedAt }: Readonly<Ledger>): Alert[] => {
  const latest = [...told]
    .filter((id) => id.startsWith(absence))
    .sort()
    .at(-1)
  if (latest === undefined || !gateway.connected) return []
  const since = latest.slice(absence.length)
  return [
    {
      severity: 'info',
      id: `back-${latest}`,
      title: 'The gateway is back',
      text: `it was away since ${since}`,
      next: 'Nothing: the broker is asked what happened meanwhile before anything is sent. A run that was missed has an alert of its own',
      at: recordedAt,
      position,
    },
  ]
}

/** A slot of a schedule that starts a pipeline, and the market time from which on its command can no longer be decided. */
export type Missable = { schedule: Schedule; slot: number; id: string; at: number }

export const missableSchedules = (topics: Topics): Schedule[] =>
  topics.schedules.filter(({ command }) => endsWithinOf(topics, command.type) !== undefined)

export const missableOf = (topics: Topics, schedule: Schedule, slot: number): Missable => ({
  ...{ schedule, slot, id: slotId(schedule.job, slot) },
  at: slot + validForOf(topics, schedule.command.type),
})

export const notRun = ({ schedule: { job }, slot, id, at }: Missable): Alert => ({
  severity: 'error',
  id: `not-run-${id}`,
  title: `${job} did not run`,
  text: `nothing decided the command of ${isoTime(slot)}, and now it is too late for it`,
  next: `Is an engine running (ibt document status/…), does anybody publish the schedules (ibt topics check)? By hand: ibt publish ${job}`,
  at: isoTime(at),
  position: null,
})

export const deadLetter = (letter: {
  id: string
  subscription: string
  reason: string
  deadAt: string
  attributes: Readonly<Record<string, string>>
}): Alert => ({
  severity: 'error',
  id: `dead-letter-${letter.subscription}-${letter.id}`.replaceAll('/', '_'),
  title: `A message was given up: ${letter.attributes['type'] ?? 'of no type'}`,
  text: `${letter.reason} (${letter.subscription})`,
  next: `Look at it: ibt dead-letters; then ibt dead-letters republish ${letter.id}, or discard`,
  at: letter.deadAt,
  position: null,
})
