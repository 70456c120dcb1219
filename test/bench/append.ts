/** How fast is a durable append, against bare SQLite commits of the same bytes on the same disk? */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type StoredCommit, store as toStored } from '../../domain/commit.ts'
import { openJournal } from '../../infra/embedded/journal.ts'
import { openStore } from '../../infra/embedded/store.ts'
import { beginning, commitAfter } from '../contract/commits.ts'
import { at, type Row } from './row.ts'

const rounds = 25
const commitsPerRound = 100
/** About the size of a commit that plans one order. */
const note = 'x'.repeat(700)

const median = (values: readonly number[]): number => at(values, 0.5)
const perSecond = async (work: () => Promise<void> | void): Promise<number> => {
  const start = performance.now()
  await work()
  return (commitsPerRound / (performance.now() - start)) * 1_000
}

/** The floor: one row that holds all that the journal stores of a commit, its marker's columns included, one commit each. */
const openFloor = (path: string) => {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(`CREATE TABLE rows (position INTEGER PRIMARY KEY, epoch INTEGER, recordedAt TEXT, previousHash TEXT, hash TEXT, json TEXT,
    markerId TEXT, markerPosition INTEGER, markerHash TEXT)`)
  const insert = database.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const write = ({ position, epoch, recordedAt, previousHash, hash, json }: StoredCommit, id: string): void => {
    insert.run(position, epoch, recordedAt, previousHash, hash, json, id, position, hash)
  }
  return { write, close: () => database.close() }
}

/** Alternating rounds in one run; `ratio` is the median of ours to the floor, round by round. */
export const benchAppend = async (): Promise<Row> => {
  const directory = mkdtempSync(join(tmpdir(), 'ib-trading-bench-'))
  const store = openStore(join(directory, 'paper.sqlite'))
  const floor = openFloor(join(directory, 'floor.sqlite'))
  try {
    const journal = openJournal(store)
    let head: { position: number; hash: string } = beginning
    const samples: { ours: number; floor: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const written: StoredCommit[] = []
      const idAt = (position: number) => `orchestrator@2026-11-20T21:05:00Z/${position}`
      const ours = await perSecond(async () => {
        for (let count = 0; count < commitsPerRound; count++) {
          const answer = await journal.append(commitAfter(head, { id: idAt(head.position + 1), note }))
          if (answer.answer !== 'appended') throw new Error(`commit ${head.position + 1}: ${answer.answer}`)
          head = answer.stored
          written.push(answer.stored)
        }
      })
      const same = await perSecond(() => {
        for (const stored of written) floor.write(stored, idAt(stored.position))
      })
      if (toStored(JSON.parse(written[0]!.json)).hash !== written[0]!.hash) throw new Error('the bytes differ')
      samples.push({ ours, floor: same })
    }
    return {
      name: 'durable append to the journal',
      floorName: 'bare SQLite commits of the same bytes',
      ours: median(samples.map(({ ours }) => ours)),
      floor: median(samples.map(({ floor }) => floor)),
      unit: 'commits/s',
      ratio: median(samples.map(({ ours, floor }) => ours / floor)),
      wanted: 'at least 0.7',
    }
  } finally {
    store.close()
    floor.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
