/** Where a process keeps what it remembers: one SQLite file, or Firestore and Pub/Sub; the same ports either way. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../domain/ports/clock.ts'
import type { Topics } from '../domain/topics.ts'
import { systemClock } from './clock.ts'
import type { Data } from './data.ts'
import { openBus } from './embedded/bus.ts'
import { openDocuments } from './embedded/documents.ts'
import { holderIsGone } from './embedded/holder.ts'
import { openJournal } from './embedded/journal.ts'
import { openLease } from './embedded/lease.ts'
import { openSnapshots } from './embedded/snapshots.ts'
import { openStore } from './embedded/store.ts'
import type { Environment } from './environment.ts'
import { makeFolder } from './folder.ts'

export type Where = Pick<Environment, 'dataDirectory' | 'mode' | 'store'>

export const storePath = ({ dataDirectory, mode }: Pick<Environment, 'dataDirectory' | 'mode'>): string =>
  join(dataDirectory, `${mode}.sqlite`)

/** The store in a person's words. */
export const nameOfStore = (where: Where): string =>
  where.store.kind === 'embedded' ? storePath(where) : `project ${where.store.project}, database ${where.store.database}`

export type DataOptions = {
  clock?: Clock
  warn?: (fields: object, text: string) => void
  /** Told when the store gives nothing any more, for a reason that time does not heal. */
  failed?: (error: Error) => void
}

const openEmbedded = (where: Where, topics: Topics, clock: Clock): Data => {
  makeFolder('DATA_DIR', where.dataDirectory)
  const store = openStore(storePath(where))
  return {
    journal: openJournal(store),
    bus: openBus({ store, topics, mode: where.mode, clock }),
    documents: openDocuments(store),
    lease: openLease(store, Date.now, holderIsGone),
    snapshots: openSnapshots(store),
    abandon: () => undefined, // the file answers at once
    close: async () => store.close(),
  }
}

const raise = (error: Error): void => {
  throw error
}

/** Opens the store; a file is created where there is none. @throws Error in one line */
export const openData = async (where: Where, topics: Topics, options: DataOptions = {}): Promise<Data> => {
  const { clock = systemClock, warn = () => undefined, failed = raise } = options
  const { store, mode } = where
  if (store.kind === 'embedded') return openEmbedded(where, topics, clock)
  const { openGoogle } = await import('./google/data.ts') // Google's clients take their time to load: only for those who use them
  return openGoogle({ store, mode, topics, clock, warn, failed })
}

/** For those who only look: creates nothing. @throws Error naming the file that is missing */
export const openExistingData = async (where: Where, topics: Topics): Promise<Data> => {
  const path = storePath(where)
  if (where.store.kind === 'embedded' && !existsSync(path))
    throw new Error(`there is no store at ${path}: set DATA_DIR (and TRADING_MODE) to one, or begin one with ibt start`)
  return openData(where, topics)
}
