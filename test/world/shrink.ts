/** A failing history cut shorter: parts of it are left out, halves first, single actions last, as long as it still fails. */
import type { History } from './history.ts'

/** More than this is not worth anybody's time. */
const mostTries = 300

/** @returns the shortest history that was found and still fails; itself where nothing can be left out */
export const shorten = async (history: History, stillFails: (shorter: History) => Promise<boolean>): Promise<History> => {
  let { actions } = history
  let tries = 0
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < actions.length && tries < mostTries; ) {
      const left = [...actions.slice(0, from), ...actions.slice(from + size)]
      tries += 1
      if (await stillFails({ ...history, actions: left })) actions = left
      else from += size
    }
  return { ...history, actions }
}
