/** Folds the journal commit by commit and asks every view what each one changes. */
import type { StoredCommit } from '../domain/commit.ts'
import { fold } from '../domain/fold.ts'
import { initialLedger, type Ledger } from '../domain/ledger.ts'
import { checkDocumentPath, type DocumentWrite } from '../domain/ports/documents.ts'
import { createOrderIndex } from './order-index.ts'
import type { View } from './view.ts'

/** The journal or a view is at fault, not the moment: waiting does not help. The message names the position. */
export class Unprojectable extends Error {
  override name = 'Unprojectable'
  readonly position: number
  constructor(position: number, problem: string, options?: ErrorOptions) {
    super(`position ${position} cannot be projected: ${problem}`, options)
    this.position = position
  }
}

export type Replay = {
  /** As far as it has folded. */
  position(): number
  hash(): string
  /** Folds the next commit. `silently`: its documents are written already. @throws Unprojectable */
  step(stored: StoredCommit, silently: boolean): DocumentWrite[]
}

/** @param from the state to go on from, which becomes the replay's own; the beginning where it is left out */
export const createReplay = (views: readonly View[], mode: 'paper' | 'live', from?: Ledger): Replay => {
  const ledger: Ledger = from ?? initialLedger()
  const orders = createOrderIndex(ledger)
  return {
    position: () => ledger.position,
    hash: () => ledger.hash,
    step: (stored, silently) => {
      try {
        const { commit, events } = fold(ledger, stored)
        orders.note(events)
        if (silently) return []
        const writes = views.flatMap((view) => view({ commit, events, ledger, orders, mode }))
        for (const { path } of writes) checkDocumentPath(path)
        return writes
      } catch (error) {
        throw new Unprojectable(stored.position, error instanceof Error ? error.message : String(error), { cause: error })
      }
    },
  }
}
