/**
 * Which gateway to go to: the primary, or the backup where there is one. Two gateways with one account are safe only one after the other: the one
 * that was left may hold an order that it sends on later. So a gateway is left for the other only when its session is known to be closed, in either
 * direction; one that is silent or out of reach may have a session that lives on, and then waiting and an alert are all there is.
 */

export type GatewayName = 'primary' | 'backup'

/** `closed`: the gateway's machine said so itself. `unknown`: a session of ours may stand there. */
export type Known = 'closed' | 'unknown'

export type Whereabouts = {
  at: GatewayName
  /** Machine time since when no line stands at `at`; undefined while one does. */
  downSince: number | undefined
  known: Readonly<Record<GatewayName, Known>>
}

/** At the start an earlier process of ours may have left a session anywhere. */
export const atStart = (now: number): Whereabouts => ({ at: 'primary', downSince: now, known: { primary: 'unknown', backup: 'unknown' } })

/** How one connection ended, as far as it tells of the session there. */
export type Fate = {
  /** The handshake had been complete: there was a session of ours. */
  stood: boolean
  /** The socket was opened at all. */
  opened: boolean
  /** The other side ended it: a FIN of its own, a FIN in answer to ours, or a reset. */
  closedByPeer: boolean
  /** Nobody listens at the port: whatever held a session there is gone. */
  refused: boolean
  /** Another session has our client id (326). */
  taken: boolean
}

/** The end of an attempt that never became a session says nothing about an earlier one. */
const learn = (before: Known, { stood, refused, closedByPeer, taken }: Fate): Known => {
  if (taken) return 'unknown'
  if (refused) return 'closed'
  if (stood) return closedByPeer ? 'closed' : 'unknown'
  return before
}

export const connectedTo = (where: Whereabouts): Whereabouts => ({
  ...where,
  downSince: undefined,
  known: { ...where.known, [where.at]: 'unknown' },
})

export const lostOne = (where: Whereabouts, fate: Fate, now: number): Whereabouts => ({
  ...where,
  downSince: where.downSince ?? now,
  known: { ...where.known, [where.at]: learn(where.known[where.at], fate) },
})

export const other = (gateway: GatewayName): GatewayName => (gateway === 'primary' ? 'backup' : 'primary')

export type Next = { go: GatewayName } | { stay: string | undefined }

/** Where the next attempt goes. `stay` says why the other one is not taken, where that needs a reason. @param patience milliseconds at one gateway before the other is tried */
export const whereNext = (
  { at, downSince, known }: Whereabouts,
  { backup, patience, now }: { backup: boolean; patience: number; now: number },
): Next => {
  if (!backup || downSince === undefined || now - downSince < patience) return { stay: undefined }
  if (known[at] === 'unknown')
    return { stay: `the session at the ${at} gateway may live on, so the ${other(at)} gateway is not taken until it is known to be closed` }
  return { go: other(at) }
}

export const wentTo = (where: Whereabouts, gateway: GatewayName, now: number): Whereabouts => ({ ...where, at: gateway, downSince: now })

/** Back to the primary: after our own disconnect from the backup, when that was confirmed. */
export const mayReturn = ({ at, known }: Whereabouts): boolean => at === 'backup' && known.backup === 'closed'
