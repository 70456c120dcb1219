/** Documents on SQLite: canonical JSON by path, each projection's checkpoint beside them. */
import { canonical } from '../../domain/commit.ts'
import {
  checkCollectionPath,
  checkDocumentPath,
  type Document,
  type Documents,
  type DocumentWrite,
  Unstorable,
  type Written,
} from '../../domain/ports/documents.ts'
import { unreachable } from '../../domain/unreachable.ts'
import { isNotice } from '../../domain/view-documents.ts'
import type { Store } from './store.ts'

const checkpointCollection = 'checkpoints'
const pageSize = 256

type Row = { path: string; json: string }
type CheckpointRow = { projection: string; position: number; hash: string; version: number }

const collectionOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
const fromRow = ({ path, json }: Row) => ({ path, data: JSON.parse(json) as Document })
const fromCheckpoint = ({ projection, position, hash }: CheckpointRow) => ({
  path: `${checkpointCollection}/${projection}`,
  data: { position, hash },
})

/** @throws Unstorable: what has no JSON form (NaN) will have none the next time either */
const textOf = (path: string, data: Document): string => {
  try {
    return canonical(data)
  } catch (error) {
    throw new Unstorable(path, `${path} cannot be written as JSON: ${(error as Error).message}`, { cause: error })
  }
}

export const openDocuments = (store: Store): Documents => {
  const { database } = store
  const one = database.prepare('SELECT path, json FROM documents WHERE path = ?')
  const directlyIn = database.prepare('SELECT path, json FROM documents WHERE collection = ? AND path > ? ORDER BY path LIMIT ?')
  const page = database.prepare(`SELECT path, json FROM documents WHERE path > ? ORDER BY path LIMIT ${pageSize}`)
  const put = database.prepare(
    'INSERT INTO documents (path, collection, json) VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET json = excluded.json',
  )
  const remove = database.prepare('DELETE FROM documents WHERE path = ?')
  const checkpointOf = database.prepare('SELECT projection, position, hash, version FROM checkpoints WHERE projection = ?')
  const allCheckpoints = database.prepare(
    'SELECT projection, position, hash, version FROM checkpoints WHERE projection > ? ORDER BY projection LIMIT ?',
  )
  const moveCheckpoint = database.prepare(
    `INSERT INTO checkpoints (projection, position, hash, version) VALUES (?, ?, ?, ?)
     ON CONFLICT (projection) DO UPDATE SET position = excluded.position, hash = excluded.hash, version = excluded.version`,
  )
  const find = (path: string): Document | undefined => {
    if (collectionOf(path) === checkpointCollection) {
      const row = checkpointOf.get(path.slice(checkpointCollection.length + 1)) as CheckpointRow | undefined
      return row && fromCheckpoint(row).data
    }
    const row = one.get(path) as Row | undefined
    return row && fromRow(row).data
  }
  const apply = (write: DocumentWrite): void => {
    switch (write.kind) {
      case 'set':
        put.run(write.path, collectionOf(write.path), textOf(write.path, write.data))
        return
      case 'merge':
        put.run(write.path, collectionOf(write.path), textOf(write.path, { ...find(write.path), ...write.data }))
        return
      case 'delete':
        remove.run(write.path)
        return
      default:
        unreachable(write)
    }
  }

  return {
    get: async (path) => find(checkDocumentPath(path)),
    list: async (collection, { after = '', limit = -1 } = {}) =>
      checkCollectionPath(collection) === checkpointCollection
        ? (allCheckpoints.all(after, limit) as CheckpointRow[]).map(fromCheckpoint)
        : (directlyIn.all(collection, `${collection}/${after}`, limit) as Row[]).map(fromRow),
    async *all() {
      for (let after = ''; ; ) {
        const rows = page.all(after) as Row[]
        for (const row of rows) if (!isNotice(row.path)) yield fromRow(row)
        if (rows.length < pageSize) return
        after = rows.at(-1)!.path
      }
    },
    checkpoint: async (projection) => {
      const row = checkpointOf.get(projection) as CheckpointRow | undefined
      return row && { position: row.position, hash: row.hash, version: String(row.version) }
    },
    write: async (projection, writes, { position, hash }, expected) => {
      checkDocumentPath(`${checkpointCollection}/${projection}`)
      for (const { path } of writes) checkWritable(path)
      // with its checkpoint or not at all: what a power cut undoes is projected again
      const written = store.repeatable((): Written => {
        const current = checkpointOf.get(projection) as CheckpointRow | undefined
        if (expected?.version !== (current && String(current.version))) return { answer: 'moved' }
        for (const write of writes) apply(write)
        const version = (current?.version ?? 0) + 1
        moveCheckpoint.run(projection, position, hash, version)
        return { answer: 'written', checkpoint: { position, hash, version: String(version) } }
      })
      if (written.answer === 'written')
        for (const path of [`${checkpointCollection}/${projection}`, ...writes.map(({ path }) => path)]) store.changed(path)
      return written
    },
    watch: (path, listener) => store.watch(checkDocumentPath(path), listener),
  }
}

/** Checkpoints move only as the guard of a batch. */
const checkWritable = (path: string): void => {
  if (collectionOf(checkDocumentPath(path)) === checkpointCollection) throw new Error(`"${path}" is a checkpoint: no view may write it`)
}
