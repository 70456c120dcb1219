/** The messages about prices, as fields for the wire. Layouts: server versions 178 to 193. */
import type { HistoryBar } from './history.ts'
import type { Field } from './wire.ts'

export const historicalData = (requestId: number, history: { start: string; end: string; bars: readonly HistoryBar[] }): Field[] => [
  ...[17, requestId, history.start, history.end, history.bars.length],
  ...history.bars.flatMap(({ date, open, high, low, close, volume, average, count }) => [
    ...[date, open, high, low, close, volume, average, count],
  ]),
]

/** Its fields come in another order than those of the first answer. */
export const historicalDataUpdate = (requestId: number, { date, open, high, low, close, volume, average, count }: HistoryBar): Field[] => [
  ...[90, requestId, count, date, open, close, high, low, average, volume],
]

export const headTimestamp = (requestId: number, text: string): Field[] => [88, requestId, text]

export const tickTypes = {
  live: { bid: 1, ask: 2, last: 4, high: 6, low: 7, volume: 8, close: 9, open: 14 },
  delayed: { bid: 66, ask: 67, last: 68, high: 72, low: 73, volume: 74, close: 75, open: 76 },
} as const

export const tickPrice = (requestId: number, type: number, price: number, size: number): Field[] => [1, 6, requestId, type, price, size, 0]
export const tickSize = (requestId: number, type: number, size: number): Field[] => [2, 6, requestId, type, size]
export const tickRequestParameters = (requestId: number, minTick: number): Field[] => [81, requestId, minTick, '', 3]
export const tickSnapshotEnd = (requestId: number): Field[] => [57, 1, requestId]
export const marketDataType = (requestId: number, type: number): Field[] => [58, 1, requestId, type]
