/** What holds whole instruments back, one rule after the other. `cancels`: orders that have to end before it is decided again. */
import type { Note } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import { blockedInstruments } from './blocked-instrument.ts'
import type { Wish } from './difference.ts'
import { without } from './hold-back.ts'
import type { Market } from './market.ts'
import { untradableInstruments } from './tradable.ts'
import { opposedByWorkingOrders } from './working-order.ts'

export const standAside = (
  ledger: Readonly<Ledger>,
  wishes: readonly Wish[],
  market: Market,
): { wishes: Wish[]; cancels: string[]; notes: Note[] } => {
  const blocked = blockedInstruments(wishes, market)
  const opposed = opposedByWorkingOrders(ledger, wishes)
  const moving = without(wishes, blocked, opposed)
  const untradable = untradableInstruments(moving, market)
  return {
    wishes: without(moving, untradable),
    cancels: opposed.cancels,
    notes: [...blocked.notes, ...opposed.notes, ...untradable.notes],
  }
}
