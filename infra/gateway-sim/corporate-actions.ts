/** Dividends and splits on their dates: from the universe, or announced while time goes on. They happen at midnight in New York. */
import { newYorkDate, sessionOn } from '../../domain/calendar.ts'
import { end, type Floor } from './floor.ts'
import type { Listing } from './listing.ts'
import type { Universe } from './universe.ts'

export type CorporateAction =
  | { kind: 'dividend'; listing: Listing; exDate: string; payDate: string; amount: number }
  | { kind: 'split'; listing: Listing; date: string; ratio: number; inBars: boolean }

export type CorporateActions = {
  /** Returns what is wrong with it, if anything. */
  announce: (action: CorporateAction) => string | undefined
  all: () => readonly CorporateAction[]
  /** What is due when that date begins. */
  begin: (date: string) => void
  /** Shares of futures that had their last day are closed and orders in them end. */
  expire: (date: string) => void
}

export const createCorporateActions = (floor: Floor, universe: Universe): CorporateActions => {
  const { book, market, trading, now } = floor
  const actions: CorporateAction[] = []

  const add = (action: CorporateAction): void => {
    if (action.kind === 'split') market.split(action.listing.series, action.date, action.ratio, action.inBars)
    actions.push(action)
  }
  for (const { listing, dividends, splits } of universe.actions) {
    for (const dividend of dividends) add({ kind: 'dividend', listing, ...dividend })
    for (const split of splits) add({ kind: 'split', listing, ...split })
  }

  const endOrders = (reason: string, concerns: (listing: Listing) => boolean): void => {
    for (const order of book.orders) if (!order.completed && concerns(order.listing)) end(floor, order, reason)
  }

  return {
    announce: (action) => {
      const [first, last] = action.kind === 'dividend' ? [action.exDate, action.payDate] : [action.date, action.date]
      if (action.listing.secType !== 'STK') return `symbol: ${action.listing.symbol} is no stock`
      if (first <= newYorkDate(now())) return `${action.kind === 'dividend' ? 'exDate' : 'date'}: ${first} is not after today`
      if (!sessionOn(first)) return `${action.kind === 'dividend' ? 'exDate' : 'date'}: on ${first} there is no session`
      if (last < first) return `payDate: ${last} is before exDate ${first}`
      add(action)
      return undefined
    },
    all: () => actions,
    begin: (date) => {
      for (const action of actions) {
        const { listing } = action
        if (action.kind === 'split') {
          if (action.date !== date) continue
          endOrders('Corporate action', ({ conId }) => conId === listing.conId)
          trading.split(listing, action.ratio)
          continue
        }
        const id = `${listing.conId}|${action.exDate}|${action.payDate}|${action.amount}`
        if (action.exDate === date) trading.owe(id, listing, action.amount)
        if (action.payDate === date) trading.pay(id, listing)
      }
    },
    expire: (date) => {
      const isOver = ({ lastTradeDate }: Listing): boolean => lastTradeDate !== undefined && lastTradeDate <= date
      endOrders('Contract has expired', isOver)
      for (const { listing } of trading.account().positions.values()) if (isOver(listing)) trading.settle(listing)
    },
  }
}
