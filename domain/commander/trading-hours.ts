/**
 * Trading hours: only what the broker would not keep is held back. It keeps an order for the day until the next session; what it refuses
 * is an order for an auction that has closed its book. Hours are those of the instrument, as the broker told them.
 */
import { comingDay } from '../trading-days.ts'
import { clipTo, type Draft, type Drafts, eachDraft, unchanged } from './drafts.ts'
import type { Market } from './market.ts'
import type { OrderTerms } from './order-terms.ts'

const minute = 60_000
/** The exchange takes no order for the opening auction in its last two minutes, none for the closing one in its last ten. */
const cutOffs = { open: 2 * minute, close: 10 * minute }

const auctionOf = ({ type, timeInForce }: OrderTerms): 'open' | 'close' | undefined =>
  timeInForce === 'OPG' ? 'open' : type === 'MOC' || type === 'LOC' ? 'close' : undefined

export const keptByBroker = (drafts: readonly Draft[], market: Market, now: number): Drafts =>
  eachDraft(drafts, (draft) => {
    const auction = auctionOf(draft.terms)
    if (auction === undefined) return unchanged(draft)
    const latest = comingDay(market(draft.net.conId).instrument?.hours, now)[auction] - cutOffs[auction]
    if (now <= latest) return unchanged(draft)
    return clipTo(draft, '0', market, 'TRADING_HOURS', { auction, latest: new Date(latest).toISOString() })
  })
