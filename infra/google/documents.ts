/**
 * Documents on Firestore, each under its own path, and each projection's checkpoint beside them.
 * The checkpoint's last update guards every batch; whatever else is in the database is neither shown by `all` nor ever written.
 */
import { randomUUID } from 'node:crypto'
import { type DocumentSnapshot, FieldPath, type Firestore, type Query, Timestamp, type WriteBatch } from '@google-cloud/firestore'
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import {
  type Checkpoint,
  checkCollectionPath,
  checkDocumentPath,
  type Document,
  type Documents,
  type DocumentWrite,
  type Page,
  Unstorable,
  type Written,
} from '../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { unreachable } from '../../domain/unreachable.ts'
import { checkWritable, viewDocuments } from '../../domain/view-documents.ts'
import { documentOf, sizeOf } from './document-values.ts'
import { codeOf, insist, inTime, refusalOf, status } from './firestore-calls.ts'
import { createWatching } from './watching.ts'

export type DocumentsOptions = {
  firestore: Firestore
  mode: 'paper' | 'live'
  clock: Pick<Clock, 'after'>
  /** For each call, in milliseconds of machine time. */
  deadlineMs?: number
  /** Ends every waiting, for a process that is to end. */
  abandoned?: AbortSignal
}

type Found = { path: string; data: Document }

const checkpointCollection = 'checkpoints'
const pageSize = 200
/** Firestore takes 10 MiB a request. The emulator takes 4, and hangs on more without an error: no batch of a projector comes near either. */
const largestRequest = 10 * 1024 * 1024 - 65_536

// ── The checkpoint ──

/** `token` is of the call that wrote it: so no write leaves the document as it was, and a call finds out that it was its own. */
const CheckpointDocument = t.strict({ position: t.number, hash: t.string, token: t.string })

const versionOf = ({ seconds, nanoseconds }: Timestamp): string => `${seconds}.${String(nanoseconds).padStart(9, '0')}`

const timestampOf = (version: string): Timestamp => {
  const [, seconds, nanoseconds] = /^(\d+)\.(\d{9})$/.exec(version) ?? []
  if (seconds === undefined || nanoseconds === undefined) throw new Error(`"${version}" is not the version of a checkpoint`)
  return new Timestamp(Number(seconds), Number(nanoseconds))
}

const checkpointOf = (snapshot: DocumentSnapshot): (Checkpoint & { token: string }) | undefined => {
  if (!snapshot.exists || snapshot.updateTime === undefined) return undefined
  const decoded = decode(CheckpointDocument, snapshot.data())
  if (!decoded.ok) throw new Error(`${snapshot.ref.path} is no checkpoint of ours: ${decoded.problem}`)
  return { ...decoded.value, version: versionOf(snapshot.updateTime) }
}

/** The checkpoint of somebody who expected another one, or one where there is none yet. */
const collisions: ReadonlySet<number | undefined> = new Set([status.alreadyExists, status.notFound, status.failedPrecondition])

const foundIn = (snapshot: DocumentSnapshot): Found[] => {
  const data = snapshot.data()
  if (data === undefined) return []
  const { token: _, ...checkpoint } = data
  return [{ path: snapshot.ref.path, data: documentOf(snapshot.ref.parent.path === checkpointCollection ? checkpoint : data) }]
}

// ── Writes ──

const addTo = (batch: WriteBatch, firestore: Firestore, write: DocumentWrite): void => {
  const document = firestore.doc(write.path)
  switch (write.kind) {
    case 'set':
      batch.set(document, write.data)
      return
    case 'merge':
      // As paths of one segment: names of fields may hold dots.
      batch.set(document, write.data, { mergeFields: Object.keys(write.data).map((name) => new FieldPath(name)) })
      return
    case 'delete':
      batch.delete(document)
      return
    default:
      unreachable(write)
  }
}

/** @throws Unstorable, before anything is sent */
const checkSizes = (writes: readonly DocumentWrite[]): void => {
  const sent = writes.reduce((total, write) => total + 1_024 + (write.kind === 'delete' ? 0 : sizeOf(write.path, write.data).sent), 0)
  if (sent > largestRequest)
    throw new Unstorable(
      writes[0]!.path,
      `a batch of ${writes.length} documents takes up to ${sent} bytes, Firestore ${largestRequest} at most`,
    )
}

const failed = (error: unknown, what: string, path: string): Error => {
  if (error instanceof StoreUnavailable) return error
  const refusal = refusalOf(error, what)
  if (refusal === undefined) return new StoreUnavailable(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error })
  return codeOf(error) === status.invalidArgument ? new Unstorable(path, refusal.message, { cause: error }) : refusal
}

