/**
 * `eod-check`: the end of a trading day, once a session. A reconcile, everything of ours closed where that is configured, and the day as it was:
 * what each book made, what is still open, what does not match. Asked again before the close, it closes what was opened since.
 */
import * as t from 'io-ts'
import { newYorkDate, previousSession, type Session, sessionOn } from '../domain/calendar.ts'
import { type Closing, closingOf, exposedOf, ordersToEnd } from '../domain/closing/holders.ts'
import { EodCheckBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { type Decimal, isZero, subtract } from '../domain/decimal.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import { blockedBecause, type Ledger, openOrders, type Pipeline } from '../domain/ledger.ts'
import { isoTime } from '../domain/ports/clock.ts'
import type { Track } from '../domain/risk/track.ts'
import { closingSteps, hasBegunToClose, leftToClose } from './closing.ts'
import { defineHandler, type End, type Move, nothingToGather, type Policy } from './handler.ts'
import { because, pipelineStarted } from './pipeline.ts'

type Day = EventData<'DayClosed'>

/** The session that is on, or was the last. */
const latestOpened = (now: number): Session => {
  const today = newYorkDate(now)
  const session = sessionOn(today)
  return session !== undefined && session.open <= now ? session : previousSession(today)
}

const ours: Closing = { strategies: undefined, includeManual: false }

// ── The day as it was ──

/** Known only where the newest snapshot shows it, and the day's first one did. */
const madeIn = (ledger: Readonly<Ledger>, session: string, track: Track | undefined): Decimal | undefined => {
  const { performance, snapshot } = ledger
  if (performance?.day.session !== session || track === undefined || track.first === null) return undefined
  return track.latest.at === snapshot?.takenAt ? subtract(track.latest.value, track.first.value) : undefined
}

/** Why the profit of the account is not known, for whoever reads that it is not. */
const whyUnknown = ({ performance, snapshot }: Readonly<Ledger>, session: string): string => {
  if (performance === null || snapshot?.netLiquidation === undefined) return 'the broker tells no net liquidation in the base currency'
  if (performance.day.session !== session) return `the account was never looked at on ${session}, so there is nothing to count from`
  return 'the newest look at the account tells no net liquidation'
}

const bookLines = (ledger: Readonly<Ledger>, session: string): Day['books'] =>
  [...new Set([...Object.keys(ledger.books), ...Object.keys(ledger.performance?.books ?? {})])].sort().map((strategy) => {
    const profit = madeIn(ledger, session, ledger.performance?.books[strategy])
    return { strategy, holdings: { ...ledger.books[strategy] }, ...(profit === undefined ? {} : { profit }) }
  })

const mismatches = (ledger: Readonly<Ledger>): Day['mismatches'] => {
  const unresolved = openOrders(ledger).filter(({ status }) => status === 'unresolved')
  const inDoubt = [
    ...Object.keys(ledger.unexplained),
    ...Object.keys(ledger.discrepancies),
    ...unresolved.map(({ conId }) => String(conId)),
  ]
  return [...new Set(inDoubt)]
    .map(Number)
    .sort((left, right) => left - right)
    .map((conId) => {
      const known = ledger.unexplained[conId] ?? ledger.discrepancies[conId] ?? ledger.instruments[conId]
      return { conId, symbol: known?.symbol ?? String(conId), text: blockedBecause(ledger as Ledger, conId) ?? '' }
    })
}

const isFlat = (ledger: Readonly<Ledger>): boolean => exposedOf(ledger, ours).every(({ held }) => isZero(held))

const dayOf = (ledger: Readonly<Ledger>, session: string, enforcedFlat: boolean): Day => {
  const { performance, snapshot } = ledger
  const profit = madeIn(ledger, session, performance?.netLiquidation)
  const since = performance?.netLiquidation.first?.at
  return {
    ...{ session, flat: isFlat(ledger), enforcedFlat, books: bookLines(ledger, session) },
    openOrders: openOrders(ledger).map(({ orderRef, conId, symbol, quantity, filled, status }) => ({
      ...{ orderRef, conId, symbol, quantity, filled, status },
    })),
    mismatches: mismatches(ledger),
    ...(snapshot?.baseCurrency === undefined ? {} : { currency: snapshot.baseCurrency }),
    ...(snapshot?.netLiquidation === undefined ? {} : { netLiquidation: snapshot.netLiquidation }),
    ...(profit === undefined || since === undefined ? {} : { profit, since }),
  }
}

/** A step only: nobody publishes it. It plans nothing, so a day whose last orders took their time is closed all the same. */
export const dayClose = defineHandler({
  body: t.UnknownRecord,
  needsBroker: false,
  asksOnly: true,
  gather: nothingToGather,
  decide: ({ ledger, command }) => {
    const plan = ledger.pipelines[command.pipeline ?? '']?.plan ?? {}
    return [event('DayClosed', dayOf(ledger, String(plan['session']), plan['enforceFlat'] === true))]
  },
})

// ── The pipeline ──

const endOf = (ledger: Readonly<Ledger>, { plan }: Pipeline, closed: End | undefined): End => {
  const day = dayOf(ledger, String(plan['session']), plan['enforceFlat'] === true)
  const profit =
    day.profit === undefined
      ? `profit unknown (${whyUnknown(ledger, day.session)})`
      : `profit ${day.profit} ${day.currency} since ${day.since}`
  const text = [
    `${day.session} closed: ${profit}, ${day.flat ? 'flat' : 'positions held'}`,
    ...(day.openOrders.length === 0 ? [] : [`open orders: ${day.openOrders.map(({ orderRef }) => orderRef).join(', ')}`]),
    ...day.mismatches.map(({ symbol, text: why }) => `${symbol}: ${why}`),
    ...(closed === undefined || closed.outcome === 'completed' ? [] : [closed.text]),
  ].join('; ')
  if (closed !== undefined && closed.outcome !== 'completed') return { outcome: 'partial_success', code: closed.code ?? 'NOT_FLAT', text }
  return day.mismatches.length === 0 ? { outcome: 'completed', text } : { outcome: 'partial_success', code: 'MISMATCHES', text }
}

const next: Policy = (ledger, pipeline) => {
  const step = (name: string, type: string): Move => ({ steps: [{ id: `${pipeline.id}:${name}`, type, body: {} }] })
  const reconciled = pipeline.steps[`${pipeline.id}:reconcile`]
  if (reconciled === undefined) return step('reconcile', 'reconcile')
  if (reconciled.outcome !== 'done') {
    const text = because('the reconcile failed, so the day was not closed', reconciled)
    return { end: { outcome: 'failed', code: reconciled.code ?? 'RECONCILE_FAILED', text } }
  }
  const closing = closingOf(pipeline)
  const something = closing !== undefined && hasAnything(ledger, closing)
  const dayIsClosed = pipeline.steps[`${pipeline.id}:day`] !== undefined
  let closed = notFlat(ledger, pipeline)
  if (closing !== undefined && (something || hasBegunToClose(pipeline))) {
    const move = closingSteps(ledger, pipeline, closing, true)
    if ('end' in move) closed = move.end
    else if (!dayIsClosed) return move
  }
  return dayIsClosed || pipeline.plan['again'] === true ? { end: endOf(ledger, pipeline, closed) } : step('day', 'day-close')
}

const hasAnything = (ledger: Readonly<Ledger>, closing: Closing): boolean =>
  exposedOf(ledger, closing).length > 0 || ordersToEnd(ledger, closing).length > 0

const notFlat = (ledger: Readonly<Ledger>, pipeline: Pipeline): End | undefined => {
  const left = leftToClose(ledger, pipeline)
  return left === undefined ? undefined : { outcome: 'failed', code: 'NOT_FLAT', text: left }
}

const changesNothing = (text: string, session: string): DomainEvent[] => [
  event('CommandCompleted', { result: { changed: false, text, session } }),
]

export const eodCheck = defineHandler({
  body: EodCheckBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, now, engine }) => {
    const { date: session, close } = latestOpened(now)
    const enforceFlat = settingOf(ledger.configuration, 'eod.enforceFlat')
    const again = ledger.dayClosed !== null && ledger.dayClosed >= session
    // Somebody closed the day early; what was opened since must not be held over night where that is not wanted.
    const isOpenAgain = enforceFlat && now < close && hasAnything(ledger, ours)
    if (again && !isOpenAgain) return changesNothing(`${session} was closed already`, session)
    const other = Object.values(ledger.pipelines).find(({ type, plan }) => type === 'eod-check' && plan['session'] === session)
    if (other !== undefined) return changesNothing(`${other.id} is closing ${session} already`, session)
    // What is not sold before the session ends would only wait for the next one.
    const body = { session, enforceFlat, ...(enforceFlat ? { tradesUntil: isoTime(close) } : {}), ...(again ? { again } : {}) }
    return [pipelineStarted({ id: command.id, body }, engine)]
  },
  next,
  left: leftToClose,
})
