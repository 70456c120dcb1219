/** The age of the signal: a strategy's word counts until the close of the session after its last bar. */

/** A time that cannot be read is not fresh. */
export const isFreshSignal = ({ freshUntil }: { freshUntil: string }, now: number): boolean => now < Date.parse(freshUntil)
