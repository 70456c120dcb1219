/**
 * Cash, positions and profit, folded from a ledger: trades, transfers (a position that appears without a trade) and nothing else.
 * A corrected execution replaces its entry, and the fold is made anew. Amounts in US dollars, quantities signed: + long, − short.
 */
import type { Listing } from './universe.ts'

export type Position = { listing: Listing; quantity: number; averageCost: number; realised: number }
export type Account = { cash: number; positions: ReadonlyMap<number, Position> }

export type Trade = { kind: 'trade'; id: string; listing: Listing; quantity: number; price: number; commission: number }
export type Transfer = { kind: 'transfer'; listing: Listing; quantity: number; price: number }
export type Entry = Trade | Transfer

/** What the account window shows. Margins by a plain rule: half of the gross position to open, a quarter to keep. */
export type Valuation = {
  netLiquidation: number
  cash: number
  stockValue: number
  grossPositionValue: number
  unrealised: number
  realised: number
  initialMargin: number
  maintenanceMargin: number
  availableFunds: number
  excessLiquidity: number
  buyingPower: number
}

export const foldAccount = (cash: number, ledger: readonly Entry[]): Account =>
  ledger.reduce((account, entry) => applyEntry(account, entry).account, { cash, positions: new Map() } as Account)

/** The account after an entry, and the profit that a trade realised; absent when it closed nothing. */
export const applyEntry = (account: Account, entry: Entry): { account: Account; realised?: number } => {
  const held = account.positions.get(entry.listing.conId) ?? { listing: entry.listing, quantity: 0, averageCost: 0, realised: 0 }
  const commission = entry.kind === 'trade' ? entry.commission : 0
  const closing = Math.sign(held.quantity) === -Math.sign(entry.quantity) ? Math.min(Math.abs(held.quantity), Math.abs(entry.quantity)) : 0
  const opening = Math.abs(entry.quantity) - closing
  const closingCommission = (commission * closing) / Math.abs(entry.quantity)
  const realised = closing * (entry.price - held.averageCost) * Math.sign(held.quantity) - closingCommission
  const quantity = round(held.quantity + entry.quantity)
  const kept = Math.abs(held.quantity) - closing
  const direction = Math.sign(opening > 0 ? entry.quantity : held.quantity)
  const cost = direction * kept * held.averageCost + direction * opening * entry.price + (commission - closingCommission)
  const position = {
    listing: entry.listing,
    quantity,
    averageCost: quantity === 0 ? 0 : round(cost / quantity),
    realised: round(held.realised + (closing > 0 ? realised : 0)),
  }
  const paid = entry.kind === 'trade' ? entry.quantity * entry.price + commission : 0
  const after = { cash: round(account.cash - paid), positions: new Map([...account.positions, [entry.listing.conId, position]]) }
  return closing > 0 ? { account: after, realised: round(realised) } : { account: after }
}

export const valuation = (account: Account, priceOf: (position: Position) => number): Valuation => {
  const positions = [...account.positions.values()]
  const sum = (of: (position: Position) => number): number => round(positions.reduce((total, position) => total + of(position), 0))
  const stockValue = sum((position) => position.quantity * priceOf(position))
  const grossPositionValue = sum((position) => Math.abs(position.quantity * priceOf(position)))
  const netLiquidation = round(account.cash + stockValue)
  const [initialMargin, maintenanceMargin] = [round(grossPositionValue * 0.5), round(grossPositionValue * 0.25)]
  const availableFunds = round(netLiquidation - initialMargin)
  return {
    netLiquidation,
    cash: account.cash,
    stockValue,
    grossPositionValue,
    unrealised: sum((position) => position.quantity * (priceOf(position) - position.averageCost)),
    realised: sum((position) => position.realised),
    initialMargin,
    maintenanceMargin,
    availableFunds,
    excessLiquidity: round(netLiquidation - maintenanceMargin),
    buyingPower: round(Math.max(0, availableFunds) * 2),
  }
}

export const round = (value: number): number => Number(value.toFixed(8))
