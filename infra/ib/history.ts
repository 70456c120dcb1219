/**
 * Historical data for all tenants of one session: identical questions get one answer, and all together keep IB's pacing. Waiting for it is no
 * error: it is counted, and said once when it begins.
 */
import { BrokerUnavailable, type HistoricalBar, type HistoryRequest } from '../../domain/ports/broker.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import type { Log } from './line.ts'
import { earliest, identicalFor, keyOf, openAtOnce, type Past, pastOf, stillCounts } from './pacing.ts'

type Asking = { tenant: string; signal?: AbortSignal | undefined }
/** One question on the wire or waiting for its time, and those who wait for its answer. */
type Shared = { answer: Promise<HistoricalBar[]>; wanted: number; abandon: AbortController; answeredAt: number | undefined }

export type History = ReturnType<typeof createHistory>

const calledOff = () => new BrokerUnavailable('lost', 'reqHistoricalData was called off')

export const createHistory = ({
  clock,
  log,
  paced,
  send,
}: {
  clock: Pick<Clock, 'now' | 'at'>
  log: Log
  /** Off for a gateway without limits. */
  paced: boolean
  send: (request: HistoryRequest, asking: Asking) => Promise<HistoricalBar[]>
}) => {
  let past: Past[] = []
  /** In the order in which they came; the next one looks again whenever one has gone or was answered. */
  const waiting = new Set<() => void>()
  const shared = new Map<string, Shared>()
  let open = 0
  let callOffLook = () => {}
  let lookingAt = Number.POSITIVE_INFINITY
  let said = false

  const forget = (now: number): void => {
    past = stillCounts(past, now)
    for (const [key, { answeredAt }] of shared) if (answeredAt !== undefined && now - answeredAt >= identicalFor) shared.delete(key)
  }
  const lookAt = (time: number): void => {
    if (time >= lookingAt) return
    callOffLook()
    lookingAt = time
    callOffLook = clock.at(time, look)
  }
  const look = (): void => {
    callOffLook()
    lookingAt = Number.POSITIVE_INFINITY
    for (const each of [...waiting]) each()
    if (waiting.size === 0) said = false
  }

  /** Resolves when the request may go; it counts from then on. */
  const turn = (request: HistoryRequest, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = () => {
        waiting.delete(attempt)
        reject(calledOff())
      }
      const attempt = () => {
        const now = clock.now()
        forget(now)
        const time = earliest(past, request, now)
        if (time > now || open >= openAtOnce) {
          waiting.add(attempt)
          if (!said) log.info({ waiting: waiting.size }, "requests for historical data wait for IB's pacing")
          said = true
          if (time > now) lookAt(time)
          return
        }
        waiting.delete(attempt)
        signal.removeEventListener('abort', stop)
        past.push(pastOf(request, now))
        open += 1
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
      attempt()
    })

  const ask = async (request: HistoryRequest, tenant: string, signal: AbortSignal): Promise<HistoricalBar[]> => {
    await turn(request, signal)
    try {
      if (signal.aborted) throw calledOff()
      return await send(request, { tenant, signal })
    } finally {
      open -= 1
      look()
    }
  }

  const begin = (request: HistoryRequest, tenant: string): Shared => {
    const key = keyOf(request)
    const abandon = new AbortController()
    const one: Shared = { answer: ask(request, tenant, abandon.signal), wanted: 0, abandon, answeredAt: undefined }
    shared.set(key, one)
    one.answer.then(
      () => {
        one.answeredAt = clock.now()
      },
      // a failure is nobody else's answer
      () => shared.get(key) === one && shared.delete(key),
    )
    return one
  }

  return {
    /** @throws BrokerUnavailable; each gets a list of its own */
    bars: async (request: HistoryRequest, { tenant, signal }: Asking): Promise<HistoricalBar[]> => {
      if (signal?.aborted === true) throw calledOff()
      if (!paced) return send(request, { tenant, signal })
      forget(clock.now())
      const one = shared.get(keyOf(request)) ?? begin(request, tenant)
      one.wanted += 1
      let leave = () => {}
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(calledOff())
        signal?.addEventListener('abort', leave, { once: true })
      })
      try {
        return [...(await Promise.race([one.answer, left]))]
      } finally {
        signal?.removeEventListener('abort', leave)
        one.wanted -= 1
        if (one.wanted === 0 && one.answeredAt === undefined) {
          if (shared.get(keyOf(request)) === one) shared.delete(keyOf(request))
          one.abandon.abort()
        }
      }
    },
    waiting: () => waiting.size,
    open: () => open,
    close: () => {
      callOffLook()
      for (const { abandon } of shared.values()) abandon.abort()
      shared.clear()
      waiting.clear()
    },
  }
}
