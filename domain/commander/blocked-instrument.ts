/** Blocked instrument: nothing is ordered or crossed in it, either way, until a person or a report has cleared it up. */
import { totalOf, type Wish } from './difference.ts'
import { type HoldBack, holdBack } from './hold-back.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

export const blockedInstruments = (wishes: readonly Wish[], market: Market): HoldBack =>
  holdBack(wishes, (conId) => {
    const { blocked } = market(conId)
    return blocked === undefined
      ? undefined
      : (wish) => note('BLOCKED', { strategy: wish.strategy, conId, numbers: { difference: totalOf(wish) } }, blocked)
  })
