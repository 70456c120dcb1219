/**
 * One SQLite file that holds a trading mode: journal, snapshots, documents, bus and lease.
 * Several processes may have it open; whoever watches learns of the others' writes by a cheap look at the file's version.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreUnavailable } from '../../domain/ports/journal.ts'

const schemaVersion = 1
const busyTimeoutMs = 5_000
const lookEveryMs = 100

const schema = `
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, recordedAt TEXT NOT NULL,
    previousHash TEXT NOT NULL, hash TEXT NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE TABLE markers (id TEXT PRIMARY KEY, position INTEGER NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE documents (path TEXT PRIMARY KEY, collection TEXT NOT NULL, json TEXT NOT NULL) STRICT;
  CREATE INDEX documentsByCollection ON documents (collection, path);
  CREATE TABLE checkpoints (projection TEXT PRIMARY KEY, position INTEGER NOT NULL, hash TEXT NOT NULL, version INTEGER NOT NULL) STRICT;

  CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data TEXT NOT NULL,
    attributes TEXT NOT NULL, publishedAt TEXT NOT NULL) STRICT;
  CREATE TABLE deliveries (
    subscription TEXT NOT NULL, message INTEGER NOT NULL, attempt INTEGER NOT NULL,
    dueAt REAL, consumer TEXT, deadline REAL, reason TEXT,
    PRIMARY KEY (subscription, message)) STRICT, WITHOUT ROWID;
  CREATE INDEX deliveriesByMessage ON deliveries (message);
  CREATE TABLE deadLetters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, message INTEGER NOT NULL, data TEXT NOT NULL,
    attributes TEXT NOT NULL, publishedAt TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL, deadAt TEXT NOT NULL) STRICT;

  CREATE TABLE lease (only INTEGER PRIMARY KEY CHECK (only = 1), holder TEXT, epoch INTEGER NOT NULL, expiresAt REAL NOT NULL) STRICT;
  PRAGMA user_version = ${schemaVersion};
`
/** May be missing in a file of an earlier program, and may be dropped at any time: no reason for another version. */
const besides = `
  CREATE TABLE IF NOT EXISTS snapshots (
    number INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL, position INTEGER NOT NULL, hash TEXT NOT NULL,
    sha256 TEXT NOT NULL, json TEXT NOT NULL) STRICT;
`

/** What somebody can watch: `journal`, `bus`, or the path of a document. */
export type Subject = string

export type Store = {
  path: string
  database: DatabaseSync
  /** One write transaction: all of `run`, or nothing when it throws. @throws StoreUnavailable when the file is busy, full or broken */
  transaction<T>(run: () => T): T
  /**
   * The same for what is done again when it is lost: it does not wait for the disk. A power cut may undo the last of these, never one before a
   * transaction that did wait, and never a part of one; a process that is killed undoes none.
   */
  repeatable<T>(run: () => T): T
  /** To be called after a write: tells this process's watchers, soon but not before the caller is done. */
  changed(subject: Subject): void
  /** Calls `listener` after changes, also spuriously. Returns the way to stop. */
  watch(subject: Subject, listener: () => void): () => void
  close(): void
}

/**
 * Opens or creates the store.
 * @throws Error in one line for a file that is not a store or is one of a newer program
 */
export const openStore = (path: string): Store => {
  const database = openDatabase(path)
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const rollBack = database.prepare('ROLLBACK')
  const transaction = <T>(run: () => T): T => {
    try {
      begin.run()
      const result = run()
      commit.run()
      return result
    } catch (error) {
      if (database.isTransaction) rollBack.run()
      throw asUnavailable(error)
    }
  }
  const repeatable = <T>(run: () => T): T => {
    database.exec('PRAGMA synchronous = NORMAL') // takes effect when it is compiled: not to be prepared
    try {
      return transaction(run)
    } finally {
      database.exec('PRAGMA synchronous = FULL')
    }
  }
  const notices = openNotices(database)
  return {
    path,
    database,
    transaction,
    repeatable,
    ...notices.port,
    close: () => {
      notices.stop()
      if (database.isOpen) database.close()
    },
  }
}

