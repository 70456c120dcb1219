/** Those who wait until something that follows the journal has come to a position. */
export type Waiters = {
  /** Resolves once the position is reached. */
  wait(position: number): Promise<void>
  /** Whether somebody waits for this position or an earlier one. */
  waitsFor(position: number): boolean
  /** To be called after each move. */
  tell(): void
  /** Nobody will get there any more. */
  turnAway(error: Error): void
}

export const createWaiters = (reached: () => number): Waiters => {
  const waiting = new Set<{ position: number; resolve: () => void; reject: (error: Error) => void }>()
  return {
    wait: (position) =>
      position <= reached() ? Promise.resolve() : new Promise((resolve, reject) => waiting.add({ position, resolve, reject })),
    waitsFor: (position) => [...waiting].some((waiter) => waiter.position <= position),
    tell: () => {
      for (const waiter of [...waiting]) {
        if (waiter.position > reached()) continue
        waiting.delete(waiter)
        waiter.resolve()
      }
    },
    turnAway: (error) => {
      for (const { reject } of waiting) reject(error)
      waiting.clear()
    },
  }
}
