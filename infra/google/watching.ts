/** Listeners on single documents: one stream of the client a document, however many watch it. */
import type { Firestore } from '@google-cloud/firestore'
import type { Clock } from '../../domain/ports/clock.ts'
import { keepListening } from './listening.ts'

export type Watching = {
  /** Tells at the start, after each change, and after each loss of the line, since something may have been missed. */
  watch(path: string, listener: () => void): () => void
  /** Ends all streams: the client cannot be closed before. */
  close(): void
}

type Stream = { listeners: Set<() => void>; end: () => void }

export const createWatching = (firestore: Firestore, clock: Pick<Clock, 'after'>): Watching => {
  const streams = new Map<string, Stream>()
  const open = (path: string): Stream => {
    const listeners = new Set<() => void>()
    const tell = (): void => {
      for (const listener of [...listeners]) listener()
    }
    const end = keepListening((heard, failed) => firestore.doc(path).onSnapshot(heard, failed), clock, tell)
    return { listeners, end }
  }
  return {
    watch: (path, listener) => {
      const own = () => listener() // the same function may watch twice
      const stream = streams.get(path) ?? open(path)
      if (streams.has(path)) queueMicrotask(() => stream.listeners.has(own) && own())
      streams.set(path, stream)
      stream.listeners.add(own)
      return () => {
        if (!stream.listeners.delete(own) || stream.listeners.size > 0) return
        streams.delete(path)
        stream.end()
      }
    },
    close: () => {
      for (const { end, listeners } of streams.values()) {
        listeners.clear()
        end()
      }
      streams.clear()
    },
  }
}
