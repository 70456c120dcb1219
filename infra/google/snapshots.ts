/**
 * Snapshots on Firestore: a head document for each, and beside it the text in parts, since a document holds no more than 1 MiB.
 * The head is written last, so one that was half written is never seen; what is read is checked against the head's digest.
 * There are only a few heads, so they are listed and chosen from here: that needs no index.
 */
import { createHash } from 'node:crypto'
import type { DocumentReference, Firestore } from '@google-cloud/firestore'
import * as t from 'io-ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { keptSnapshots, type Snapshots } from '../../domain/ports/snapshots.ts'
import { systemClock } from '../clock.ts'
import { insist } from './firestore-calls.ts'

export type SnapshotsOptions = {
  firestore: Firestore
  /** Names the journal: `paper` or `live`. */
  mode: string
  clock?: Pick<Clock, 'after'>
  abandoned?: AbortSignal
}

/** Of one call; a part is the most that one call carries. */
const callDeadlineMs = 10_000
const largestPart = 900_000

const Head = t.strict({ version: t.string, position: t.number, hash: t.string, parts: t.number, sha256: t.string })
type Head = t.TypeOf<typeof Head>

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const documentId = (position: number): string => String(position).padStart(12, '0')

const partsOf = (bytes: Uint8Array): Uint8Array[] => {
  const parts: Uint8Array[] = []
  for (let from = 0; from < bytes.length; from += largestPart) parts.push(bytes.subarray(from, from + largestPart))
  return parts
}

export const openSnapshots = ({ firestore, mode, clock = systemClock, abandoned }: SnapshotsOptions): Snapshots => {
  const heads = firestore.collection('journals').doc(mode).collection('snapshots')
  const call = <T>(what: string, send: () => Promise<T>): Promise<T> => insist(send, { what, deadlineMs: callDeadlineMs, clock, abandoned })
  const partOf = (head: DocumentReference, number: number) => head.collection('parts').doc(String(number))

  /** The text, to the byte as it was saved; undefined where something is missing or changed. */
  const textOf = async (head: Head): Promise<string | undefined> => {
    const parts: Uint8Array[] = []
    for (let number = 0; number < head.parts; number++) {
      const reference = partOf(heads.doc(documentId(head.position)), number)
      const bytes: unknown = (await call(`reading ${reference.path}`, () => reference.get())).data()?.['bytes']
      if (!(bytes instanceof Uint8Array)) return undefined
      parts.push(bytes)
    }
    const whole = Buffer.concat(parts)
    return digest(whole) === head.sha256 ? whole.toString() : undefined
  }

  /** The head first: a snapshot that is half gone must not look like one. */
  const remove = async (head: DocumentReference): Promise<void> => {
    await call(`removing ${head.path}`, () => head.delete())
    const parts = await call(`listing the parts of ${head.path}`, () => head.collection('parts').listDocuments())
    for (const part of parts) await call(`removing ${part.path}`, () => part.delete())
  }
  /** All but the last few, and what was left behind by somebody who never came to write the head. */
  const forgetOthers = async (): Promise<void> => {
    const written = (await call('listing the snapshots', () => heads.select().get())).docs
    written.sort(
      (left, right) =>
        right.updateTime.toMillis() - left.updateTime.toMillis() || right.updateTime.nanoseconds - left.updateTime.nanoseconds,
    )
    const kept = new Set(written.slice(0, keptSnapshots).map(({ id }) => id))
    const all = await call('listing the snapshots', () => heads.listDocuments())
    for (const head of all) if (!kept.has(head.id)) await remove(head)
  }

  return {
    latest: async (version, atMost = Number.MAX_SAFE_INTEGER) => {
      const { docs } = await call('listing the snapshots', () => heads.get())
      const candidates = docs
        .map((document): unknown => document.data())
        .filter((head): head is Head => Head.is(head) && head.version === version && head.position <= atMost)
        .sort((left, right) => right.position - left.position)
      for (const head of candidates) {
        const json = await textOf(head)
        if (json !== undefined) return { version, position: head.position, hash: head.hash, json }
      }
      return undefined
    },
    save: async ({ version, position, hash, json }) => {
      const head = heads.doc(documentId(position))
      const there: unknown = (await call(`reading ${head.path}`, () => head.get())).data()
      if (Head.is(there) && there.version === version && there.hash === hash) return
      if (there !== undefined) await remove(head)
      const bytes = Buffer.from(json)
      const parts = partsOf(bytes)
      for (const [number, part] of parts.entries()) await call(`writing ${head.path}`, () => partOf(head, number).set({ bytes: part }))
      const written: Head = { version, position, hash, parts: parts.length, sha256: digest(bytes) }
      await call(`writing ${head.path}`, () => head.set(written))
      await forgetOthers()
    },
  }
}
