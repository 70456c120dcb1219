/** Snapshots on SQLite, beside the journal in the same file. */
import { sha256 } from '../../domain/commit.ts'
import { keptSnapshots, type Snapshot, type Snapshots } from '../../domain/ports/snapshots.ts'
import type { Store } from './store.ts'

type Row = Snapshot & { number: number; sha256: string }

export const openSnapshots = (store: Store): Snapshots => {
  const { database } = store
  const newest = database.prepare(
    'SELECT number, version, position, hash, sha256, json FROM snapshots WHERE version = ? AND position <= ? ORDER BY position DESC, number DESC',
  )
  const same = database.prepare('SELECT 1 FROM snapshots WHERE version = ? AND position = ? AND hash = ?')
  const insert = database.prepare('INSERT INTO snapshots (version, position, hash, sha256, json) VALUES (?, ?, ?, ?, ?)')
  const forget = database.prepare(
    `DELETE FROM snapshots WHERE number NOT IN (SELECT number FROM snapshots ORDER BY number DESC LIMIT ${keptSnapshots})`,
  )
  return {
    latest: async (version, atMost = Number.MAX_SAFE_INTEGER) => {
      for (const row of newest.iterate(version, atMost)) {
        const { position, hash, json, sha256: kept } = row as Row
        if (sha256(json) === kept) return { version, position, hash, json }
      }
      return undefined
    },
    save: async ({ version, position, hash, json }) => {
      if (same.get(version, position, hash) !== undefined) return
      const digest = sha256(json)
      store.transaction(() => {
        insert.run(version, position, hash, digest, json)
        forget.run()
      })
    },
  }
}
