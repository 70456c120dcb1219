/** The way of bytes onto a socket: whole frames as a rule, and on demand cut, joined, slowed down or stopped as a network may do. */
import type { Socket } from 'node:net'

/** `bytes` one by one, `pieces` cut at random, `joined` all of a turn in one segment; `pauseMs` of machine time between segments. */
export type Frames = { style: 'bytes' | 'pieces' | 'joined'; pauseMs: number }

export type Outlet = {
  write: (bytes: Buffer) => void
  /** How it goes on from here; undefined is whole frames at once. */
  shape: (frames: Frames | undefined) => void
  /** Nothing leaves any more, or all that was stopped. */
  stop: (stopped: boolean) => void
  /** Resolves when all that was written has left, is stopped, or never will leave. */
  drained: () => Promise<void>
}

const longestPiece = 24

/** `random` decides where pieces are cut. */
export const createOutlet = (socket: Socket, random: () => number): Outlet => {
  let waiting: Buffer = Buffer.alloc(0)
  let frames: Frames | undefined
  let stopped = false
  let pumping = false
  const waiters = new Set<() => void>()

  const wake = (): void => {
    for (const waiter of waiters) waiter()
    waiters.clear()
  }

  const segmentLength = (): number => {
    if (frames?.style === 'bytes') return 1
    return frames?.style === 'pieces' ? 1 + Math.floor(random() * longestPiece) : waiting.length
  }

  /** Segment after segment, each when the one before has left. */
  const pump = (): void => {
    pumping = waiting.length > 0 && !stopped && !socket.destroyed && socket.writable
    if (!pumping) {
      wake()
      return
    }
    const length = segmentLength()
    const segment = waiting.subarray(0, length)
    waiting = waiting.subarray(length)
    socket.write(segment, () => {
      if (waiting.length === 0) pump()
      else if (frames && frames.pauseMs > 0) setTimeout(pump, frames.pauseMs)
      else setImmediate(pump)
    })
  }

  const begin = (): void => {
    if (pumping || stopped || waiting.length === 0) return
    pumping = true
    setImmediate(pump)
  }

  socket.once('close', wake)

  return {
    write: (bytes) => {
      if (!frames && !stopped && !pumping && waiting.length === 0) {
        socket.write(bytes)
        return
      }
      waiting = Buffer.concat([waiting, bytes])
      begin()
    },
    shape: (wanted) => {
      frames = wanted
    },
    stop: (wanted) => {
      stopped = wanted
      if (stopped) wake()
      else begin()
    },
    drained: async () => {
      while (waiting.length > 0 && !stopped && !socket.destroyed && socket.writable) {
        await new Promise<void>((resolve) => waiters.add(resolve))
      }
      if (stopped || socket.destroyed || !socket.writable) return
      await new Promise<void>((resolve) => {
        socket.once('close', resolve)
        socket.write('', () => {
          socket.off('close', resolve)
          resolve()
        })
      })
    },
  }
}
