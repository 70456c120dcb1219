/** Minimum trade: a rebalance band. */
import { type Configuration, settingOf } from '../configuration.ts'
import { absolute, compare, decimal, multiply } from '../decimal.ts'
import type { Note } from '../events.ts'
import { totalOf, type Wish } from './difference.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

/** What is worth less stays, unless it ends a position. Without a price nothing is called small. */
export const aboveMinimum = (wishes: readonly Wish[], configuration: Configuration, market: Market): { wishes: Wish[]; notes: Note[] } => {
  const minimum = decimal(settingOf(configuration, 'orders.minimumTrade'))
  const notes: Note[] = []
  const remaining = wishes.filter((wish) => {
    const { strategy, conId } = wish
    const { exitValue } = market(conId)
    const value = exitValue === undefined ? undefined : multiply(absolute(totalOf(wish)), exitValue)
    if (wish.closes || value === undefined || compare(value, minimum) >= 0) return true
    notes.push(note('BELOW_MINIMUM', { strategy, conId, numbers: { difference: totalOf(wish), value, minimum } }))
    return false
  })
  return { wishes: remaining, notes }
}
