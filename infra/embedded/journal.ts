/** The journal on SQLite: the commit and the marker of its cause in one durable transaction. */
import { type Commit, genesisHash, markerOf, type StoredCommit, store as toStored } from '../../domain/commit.ts'
import type { Appended, Journal } from '../../domain/ports/journal.ts'
import { asDamaged, isTaken, type Store } from './store.ts'

const pageSize = 256

type Marker = { position: number; hash: string }
type Place = { position: number; epoch: number; hash: string }

export const openJournal = (store: Store): Journal => {
  const { database } = store
  const last = database.prepare('SELECT position, hash FROM commits ORDER BY position DESC LIMIT 1')
  const placeAt = database.prepare('SELECT position, epoch, hash FROM commits WHERE position = ?')
  const markerAt = database.prepare('SELECT position, hash FROM markers WHERE id = ?')
  const insertCommit = database.prepare(
    'INSERT INTO commits (position, epoch, recordedAt, previousHash, hash, json) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertMarker = database.prepare('INSERT INTO markers (id, position, hash) VALUES (?, ?, ?)')
  const page = database.prepare(
    `SELECT position, epoch, recordedAt, previousHash, hash, json FROM commits WHERE position >= ? AND position <= ? ORDER BY position LIMIT ${pageSize}`,
  )
  const pageFrom = (from: number, to: number): StoredCommit[] => {
    try {
      return page.all(from, to) as StoredCommit[]
    } catch (error) {
      throw asDamaged(store.path, error)
    }
  }
  const findPlace = (position: number) => placeAt.get(position) as Place | undefined
  const findMarker = (id: string) => plain(markerAt.get(id) as Marker | undefined)

  /** @throws Error that `isTaken` knows when position or marker exists; nothing is written then */
  const create = (stored: StoredCommit, id: string | undefined): void => {
    insertCommit.run(stored.position, stored.epoch, stored.recordedAt, stored.previousHash, stored.hash, stored.json)
    if (id !== undefined) insertMarker.run(id, stored.position, stored.hash)
    checkContinues(stored, stored.position === 1 ? genesisHash : findPlace(stored.position - 1)?.hash)
  }
  /** Who was first? What is there never changes, so reading it afterwards is as good as before. */
  const settle = (stored: StoredCommit, id: string | undefined): Appended | undefined => {
    const holder = findPlace(stored.position)
    if (holder?.hash === stored.hash) return { answer: 'appended', stored }
    const marker = id === undefined ? undefined : findMarker(id)
    if (marker !== undefined && marker.position !== stored.position) return { answer: 'already', ...marker }
    return holder && { answer: 'conflict', position: holder.position, epoch: holder.epoch }
  }

  return {
    head: async () => plain(last.get() as Marker | undefined) ?? { position: 0, hash: genesisHash },
    append: async (commit: Commit) => {
      const stored = toStored(commit)
      const id = markerOf(commit.cause)
      try {
        store.transaction(() => create(stored, id))
      } catch (error) {
        const answer = isTaken(error) ? settle(stored, id) : undefined
        if (answer === undefined) throw error
        return answer
      }
      store.changed('journal')
      return { answer: 'appended', stored }
    },
    marker: async (id) => findMarker(id),
    async *read(from, to = Number.MAX_SAFE_INTEGER) {
      for (let next = from; ; ) {
        const commits = pageFrom(next, to)
        for (const stored of commits) yield { ...stored }
        if (commits.length < pageSize) return
        next = commits.at(-1)!.position + 1
        await new Promise((resolve) => setImmediate(resolve)) // a long replay leaves room for timers and sockets
      }
    },
    onAppended: (listener) => store.watch('journal', listener),
  }
}

/** SQLite's rows have no prototype; what leaves here is plain data. */
const plain = (marker: Marker | undefined): Marker | undefined => marker && { ...marker }

/** Whoever appends has read the head; a commit that does not continue it is a bug, not a race. */
const checkContinues = (stored: StoredCommit, previousHash: string | undefined): void => {
  if (previousHash === undefined) throw new Error(`commit ${stored.position} leaves a gap: there is no commit ${stored.position - 1}`)
  if (previousHash !== stored.previousHash) throw new Error(`commit ${stored.position} does not continue commit ${stored.position - 1}`)
}