/** `close` ends the listeners: the client cannot be closed before. */
export const openDocuments = ({
  firestore,
  mode,
  clock,
  deadlineMs = 10_000,
  abandoned,
}: DocumentsOptions): Documents & { close(): void } => {
  const watching = createWatching(firestore, clock)

  /** Once: whoever asked decides whether to ask again. */
  const ask = <T>(what: string, call: () => Promise<T>): Promise<T> => insist(call, { what, deadlineMs, clock, abandoned }, 1)
  const read = (path: string): Promise<DocumentSnapshot> => ask(`reading ${path}`, () => firestore.doc(path).get())

  async function* pagesOf(collection: string, { after, limit = Number.POSITIVE_INFINITY }: Page = {}): AsyncGenerator<Found> {
    const byId = firestore.collection(collection).orderBy(FieldPath.documentId())
    let left = limit
    for (let page: Query | undefined = after === undefined ? byId : byId.startAfter(after); page !== undefined; ) {
      const size = Math.min(left, pageSize)
      const asked: Query = page.limit(size)
      const { docs } = await ask(`reading ${collection}`, () => asked.get())
      yield* docs.flatMap(foundIn)
      left -= docs.length
      page = docs.length < size || left === 0 ? undefined : byId.startAfter(docs.at(-1)!.id)
    }
  }

  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = []
    for await (const item of items) found.push(item)
    return found
  }

  /** Also ids under which there is no document, but further collections. */
  const idsIn = async (collection: string): Promise<string[]> =>
    (await ask(`reading ${collection}`, () => firestore.collection(collection).listDocuments())).map(({ id }) => id)

  const matching = async (pattern: string): Promise<Found[]> => {
    const segments = pattern.split('/')
    let parents = ['']
    for (let place = 0; place < segments.length; place += 2) {
      const collections = parents.map((parent) => `${parent}${segments[place]!}`)
      const id = segments[place + 1]!
      const isLast = place + 2 === segments.length
      if (id === '*' && isLast) return (await Promise.all(collections.map((collection) => all(pagesOf(collection))))).flat()
      const ids = await Promise.all(collections.map((collection) => (id === '*' ? idsIn(collection) : [id])))
      parents = collections.flatMap((collection, number) => ids[number]!.map((each) => `${collection}/${each}/`))
    }
    const documents = parents.map((parent) => firestore.doc(parent.slice(0, -1)))
    if (documents.length === 0) return []
    return (await ask(`reading ${pattern}`, () => firestore.getAll(...documents))).flatMap(foundIn)
  }

  /** Where a collection has others below it, ids and slashes mix in the order of paths: these are few and are put in order here. */
  async function* under(collection: string): AsyncGenerator<Found> {
    const patterns = viewDocuments(mode).filter((pattern) => pattern.split('/')[0] === collection)
    if (patterns.length === 1 && patterns[0] === `${collection}/*`) return yield* pagesOf(collection)
    const found = (await Promise.all(patterns.map(matching))).flat()
    yield* found.sort((left, right) => (left.path < right.path ? -1 : 1))
  }

  /** It collided. Perhaps with itself: the client repeats a commit whose answer was lost. */
  const settle = async (path: string, token: string): Promise<Written> => {
    const found = checkpointOf(await read(path))
    if (found?.token !== token) return { answer: 'moved' }
    return { answer: 'written', checkpoint: { position: found.position, hash: found.hash, version: found.version } }
  }

  return {
    get: async (path) => foundIn(await read(checkDocumentPath(path)))[0]?.data,
    list: async (collection, page) => all(pagesOf(checkCollectionPath(collection), page)),
    async *all() {
      for (const collection of new Set(viewDocuments(mode).map((pattern) => pattern.split('/')[0]!))) yield* under(collection)
    },
    checkpoint: async (projection) => {
      const found = checkpointOf(await read(checkDocumentPath(`${checkpointCollection}/${projection}`)))
      return found && { position: found.position, hash: found.hash, version: found.version }
    },
    write: async (projection, writes, { position, hash }, expected) => {
      const path = checkDocumentPath(`${checkpointCollection}/${projection}`)
      for (const write of writes) checkWritable(mode, write.path)
      checkSizes(writes)
      const token = randomUUID()
      const next = { position, hash, token }
      const batch = firestore.batch()
      for (const write of writes) addTo(batch, firestore, write)
      if (expected === undefined) batch.create(firestore.doc(path), next)
      else batch.update(firestore.doc(path), next, { lastUpdateTime: timestampOf(expected.version) })
      const what = `writing the documents up to position ${position}`
      try {
        const results = await inTime(() => batch.commit(), { what, deadlineMs, clock, abandoned })
        return { answer: 'written', checkpoint: { position, hash, version: versionOf(results.at(-1)!.writeTime) } }
      } catch (error) {
        if (collisions.has(codeOf(error))) return settle(path, token)
        throw failed(error, what, writes[0]?.path ?? path)
      }
    },
    watch: (path, listener) => watching.watch(checkDocumentPath(path), listener),
    close: watching.close,
  }
}
