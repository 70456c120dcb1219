/** The right to be the one engine of a journal. Time is the store's, on a monotonic footing for the holder. */
export interface Lease {
  /**
   * Takes the lease if it is free, expired, or already this holder's.
   * @param above an epoch that was seen elsewhere, such as in the journal: a store that forgot it gives a higher one all the same
   * @returns the epoch, one higher than any before, or undefined with the time in ms after which asking again makes sense
   */
  acquire(holder: string, ttlMs: number, above?: number): Promise<{ epoch: number } | { heldFor: number }>
  /** @returns false when another epoch holds it: stop at once */
  renew(epoch: number, ttlMs: number): Promise<boolean>
  /** Gives it back, if it is still this epoch's. */
  release(epoch: number): Promise<void>
}

/** For those who only look. */
export interface LeaseView {
  /** Who has it now, and for how many ms if he renews it no more; undefined when it is free. */
  current(): Promise<{ epoch: number; heldFor: number } | undefined>
}
