/**
 * What is subscribed to and goes on until it is cancelled: quotes, positions, account values. Any number may listen to one subscription; it ends with
 * the last of them. Each is watched: silent beyond its time it is subscribed anew, and that is said; the time doubles while this helps nothing, for a
 * market that is closed is silent too. A fresh line, and data that IB lost, subscribe all anew. Quotes take data lines, of which a login has so many:
 * what is beyond them waits, and is counted.
 */
import type { Clock } from '../../domain/ports/clock.ts'
import type { Log, Subscriptions } from './line.ts'

export type Topic<Value> = {
  /** Equal for what one subscription serves. */
  key: string
  /** As people know it. */
  name: string
  /** Milliseconds of machine time. */
  silence: number
  /** Whether it takes one of the data lines. */
  dataLine: boolean
  subscribe: (id: number) => void
  unsubscribe: (id: number) => void
  /** Only to keep the type of what is heard. */
  value?: Value
}

type Stream = {
  topic: Topic<unknown>
  listeners: Set<(value: unknown) => void>
  /** Of the subscription that stands, undefined while there is none. */
  id: number | undefined
  silence: number
  stopWatch: () => void
}

export const positionsKey = 'positions'
export const accountKey = (account: string): string => `account values of ${account}`

const longestSilence = 16

export type Streams = ReturnType<typeof createStreams>

export const createStreams = ({
  clock,
  log,
  dataLines,
  say,
}: {
  clock: Pick<Clock, 'after'>
  log: Log
  dataLines: number
  /** What people should know. */
  say: (text: string) => void
}) => {
  const streams = new Map<string, Stream>()
  /** Where to subscribe, while a line is ready. */
  let takeId: (() => number) | undefined
  /** Cancels that wait for the line to be ready again. */
  let cancels: (() => void)[] = []

  const linesTaken = () => [...streams.values()].filter(({ id, topic }) => id !== undefined && topic.dataLine).length
  const isWaiting = ({ id, topic }: Stream) => id === undefined && topic.dataLine

  const watch = (stream: Stream): void => {
    stream.stopWatch()
    stream.stopWatch = clock.after(stream.silence, () => {
      const { topic, silence } = stream
      stream.silence = Math.min(silence * 2, topic.silence * longestSilence)
      renew(stream, `${topic.name} were silent for ${Math.round(silence / 1000)} s`)
    })
  }
  const stop = (stream: Stream): void => {
    stream.stopWatch()
    const { id, topic } = stream
    stream.id = undefined
    if (id === undefined) return
    if (takeId === undefined) cancels.push(() => topic.unsubscribe(id))
    else topic.unsubscribe(id)
  }
  const begin = (stream: Stream): void => {
    if (takeId === undefined || stream.id !== undefined) return
    if (stream.topic.dataLine && linesTaken() >= dataLines) {
      log.info({ topic: stream.topic.key, dataLines }, `${stream.topic.name} wait for a free data line`)
      return
    }
    stream.id = takeId()
    watch(stream)
    stream.topic.subscribe(stream.id)
  }
  const beginWaiting = (): void => {
    for (const stream of streams.values()) if (isWaiting(stream) && linesTaken() < dataLines) begin(stream)
  }
  /** A fresh number each time: what still comes for the old one is of no subscription. */
  const renew = (stream: Stream, why: string): void => {
    if (stream.id === undefined) return
    if (takeId === undefined) {
      watch(stream)
      return
    }
    log.warn({ topic: stream.topic.key }, `${why}: subscribed anew`)
    say(`${why}: subscribed anew`)
    stop(stream)
    begin(stream)
  }
  const byId = (id: number): Stream | undefined => [...streams.values()].find((stream) => stream.id === id)

  const heard = (stream: Stream | undefined, value: unknown): void => {
    if (stream === undefined || stream.id === undefined) return
    stream.silence = stream.topic.silence
    watch(stream)
    for (const listener of [...stream.listeners]) {
      try {
        listener(value)
      } catch (error) {
        log.error({ err: error, topic: stream.topic.key }, 'a listener failed')
      }
    }
  }

  const subscriptions: Subscriptions = {
    has: (id) => byId(id) !== undefined,
    refused: (id, code, text) => {
      const stream = byId(id)
      if (stream === undefined) return
      say(`${stream.topic.name} were refused: ${text} (${code})`)
      log.warn({ topic: stream.topic.key, code }, `${stream.topic.name} were refused, they are asked for again later: ${text}`)
    },
  }

  return {
    subscriptions,
    /** Returns the way to leave; leaving twice is leaving once. */
    join: <Value>(topic: Topic<Value>, listener: (value: Value) => void): (() => void) => {
      const stream: Stream = streams.get(topic.key) ?? {
        ...{ topic, listeners: new Set(), id: undefined, silence: topic.silence, stopWatch: () => {} },
      }
      const own = (value: unknown) => listener(value as Value)
      stream.listeners.add(own)
      if (!streams.has(topic.key)) {
        streams.set(topic.key, stream)
        begin(stream)
      }
      return () => {
        if (!stream.listeners.delete(own) || stream.listeners.size > 0) return
        streams.delete(topic.key)
        stop(stream)
        beginWaiting()
      }
    },
    byNumber: (id: number, value: unknown): void => heard(byId(id), value),
    byKey: (key: string, value: unknown): void => heard(streams.get(key), value),
    standing: (key: string): boolean => streams.get(key)?.id !== undefined,
    /** A line is ready: all that anybody listens to is subscribed on it, unless it is already. */
    attach: (ids: () => number): void => {
      takeId = ids
      for (const cancel of cancels.splice(0)) cancel()
      for (const stream of streams.values()) begin(stream)
    },
    /** The line stands, but nothing may be sent on it now. */
    suspend: (): void => {
      takeId = undefined
    },
    /** The line is gone, and every subscription with it. */
    detach: (): void => {
      takeId = undefined
      for (const stream of streams.values()) stop(stream)
      cancels = []
    },
    /** IB lost them, or may have. */
    renewAll: (why: string): void => {
      for (const stream of [...streams.values()]) renew(stream, `${stream.topic.name}: ${why}`)
    },
    /** `open`: subscriptions that stand. `lines`: data lines taken. `waiting`: for a free one, or for a line to the broker. */
    counts: () => ({
      open: [...streams.values()].filter(({ id }) => id !== undefined).length,
      lines: linesTaken(),
      waiting: [...streams.values()].filter(isWaiting).length,
      listeners: [...streams.values()].reduce((sum, { listeners }) => sum + listeners.size, 0),
    }),
  }
}
