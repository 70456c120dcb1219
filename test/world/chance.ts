/** All luck of one world: the same seed, the same luck. */
import { randomFrom } from '../../domain/random.ts'

export type Chance = {
  /** True with this probability. */
  happens(probability: number): boolean
  /** A whole number, both ends included. */
  whole(least: number, most: number): number
  pick<T>(items: readonly T[]): T
}

export const chanceFrom = (seed: string): Chance => {
  const next = randomFrom(seed)
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    happens: (probability) => next() < probability,
    whole,
    pick: (items) => items[whole(0, items.length - 1)]!,
  }
}
