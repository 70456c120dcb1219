/**
 * The journal on Firestore: the commit and the marker of its cause are created in one batch, or not at all. No read comes before it;
 * what happened is read afterwards, where the answer leaves it open. Commits are text: Firestore indexes `position` and nothing else.
 */
import { FieldPath, type Firestore, type Query, type QueryDocumentSnapshot } from '@google-cloud/firestore'
import * as t from 'io-ts'
import { type Commit, genesisHash, markerOf, type StoredCommit, store as toStored } from '../../domain/commit.ts'
import { decode } from '../../domain/decode.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { type Appended, type Journal, StoreUnavailable } from '../../domain/ports/journal.ts'
import { systemClock } from '../clock.ts'
import { backOffMs, codeOf, insist, inTime, pause, refusalOf, status } from './firestore-calls.ts'
import { keepListening } from './listening.ts'

export type JournalOptions = {
  firestore: Firestore
  /** Names the journal: `paper` or `live`. */
  mode: string
  clock?: Pick<Clock, 'after'>
  /** An append waits out any outage until this is aborted; reading and listening end with it, too. */
  abandoned: AbortSignal
}

/** Of one try to write, and of one try to read back. */
const appendDeadlineMs = 5_000
const readDeadlineMs = 10_000
/** Documents asked for at once: few at first, then as many of the size last seen as make a page of some megabytes. */
const pageSize = { first: 100, largest: 2_000, bytes: 4_000_000 }
const lastPosition = 999_999_999_999

const Marker = t.strict({ position: t.number, hash: t.string })
type Marker = t.TypeOf<typeof Marker>
const Place = t.strict({ position: t.number, epoch: t.number, hash: t.string })
const Stored = t.strict({
  position: t.number,
  epoch: t.number,
  recordedAt: t.string,
  previousHash: t.string,
  hash: t.string,
  json: t.string,
})

type Snapshot = { ref: { path: string }; exists: boolean; data(): unknown }

/** @throws Error naming a document that is not what it should be: somebody else wrote it */
const decoded = <A>(codec: t.Decoder<unknown, A>, snapshot: Snapshot): A => {
  const result = decode(codec, snapshot.data())
  if (result.ok) return result.value
  throw new Error(`the document ${snapshot.ref.path} is none of the journal's: ${result.problem}`)
}
const decodedIfThere = <A>(codec: t.Decoder<unknown, A>, snapshot: Snapshot): A | undefined =>
  snapshot.exists ? decoded(codec, snapshot) : undefined

const sizeAfter = (docs: readonly QueryDocumentSnapshot[]): number => {
  const bytes = docs.reduce((total, document) => total + String(document.get('json')).length, 1)
  return Math.min(pageSize.largest, Math.max(1, Math.floor((pageSize.bytes * docs.length) / bytes)))
}

const documentId = (position: number): string => String(position).padStart(12, '0')

