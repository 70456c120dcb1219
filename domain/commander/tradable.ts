/** Tradable: an index or a cash pair is no holding, and without any price nothing is ordered or crossed. */
import { totalOf, type Wish } from './difference.ts'
import { type HoldBack, holdBack } from './hold-back.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

export const untradableInstruments = (wishes: readonly Wish[], market: Market): HoldBack =>
  holdBack(wishes, (conId) => {
    const { problem, exit } = market(conId)
    const code = problem === 'NOT_TRADABLE' ? problem : exit === undefined ? 'PRICE_MISSING' : undefined
    return code === undefined ? undefined : (wish) => note(code, { strategy: wish.strategy, conId, numbers: { difference: totalOf(wish) } })
  })
