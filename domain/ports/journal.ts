import type { Commit, StoredCommit } from '../commit.ts'

/**
 * The answers of an append. `already`: the command or step was decided before, at that position; nothing was written.
 * `conflict`: somebody else holds the position; this engine has lost the journal.
 */
export type Appended =
  | { answer: 'appended'; stored: StoredCommit }
  | { answer: 'already'; position: number; hash: string }
  | { answer: 'conflict'; position: number; epoch: number }

/** The append-only memory of one trading mode: positions 1, 2, 3 … without a gap, one writer at a time. */
export interface Journal {
  /** The last commit, or position 0 with the genesis hash. */
  head(): Promise<{ position: number; hash: string }>
  /**
   * Creates the commit at its position together with the marker of its cause's id, only if neither exists.
   * An unclear answer of the store is settled inside, by reading back and offering the very same commit again.
   * @throws RangeError over 900 kB, before anything is sent; StoreUnavailable when the store cannot be reached at all
   */
  append(commit: Commit): Promise<Appended>
  /** Where a command or step was decided, if it was. */
  marker(id: string): Promise<{ position: number; hash: string } | undefined>
  /** Commits from a position on, in order, up to the head at the time of each page (or to `to`, inclusive). */
  read(from: number, to?: number): AsyncIterable<StoredCommit>
  /** Calls `listener` whenever new commits may be there (also spuriously). Returns the way to stop. */
  onAppended(listener: () => void): () => void
}

export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}
