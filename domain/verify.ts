/** Walks the chain of a journal and compares it with what others remember of it. */
import { type ChainFault, type Commit, checkLink, genesisHash, markerOf, type StoredCommit, sha256 } from './commit.ts'
import { fold } from './fold.ts'
import type { Ledger } from './ledger.ts'
import type { Journal } from './ports/journal.ts'

/** What a projection or a backup remembers: the hash at a position it has seen. */
export type Remembered = { name: string; position: number; hash: string }

export type Verified =
  | { ok: true; commits: number; events: number; head: { position: number; hash: string } }
  /** The first commit that was changed, exchanged or cut off, and in words what is wrong with it. */
  | { ok: false; position: number; problem: string }

/**
 * Reads every commit. A chain that was rewritten or shortened at its end is sound in itself: only the memory of others betrays it,
 * so checkpoints should be given.
 */
export const verifyChain = async (journal: Pick<Journal, 'read' | 'marker'>, remembered: readonly Remembered[] = []): Promise<Verified> => {
  const memories = remembered.filter(({ position }) => position > 0).sort((a, b) => a.position - b.position)
  let checked = 0
  let events = 0
  let previous: StoredCommit | undefined
  for await (const stored of journal.read(1)) {
    const fault = faultOf(previous, stored)
    if (fault) return { ok: false, ...(fault.what === 'unlinked' ? await blameLink(journal, previous, stored) : named(fault)) }
    for (; memories[checked]?.position === stored.position; checked++) {
      const { name, hash } = memories[checked]!
      if (hash !== stored.hash)
        return {
          ok: false,
          position: stored.position,
          problem: `commit ${stored.position} is another one than ${name} has seen: it was exchanged`,
        }
    }
    events += (JSON.parse(stored.json) as Commit).events.length
    previous = stored
  }
  const head = { position: previous?.position ?? 0, hash: previous?.hash ?? genesisHash }
  const beyond = memories[checked]
  if (beyond) {
    const position = head.position + 1
    return { ok: false, position, problem: `commit ${position} was cut off: ${beyond.name} has seen commit ${beyond.position}` }
  }
  return { ok: true, commits: head.position, events, head }
}

const faultOf = (previous: StoredCommit | undefined, stored: StoredCommit): ChainFault | undefined => {
  try {
    return checkLink(previous ?? { position: 0, hash: genesisHash }, stored)
  } catch {
    return { position: stored.position, what: 'altered' } // its text is no JSON, though its hash was made to fit
  }
}

const words: Readonly<Record<ChainFault['what'], string>> = {
  missing: 'is missing',
  altered: 'was altered: its text does not give its hash',
  unlinked: 'does not continue the commit before it: one of the two was exchanged',
  mislabelled: 'was altered: its columns differ from its text',
}
/** One line that names the commit. */
const inWords = ({ position, what }: ChainFault): string => `commit ${position} ${words[what]}`
const named = (fault: ChainFault) => ({ position: fault.position, problem: inWords(fault) })

/** A broken link names two commits. The marker of the earlier one still holds the hash it had when it was appended. */
const blameLink = async (journal: Pick<Journal, 'marker'>, previous: StoredCommit | undefined, stored: StoredCommit) => {
  const id = previous && markerOf((JSON.parse(previous.json) as Commit).cause)
  const marker = id === undefined ? undefined : await journal.marker(id)
  return previous && marker && marker.hash !== previous.hash
    ? { position: previous.position, problem: `commit ${previous.position} was altered together with its hash` }
    : named({ position: stored.position, what: 'unlinked' })
}

// ── Going on from it ──

/** Nothing may be decided on what this journal says. */
export class BrokenJournal extends Error {
  override name = 'BrokenJournal'
  constructor(problem: string) {
    super(`the journal is broken: ${problem}; see ibt verify, and restore it from a backup`)
  }
}

/** As `fold`, for somebody who will decide on it. @throws BrokenJournal where the commit does not continue the chain; the ledger is of no use then */
export const foldSound = (ledger: Ledger, stored: StoredCommit): void => {
  const { position, hash } = ledger
  const broken = (what: ChainFault['what'], at = stored.position) => new BrokenJournal(inWords({ position: at, what }))
  if (stored.position !== position + 1) throw broken('missing', position + 1)
  if (sha256(stored.json) !== stored.hash) throw broken('altered')
  if (fold(ledger, stored).commit.previousHash !== hash) throw broken('unlinked')
}

/** Snapshots are made of durable commits only: one that has seen more than there is betrays an end that was cut off. @throws BrokenJournal */
export const checkNotCutOff = async (journal: Pick<Journal, 'head'>, seen: { position: number }): Promise<void> => {
  const { position } = await journal.head() // asked after the snapshot was found: somebody may have gone on meanwhile
  if (seen.position > position) throw new BrokenJournal(`commit ${position + 1} was cut off: a snapshot has seen commit ${seen.position}`)
}
