/**
 * The one place where anything is decided and remembered: a queue of one, urgent work first.
 * A decision is appended, folded into the ledger, and only then takes effect.
 */
import PQueue from 'p-queue'
import { type Cause, type Commit, store } from '../domain/commit.ts'
import { type DomainEvent, fromStored, toStored } from '../domain/events.ts'
import { fold } from '../domain/fold.ts'
import type { Ledger } from '../domain/ledger.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Appended, Journal } from '../domain/ports/journal.ts'

/** What the engine says to people; one line, with fields. */
export type Log = {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export type Committed = { commit: Commit; events: readonly DomainEvent[] }

/** The engine can no longer vouch for what it would do: it must stop at once. */
export class EngineStopped extends Error {
  override name = 'EngineStopped'
}

/** Another engine holds the lease now. */
export class LeaseLost extends EngineStopped {
  override name = 'LeaseLost'
}

/** Somebody else wrote the position: this engine has lost the journal, or has not read all of its predecessor yet. */
export class PositionTaken extends EngineStopped {
  override name = 'PositionTaken'
  readonly epoch: number
  constructor(position: number, epoch: number) {
    super(`another engine (epoch ${epoch}) wrote position ${position}; this one has lost the journal`)
    this.epoch = epoch
  }
}

/** A decision that no journal takes: too large, or of a shape that could not be read back. Nothing was written. */
export class NotWritable extends Error {
  override name = 'NotWritable'
}

export type Writer = {
  /** Runs when everything before it is done. What it throws stops the engine. */
  enqueue(work: () => Promise<void> | void, urgency?: 'urgent' | 'normal'): Promise<void>
  /** Only inside of queued work. @returns whether it was appended now, or had been decided before @throws NotWritable */
  commit(cause: Cause, events: readonly DomainEvent[]): Promise<'appended' | 'already'>
  idle(): boolean
  /** Waits for the work that is running and drops what waits. */
  close(): Promise<void>
}

/** A shape that could not be read back must never be written: found here it is a bug of one decision, found later a lost journal. */
const checkReadable = (commit: Commit): void => {
  try {
    fromStored((JSON.parse(store(commit).json) as Commit).events)
  } catch (error) {
    throw new NotWritable((error as Error).message, { cause: error })
  }
}

export const createWriter = ({
  journal,
  clock,
  ledger,
  committed,
  failed,
}: {
  journal: Journal
  clock: Clock
  ledger: Ledger
  /** Called after each fold, before anything else is decided. */
  committed: (committed: Committed) => void
  /** Called once, with the reason why the engine must stop. */
  failed: (reason: Error) => void
}): Writer => {
  const queue = new PQueue({ concurrency: 1 })
  let dead = false

  const fail = (reason: Error): void => {
    if (dead) return
    dead = true // what waits in the queue does nothing any more, and whoever waits for it is told so
    failed(reason)
  }

  const append = async (commit: Commit): Promise<Appended> => {
    try {
      return await journal.append(commit)
    } catch (error) {
      throw new EngineStopped(`the journal could not be written at position ${commit.position}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  return {
    enqueue: (work, urgency = 'normal') => {
      if (dead) return Promise.resolve()
      return queue.add(
        async () => {
          if (dead) return
          try {
            await work()
          } catch (error) {
            fail(error instanceof Error ? error : new Error(String(error)))
          }
        },
        { priority: urgency === 'urgent' ? 1 : 0 },
      )
    },
    commit: async (cause, events) => {
      const recordedAt = isoTime(clock.now())
      const commit: Commit = {
        position: ledger.position + 1,
        epoch: ledger.epoch,
        recordedAt,
        cause,
        events: toStored(events, recordedAt),
        previousHash: ledger.hash,
      }
      checkReadable(commit)
      const answer = await append(commit)
      if (answer.answer === 'conflict') throw new PositionTaken(answer.position, answer.epoch)
      if (answer.answer === 'already') return 'already'
      committed(fold(ledger, answer.stored))
      return 'appended'
    },
    idle: () => queue.size === 0 && queue.pending === 0,
    close: async () => {
      dead = true
      await queue.onIdle()
    },
  }
}
