/**
 * The state as text, and back: a shortcut for a quick restart.
 * The text keeps names in the order in which the fold made them, not in the canonical one: what goes through the orders or books
 * of a restored ledger meets them in the same order, so it says the same things in the same order.
 */
import type { Decoded } from './decode.ts'
import { initialLedger, type Ledger } from './ledger.ts'
import type { Journal } from './ports/journal.ts'
import type { Snapshot, Snapshots } from './ports/snapshots.ts'
import { checkNotCutOff } from './verify.ts'

/** Where snapshots are kept, and the version of the code that folds here: only its own are used. */
export type SnapshotSource = { store: Snapshots; version: string }

/** @param ledger as a commit left it; the text is made at once */
export const snapshotOf = (ledger: Readonly<Ledger>, version: string): Snapshot => ({
  version,
  position: ledger.position,
  hash: ledger.hash,
  json: JSON.stringify(ledger),
})

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Null may become anything; all else keeps its kind. */
const sameKind = (initial: unknown, value: unknown): boolean =>
  initial === null ? value !== undefined : isRecord(initial) ? isRecord(value) : typeof value === typeof initial

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** The ledger of a snapshot, sharing nothing with anybody. The problem says why the text is not one. */
export const ledgerFrom = ({ json, position, hash }: Snapshot): Decoded<Ledger> => {
  const parsed = parse(json)
  if (!isRecord(parsed)) return { ok: false, problem: 'its text is not JSON of a state' }
  const ledger: Record<string, unknown> = initialLedger()
  for (const [name, initial] of Object.entries(ledger)) {
    const value = parsed[name]
    if (!sameKind(initial, value)) return { ok: false, problem: `its "${name}" is not that of a state` }
    // Where names come from outside the ledger has objects without a prototype; JSON.parse gives them one.
    const plain = isRecord(initial) && Object.getPrototypeOf(initial) === null
    ledger[name] = plain ? Object.assign(Object.create(null), value) : value
  }
  if (ledger['position'] !== position || ledger['hash'] !== hash) return { ok: false, problem: 'its text is of another position' }
  return { ok: true, value: ledger as Ledger }
}

/** The hash of the commit at a position; undefined when the journal has none there. */
export const hashAt = async (journal: Pick<Journal, 'read'>, position: number): Promise<string | undefined> => {
  for await (const { hash } of journal.read(position, position)) return hash
  return undefined
}

type Restoring = {
  snapshots: SnapshotSource
  journal: Pick<Journal, 'head' | 'read'>
  /** Not past this position. Left out: the newest of all, and a journal that ends before it is broken. */
  atMost?: number
  /** Told of what is not used, and why. */
  ignored: (fields: { position?: number; err?: unknown }, text: string) => void
}

/**
 * The newest state from which this journal can be folded on; undefined where everything has to be folded from position 1.
 * A snapshot store that fails only costs that. @throws StoreUnavailable when the journal cannot be read, BrokenJournal when its end is gone
 */
export const restoreLedger = async ({ snapshots, journal, atMost, ignored }: Restoring): Promise<Ledger | undefined> => {
  let before = atMost ?? Number.MAX_SAFE_INTEGER
  for (;;) {
    let found: Snapshot | undefined
    try {
      found = before < 1 ? undefined : await snapshots.store.latest(snapshots.version, before)
    } catch (error) {
      ignored({ err: error }, `no snapshot can be loaded: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
    if (found === undefined) return undefined
    if (atMost === undefined) await checkNotCutOff(journal, found)
    const { position, hash } = found
    const ledger = ledgerFrom(found)
    if (ledger.ok && (await hashAt(journal, position)) === hash) return ledger.value
    const problem = ledger.ok ? 'the journal has another commit there' : ledger.problem
    ignored({ position }, `the snapshot of position ${position} is not used: ${problem}`)
    before = position - 1
  }
}
