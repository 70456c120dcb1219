/** An explanation in words, and as the answer to its command. */
import type { EventData } from '../domain/events.ts'
import type { Json } from '../domain/ports/documents.ts'
import { numberOr } from './view.ts'

type Explained = EventData<'DiscrepancyExplained'>

export const explainedText = (data: Explained): string => {
  const { symbol, quantity, as, from, moves, ratio, price, unexplained, reason, openOrders = [] } = data
  const orders = openOrders.length === 0 ? '' : `; orders of before it, called back and to be looked at: ${openOrders.join(', ')}`
  if (from !== undefined) {
    const to = moves.find(({ holder }) => holder !== from)?.holder ?? as
    return `${quantity} ${symbol} moved from ${from} to ${to}${price === undefined ? '' : ` at ${price.value}`} (${reason})`
  }
  const inLieu = price === undefined ? '' : `, fractions paid at ${price.value}`
  const what = ratio === undefined ? `${quantity} ${symbol} explained as ${as}` : `${ratio} split of ${symbol} applied${inLieu}`
  return `${what} (${reason}), ${unexplained} left unexplained${orders}`
}

export const explainedResult = ({ conId, symbol, moves, unexplained, ratio, price, openOrders = [] }: Explained): Json => ({
  ...{ conId, symbol, unexplained: Number(unexplained), ratio: ratio ?? null },
  price: numberOr(price?.value, null),
  moves: moves.map(({ holder, quantity }) => ({ holder, quantity: Number(quantity) })),
  open_orders: [...openOrders],
})
