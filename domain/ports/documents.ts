/** Plain JSON: what a document holds. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type Document = { readonly [key: string]: Json }

/** `merge` replaces the named top-level fields and leaves the others; on a missing document it creates it. */
export type DocumentWrite =
  | { kind: 'set'; path: string; data: Document }
  | { kind: 'merge'; path: string; data: Document }
  | { kind: 'delete'; path: string }

/** Where a projection stands. `version` is the store's own mark of the last write; it guards the next one. */
export type Checkpoint = { position: number; hash: string; version: string }

export type Written = { answer: 'written'; checkpoint: Checkpoint } | { answer: 'moved' }

/** No attempt will ever store it: the document is larger than the store takes, or holds what the store cannot say. */
export class Unstorable extends Error {
  override name = 'Unstorable'
  readonly path: string
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(problem, options)
    this.path = path
  }
}

/** `after`: an id, behind which it begins. `limit`: so many at most. */
export type Page = { readonly after?: string; readonly limit?: number }

/** Views for people. Paths have an even number of segments: `positions/paper/portfolio/latest`. */
export interface Documents {
  get(path: string): Promise<Document | undefined>
  /** The documents directly in a collection (`activity`, `positions/paper/openOrders`), by id, ascending; all of them where no page is named. */
  list(collection: string, page?: Page): Promise<{ path: string; data: Document }[]>
  /**
   * Every document that a view may have written, by path, ascending: what a rebuild compares, and deletes where it is too much.
   * Never a checkpoint, and nothing that others keep in the same store.
   */
  all(): AsyncIterable<{ path: string; data: Document }>
  checkpoint(projection: string): Promise<Checkpoint | undefined>
  /**
   * Writes and checkpoint in one batch, guarded: nothing is written (`moved`) when the checkpoint is no longer `expected`
   * (undefined: there must be none yet).
   * @throws Unstorable before anything is sent; StoreUnavailable when it is not known whether it was written
   */
  write(
    projection: string,
    writes: readonly DocumentWrite[],
    next: { position: number; hash: string },
    expected: Checkpoint | undefined,
  ): Promise<Written>
  /** Calls `listener` when the document may have changed. Returns the way to stop. */
  watch(path: string, listener: () => void): () => void
}

/** @throws Error for a path that is not one of a document (an even number of segments, none empty, none with a dot alone) */
export const checkDocumentPath = (path: string): string => {
  const segments = path.split('/')
  const sound =
    segments.length >= 2 && segments.length % 2 === 0 && segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  if (!sound) throw new Error(`"${path}" is not a document path: it needs an even number of segments, such as "status/paper"`)
  return path
}

/** @throws Error for a path that is not one of a collection (an odd number of segments, none empty) */
export const checkCollectionPath = (path: string): string => {
  const segments = path.split('/')
  const sound = segments.length % 2 === 1 && segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  if (!sound) throw new Error(`"${path}" is not a collection: it needs an odd number of segments, such as "activity"`)
  return path
}