const openDatabase = (path: string): DatabaseSync => {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    switchToWriteAheadLog(database)
    database.exec('PRAGMA synchronous = FULL')
    if (versionOf(database) === 0) createSchema(database, path)
    const version = versionOf(database)
    if (version !== schemaVersion) throw new Error(`${path} has schema version ${version}, this program knows ${schemaVersion}`)
    database.exec(besides)
    return database
  } catch (error) {
    database.close()
    if (resultCode(error) === notADatabase) throw new Error(`${path} is not a store: it is no SQLite file`)
    throw asDamaged(path, asUnavailable(error))
  }
}

/** SQLite does not wait here by itself when several processes create the file at once. */
const switchToWriteAheadLog = (database: DatabaseSync): void => {
  for (let waited = 0; ; waited += 10) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (resultCode(error) !== busy || waited >= busyTimeoutMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

const versionOf = (database: DatabaseSync): number => Number(database.prepare('PRAGMA user_version').get()!['user_version'])

const createSchema = (database: DatabaseSync, path: string): void => {
  database.exec('BEGIN IMMEDIATE')
  if (versionOf(database) === 0) {
    if (database.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined)
      throw new Error(`${path} is not a store: it holds other tables`)
    database.exec(schema)
  }
  database.exec('COMMIT')
}

const openNotices = (database: DatabaseSync) => {
  const listeners = new Map<Subject, Set<() => void>>()
  const waiting = new Set<Subject>()
  const fileVersion = database.prepare('PRAGMA data_version')
  const readVersion = (): unknown => fileVersion.get()!['data_version']
  let timer: NodeJS.Timeout | undefined
  let seen: unknown

  const tell = (subject: Subject): void => {
    for (const listener of [...(listeners.get(subject) ?? [])]) listener()
  }
  const look = (): void => {
    const version = readVersion()
    if (version === seen) return
    seen = version
    for (const subject of [...listeners.keys()]) tell(subject)
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
    listeners.clear()
  }
  const changed = (subject: Subject): void => {
    if (!listeners.has(subject) || waiting.has(subject)) return
    waiting.add(subject)
    // Not in a microtask: what the caller does next, such as sending the order that it planned, comes before whoever shows it.
    setImmediate(() => {
      waiting.delete(subject)
      tell(subject)
    })
  }
  const watch = (subject: Subject, listener: () => void): (() => void) => {
    const own = () => listener() // the same function may watch twice
    const others = listeners.get(subject) ?? new Set()
    listeners.set(subject, others.add(own))
    if (timer === undefined) {
      seen = readVersion()
      timer = setInterval(look, lookEveryMs)
      timer.unref()
    }
    return () => {
      others.delete(own)
      if (others.size === 0 && listeners.get(subject) === others) listeners.delete(subject)
      if (listeners.size === 0) stop()
    }
  }
  return { port: { changed, watch }, stop }
}

const busy = 5
const damaged = 11
const notADatabase = 26
const primaryKeyTaken = 1555
/** Primary result codes that speak of the file or the machine, not of our statement: busy, locked, read-only, I/O, full, cannot open. */
const unavailable = new Set([busy, 6, 8, 10, 13, 14])

/** True when a row with that primary key is there already. */
export const isTaken = (error: unknown): boolean => error instanceof Error && 'errcode' in error && error.errcode === primaryKeyTaken

const resultCode = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode) & 0xff
}

/** Waiting does not help, and nothing may go on: what the file has lost is not known. */
export const asDamaged = (path: string, error: unknown): unknown =>
  resultCode(error) === damaged
    ? new Error(`${path} is damaged (${(error as Error).message}): restore it from a backup`, { cause: error })
    : error

/** What speaks of the file or the machine may pass; all else is left as it is. */
export const asUnavailable = (error: unknown): unknown => {
  const code = resultCode(error)
  if (code === undefined || !unavailable.has(code)) return error
  return new StoreUnavailable(`the store cannot be used now: ${(error as Error).message}`, { cause: error })
}
