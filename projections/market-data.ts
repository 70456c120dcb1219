/** What was collected, in a line for people and in numbers for programs. */
import type { EventData } from '../domain/events.ts'
import type { Json } from '../domain/ports/documents.ts'

type Collected = EventData<'MarketDataCollected'>

export const collectedText = ({ symbol, size, whatToShow, from, to, count, added, changed, gaps, warning }: Collected): string => {
  const missing =
    gaps === null
      ? 'no calendar to judge gaps by'
      : gaps.count === 0
        ? 'none missing'
        : `${gaps.count} missing, first ${gaps.first.slice(0, 3).join(', ')}`
  const bars = `${count} bars of ${size} of ${symbol} (${whatToShow}) from ${from} to ${to}`
  return `${bars}: ${added} new, ${changed} changed, ${missing}${warning === undefined ? '' : `; ${warning}`}`
}

/** Whether a person should look: a hole, or prices that no longer fit together. */
export const isPatchy = ({ gaps, warning }: Collected): boolean => (gaps !== null && gaps.count > 0) || warning !== undefined

export const collectedResult = ({ revisions, gaps, partitions, ...collected }: Collected): Json => ({
  ...collected,
  revisions: revisions.map(({ start, before, after }) => ({ start, before: Number(before), after: Number(after) })),
  gaps: gaps === null ? null : { count: gaps.count, first: [...gaps.first] },
  partitions: [...partitions],
})
