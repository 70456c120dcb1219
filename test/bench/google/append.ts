/** How fast is an append to the journal on Firestore, and how many round trips does it take, against a bare `create()` of the same bytes? */
import { randomUUID } from 'node:crypto'
import type { Firestore } from '@google-cloud/firestore'
import type { StoredCommit } from '../../../domain/commit.ts'
import type { Journal } from '../../../domain/ports/journal.ts'
import { type Connection, type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { beginning, commitAfter } from '../../contract/commits.ts'
import { at, type Row } from '../row.ts'
import { startFirestoreBill } from './bill.ts'
import { newProject, reachedOver } from './world.ts'

const rounds = 15
const counted = 50
/** About the size of a commit that plans one order. */
const note = 'x'.repeat(700)

type Head = { position: number; hash: string }
/** Appends so many, one after another. */
type Writer = { append(commits: number): Promise<StoredCommit[]> }

const idAt = (position: number): string => `orchestrator@2026-11-20T21:05:00Z:${position}`

const writerOf = (journal: Journal): Writer => {
  let head: Head = beginning
  return {
    append: async (commits) => {
      const written: StoredCommit[] = []
      for (let count = 0; count < commits; count++) {
        const answer = await journal.append(commitAfter(head, { id: idAt(head.position + 1), note }))
        if (answer.answer !== 'appended') throw new Error(`commit ${head.position + 1}: ${answer.answer}`)
        head = answer.stored
        written.push(answer.stored)
      }
      return written
    },
  }
}

/** The floor: one document that holds all that the journal stores of a commit, its marker's fields included. */
const createBare = async (firestore: Firestore, collection: string, written: readonly StoredCommit[]): Promise<void> => {
  for (const stored of written) {
    const { position, hash } = stored
    await firestore
      .collection(collection)
      .doc(String(position))
      .create({ ...stored, marker: idAt(position), markerPosition: position, markerHash: hash })
  }
}
/** Not the floor, but what lies between: the same two documents in one batch, and nothing else. */
const createPairs = async (firestore: Firestore, collection: string, written: readonly StoredCommit[]): Promise<void> => {
  for (const stored of written) {
    const { position, hash } = stored
    const batch = firestore.batch().create(firestore.doc(`${collection}/${position}`), stored)
    await batch.create(firestore.doc(`${collection}-markers/${idAt(position)}`), { position, hash }).commit()
  }
}

const perSecond = async (commits: number, work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (commits / (performance.now() - start)) * 1_000
}

/** One of the three begins in each round, and they take turns at that, so that none always runs on a warmer machine. */
const race = async ({ firestore }: Connection, side: number, commits: number) => {
  const abandoned = new AbortController().signal
  const writers = Array.from({ length: side }, () => writerOf(openJournal({ firestore, mode: `bench-${randomUUID()}`, abandoned })))
  const floors = writers.map(() => `floor-${randomUUID()}`)
  const samples: { ours: number; bare: number; pairs: number }[] = []
  let written = await Promise.all(writers.map((writer) => writer.append(commits))) // warms up, and gives the floor its first bytes
  for (let round = 0; round < rounds; round++) {
    const before = written
    const rates = { ours: 0, bare: 0, pairs: 0 }
    const all = side * commits
    const bare = () => Promise.all(before.map((each, number) => createBare(firestore, floors[number]!, each)))
    const pairs = () => Promise.all(before.map((each, number) => createPairs(firestore, `${floors[number]!}-pairs`, each)))
    const ours = async () => {
      written = await Promise.all(writers.map((writer) => writer.append(commits)))
    }
    const turns = Object.entries({ ours, bare, pairs }) as [keyof typeof rates, () => Promise<unknown>][]
    for (let turn = 0; turn < turns.length; turn++) {
      const [name, work] = turns[(round + turn) % turns.length]!
      rates[name] = await perSecond(all, work)
    }
    samples.push(rates)
  }
  const median = (of: (sample: (typeof samples)[number]) => number) => at(samples.map(of), 0.5)
  const name = side === 1 ? 'append to the journal, one after another' : `append to ${side} journals side by side`
  const row = (floorName: string, floor: 'bare' | 'pairs'): Row => ({
    name,
    floorName,
    unit: 'commits/s',
    ours: median(({ ours }) => ours),
    floor: median((sample) => sample[floor]),
    ratio: median((sample) => sample.ours / sample[floor]),
    wanted: 'shown',
  })
  return [row('a bare create() of the same bytes', 'bare'), row('a bare batch of the same two documents', 'pairs')]
}

const countRoundTrips = async (store: GoogleStore): Promise<Row> => {
  const bill = await startFirestoreBill(store.emulators!.firestore)
  const { firestore, close } = openConnection(reachedOver(store, bill))
  try {
    const writer = writerOf(openJournal({ firestore, mode: 'counted', abandoned: new AbortController().signal }))
    const written = await writer.append(counted)
    const ours = bill.calls() / counted
    await createBare(firestore, 'counted', written)
    const floor = bill.calls() / counted - ours
    const name = 'round trips of an append to the journal'
    return { name, floorName: 'a bare create()', unit: 'a commit', ours, floor, ratio: floor / ours, wanted: 'at least 0.9' }
  } finally {
    await close()
    await bill.close()
  }
}

export const benchGoogleAppend = async (hosts: EmulatorHosts): Promise<Row[]> => {
  const store = newProject(hosts)
  const connection = openConnection(store)
  try {
    return [await countRoundTrips(store), ...(await race(connection, 1, 40)), ...(await race(connection, 8, 15))]
  } finally {
    await connection.close()
  }
}