export const openJournal = ({ firestore, mode, clock = systemClock, abandoned }: JournalOptions): Journal => {
  const root = firestore.collection('journals').doc(mode)
  const commits = root.collection('commits')
  const commands = root.collection('commands')
  const newest = commits.orderBy('position', 'desc').limit(1).select('position', 'hash')
  const listeners = announcing(newest, clock, abandoned)

  /** The highest commit that this process read or appended. Whoever appends should continue it. */
  let known: Marker | undefined
  const learn = ({ position, hash }: Marker): void => {
    if (known === undefined || position >= known.position) known = { position, hash }
  }

  /** What is there never changes, so reading it afterwards is as good as before; the text stays where it is. */
  const look = async (position: number, id: string | undefined, tries?: number) => {
    const references = [commits.doc(documentId(position)), ...(id === undefined ? [] : [commands.doc(id)])]
    const [place, marker] = await insist(
      () => firestore.getAll(...references, { fieldMask: ['position', 'epoch', 'hash'] }),
      { what: `reading commit ${position}`, deadlineMs: appendDeadlineMs, clock, abandoned },
      tries,
    )
    return { place: place && decodedIfThere(Place, place), marker: marker && decodedIfThere(Marker, marker) }
  }

  /** A commit that does not continue the one before it is a bug, not a race. Costs a read only where this process never saw that one. */
  const checkContinues = async ({ position, previousHash }: StoredCommit): Promise<void> => {
    if (known !== undefined && position >= 1 && position <= known.position) return // taken: who was first is told by the answer
    const before = position - 1
    const hash = before === 0 ? genesisHash : before === known?.position ? known.hash : undefined
    const found = hash ?? (before > 0 ? (await look(before, undefined)).place?.hash : undefined)
    if (found === undefined) throw new Error(`commit ${position} leaves a gap: there is no commit ${before}`)
    if (found !== previousHash) throw new Error(`commit ${position} does not continue commit ${before}`)
  }

  const create = (stored: StoredCommit, id: string | undefined): (() => Promise<unknown>) => {
    const batch = firestore.batch().create(commits.doc(documentId(stored.position)), stored)
    if (id !== undefined) batch.create(commands.doc(id), { position: stored.position, hash: stored.hash })
    return () => batch.commit()
  }

  /** Who was first? Undefined when nobody holds the position yet: then the very same commit is offered again. */
  const settle = async (stored: StoredCommit, id: string | undefined, collided: boolean): Promise<Appended | undefined> => {
    const { place, marker } = await look(stored.position, id, Number.POSITIVE_INFINITY)
    if (place?.hash === stored.hash) return { answer: 'appended', stored }
    if (marker !== undefined && marker.position !== stored.position) return { answer: 'already', ...marker }
    if (place !== undefined) return { answer: 'conflict', position: place.position, epoch: place.epoch }
    if (collided && marker !== undefined)
      throw new Error(`commit ${stored.position} is gone, but the marker of ${id} names it: the journal was damaged, run ibt verify`)
    return undefined
  }

  const offer = async (stored: StoredCommit, id: string | undefined): Promise<Appended> => {
    const what = `appending commit ${stored.position}`
    for (let failures = 1; ; failures++) {
      let collided = false
      try {
        await inTime(create(stored, id), { what, deadlineMs: appendDeadlineMs, clock, abandoned })
        return { answer: 'appended', stored }
      } catch (error) {
        if (abandoned.aborted) throw new StoreUnavailable(`${what}: given up before Firestore answered`, { cause: error })
        const refusal = refusalOf(error, what)
        if (refusal) throw refusal
        collided = codeOf(error) === status.alreadyExists
      }
      const answer = await settle(stored, id, collided)
      if (answer !== undefined) return answer
      await pause(backOffMs(failures), { clock, abandoned })
    }
  }

  const page = (from: number, to: number, usual: number, stopped: AbortSignal) =>
    insist(
      // a page that did not come in time is asked for again in smaller pieces
      async (failures) => {
        const size = Math.max(1, Math.floor(usual / 4 ** failures))
        const query = commits.orderBy(FieldPath.documentId()).startAt(documentId(from)).endAt(documentId(to)).limit(size)
        const { docs } = await query.get()
        return { docs, isLast: docs.length < size }
      },
      { what: `reading the journal from commit ${from}`, deadlineMs: readDeadlineMs, clock, abandoned: stopped },
    )

  return {
    head: async () => {
      const what = 'reading the head of the journal'
      const { docs } = await insist(() => newest.get(), { what, deadlineMs: readDeadlineMs, clock, abandoned })
      const head = docs[0] === undefined ? { position: 0, hash: genesisHash } : decoded(Marker, docs[0])
      learn(head)
      return head
    },
    append: async (commit: Commit) => {
      const stored = toStored(commit)
      await checkContinues(stored)
      const answer = await offer(stored, markerOf(commit.cause))
      if (answer.answer === 'appended') {
        learn(stored)
        listeners.tell()
      }
      return answer
    },
    marker: async (id) => {
      const what = `reading the marker of ${id}`
      return decodedIfThere(Marker, await insist(() => commands.doc(id).get(), { what, deadlineMs: readDeadlineMs, clock, abandoned }))
    },
    async *read(from, to = lastPosition) {
      const last = Math.min(to, lastPosition)
      const stop = new AbortController()
      const stopped = AbortSignal.any([stop.signal, abandoned])
      const ask = (position: number, size: number) => {
        const asked = page(position, last, size, stopped)
        asked.catch(() => undefined) // heard when it is its turn, or never
        return asked
      }
      try {
        let next: ReturnType<typeof ask> | undefined = from <= last ? ask(Math.max(1, from), pageSize.first) : undefined
        while (next !== undefined) {
          const { docs, isLast } = await next
          const end = Number(docs.at(-1)?.id ?? last)
          next = isLast || end >= last ? undefined : ask(end + 1, sizeAfter(docs)) // comes while this one is consumed
          for (const document of docs) {
            const stored = decoded(Stored, document)
            learn(stored)
            yield stored
          }
        }
      } finally {
        stop.abort()
      }
    },
    onAppended: listeners.add,
  }
}

/**
 * Our own appends are told at once, those of others by one listener of Firestore, which lives as long as somebody here listens,
 * and ends with the waiting: the client cannot be closed before.
 */
const announcing = (newest: Query, clock: Pick<Clock, 'after'>, abandoned: AbortSignal) => {
  const listeners = new Set<() => void>()
  let stop = () => {}
  const tell = (): void =>
    queueMicrotask(() => {
      for (const listener of [...listeners]) if (listeners.has(listener)) listener()
    })
  abandoned.addEventListener('abort', () => {
    listeners.clear()
    stop()
  })
  return {
    tell,
    add: (listener: () => void): (() => void) => {
      if (abandoned.aborted) return () => {}
      const own = () => listener() // the same function may listen twice
      if (listeners.size === 0) stop = keepListening((heard, failed) => newest.onSnapshot(heard, failed), clock, tell)
      listeners.add(own)
      return () => {
        if (listeners.delete(own) && listeners.size === 0) stop()
      }
    },
  }
}
