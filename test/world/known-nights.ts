/** Nights that failed once, by their seeds, and why. They are lived through again in every run of the tests. */
export const knownNights: readonly { seed: string; failed: string }[] = []
