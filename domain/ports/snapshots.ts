/** The state as it was after a commit. `version`: of the code that folded it; `hash`: of that commit; `json`: the state's canonical text. */
export type Snapshot = { version: string; position: number; hash: string; json: string }

/** A shortcut beside the journal, for a quick restart; never the truth. Whoever loads one checks its hash against the journal's commit. */
export interface Snapshots {
  /** The newest of this version that is not past `atMost`; undefined when there is none that can be read whole. */
  latest(version: string, atMost?: number): Promise<Snapshot | undefined>
  /** Keeps it, whatever its size, and lets go of all but the last few. One that is there already stays. */
  save(snapshot: Snapshot): Promise<void>
}
