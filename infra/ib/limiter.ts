/**
 * IB takes 50 messages a second on one connection, warns, then drops the line. This bucket stands in front of the
 * library and holds 45 tokens; a token that was used comes back one second later, so no second ever sees more.
 * Questions wait, in the order they were asked, and leave a reserve. Orders, cancels and the heartbeat never wait:
 * they take from the reserve and, were it used up, go all the same; then the questions wait the longer. An order that
 * is held back here could go out after its checks have grown old, so none ever is.
 */
import type { Clock } from '../../domain/ports/clock.ts'

export type Limiter = {
  /** Runs `send` now. */
  urgent(send: () => void): void
  /** Runs `send` when it is its turn. Returns the way to call it off. */
  queued(send: () => void): () => void
  /** Forgets all that waits: it will never be sent. */
  close(): void
}

export const createLimiter = ({
  clock,
  perSecond = 45,
  reserve = 20,
}: {
  clock: Pick<Clock, 'monotonic' | 'after'>
  perSecond?: number
  reserve?: number
}): Limiter => {
  const used: number[] = []
  const waiting = new Set<() => void>()
  let wake: (() => void) | undefined
  let closed = false

  const spend = () => used.push(clock.monotonic())
  const free = () => {
    const since = clock.monotonic() - 1000
    while (used.length > 0 && used[0]! <= since) used.shift()
    return perSecond - used.length
  }

  const drain = () => {
    for (const send of waiting) {
      if (free() <= reserve) break
      waiting.delete(send)
      spend()
      send()
    }
    if (waiting.size === 0 || wake !== undefined || closed) return
    // a question may go when this many of the used tokens have come back
    const next = used[reserve - free()] ?? used[0] ?? clock.monotonic()
    wake = clock.after(Math.max(1, next + 1000 - clock.monotonic()), () => {
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
    queued: (send) => {
      if (closed) return () => {}
      const entry = () => send()
      waiting.add(entry)
      drain()
      return () => void waiting.delete(entry)
    },
    close: () => {
      closed = true
      waiting.clear()
      wake?.()
    },
  }
}
