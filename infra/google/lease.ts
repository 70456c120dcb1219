/**
 * The lease on Firestore: one document, and no time but Firestore's own. Every write is guarded by the `updateTime` of the version it
 * was decided on, so one of several gets it and none waits for a lock; where an answer was lost, the document tells who wrote it.
 */
import type { Firestore, Timestamp } from '@google-cloud/firestore'
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import type { Lease, LeaseView } from '../../domain/ports/lease.ts'
import { systemClock } from '../clock.ts'
import { backOffMs, codeOf, insist, inTime, pause, refusalOf, status } from './firestore-calls.ts'

export type LeaseOptions = {
  firestore: Firestore
  /** Whose journal: `paper` or `live`. */
  mode: string
  clock?: Pick<Clock, 'after' | 'monotonic'>
  /** Ends every waiting, for a process that is to end. */
  abandoned?: AbortSignal
}

/** Of one call to Firestore. */
const callDeadlineMs = 3_000
/** Of all that one question may take; a holder that is less sure by then asks again. */
const questionDeadlineMs = 10_000

/** `holder` is null after the lease was given back; the epoch stays, so that the next one is higher. */
const LeaseDocument = t.strict({
  holder: t.union([t.string, t.null]),
  epoch: t.number,
  ttlMs: t.number,
  /** Another one with every renewal: a write that changes nothing would leave `updateTime` where it is. */
  renewal: t.number,
})
type LeaseDocument = t.TypeOf<typeof LeaseDocument>

type Version = LeaseDocument & { updateTime: Timestamp }

/** What an ordinary race answers: somebody else was there first, or has been there since. */
const raced = new Set<number | undefined>([status.alreadyExists, status.failedPrecondition, status.notFound])

export const openLease = ({ firestore, mode, clock = systemClock, abandoned }: LeaseOptions): Lease & LeaseView => {
  const document = firestore.collection('journals').doc(mode).collection('lease').doc('current')
  /** The version that this process wrote last: a renewal needs no read. */
  let own: Version | undefined
  /** Whom this process asked for. A document that was deleted by hand begins again at epoch 1, so the epoch alone names nobody. */
  let asked: string | undefined

  const read = async (what: string): Promise<{ found: Version | undefined; readTime: Timestamp }> => {
    const snapshot = await insist(() => document.get(), { what, deadlineMs: callDeadlineMs, clock, abandoned }, 1)
    if (!snapshot.exists) return { found: undefined, readTime: snapshot.readTime }
    const result = decode(LeaseDocument, snapshot.data())
    if (!result.ok) throw new Error(`the document ${document.path} is no lease: ${result.problem}`)
    return { found: { ...result.value, updateTime: snapshot.updateTime! }, readTime: snapshot.readTime }
  }

  /** @returns the new version; undefined when it is unclear or certain that the document has another now: read it */
  const write = async (what: string, next: LeaseDocument, guard: Timestamp | undefined): Promise<Version | undefined> => {
    const send = () => (guard === undefined ? document.create(next) : document.update(next, { lastUpdateTime: guard }))
    try {
      const { writeTime } = await inTime(send, { what, deadlineMs: callDeadlineMs, clock, abandoned })
      return { ...next, updateTime: writeTime }
    } catch (error) {
      const refusal = raced.has(codeOf(error)) ? undefined : refusalOf(error, what)
      if (refusal) throw refusal
      return undefined
    }
  }

  /** Reads, decides and writes until one of its writes is seen to stand. @throws StoreUnavailable when that takes too long */
  const settle = async <T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> => {
    const end = clock.monotonic() + questionDeadlineMs
    for (let failures = 1; ; failures++) {
      const answer = await attempt().catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable) || abandoned?.aborted || clock.monotonic() >= end) throw error
      })
      if (answer !== undefined) return answer
      if (clock.monotonic() >= end) throw new StoreUnavailable(`${what}: not settled within ${questionDeadlineMs / 1_000} s`)
      await pause(backOffMs(failures), { clock, abandoned })
    }
  }

  return {
    acquire: async (holder, ttlMs, above = 0) => {
      const what = 'taking the lease'
      let tried = 0
      asked = holder
      return settle(what, async () => {
        const { found, readTime } = await read(what)
        if (found !== undefined && found.holder === holder && found.epoch === tried) {
          own = found // our own write, whose answer was lost
          return { epoch: tried }
        }
        const heldFor = found === undefined ? 0 : heldForOf(found, readTime)
        if (found !== undefined && found.holder !== null && found.holder !== holder && heldFor > 0) return { heldFor }
        tried = Math.max(found?.epoch ?? 0, above) + 1
        own = await write(what, { holder, epoch: tried, ttlMs, renewal: 0 }, found?.updateTime)
        return own && { epoch: tried }
      })
    },

    renew: async (epoch, ttlMs) => {
      const what = 'renewing the lease'
      return settle(what, async () => {
        const known = own?.epoch === epoch ? own : (await read(what)).found
        own = undefined // until it is certain again
        if (known === undefined || known.epoch !== epoch || known.holder !== asked) return false
        // After an unclear answer it is written once more: an earlier renewal that came late would count from earlier than this one.
        own = await write(what, { ...contentOf(known), ttlMs, renewal: known.renewal + 1 }, known.updateTime)
        return own && true
      })
    },

    release: async (epoch) => {
      const what = 'giving the lease back'
      await settle(what, async () => {
        own = undefined
        const { found } = await read(what)
        if (found === undefined || found.epoch !== epoch || found.holder !== asked) return true
        return (await write(what, { ...contentOf(found), holder: null }, found.updateTime)) && true
      })
    },

    current: async () => {
      const { found, readTime } = await read('looking at the lease')
      const heldFor = found === undefined ? 0 : heldForOf(found, readTime)
      return found === undefined || found.holder === null || heldFor <= 0 ? undefined : { epoch: found.epoch, heldFor }
    },
  }
}

const heldForOf = ({ updateTime, ttlMs }: Version, now: Timestamp): number => updateTime.toMillis() + ttlMs - now.toMillis()
const contentOf = ({ holder, epoch, ttlMs, renewal }: Version): LeaseDocument => ({ holder, epoch, ttlMs, renewal })
