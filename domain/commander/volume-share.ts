/** Share of average volume: an increase asks for no more than a part of what trades on an average day; an exit takes what it needs. */
import { settingOf } from '../configuration.ts'
import { decimal, multiply, subtract } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import { clipTo, type Draft, type Drafts, eachDraft, increasesAtWork, unchanged } from './drafts.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'

export const withinVolume = (drafts: readonly Draft[], ledger: Readonly<Ledger>, market: Market): Drafts => {
  const share = decimal(settingOf(ledger.configuration, 'orders.volumeShare'))
  const required = settingOf(ledger.configuration, 'orders.volumeRequired')
  return eachDraft(drafts, (draft) => {
    const { conId, reduces } = draft.net
    if (reduces) return unchanged(draft)
    const { averageVolume } = market(conId)
    if (averageVolume !== undefined) {
      const most = subtract(multiply(averageVolume, share), increasesAtWork(ledger, conId))
      return clipTo(draft, most, market, 'VOLUME_SHARE', { averageVolume, share })
    }
    return required
      ? clipTo(draft, '0', market, 'VOLUME_UNKNOWN', {})
      : { orders: [draft], notes: [note('VOLUME_UNKNOWN', { conId }, 'it may increase all the same')] }
  })
}
