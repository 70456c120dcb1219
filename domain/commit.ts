/**
 * A commit: all events of one decision, with their cause; appended whole or not at all.
 * Its canonical text (RFC 8785) is what is stored and hashed, so any store gives the same chain.
 */
import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** Why a commit exists. Nothing of the transport or the machine belongs here. */
export type Cause =
  | {
      kind: 'command'
      /** The command's or step's id: the marker of the commit. */
      id: string
      type: string
      /** ISO time at which the command was published; steps inherit it. */
      publishedAt: string
      source: string
      actor?: string
      correlationId?: string
      /** sha256 of what was asked, where the publisher wants to tell another request under the same id from the same one. */
      digest?: string
      job?: string
      /** The pipeline whose step this is. */
      pipeline?: string
    }
  | {
      kind: 'broker'
      report: string
      /** Of the request from which the order came that the report is about. */
      correlationId?: string
    }
  | { kind: 'engine'; reason: string; id?: string }

/** The id of the request to which a commit goes back, to be spread into what is said of it. */
export const correlationOf = (cause?: Cause): { correlationId?: string } =>
  cause === undefined || cause.kind === 'engine' || cause.correlationId === undefined ? {} : { correlationId: cause.correlationId }

/** One stored event. `occurredAt`: ISO time, when it happened as far as we know; `recordedAt` of the commit says when we learned of it. */
export type StoredEvent = { type: string; v: number; occurredAt: string; data: unknown }

export type Commit = {
  position: number
  epoch: number
  recordedAt: string
  cause: Cause
  events: readonly StoredEvent[]
  previousHash: string
}

/** As both stores keep it: `json` is the canonical text of the commit, `hash` its sha256 in hex. */
export type StoredCommit = { position: number; epoch: number; recordedAt: string; previousHash: string; hash: string; json: string }

/** The hash before the first commit. */
export const genesisHash = '0'.repeat(64)

/** Upper bound of a commit's canonical text in bytes: Firestore keeps a document under 1 MiB. */
export const maximumCommitBytes = 900_000

export const sha256 = (text: string): string => hash('sha256', text)

/** RFC 8785 text of plain JSON data. @throws Error where the value has no JSON form (NaN, Infinity, a function) */
export const canonical = (value: unknown): string => {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('a value without a JSON form cannot be stored')
  return text
}

/** @throws RangeError when the canonical text is larger than a store takes; nothing was sent then */
export const store = (commit: Commit): StoredCommit => {
  const json = canonical(commit)
  const bytes = Buffer.byteLength(json)
  if (bytes > maximumCommitBytes) throw new RangeError(`commit ${commit.position} has ${bytes} bytes, the limit is ${maximumCommitBytes}`)
  const { position, epoch, recordedAt, previousHash } = commit
  return { position, epoch, recordedAt, previousHash, hash: sha256(json), json }
}

/** The id under which a commit is recognised as done already, if it has one. */
export const markerOf = (cause: Cause): string | undefined => (cause.kind === 'broker' ? undefined : cause.id)

export type ChainFault = { position: number; what: 'missing' | 'altered' | 'unlinked' | 'mislabelled' }

/** Checks one commit against the one before it: its number, its own hash, its link and its outer fields. */
export const checkLink = (previous: { position: number; hash: string }, stored: StoredCommit): ChainFault | undefined => {
  if (stored.position !== previous.position + 1) return { position: previous.position + 1, what: 'missing' }
  if (sha256(stored.json) !== stored.hash) return { position: stored.position, what: 'altered' }
  const commit = JSON.parse(stored.json) as Commit
  if (commit.previousHash !== previous.hash) return { position: stored.position, what: 'unlinked' }
  const same =
    commit.position === stored.position &&
    commit.epoch === stored.epoch &&
    commit.recordedAt === stored.recordedAt &&
    stored.previousHash === commit.previousHash
  return same ? undefined : { position: stored.position, what: 'mislabelled' }
}
