/**
 * Journal, snapshots and documents in memory, with the very semantics of the stores: guard, merge, marker, three answers.
 * Several handles on one `memory` are several processes on one store.
 */
import { canonical, genesisHash, markerOf, type StoredCommit, sha256, store } from '../domain/commit.ts'
import {
  checkCollectionPath,
  checkDocumentPath,
  type Document,
  type Documents,
  type DocumentWrite,
  Unstorable,
} from '../domain/ports/documents.ts'
import type { Appended, Journal } from '../domain/ports/journal.ts'
import { keptSnapshots, type Snapshot, type Snapshots } from '../domain/ports/snapshots.ts'
import { isNotice } from '../domain/view-documents.ts'

/** All there is, open to tests that alter it by hand. Documents as canonical text, by path. */
export type Memory = {
  commits: StoredCommit[]
  markers: Map<string, { position: number; hash: string }>
  documents: Map<string, string>
  checkpoints: Map<string, { position: number; hash: string; version: number }>
  /** In the order in which they were saved. */
  snapshots: (Snapshot & { digest: string })[]
  listeners: Map<string, Set<() => void>>
}

export const createMemory = (): Memory => ({
  commits: [],
  markers: new Map(),
  documents: new Map(),
  checkpoints: new Map(),
  snapshots: [],
  listeners: new Map(),
})

const watch = ({ listeners }: Memory, subject: string, listener: () => void): (() => void) => {
  const own = () => listener()
  listeners.set(subject, (listeners.get(subject) ?? new Set()).add(own))
  return () => void listeners.get(subject)?.delete(own)
}
/** Soon, but not before the writer is done. */
const tell = ({ listeners }: Memory, subject: string): void =>
  queueMicrotask(() => {
    for (const listener of [...(listeners.get(subject) ?? [])]) listener()
  })

const textOf = (path: string, data: Document): string => {
  try {
    return canonical(data)
  } catch (error) {
    throw new Unstorable(path, `${path} cannot be written as JSON`, { cause: error })
  }
}

// ── Journal ──

export const memoryJournal = (memory: Memory): Journal => {
  const { commits, markers } = memory
  /** Positions ascend, and only what a test removed is missing: a commit is never behind its position. */
  const indexFrom = (position: number): number => {
    let index = Math.max(0, Math.min(position - 1, commits.length))
    while (index > 0 && commits[index - 1]!.position >= position) index--
    return index
  }
  const at = (position: number): StoredCommit | undefined => {
    const found = commits[indexFrom(position)]
    return found?.position === position ? found : undefined
  }
  const head = () => {
    const last = commits.at(-1)
    return last === undefined ? { position: 0, hash: genesisHash } : { position: last.position, hash: last.hash }
  }
  const place = (stored: StoredCommit, id: string | undefined): Appended => {
    const holder = at(stored.position)
    if (holder?.hash === stored.hash) return { answer: 'appended', stored }
    const marker = id === undefined ? undefined : markers.get(id)
    if (marker !== undefined && marker.position !== stored.position) return { answer: 'already', ...marker }
    if (holder !== undefined) return { answer: 'conflict', position: holder.position, epoch: holder.epoch }
    if (stored.position !== head().position + 1) throw new Error(`commit ${stored.position} leaves a gap`)
    if (stored.previousHash !== head().hash) throw new Error(`commit ${stored.position} does not continue the last one`)
    commits.push(stored)
    if (id !== undefined) markers.set(id, { position: stored.position, hash: stored.hash })
    tell(memory, 'journal')
    return { answer: 'appended', stored }
  }
  return {
    head: async () => head(),
    append: async (commit) => place(store(commit), markerOf(commit.cause)),
    marker: async (id) => {
      const found = markers.get(id)
      return found && { ...found }
    },
    async *read(from, to = Number.MAX_SAFE_INTEGER) {
      // What is appended meanwhile is read too, as from a store that reads page by page.
      for (let index = indexFrom(from); index < commits.length && commits[index]!.position <= to; index++) yield { ...commits[index]! }
    },
    onAppended: (listener) => watch(memory, 'journal', listener),
  }
}

