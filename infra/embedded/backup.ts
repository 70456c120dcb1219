/** A copy of a store while an engine writes it: SQLite's own backup, one moment of the whole file, on the disk before it has its name. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'

/** All pages in one step: with fewer, a writer between two steps would make it begin again. */
const allPages = 2_147_483_647

const toDisk = (path: string): void => {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** @throws Error in one line when there is something at `to` already, or it cannot be written */
export const backUpStore = async (from: string, to: string): Promise<void> => {
  if (existsSync(to)) throw new Error(`there is something at ${to} already: a backup is never written over`)
  if (!existsSync(dirname(to))) throw new Error(`there is no folder ${dirname(to)}`)
  const part = `${to}.part`
  rmSync(part, { force: true })
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    await backup(source, part, { rate: allPages })
    toDisk(part)
    renameSync(part, to)
    toDisk(dirname(to))
  } finally {
    source.close()
    for (const left of [part, `${part}-wal`, `${part}-shm`, `${part}-journal`]) rmSync(left, { force: true })
  }
}
