import { type Cause, type Commit, genesisHash, type StoredCommit, type StoredEvent, store } from '../../domain/commit.ts'
import type { Journal } from '../../domain/ports/journal.ts'

export const command = (id: string): Cause => ({
  kind: 'command',
  id,
  type: 'reconcile',
  publishedAt: '2026-11-20T21:05:00.000Z',
  source: 'cli',
})

const noted = (note: string): StoredEvent => ({ type: 'Noted', v: 1, occurredAt: '2026-11-20T21:05:00.000Z', data: { note } })

/** A commit after another one, with one event. */
export const commitAfter = (
  previous: { position: number; hash: string },
  { id, epoch = 1, note = 'x' }: { id?: string; epoch?: number; note?: string } = {},
): Commit => ({
  position: previous.position + 1,
  epoch,
  recordedAt: '2026-11-20T21:05:01.000Z',
  cause: id === undefined ? { kind: 'broker', report: 'order' } : command(id),
  events: [noted(note)],
  previousHash: previous.hash,
})

export const beginning = { position: 0, hash: genesisHash }

/** Appends one commit a command id, in order. @throws Error when one is not taken */
export const appendAll = async (journal: Journal, ids: readonly string[]): Promise<StoredCommit[]> => {
  const stored: StoredCommit[] = []
  for (const id of ids) {
    const answer = await journal.append(commitAfter(stored.at(-1) ?? (await journal.head()), { id }))
    if (answer.answer !== 'appended') throw new Error(`${id} was not appended: ${JSON.stringify(answer)}`)
    stored.push(answer.stored)
  }
  return stored
}

export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** The same commit with another text in its event and a hash that fits: what a careful forger would leave. */
export const forged = (stored: StoredCommit, previousHash = stored.previousHash): StoredCommit => {
  const commit = JSON.parse(stored.json) as Commit
  return store({ ...commit, previousHash, events: [noted('forged')] })
}