// ── Snapshots ──

export const memorySnapshots = (memory: Memory): Snapshots => ({
  latest: async (version, atMost = Number.MAX_SAFE_INTEGER) => {
    const sound = memory.snapshots
      .filter((each) => each.version === version && each.position <= atMost && sha256(each.json) === each.digest)
      .reverse()
      .sort((left, right) => right.position - left.position)[0]
    if (sound === undefined) return undefined
    const { digest: _, ...snapshot } = sound
    return snapshot
  },
  save: async (snapshot) => {
    const { version, position, hash, json } = snapshot
    if (memory.snapshots.some((each) => each.version === version && each.position === position && each.hash === hash)) return
    memory.snapshots.push({ ...snapshot, digest: sha256(json) })
    memory.snapshots.splice(0, memory.snapshots.length - keptSnapshots)
  },
})

// ── Documents ──

const collectionOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

export const memoryDocuments = (memory: Memory): Documents => {
  const { documents, checkpoints } = memory
  const read = (path: string): Document | undefined => {
    const text = documents.get(path)
    return text === undefined ? undefined : (JSON.parse(text) as Document)
  }
  /** The texts after the batch; a write that has no JSON form throws before anything is changed. */
  const textsAfter = (writes: readonly DocumentWrite[]): Map<string, string | undefined> => {
    const texts = new Map<string, string | undefined>()
    for (const write of writes) {
      const text = texts.has(write.path) ? texts.get(write.path) : documents.get(write.path)
      if (write.kind === 'delete') texts.set(write.path, undefined)
      else
        texts.set(
          write.path,
          textOf(write.path, write.kind === 'merge' && text !== undefined ? { ...JSON.parse(text), ...write.data } : write.data),
        )
    }
    return texts
  }
  const checkpointDocument = (projection: string): Document | undefined => {
    const found = checkpoints.get(projection)
    return found && { position: found.position, hash: found.hash }
  }
  const sorted = (paths: Iterable<string>) => [...paths].sort().map((path) => ({ path, data: read(path)! }))
  return {
    get: async (path) => {
      checkDocumentPath(path)
      return collectionOf(path) === 'checkpoints' ? checkpointDocument(path.slice('checkpoints/'.length)) : read(path)
    },
    list: async (collection, { after = '', limit } = {}) => {
      const paged = <T extends { path: string }>(all: T[]): T[] => all.filter(({ path }) => path > `${collection}/${after}`).slice(0, limit)
      if (checkCollectionPath(collection) === 'checkpoints')
        return paged([...checkpoints.keys()].sort().map((name) => ({ path: `checkpoints/${name}`, data: checkpointDocument(name)! })))
      return paged(sorted([...documents.keys()].filter((path) => collectionOf(path) === collection)))
    },
    async *all() {
      for (const path of [...documents.keys()].filter((path) => !isNotice(path)).sort()) {
        const data = read(path)
        if (data !== undefined) yield { path, data }
      }
    },
    checkpoint: async (projection) => {
      const found = checkpoints.get(projection)
      return found && { ...found, version: String(found.version) }
    },
    write: async (projection, writes, { position, hash }, expected) => {
      checkDocumentPath(`checkpoints/${projection}`)
      for (const { path } of writes)
        if (collectionOf(checkDocumentPath(path)) === 'checkpoints') throw new Error(`"${path}" is a checkpoint: no view may write it`)
      const current = checkpoints.get(projection)
      if (expected?.version !== (current && String(current.version))) return { answer: 'moved' }
      for (const [path, text] of textsAfter(writes)) {
        if (text === undefined) documents.delete(path)
        else documents.set(path, text)
      }
      const version = (current?.version ?? 0) + 1
      checkpoints.set(projection, { position, hash, version })
      for (const path of [`checkpoints/${projection}`, ...writes.map(({ path }) => path)]) tell(memory, path)
      return { answer: 'written', checkpoint: { position, hash, version: String(version) } }
    },
    watch: (path, listener) => watch(memory, checkDocumentPath(path), listener),
  }
}
