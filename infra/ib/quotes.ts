/** Prices as they change. */
import type { Decimal } from '../../domain/decimal.ts'

/** One price of a contract as it changed. `delayed`: by a quarter of an hour, where real-time data is not subscribed. */
export type Quote = { field: 'bid' | 'ask' | 'last' | 'close'; price: Decimal; delayed: boolean }

/** IB's numbers of price ticks; from 66 on the delayed ones. */
const fields: Readonly<Record<number, Pick<Quote, 'field' | 'delayed'>>> = {
  ...{ 1: { field: 'bid', delayed: false }, 2: { field: 'ask', delayed: false } },
  ...{ 4: { field: 'last', delayed: false }, 9: { field: 'close', delayed: false } },
  ...{ 66: { field: 'bid', delayed: true }, 67: { field: 'ask', delayed: true } },
  ...{ 68: { field: 'last', delayed: true }, 75: { field: 'close', delayed: true } },
}

/** @returns undefined for a tick of something else, and where there is no price */
export const quoteOf = (field: number, price: Decimal | undefined): Quote | undefined => {
  const known = fields[field]
  return known === undefined || price === undefined ? undefined : { ...known, price }
}
