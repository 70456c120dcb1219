/**
 * What Google would bill, counted on the wire by the rules of its price lists. Firestore: one read for each document that is given or
 * looked for and not there, for each change that a listener hears, and for each query or listener that finds nothing; writes and deletes
 * where they took effect. Pub/Sub: the volume of what is published and delivered, each request at least 1,000 bytes.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { protobuf } from 'google-gax'
import { type Listener, startGrpcLine } from './grpc-line.ts'

export type Operation = { kind: 'read' | 'write' | 'delete'; path: string }

export type FirestoreBill = {
  /** Where a client is to connect. */
  host: string
  operations: readonly Operation[]
  /** Calls that were begun: a query, a commit, a listener. */
  calls(): number
  close(): Promise<void>
}

const packageFolder = (name: string): string => dirname(dirname(dirname(fileURLToPath(import.meta.resolve(name)))))
const rootOf = (name: string, file: string): protobuf.Root =>
  protobuf.Root.fromJSON(createRequire(import.meta.url)(join(packageFolder(name), 'build/protos', file)) as protobuf.INamespace)

const reader = <T>(root: protobuf.Root, name: string): ((message: Buffer) => T) => {
  const type = root.lookupType(name)
  return (message) => type.decode(message) as unknown as T
}

const silent: Listener = { said: () => undefined, ended: () => undefined }

// ── Firestore ──

type Query = { parent: string; structuredQuery?: { from?: { collectionId: string }[] } }
type Write = { update?: { name: string }; delete?: string; transform?: { document: string } }
type Target = { addTarget?: { targetId: number; query?: Query; documents?: { documents: string[] } }; removeTarget?: number }
type Heard = {
  targetChange?: { targetChangeType: number; targetIds: number[] }
  documentChange?: { document: { name: string }; targetIds: number[] }
}
const currentTarget = 3

const firestoreReaders = () => {
  const root = rootOf('@google-cloud/firestore', 'v1.json')
  const of = <T>(name: string) => reader<T>(root, `google.firestore.v1.${name}`)
  return {
    commit: of<{ writes: Write[] }>('CommitRequest'),
    found: of<{ found?: { name: string }; missing?: string }>('BatchGetDocumentsResponse'),
    query: of<Query>('RunQueryRequest'),
    row: of<{ document?: { name: string }; done?: boolean }>('RunQueryResponse'),
    list: of<{ parent: string; collectionId: string }>('ListDocumentsRequest'),
    page: of<{ documents: { name: string }[] }>('ListDocumentsResponse'),
    target: of<Target>('ListenRequest'),
    heard: of<Heard>('ListenResponse'),
  }
}

/** `projects/p/databases/d/documents/a/b` is `a/b` to us. */
const pathOf = (name: string): string => name.replace(/^projects\/[^/]+\/databases\/[^/]+\/documents\/?/, '')
const collectionOf = ({ parent, structuredQuery }: Query): string =>
  [pathOf(parent), structuredQuery?.from?.[0]?.collectionId].filter(Boolean).join('/')

const operationOf = ({ update, delete: gone, transform }: Write): Operation =>
  gone ? { kind: 'delete', path: pathOf(gone) } : { kind: 'write', path: pathOf(update?.name ?? transform?.document ?? '') }

