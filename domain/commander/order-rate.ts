/** Order rate: so many orders in one minute and in one day of New York. Reductions count and always go; increases wait. */
import { newYorkDate, newYorkTime } from '../calendar.ts'
import { settingOf } from '../configuration.ts'
import type { Ledger } from '../ledger.ts'
import { isoTime } from '../ports/clock.ts'
import { clipTo, type Draft, type Drafts, eachDraft, unchanged } from './drafts.ts'
import type { Market } from './market.ts'

const plannedSince = ({ orders }: Readonly<Ledger>, since: number): number => {
  const from = isoTime(since)
  let count = 0
  for (const orderRef in orders) if (orders[orderRef]!.plannedAt >= from) count += 1
  return count
}

/** The orders come with their reductions first. */
export const withinRate = (drafts: readonly Draft[], ledger: Readonly<Ledger>, market: Market, now: number): Drafts => {
  const { configuration } = ledger
  const [perMinute, perDay] = [settingOf(configuration, 'orders.perMinute'), settingOf(configuration, 'orders.perDay')]
  const thisMinute = plannedSince(ledger, now - 59_999)
  const today = plannedSince(ledger, newYorkTime(newYorkDate(now), '00:00'))
  let granted = 0
  return eachDraft(drafts, (draft) => {
    if (draft.net.reduces || (thisMinute + granted < perMinute && today + granted < perDay)) {
      granted += 1
      return unchanged(draft)
    }
    const numbers = { thisMinute: thisMinute + granted, perMinute, today: today + granted, perDay }
    const said = Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, String(number)]))
    return clipTo(draft, '0', market, 'ORDER_RATE', said)
  })
}
