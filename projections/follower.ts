/**
 * The life that all share who follow the journal: woken by its news, resting when a store fails, stopped for good by what no waiting mends,
 * and asked by others how far they are.
 */
import type { Clock } from '../domain/ports/clock.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { createWaiters } from './waiters.ts'

export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text: string) => void>

/** How somebody else sees that it lives. A journal at rest brings no news, so whoever wants to know may ask for a look. */
export type Life = {
  /** Why it stopped by itself; undefined while all is well. */
  failure(): Error | undefined
  /** Machine time of its last look that came to its end, or of its last step; undefined before the first. */
  lookedAt(): number | undefined
  /** Looks again, as soon as it can. */
  look(): void
}

export type FollowerOptions = {
  /** What it is called where it has stopped. */
  name: string
  journal: Pick<Journal, 'onAppended'>
  clock: Pick<Clock, 'after' | 'monotonic'>
  log: Log
  /** How far it has come. */
  position(): number
  /** Does all there is to do now. @returns milliseconds of machine time until there may be more without news; undefined: only news brings more */
  round(): Promise<number | undefined>
  /** A round has failed: nothing that it remembers of the store is certain. */
  doubt(): void
  /** Whether waiting does not help. */
  isFinal(error: unknown): boolean
  /** Said at each failure that is waited out. */
  trouble: string
  /** The last thing it does, however it ends. */
  leave?(): Promise<void>
}

export type Follower = Life & {
  /** Begins to follow, once in its life. */
  start(): void
  /** Ends after the round in hand. */
  stop(): Promise<void>
  stopped(): boolean
  /** Whether the journal has grown since `read` was last said. */
  hasNews(): boolean
  /** What the journal holds from here on is news. */
  read(): void
  /** Something is to be looked at again, as if the journal had grown. */
  again(): void
  /** Until something cuts it short, or so many milliseconds of machine time have passed. A stop always cuts it short. */
  pause(isCutShort: () => boolean, milliseconds?: number): Promise<void>
  /** Whether somebody waits for this position or an earlier one. */
  isWaitedFor(position: number): boolean
  /** To be called after each move. */
  moved(): void
  /** Resolves when the position is reached. @throws Error once it has stopped, with the reason */
  caughtUp(position: number): Promise<void>
}

const firstPauseMs = 50
const longestPauseMs = 10_000

export const createFollower = (options: FollowerOptions): Follower => {
  const { name, journal, clock, log, position, round, doubt, isFinal, trouble, leave } = options
  let stopped = false
  let failure: Error | undefined
  let news = true
  let wake: () => void = () => undefined
  let running: Promise<void> | undefined
  let unwatch: () => void = () => undefined
  const waiters = createWaiters(position)
  let lookedAt: number | undefined
  const seenAlive = (): void => {
    lookedAt = clock.monotonic()
  }

  const pause = async (isCutShort: () => boolean, milliseconds?: number): Promise<void> => {
    let callOff: () => void = () => undefined
    await new Promise<void>((resolve) => {
      wake = () => (stopped || isCutShort()) && resolve()
      if (milliseconds !== undefined) callOff = clock.after(milliseconds, resolve)
      wake()
    })
    callOff()
    wake = () => undefined
  }
  const again = (): void => {
    news = true
    wake()
  }

  const follow = async (): Promise<void> => {
    let nextPause = firstPauseMs
    while (!stopped) {
      try {
        const milliseconds = await round()
        seenAlive()
        nextPause = firstPauseMs
        await pause(() => news, milliseconds)
      } catch (error) {
        if (isFinal(error)) throw error
        log.warn({ err: error, pauseMs: nextPause }, trouble)
        doubt()
        await pause(() => false, nextPause) // what arrives meanwhile cuts nothing short: a store that fails rests
        nextPause = Math.min(nextPause * 2, longestPauseMs)
      }
    }
  }

  return {
    start: () => {
      if (running !== undefined) return
      unwatch = journal.onAppended(again)
      running = follow()
        .catch((error: Error) => {
          failure = error
          stopped = true
          unwatch()
          log.error({ err: error }, error.message)
          waiters.turnAway(error)
        })
        .finally(leave)
    },
    stop: async () => {
      stopped = true
      unwatch()
      wake()
      await running
      waiters.turnAway(new Error(`the ${name} has stopped`))
    },
    stopped: () => stopped,
    hasNews: () => news,
    read: () => {
      news = false
    },
    again,
    pause,
    isWaitedFor: waiters.waitsFor,
    moved: () => {
      seenAlive()
      waiters.tell()
    },
    caughtUp: async (wanted) => {
      if (failure !== undefined) throw failure
      if (wanted <= position()) return
      if (stopped) throw new Error(`the ${name} has stopped`)
      const there = waiters.wait(wanted)
      wake()
      await there
    },
    failure: () => failure,
    lookedAt: () => lookedAt,
    look: again,
  }
}
