/** Why the session is not ready: one table, and how the end of a connection is read. */
import { newYorkDate, weekday } from '../../domain/new-york-time.ts'
import { clientIdInUse } from './codes.ts'
import type { Ending } from './line.ts'

type Row = {
  text: string
  /** Milliseconds until it is an alert. */
  patience: number
  /** It is told when it is first seen, not only when it lasts. */
  tellAtOnce: boolean
}

const minute = 60_000

export const causes = {
  starting: { text: 'no connection to the gateway has been made yet', patience: minute, tellAtOnce: false },
  refused: {
    text: 'nobody listens at the port of the gateway: is it started, its API switched on, and are IB_HOST and IB_PORT its own (4002 paper, 4001 live)?',
    patience: minute,
    tellAtOnce: false,
  },
  outOfReach: { text: 'the gateway is out of reach', patience: minute, tellAtOnce: false },
  silent: { text: 'the gateway does not answer', patience: minute, tellAtOnce: false },
  lost: { text: 'the connection to the gateway was lost', patience: minute, tellAtOnce: false },
  unanswered: {
    text: 'connected, but what must be asked first has not been answered yet',
    patience: minute,
    tellAtOnce: false,
  },
  login: { text: 'the gateway runs but is not logged in to IB', patience: 2 * minute, tellAtOnce: true },
  secondFactor: {
    text: 'the gateway still is not logged in to IB: most likely it waits for the second factor (IBKR Mobile)',
    patience: 2 * minute,
    tellAtOnce: true,
  },
  restart: { text: 'the nightly restart of the gateway is under way', patience: 6 * minute, tellAtOnce: true },
  clientIdInUse: {
    text: 'the client id is still in use by another session (326): waiting until that one has ended',
    patience: minute,
    tellAtOnce: true,
  },
  version: { text: 'the gateway speaks a version of the protocol that we do not', patience: 0, tellAtOnce: true },
  linkDown: { text: 'the gateway has lost IB', patience: 2 * minute, tellAtOnce: false },
} as const satisfies Record<string, Row>

export type Cause = keyof typeof causes

/** The cause in our words, with what was said of it in brackets. */
export const explained = (cause: Cause, reason?: string): string => {
  const { text } = causes[cause]
  return reason === undefined || reason === text ? text : reason.includes(text) ? reason : `${text} (${reason})`
}

/** A login without a person takes less. */
const loginTakes = 2 * minute

const unsupported = 506

/**
 * @param now market time
 * @param restarting whether a planned restart is due
 * @param notLoggedInFor machine milliseconds since the gateway was first found not logged in
 */
export const causeOf = (
  { code, reached, wasReady, socketError }: Ending,
  { now, restarting, notLoggedInFor }: { now: number; restarting: boolean; notLoggedInFor: number },
): Cause => {
  if (code === clientIdInUse) return 'clientIdInUse'
  if (code === unsupported) return 'version'
  if (restarting) return 'restart'
  if (wasReady) return 'lost'
  // it speaks, but has no account to name: in the first minutes it logs in; then, and on the Sunday on which the login ends, it waits for a person
  if (reached === 'version') return notLoggedInFor >= loginTakes || weekday(newYorkDate(now)) === 0 ? 'secondFactor' : 'login'
  if (reached === 'socket') return 'silent'
  return socketError === 'ECONNREFUSED' ? 'refused' : 'outOfReach'
}
