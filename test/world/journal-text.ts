/**
 * The journal as an outsider reads it: text, and nothing of the engine's codecs, folds or order functions.
 * Quantities are exact: whole numbers of 1e-8.
 */
import { createHash } from 'node:crypto'

// biome-ignore lint/suspicious/noExplicitAny: JSON as it stands there; the codecs are what is being checked
type Fields = Record<string, any>
export type Told = { type: string; data: Fields; position: number; recordedAt: string; cause: Fields }

export const parseJournal = (commits: readonly { json: string }[]): Told[] =>
  commits.flatMap(({ json }) => {
    const { position, recordedAt, cause, events } = JSON.parse(json)
    return events.map(({ type, data }: Pick<Told, 'type' | 'data'>) => ({ type, data, position, recordedAt, cause }))
  })

export const exact = (text: string): bigint => {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const size = BigInt(whole) * 100_000_000n + BigInt(fraction.padEnd(8, '0'))
  return text.startsWith('-') ? -size : size
}
export const inUnits = (value: bigint): string => String(Number(value) / 1e8)

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** An execution without its revision, the digits after its last dot. */
export const withoutRevision = (executionId: string): string => executionId.replace(/\.[^.]*$/, '')

export type Holdings = {
  /** By execution without revision: what counts now, and how often it was counted without replacing what counted before. */
  fills: Map<string, { executionId: string; orderRef: string; quantity: bigint; shares: bigint; counted: number }>
  books: Map<number, bigint>
  manual: Map<number, bigint>
}

type Share = { strategy: string; quantity: string }

const sumOf = (shares: Share[]): bigint => shares.reduce((total, { quantity }) => total + exact(quantity), 0n)

/** Told of each event, with what every holder had of an instrument just before it. */
export type Witnessed = (event: Told, heldBy: (holder: string, conId: number) => bigint) => void

/** Books and `manual` by instrument, summed up from what the events say by themselves. A share of `manual` is no book's. */
export const holdingsIn = (told: readonly Told[], witnessed: Witnessed = () => undefined): Holdings => {
  const fills: Holdings['fills'] = new Map()
  const sharesOf = new Map<string, Share[]>()
  const foreign = new Map<string, bigint>()
  const holders = new Map<string, Map<number, bigint>>()
  const holdingsOf = (holder: string): Map<number, bigint> => {
    const found = holders.get(holder) ?? new Map<number, bigint>()
    holders.set(holder, found)
    return found
  }
  const heldBy = (holder: string, conId: number): bigint => holders.get(holder)?.get(conId) ?? 0n
  const move = (holder: string, conId: number, quantity: bigint): void =>
    void holdingsOf(holder).set(conId, heldBy(holder, conId) + quantity)
  const moveAll = (shares: Share[], conId: number, direction: bigint): void => {
    for (const { strategy, quantity } of shares) move(strategy, conId, direction * exact(quantity))
  }
  for (const event of told) {
    const { type, data } = event
    witnessed(event, heldBy)
    if (type === 'FillReceived') {
      const key = withoutRevision(data['executionId'])
      const before = fills.get(key)
      const replaces = before !== undefined && data['replaces'] === before.executionId
      const shares = sumOf(data['shares'])
      if (replaces) moveAll(sharesOf.get(key) ?? [], data['conId'], -1n)
      moveAll(data['shares'], data['conId'], 1n)
      sharesOf.set(key, data['shares'])
      fills.set(key, {
        ...{ executionId: data['executionId'], orderRef: data['orderRef'], quantity: exact(data['quantity']), shares },
        counted: before === undefined ? 1 : before.counted + (replaces ? 0 : 1),
      })
    }
    if (type === 'PositionsCrossed') moveAll(data['moves'], data['conId'], 1n)
    // A currency pair moves cash and nothing else.
    if (type === 'ForeignExecutionSeen' && data['holder'] === 'manual' && data['secType'] !== 'CASH') {
      const key = withoutRevision(data['executionId'])
      move('manual', data['conId'], exact(data['quantity']) - (foreign.get(key) ?? 0n))
      foreign.set(key, exact(data['quantity']))
    }
    if (type === 'PositionReconciled') for (const { conId, quantity } of data['manual']) holdingsOf('manual').set(conId, exact(quantity))
    if (type === 'DiscrepancyExplained') for (const { holder, quantity } of data['moves']) move(holder, data['conId'], exact(quantity))
  }
  const books = new Map<number, bigint>()
  for (const [holder, held] of holders)
    if (holder !== 'manual') for (const [conId, quantity] of held) books.set(conId, (books.get(conId) ?? 0n) + quantity)
  return { fills, books, manual: holdingsOf('manual') }
}
