/**
 * The state as it was after a commit. `version`: of the code that folded it; `position` and `hash`: of that commit;
 * `json`: the state as text (domain/snapshot.ts), which the store keeps to the byte.
 */
export type Snapshot = { version: string; position: number; hash: string; json: string }

/** A shortcut beside the journal, for a quick restart; never the truth. Whoever loads one checks its hash against the journal's commit. */
export interface Snapshots {
  /** The one of this version with the highest position that is not past `atMost` and can be read whole, if there is one. */
  latest(version: string, atMost?: number): Promise<Snapshot | undefined>
  /** Keeps it, whatever its size, and lets go of all but the three that were saved last. One that is there already stays. */
  save(snapshot: Snapshot): Promise<void>
}

/** So many stay: should the newest turn out unreadable, or be of a later program, an older one still helps. */
export const keptSnapshots = 3
