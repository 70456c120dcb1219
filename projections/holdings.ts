/** `positions/{mode}/holdings/{strategy}`: contract id → quantity, and nothing else. An empty document is a book that is flat. */
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { numbersOf, type View } from './view.ts'

const holdersIn = (event: DomainEvent, ledger: Readonly<Ledger>): string[] => {
  switch (event.type) {
    case 'FillReceived':
      return [...event.data.shares, ...(ledger.orders[event.data.orderRef]?.shares ?? [])].map(({ strategy }) => strategy)
    case 'PositionsCrossed':
      return event.data.moves.map(({ strategy }) => strategy)
    case 'DiscrepancyExplained':
      return event.data.moves.map(({ holder }) => holder)
    default:
      return []
  }
}

export const holdingsView: View = ({ events, ledger, mode }) => {
  const holders = new Set(events.flatMap((event) => holdersIn(event, ledger)))
  return [...holders].flatMap((holder) => {
    const book = ledger.books[holder] // `manual` has none
    return book === undefined ? [] : [{ kind: 'set', path: `positions/${mode}/holdings/${holder}`, data: numbersOf(book) }]
  })
}
