/** Many nights, one after the other, and what they really met. */

import { chanceFrom } from './chance.ts'
import { allFaults } from './faults.ts'
import { crashPoints, drawHistory } from './history.ts'
import type { Violation } from './invariants.ts'
import { liveThrough, liveThroughHistory } from './live.ts'
import { shorten } from './shrink.ts'
import type { Patches, World } from './world.ts'

/** How often each fault happened, a process ended at each step, and how many orders and commits there were. */
export type Tally = { faults: Record<string, number>; crashes: Record<string, number>; orders: number; commits: number }

export const emptyTally = (): Tally => ({ faults: {}, crashes: {}, orders: 0, commits: 0 })

const addAll = (to: Record<string, number>, from: Iterable<readonly [string, number]>): void => {
  for (const [name, count] of from) to[name] = (to[name] ?? 0) + count
}
export const tallyOf = ({ faults, crashes, broker, memory }: World): Tally => ({
  ...{ faults: Object.fromEntries(faults.counts), crashes: Object.fromEntries(crashes) },
  ...{ orders: broker.receipts.length, commits: memory.commits.length },
})
export const addTally = (to: Tally, from: Tally): void => {
  addAll(to.faults, Object.entries(from.faults))
  addAll(to.crashes, Object.entries(from.crashes))
  to.orders += from.orders
  to.commits += from.commits
}

/** What proved nothing, because it never happened. */
export const neverMet = ({ faults, crashes }: Tally): string[] => [
  ...allFaults.filter((name) => !faults[name]),
  ...crashPoints.filter((name) => !crashes[name]),
]

export const tableOf = (title: string, names: readonly string[], counts: Readonly<Record<string, number>>): string[] => [
  title,
  ...names.map((name) => `  ${String(counts[name] ?? 0).padStart(8)}  ${name}`),
]

/** For a shell: what is not plain is quoted. */
const word = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** @param planted the name of the bug that was planted, if any */
export const rerun = (seed: string, planted?: string): string =>
  `npm run world -- --night ${word(seed)}${planted === undefined ? '' : ` --planted ${word(planted)}`}`

const linesOf = (violations: readonly Violation[]): string[] => violations.map(({ invariant, text }) => `VIOLATED: ${invariant}: ${text}`)

/**
 * A night told from its beginning; one that fails is told once more in the shortest history that fails in the same way.
 * @param plant a bug that is planted, anew for each world
 */
export const storyOf = async (seed: string, plant: () => Patches = () => ({})): Promise<string> => {
  const { world, violations } = await liveThrough(seed, { story: true, patches: plant() })
  const [first] = violations
  if (first === undefined) return [...world.story, 'every promise was kept'].join('\n')
  const history = drawHistory(chanceFrom(`${seed}: history`))
  const short = await shorten(history, async (shorter) =>
    (await liveThroughHistory(seed, shorter, { patches: plant() })).violations.some(({ invariant }) => invariant === first.invariant),
  )
  const told = await liveThroughHistory(seed, short, { story: true, patches: plant() })
  return [
    ...[`── the night ${seed}, as it was ──`, ...world.story, ...linesOf(violations)],
    `── the same failure, with ${short.actions.length} of its ${history.actions.length} actions ──`,
    ...[...short.actions.map((action) => JSON.stringify(action)), ...told.world.story, ...linesOf(told.violations)],
  ].join('\n')
}
