/**
 * Rebuilding all documents of a long journal on Firestore, against reading the same pages bare. The emulator goes through the whole
 * collection for each page, ours or bare, so here the time grows with the square of the length; the ratio is what counts.
 */
import { FieldPath, type Firestore } from '@google-cloud/firestore'
import type { Commit } from '../../../domain/commit.ts'
import { systemClock } from '../../../infra/clock.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { createProjector } from '../../../projections/projector.ts'
import { journalOf } from '../replay.ts'
import type { Row } from '../row.ts'
import { newProject } from './world.ts'

const batchSize = 400
const batchesAtOnce = 3
/** As large as the journal makes its own pages of commits of this size. */
const pageSize = 2_000

const documentId = (position: number): string => String(position).padStart(12, '0')
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Written past the journal, since it takes one commit at a time; the bytes are those that it would write. */
const fill = async (firestore: Firestore, mode: string, stored: readonly { json: string; hash: string }[]): Promise<void> => {
  const commits = firestore.collection(`journals/${mode}/commits`)
  let next = 0
  const write = async (): Promise<void> => {
    while (next < stored.length) {
      const batch = firestore.batch()
      const some = stored.slice(next, next + batchSize)
      next += batchSize
      for (const { json, hash } of some) {
        const { position, epoch, recordedAt, previousHash } = JSON.parse(json) as Commit
        batch.create(commits.doc(documentId(position)), { position, epoch, recordedAt, previousHash, hash, json })
      }
      await batch.commit()
    }
  }
  await Promise.all(Array.from({ length: batchesAtOnce }, write))
}

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1_000
}

/** Every so many pages one is read: the floor is read before and after ours, and must not take longer than ours. */
const sampledPages = 4

/** @returns seconds for a page */
const readBare = async (firestore: Firestore, mode: string, commits: number): Promise<number> => {
  const byId = firestore.collection(`journals/${mode}/commits`).orderBy(FieldPath.documentId()).limit(pageSize)
  const starts = Array.from({ length: Math.ceil(commits / pageSize / sampledPages) }, (_, number) => number * sampledPages * pageSize + 1)
  const time = await seconds(async () => {
    for (const start of starts) {
      const { docs } = await byId.startAt(documentId(start)).endAt(documentId(commits)).get()
      if (docs.length !== Math.min(pageSize, commits - start + 1)) throw new Error(`${docs.length} commits were read from ${start} on`)
    }
  })
  return time / starts.length
}

export const benchGoogleRebuild = async (hosts: EmulatorHosts, events: number, tell: (what: string) => void): Promise<Row[]> => {
  const mode = 'paper'
  const { firestore, close } = openConnection(newProject(hosts))
  const leaving = new AbortController()
  const abandoned = leaving.signal
  const documents = openDocuments({ firestore, mode, clock: systemClock, abandoned })
  try {
    const stored = journalOf(events)
    tell(`writing a journal of ${events.toLocaleString('en')} events in ${stored.length.toLocaleString('en')} commits`)
    await fill(firestore, mode, stored)
    const journal = openJournal({ firestore, mode, abandoned })
    const projector = createProjector({ journal, documents, mode, log: silent, clock: systemClock })
    tell('reading its pages bare')
    const before = await readBare(firestore, mode, stored.length)
    tell('rebuilding all documents')
    let written = 0
    const time = await seconds(async () => {
      written = (await projector.rebuild()).written
    })
    tell('reading its pages bare once more')
    const after = await readBare(firestore, mode, stored.length)
    const floor = (((before + after) / 2) * stored.length) / pageSize
    return [
      {
        name: `rebuild of ${events.toLocaleString('en')} events, all ${written.toLocaleString('en')} documents written anew`,
        floorName: 'reading the same pages bare',
        unit: 'events/s',
        ours: events / time,
        floor: events / floor,
        ratio: floor / time,
        wanted: 'shown',
      },
    ]
  } finally {
    leaving.abort()
    documents.close()
    await close()
  }
}
