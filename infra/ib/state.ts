/**
 * The session's state, by itself: what happened goes in, the next state comes out, and with it what people should be told. Times are machine time.
 * `ready` is the only phase in which anything but the questions that lead to it is sent.
 */
import type { SessionPhase } from '../../domain/ports/broker.ts'
import { unreachable } from '../../domain/unreachable.ts'
import { type Cause, causes } from './causes.ts'

export type Trouble = {
  cause: Cause
  text: string
  /** When the session was last ready, or began. */
  since: number
  told: readonly Cause[]
  /** The next alert, unless it is over by then. */
  alertAt: number
  alerts: number
}

export type State = { phase: SessionPhase; since: number; trouble: Trouble | undefined; closedBecause?: string }

export type Input =
  | { kind: 'attempt' }
  | { kind: 'handshake' }
  /** All questions that must come first were answered, to their end markers. */
  | { kind: 'answered' }
  /** Something was said that could not be read: all must be asked anew. */
  | { kind: 'doubt' }
  | { kind: 'linkDown'; text: string }
  | { kind: 'linkUp' }
  | { kind: 'failed'; cause: Cause; text: string }
  | { kind: 'time' }
  | { kind: 'close'; text: string }

/** `tell`: one sentence for people. `alert`: it has lasted too long. */
export type Told = { tell: string; alert: boolean }
export type Step = { state: State; told: Told | undefined }

export const initialState = (now: number): State => ({ phase: 'down', since: now, trouble: undefined })

const begun = (cause: Cause, text: string, now: number): Trouble => ({
  ...{ cause, text, since: now, told: [], alerts: 0 },
  alertAt: now + causes[cause].patience,
})

/** The trouble goes on with another cause: it began when it began, but each cause has its own patience. */
const goesOn = (trouble: Trouble | undefined, cause: Cause, text: string, now: number): Trouble => {
  if (trouble === undefined) return begun(cause, text, now)
  const alertAt = trouble.alerts > 0 ? trouble.alertAt : trouble.since + causes[cause].patience
  return { ...trouble, cause, text, alertAt }
}

/** A cause with a text of its own is told when it is first seen; all others only when they last. */
const tellOnce = (trouble: Trouble): { trouble: Trouble; told: Told | undefined } => {
  const { cause, text, told } = trouble
  if (!causes[cause].tellAtOnce || told.includes(cause)) return { trouble, told: undefined }
  return { trouble: { ...trouble, told: [...told, cause] }, told: { tell: text, alert: false } }
}

const lasting = (milliseconds: number): string => {
  const minutes = Math.max(1, Math.round(milliseconds / 60_000))
  if (minutes < 120) return `${minutes} min`
  return `${Math.round(minutes / 60)} h`
}

/** An alert, and the next one when it has lasted four times as long: days of trouble are a few lines, and never silence. */
const alertWhenDue = (state: State, now: number): Step => {
  const { trouble } = state
  if (trouble === undefined || state.phase === 'closed' || now < trouble.alertAt) return { state, told: undefined }
  const elapsed = now - trouble.since
  const next = { ...trouble, alerts: trouble.alerts + 1, alertAt: now + 3 * Math.max(elapsed, 1) }
  return { state: { ...state, trouble: next }, told: { tell: `${trouble.text}; for ${lasting(elapsed)} now`, alert: true } }
}

const to = (state: State, phase: SessionPhase, now: number, trouble: Trouble | undefined): Step => {
  const since = phase === state.phase ? state.since : now
  if (trouble === undefined) return { state: { phase, since, trouble }, told: undefined }
  const once = tellOnce(trouble)
  const after = alertWhenDue({ phase, since, trouble: once.trouble }, now)
  return { state: after.state, told: after.told ?? once.told }
}

export const step = (state: State, input: Input, now: number): Step => {
  if (state.phase === 'closed') return { state, told: undefined }
  const { trouble } = state
  switch (input.kind) {
    case 'attempt':
      return to(state, 'connecting', now, trouble ?? begun('starting', causes.starting.text, now))
    case 'handshake':
    case 'linkUp':
      return to(state, 'syncing', now, goesOn(trouble, 'unanswered', causes.unanswered.text, now))
    case 'answered':
      return state.phase === 'syncing' ? to(state, 'ready', now, undefined) : { state, told: undefined }
    case 'doubt':
      if (state.phase !== 'ready') return { state, told: undefined }
      return to(state, 'syncing', now, begun('unanswered', causes.unanswered.text, now))
    case 'linkDown':
      return to(state, 'degraded', now, goesOn(trouble, 'linkDown', input.text, now))
    case 'failed':
      return to(state, 'down', now, goesOn(trouble, input.cause, input.text, now))
    case 'time':
      return alertWhenDue(state, now)
    case 'close':
      return { state: { phase: 'closed', since: now, trouble: undefined, closedBecause: input.text }, told: undefined }
    default:
      return unreachable(input)
  }
}

/** One sentence for a health answer. */
export const sentence = ({ phase, trouble, closedBecause }: State): string => {
  if (phase === 'ready') return 'connected, and all that had to be asked first was answered'
  if (phase === 'closed') return `closed: ${closedBecause}`
  return trouble?.text ?? causes.starting.text
}