export const startFirestoreBill = async (target: string): Promise<FirestoreBill> => {
  const read = firestoreReaders()
  const operations: Operation[] = []
  let calls = 0
  const readOf = (path: string): void => void operations.push({ kind: 'read', path })

  const commit = (): Listener => {
    let writes: Write[] = []
    return {
      said: (who, message) => {
        if (who === 'client') writes = read.commit(message).writes
      },
      ended: (status) => {
        if (status === 0) operations.push(...writes.map(operationOf))
      },
    }
  }
  const batchGet = (): Listener => ({
    ...silent,
    said: (who, message) => {
      if (who === 'client') return
      const { found, missing } = read.found(message)
      if (found || missing) readOf(pathOf(found?.name ?? missing!))
    },
  })
  const query = (): Listener => {
    let asked = ''
    let rows = 0
    const complete = (): void => {
      if (rows === 0) readOf(`${asked}/`)
      rows += 1
    }
    return {
      said: (who, message) => {
        if (who === 'client') asked = collectionOf(read.query(message))
        else {
          const { document, done } = read.row(message)
          if (document) {
            rows += 1
            readOf(pathOf(document.name))
          }
          if (done) complete() // the client is content with this and does not wait for the end of the call
        }
      },
      ended: (status) => {
        if (status === 0) complete()
      },
    }
  }
  const list = (): Listener => {
    let asked = ''
    return {
      ...silent,
      said: (who, message) => {
        if (who === 'client') {
          const { parent, collectionId } = read.list(message)
          asked = `${pathOf(parent)}/${collectionId}/`.replace(/^\//, '')
        } else {
          const { documents } = read.page(message)
          for (const { name } of documents) readOf(pathOf(name))
          if (documents.length === 0) readOf(asked)
        }
      },
    }
  }
  const listenTo = (): Listener => {
    const empty = new Map<number, string>() // targets that have given nothing yet
    return {
      ...silent,
      said: (who, message) => {
        if (who === 'client') {
          const { addTarget } = read.target(message)
          if (addTarget) {
            const { targetId, documents, query } = addTarget
            empty.set(targetId, documents ? pathOf(documents.documents[0]!) : `${collectionOf(query!)}/`)
          }
          return
        }
        const { documentChange, targetChange } = read.heard(message)
        if (documentChange) {
          for (const id of documentChange.targetIds) empty.delete(id)
          readOf(pathOf(documentChange.document.name))
        }
        if (targetChange?.targetChangeType !== currentTarget) return
        for (const id of targetChange.targetIds) {
          const path = empty.get(id)
          if (empty.delete(id)) readOf(path!)
        }
      },
    }
  }
  const known: Record<string, () => Listener> = {
    Commit: commit,
    BatchGetDocuments: batchGet,
    RunQuery: query,
    ListDocuments: list,
    Listen: listenTo,
  }
  const line = await startGrpcLine(target, (method) => {
    const listener = known[method]
    if (listener === undefined) throw new Error(`nobody knows what Firestore bills for ${method}`)
    calls += 1
    return listener()
  })
  return { ...line, operations, calls: () => calls }
}

// ── Pub/Sub ──

export type Volume = { messages: number; bytes: number }
export type PubSubBill = { host: string; published: Readonly<Volume>; delivered: Readonly<Volume>; close(): Promise<void> }

type Message = { data: Uint8Array; attributes: Record<string, string>; messageId: string }
const leastBytes = 1_000
const bytesOf = ({ data, attributes, messageId }: Message): number =>
  Object.entries(attributes).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0) +
  data.length +
  20 +
  messageId.length

export const startPubSubBill = async (target: string): Promise<PubSubBill> => {
  const root = rootOf('@google-cloud/pubsub', 'protos.json')
  const publishedIn = reader<{ messages: Message[] }>(root, 'google.pubsub.v1.PublishRequest')
  const deliveredIn = reader<{ receivedMessages: { message: Message }[] }>(root, 'google.pubsub.v1.StreamingPullResponse')
  const [published, delivered] = [
    { messages: 0, bytes: 0 },
    { messages: 0, bytes: 0 },
  ]
  const add = (volume: Volume, messages: readonly Message[]): void => {
    if (messages.length === 0) return
    volume.messages += messages.length
    volume.bytes += Math.max(
      leastBytes,
      messages.reduce((sum, message) => sum + bytesOf(message), 0),
    )
  }
  const line = await startGrpcLine(target, (method) => ({
    ...silent,
    said: (who, message) => {
      if (method === 'Publish' && who === 'client') add(published, publishedIn(message).messages)
      if (method === 'StreamingPull' && who === 'server')
        add(
          delivered,
          deliveredIn(message).receivedMessages.map((received) => received.message),
        )
    },
  }))
  return { ...line, published, delivered }
}

// ── Sums ──

export type Sum = { reads: number; writes: number; deletes: number }

export const sumOf = (operations: readonly Operation[], counts: (path: string) => boolean = () => true): Sum => {
  const counted = operations.filter(({ path }) => counts(path))
  const of = (kind: Operation['kind']) => counted.filter((operation) => operation.kind === kind).length
  return { reads: of('read'), writes: of('write'), deletes: of('delete') }
}

/** Documents that people look at: neither the journal with its lease and snapshots nor where a projection stands. */
export const isView = (path: string): boolean => !/^(journals|checkpoints)\//.test(path)

/** What a path belongs to, for a list of where operations go. */
export const placeOf = (path: string): string => {
  const [first, , third] = path.split('/')
  if (first === 'journals') return third ?? first
  return first === 'checkpoints' ? path : isView(path) ? 'documents' : first!
}
