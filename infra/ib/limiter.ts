/**
 * IB takes 50 messages a second on one connection, warns, then drops the line. This bucket stands in front of the
 * library and holds 45 tokens; a token that was used comes back one second later, so no second ever sees more.
 * Questions wait and leave a reserve: those of the order flow first, then market data, then history; among equals each tenant in
 * turn, and each tenant's in the order they were asked. Orders, cancels and the heartbeat never wait: they take from the reserve
 * and, were it used up, go all the same; then the questions wait the longer. An order that is held back here could go out after
 * its checks have grown old, so none ever is.
 */
import type { Clock } from '../../domain/ports/clock.ts'

/** What a message is for. The order is the order in which they go. */
export const uses = ['orders', 'marketData', 'history'] as const
export type Use = (typeof uses)[number]

export type Sender = { use: Use; tenant: string }
export const orderFlow: Sender = { use: 'orders', tenant: 'engine' }

export type Limiter = {
  /** Runs `send` now. */
  urgent(send: () => void): void
  /** Runs `send` when it is its turn. Returns the way to call it off. */
  queued(send: () => void, sender?: Sender): () => void
  waiting(): number
  /** Forgets all that waits: it will never be sent. */
  close(): void
}

/** Tenants come and go; who was served last matters only among those who wait. */
const mostRemembered = 1000

type Entry = { send: () => void; sender: Sender }

export const createLimiter = ({
  clock,
  perSecond = 45,
  reserve = 20,
  onWait = () => {},
}: {
  clock: Pick<Clock, 'monotonic' | 'after'>
  perSecond?: number
  reserve?: number
  /** Told when messages begin to wait, with how many do. */
  onWait?: (waiting: number) => void
}): Limiter => {
  const used: number[] = []
  const waiting = new Set<Entry>()
  /** When a tenant was served last, as a count. */
  const served = new Map<string, number>()
  let servings = 0
  let wake: (() => void) | undefined
  let closed = false

  const spend = () => used.push(clock.monotonic())
  const free = () => {
    const since = clock.monotonic() - 1000
    while (used.length > 0 && used[0]! <= since) used.shift()
    return perSecond - used.length
  }

  const goesBefore = (one: Sender, another: Sender): boolean => {
    const ranks = uses.indexOf(one.use) - uses.indexOf(another.use)
    if (ranks !== 0) return ranks < 0
    return (served.get(one.tenant) ?? 0) < (served.get(another.tenant) ?? 0)
  }
  const next = (): Entry | undefined => {
    let found: Entry | undefined
    for (const entry of waiting) if (found === undefined || goesBefore(entry.sender, found.sender)) found = entry
    return found
  }

  const drain = () => {
    for (let entry = next(); entry !== undefined && free() > reserve; entry = next()) {
      waiting.delete(entry)
      servings += 1
      served.set(entry.sender.tenant, servings)
      spend()
      entry.send()
    }
    if (waiting.size === 0 && served.size > mostRemembered) served.clear()
    if (waiting.size === 0 || wake !== undefined || closed) return
    onWait(waiting.size)
    // a question may go when this many of the used tokens have come back
    const token = used[reserve - free()] ?? used[0] ?? clock.monotonic()
    wake = clock.after(Math.max(1, token + 1000 - clock.monotonic()), () => {
      wake = undefined
      drain()
    })
  }

  return {
    urgent: (send) => {
      if (closed) return
      free()
      spend()
      send()
    },
    queued: (send, sender = orderFlow) => {
      if (closed) return () => {}
      const entry = { send, sender }
      waiting.add(entry)
      drain()
      return () => void waiting.delete(entry)
    },
    waiting: () => waiting.size,
    close: () => {
      closed = true
      waiting.clear()
      wake?.()
    },
  }
}
