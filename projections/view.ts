/**
 * What a view is, and the few words all views share.
 * Documents are for people: quantities and money are plain numbers, `null` where a value is not known, never 0 instead.
 */
import type { Cause, Commit } from '../domain/commit.ts'
import type { Decimal } from '../domain/decimal.ts'
import { sign, toNumber } from '../domain/decimal.ts'
import type { DomainEvent, EventType } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { DocumentWrite } from '../domain/ports/documents.ts'
import type { OrderIndex } from './order-index.ts'

export type ViewInput = {
  commit: Commit
  /** The commit's events, decoded. */
  events: readonly DomainEvent[]
  /** After the commit. It changes with the next one: what goes into a document is copied. */
  ledger: Readonly<Ledger>
  /** The ledger's orders, by what is asked for. */
  orders: OrderIndex
  mode: 'paper' | 'live'
}

/**
 * One view: what one commit changes in the documents. Pure and without memory: the same journal gives the same documents,
 * whatever was written before and in whatever batches.
 */
export type View = (input: ViewInput) => DocumentWrite[]

export const numberOr = <F>(value: Decimal | null | undefined, fallback: F): number | F =>
  value === undefined || value === null ? fallback : toNumber(value)

export const numbersOf = (values: Readonly<Record<string, Decimal>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, toNumber(value)]))

/** Which side a signed quantity is, in IB's words. */
export const actionOf = (quantity: Decimal): 'BUY' | 'SELL' => (sign(quantity) < 0 ? 'SELL' : 'BUY')

export const hasAny = (events: readonly DomainEvent[], types: ReadonlySet<EventType>): boolean => events.some(({ type }) => types.has(type))

/** The command a cause goes back to: a step's is its pipeline's. */
export const commandOf = (cause: Cause): string | undefined => (cause.kind === 'command' ? (cause.pipeline ?? cause.id) : undefined)

/** The name of an instrument, as far as the ledger knows one. */
export const symbolOf = (ledger: Readonly<Ledger>, conId: number | string): string | null => {
  const known = ledger.instruments[conId] ?? ledger.unexplained[conId] ?? ledger.discrepancies[conId]
  if (known !== undefined) return known.symbol
  const number = Number(conId)
  const inSnapshot = ledger.snapshot?.positions.find((position) => position.conId === number)
  return (inSnapshot ?? ledger.snapshot?.manual.find((holding) => holding.conId === number))?.symbol ?? null
}
