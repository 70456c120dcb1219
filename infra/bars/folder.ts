/**
 * Files of bars in a folder. A file is written beside its place, flushed to the disk and renamed over it, so a reader or a crash finds
 * the old one or the new one. Writers take turns by a lock of SQLite, which the operating system frees when a process dies.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { BarsUnavailable } from '../../domain/ports/bar-catalogue.ts'
import { makeFolder } from '../folder.ts'
import type { BarFiles, StoredFile } from './files.ts'

/** Milliseconds for which a writer waits for the others; each needs a few. */
const patience = 5_000

const orAbsent = <Found>(look: () => Found): Found | undefined => {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const busy = 5 // SQLITE_BUSY: others had the lock for all that time

const fail = (place: string, error: unknown): never => {
  const { message, errcode } = error as Error & { errcode?: number }
  throw new BarsUnavailable(errcode === busy ? 'unreachable' : 'refused', message.includes(place) ? message : `${place}: ${message}`, {
    cause: error,
  })
}

const flushed = (path: string, bytes: Uint8Array): void => {
  const file = openSync(path, 'w')
  try {
    for (let written = 0; written < bytes.byteLength; ) written += writeSync(file, bytes, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A new name in a folder is only there for good once the folder itself is on the disk. @param made the outermost of those that are new */
const flushFolders = (path: string, made: string | undefined): void => {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
  if (made === path) flushFolders(dirname(path), undefined)
  else if (made !== undefined) flushFolders(dirname(path), made)
}

const read = (path: string): StoredFile | undefined => {
  const bytes = orAbsent(() => readFileSync(path))
  return bytes && { bytes: new Uint8Array(bytes), version: createHash('sha256').update(bytes).digest('hex') }
}

/** Nothing is made before the first write. */
export const openFolder = (path: string): BarFiles => {
  const root = resolve(path)
  let turns: DatabaseSync | undefined

  const inTurn = <Result>(work: () => Result): Result => {
    if (turns === undefined) {
      makeFolder('BARS_DIR', path)
      turns = new DatabaseSync(join(root, '.writers.sqlite'), { timeout: patience })
    }
    turns.exec('BEGIN IMMEDIATE')
    try {
      return work()
    } finally {
      turns.exec('ROLLBACK')
    }
  }

  return {
    read: async (name) => {
      const path = join(root, name)
      try {
        return read(path)
      } catch (error) {
        return fail(path, error)
      }
    },
    write: async (name, bytes, after) => {
      const path = join(root, name)
      try {
        return inTurn(() => {
          if (read(path)?.version !== after) return false
          const made = mkdirSync(dirname(path), { recursive: true })
          const beside = `${path}.new`
          flushed(beside, bytes)
          renameSync(beside, path)
          flushFolders(dirname(path), made)
          return true
        })
      } catch (error) {
        return fail(path, error)
      }
    },
    list: async (folder) => {
      const path = join(root, folder)
      try {
        return orAbsent(() => readdirSync(path)) ?? []
      } catch (error) {
        return fail(path, error)
      }
    },
    place: (name) => join(root, name),
    close: async () => {
      turns?.close()
      turns = undefined
    },
  }
}
