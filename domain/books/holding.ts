/**
 * What one book holds of one instrument, with the trades that made it so. A correction changes the trade it speaks of and counts again from
 * the last mark before it: the holding is then what it would be had the right trade been there from the start.
 */
import { add, type Decimal, subtract } from '../decimal.ts'
import {
  applyCorporateAction,
  applyDeal,
  copyOf,
  emptyInventory,
  type Inventory,
  inBase,
  type LotMethod,
  quantityOf,
  type Ratio,
} from './lots.ts'

/** A trade's part of a commission; `inBase` is null while the rate of its currency is not known. */
export type Charge = { amount: Decimal; currency: string; inBase: Decimal | null }

/**
 * Whatever moved a book: the share of a fill, a cross, a quantity that a person moved or explained, a corporate action.
 * `position`: of its commit; `time` ISO. `execution`: the id of its execution without revision; absent where there was none.
 */
export type Trade = {
  readonly position: number
  readonly time: string
  readonly execution?: string
  quantity: Decimal
  price: Decimal | null
  rate: Decimal | null
  /** Absent: fifo. */
  readonly method?: LotMethod
  charge?: Charge
  /** A corporate action: `quantity` is what it adds to the holding; its ratio, where somebody named one. */
  readonly corporateAction?: { ratio: Ratio | null }
}

/** The inventory after all trades up to and with this position. */
type Mark = { position: number; recordedAt: string; inventory: Inventory }

export type Holding = {
  /** Of the instrument; null until something names it. */
  currency: string | null
  inventory: Inventory
  /** In base currency, as far as reported and convertible. */
  commissions: Decimal
  /** Trades that had an execution and no commission yet, and commissions whose rate is not known. */
  uncharged: number
  chargesUnknown: number
  /** Since the first mark, or all. */
  trades: Trade[]
  marks: Mark[]
}

export const newHolding = (currency: string | null): Holding => ({
  ...{ currency, inventory: emptyInventory(), commissions: '0', uncharged: 0, chargesUnknown: 0, trades: [], marks: [] },
})

const apply = (inventory: Inventory, trade: Trade): void => {
  if (trade.corporateAction === undefined) {
    if (trade.quantity !== '0') applyDeal(inventory, trade, trade.method ?? 'fifo')
    return
  }
  applyCorporateAction(inventory, add(quantityOf(inventory), trade.quantity), trade.time, trade.corporateAction.ratio)
}

/** In place. */
export const enter = (holding: Holding, trade: Trade): void => {
  apply(holding.inventory, trade)
  holding.trades.push(trade)
  if (trade.execution !== undefined) holding.uncharged++
}

/** From the latest mark before the position, over all trades since; later marks are made anew. In place. */
const countAgain = (holding: Holding, position: number): void => {
  const later = holding.marks.findIndex((mark) => mark.position >= position)
  const from = later < 0 ? holding.marks.length : later
  const start = holding.marks[from - 1]
  const inventory = start === undefined ? emptyInventory() : copyOf(start.inventory)
  let next = from
  for (const trade of holding.trades) {
    if (start !== undefined && trade.position <= start.position) continue
    for (; next < holding.marks.length && holding.marks[next]!.position < trade.position; next++)
      holding.marks[next]!.inventory = copyOf(inventory)
    apply(inventory, trade)
  }
  for (; next < holding.marks.length; next++) holding.marks[next]!.inventory = copyOf(inventory)
  holding.inventory = inventory
}

/** The newest first: it is nearly always the last. */
export const tradeOf = (holding: Holding, execution: string): Trade | undefined => {
  for (let index = holding.trades.length - 1; index >= 0; index--)
    if (holding.trades[index]!.execution === execution) return holding.trades[index]
  return undefined
}

/** Puts the right quantity and price in the place of the wrong ones; the rate stays that of the day. In place. */
export const correct = (holding: Holding, trade: Trade, quantity: Decimal, price: Decimal): void => {
  trade.quantity = quantity
  trade.price = price
  countAgain(holding, trade.position)
}

// ── Commissions ──

/** The trade's part of its commission, in place of what was known of it before. In place. */
export const charge = (holding: Holding, trade: Trade, next: Charge): void => {
  const before = trade.charge
  if (before === undefined) holding.uncharged--
  else if (before.inBase === null) holding.chargesUnknown--
  if (next.inBase === null) holding.chargesUnknown++
  holding.commissions = add(subtract(holding.commissions, before?.inBase ?? '0'), next.inBase ?? '0')
  trade.charge = next
}

// ── Rates that come late ──

/**
 * Takes up rates that were not known at the time of the trade, once and for ever. In place.
 * @returns whether every rate is known now, as far as it still can be
 */
export const takeUpRates = (holding: Holding, rateOf: (currency: string) => Decimal | null): boolean => {
  const rate = holding.currency === null ? null : rateOf(holding.currency)
  let complete = true
  let earliest = Number.POSITIVE_INFINITY
  const fill = (inventory: Inventory): void => {
    for (const lot of inventory.lots) lot.costInBase ??= inBase(lot.cost, rate)
  }
  if (rate !== null && holding.marks.length > 0) {
    // Trades before the first mark are gone; what is left of them lies in its lots.
    fill(holding.marks[0]!.inventory)
    earliest = holding.marks[0]!.position + 1
  }
  for (const trade of holding.trades) {
    if (trade.price !== null && trade.rate === null) {
      if (rate === null) complete = false
      else {
        trade.rate = rate
        earliest = Math.min(earliest, trade.position)
      }
    }
    if (trade.charge?.inBase !== null || trade.charge === undefined) continue
    const ofCharge = rateOf(trade.charge.currency)
    if (ofCharge === null) complete = false
    else charge(holding, trade, { ...trade.charge, inBase: inBase(trade.charge.amount, ofCharge) })
  }
  if (earliest < Number.POSITIVE_INFINITY) countAgain(holding, earliest)
  return complete
}

// ── Forgetting ──

/**
 * Marks the holding as it stands after a position, and lets go of trades that no correction can reach any more: of those before the latest
 * mark that is older than `until` (ISO). In place.
 */
export const markAndForget = (holding: Holding, at: { position: number; recordedAt: string }, until: string): void => {
  const last = holding.trades.at(-1)
  if (last !== undefined && last.position > (holding.marks.at(-1)?.position ?? 0))
    holding.marks.push({ position: at.position, recordedAt: at.recordedAt, inventory: copyOf(holding.inventory) })
  const kept = holding.marks.findLastIndex((mark) => mark.recordedAt <= until)
  if (kept < 0) return
  const { position } = holding.marks[kept]!
  holding.marks = holding.marks.slice(kept)
  holding.trades = holding.trades.filter((trade) => trade.position > position)
}
