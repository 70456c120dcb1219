/** What a rule says that takes whole instruments out of this decision. */
import type { Note } from '../events.ts'
import type { Wish } from './difference.ts'

export type HoldBack = { stopped: ReadonlySet<number>; notes: Note[] }

/** In a fixed order, so that the same state always gives the same decision. */
export const instrumentsIn = (wishes: readonly Wish[]): number[] =>
  [...new Set(wishes.map(({ conId }) => conId))].sort((left, right) => left - right)

/** Stops each instrument for which the rule has a reason; every wish in it is noted. */
export const holdBack = (wishes: readonly Wish[], reason: (conId: number) => ((wish: Wish) => Note) | undefined): HoldBack => {
  const stopped = new Set<number>()
  const notes: Note[] = []
  for (const conId of instrumentsIn(wishes)) {
    const noteOf = reason(conId)
    if (noteOf === undefined) continue
    stopped.add(conId)
    notes.push(...wishes.filter((wish) => wish.conId === conId).map(noteOf))
  }
  return { stopped, notes }
}

export const without = (wishes: readonly Wish[], ...rules: readonly HoldBack[]): Wish[] =>
  wishes.filter(({ conId }) => !rules.some(({ stopped }) => stopped.has(conId)))
