/** The way to the gateways in time: when the next attempt goes, to which one, and when the primary is taken again. The rule is in `gateways.ts`. */
import type { Clock } from '../../domain/ports/clock.ts'
import { atStart, connectedTo, type Fate, type GatewayName, lostOne, mayReturn, other, wentTo, whereNext } from './gateways.ts'
import type { Log } from './line.ts'
import { restartTakes } from './nightly-restart.ts'
import { answers } from './probe.ts'

export type Address = { host: string; port: number }
/** Machine milliseconds: at one gateway before the other is tried; between looks whether the primary is back. */
export type Failover = { patience: number; lookEvery: number }
/** Wait before the next attempt: `first`, doubled after each failure up to `most`, ± 25 %. */
export type BackOff = { first: number; most: number }

export type Route = ReturnType<typeof createRoute>

const probeWithin = 5_000
/** A primary that answered and yet could not be used is looked at less often. */
const mostPatientLook = 16

export const createRoute = ({
  clock,
  log,
  primary,
  backup,
  backOff,
  random,
  failover,
  restarting,
  quiet,
  leave,
  say,
}: {
  clock: Pick<Clock, 'after' | 'monotonic'>
  log: Log
  primary: Address
  backup: Address | undefined
  backOff: BackOff
  random: () => number
  failover: Failover
  /** Whether a planned restart explains that nobody is there. */
  restarting: () => boolean
  /** No question open and nothing in flight. */
  quiet: () => boolean
  /** Ends the line, so that the primary can be taken. */
  leave: (reason: string) => void
  say: (text: string) => void
}) => {
  let where = atStart(clock.monotonic())
  let failures = 0
  let returning = false
  /** How often the primary answered and could not be used all the same. */
  let fruitless = 0
  let triedPrimary = false
  let callOffLook = () => {}
  let stopped = false

  const lookLater = (): void => {
    callOffLook()
    callOffLook = clock.after(failover.lookEvery * Math.min(2 ** fruitless, mostPatientLook), () => void look())
  }
  const look = async (): Promise<void> => {
    const wasAt = where
    const back = await answers(primary, clock, probeWithin)
    if (where !== wasAt || stopped) return // the line went meanwhile
    if (!back || !quiet()) return lookLater()
    returning = true
    leave('the primary gateway answers again: going back to it')
  }

  const delay = (): number => {
    failures += 1
    return Math.min(backOff.first * 2 ** (failures - 1), backOff.most) * (0.75 + random() / 2)
  }
  const go = (to: GatewayName): void => {
    if (to === 'backup' && triedPrimary) fruitless += 1
    triedPrimary = false
    where = wentTo(where, to, clock.monotonic())
    failures = 0
  }

  return {
    at: (): GatewayName => where.at,
    target: (): Address => (where.at === 'backup' && backup !== undefined ? backup : primary),
    /** The handshake is complete. */
    stood: (): void => {
      where = connectedTo(where)
      failures = 0
      if (where.at === 'primary') [triedPrimary, fruitless] = [false, 0]
      else lookLater()
    },
    /** A connection ended. @returns when to try again, and why the other gateway is not tried, where that needs a reason */
    ended: (fate: Fate): { after: number; stay: string | undefined } => {
      callOffLook()
      where = lostOne(where, fate, clock.monotonic())
      const wanted = returning
      returning = false
      if (wanted && mayReturn(where)) {
        go('primary')
        triedPrimary = true
        return { after: 0, stay: undefined }
      }
      if (wanted) log.warn({}, 'the backup gateway did not confirm that its session is closed: staying with it')
      const patience = restarting() ? restartTakes : failover.patience
      const next = whereNext(where, { backup: backup !== undefined, patience, now: clock.monotonic() })
      if (!('go' in next)) return { after: delay(), stay: next.stay }
      go(next.go)
      say(`the session at the ${other(next.go)} gateway is closed: going to the ${next.go} gateway`)
      return { after: 0, stay: undefined }
    },
    stop: () => {
      stopped = true
      callOffLook()
    },
  }
}
