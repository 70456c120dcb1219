/**
 * Cash by currency, positions and profit, folded from a ledger. A corrected execution replaces its entry, and the fold is made anew.
 * Quantities are signed: + long, − short; amounts of a position are in the currency of its listing.
 *
 * A stock is paid when it is traded. Of a future only commission is paid; its profit becomes cash when it is closed. A currency pair
 * exchanges one cash for the other; the position that it leaves is a memory of the price, worth nothing beside that cash.
 */
import type { Listing } from './listing.ts'

/** `averageCost` is of one share or contract, multiplier and commissions included; `commissionInCost` of the whole. */
export type Position = { listing: Listing; quantity: number; averageCost: number; realised: number; commissionInCost: number }
/** A dividend that is owed (by a short position: owes) from its ex-date until its pay date. */
export type Accrual = { id: string; currency: string; amount: number }
export type Account = {
  /** Of the account itself, in which commissions of currency pairs are paid. */
  base: string
  cash: ReadonlyMap<string, number>
  positions: ReadonlyMap<number, Position>
  accruals: readonly Accrual[]
}

export type Trade = { kind: 'trade'; id: string; listing: Listing; quantity: number; price: number; commission: number }
/** A position that appears without a trade. */
export type Transfer = { kind: 'transfer'; listing: Listing; quantity: number; price: number }
/** A future that expires: closed at that price, without commission. */
export type Settlement = { kind: 'settlement'; listing: Listing; price: number }
/** `ratio` for one; what is no whole step of the size afterwards is paid in cash at `price`. */
export type Split = { kind: 'split'; listing: Listing; ratio: number; price: number }
export type Dividend = { kind: 'dividend'; id: string; listing: Listing; amount: number }
export type Payment = { kind: 'payment'; id: string; listing: Listing }
export type Entry = Trade | Transfer | Settlement | Split | Dividend | Payment

/** `USD` alone, or amounts by currency. */
export type StartingCash = number | Readonly<Record<string, number>>

export const openAccount = (cash: StartingCash, base = 'USD'): Account => ({
  base,
  cash: new Map(typeof cash === 'number' ? [[base, cash]] : Object.entries({ [base]: 0, ...cash })),
  positions: new Map(),
  accruals: [],
})

export const foldAccount = (cash: StartingCash, ledger: readonly Entry[], base = 'USD'): Account =>
  ledger.reduce((account, entry) => applyEntry(account, entry).account, openAccount(cash, base))

/** In which currency the commission of a trade is paid. */
export const commissionCurrency = ({ secType, currency }: Listing, base: string): string => (secType === 'CASH' ? base : currency)

export const holdingIn = (account: Account, listing: Listing): Position =>
  account.positions.get(listing.conId) ?? { listing, quantity: 0, averageCost: 0, realised: 0, commissionInCost: 0 }

/** The account after an entry, and the profit that a trade realised; absent when it closed nothing. */
export const applyEntry = (account: Account, entry: Entry): { account: Account; realised?: number } => {
  switch (entry.kind) {
    case 'trade':
      return exchange(account, entry, entry.commission, true)
    case 'transfer':
      return exchange(account, entry, 0, false)
    case 'settlement':
      return exchange(account, { ...entry, quantity: -holdingIn(account, entry.listing).quantity }, 0, true)
    case 'split':
      return { account: afterSplit(account, entry) }
    case 'dividend': {
      const { quantity, listing } = holdingIn(account, entry.listing)
      const accrual = { id: entry.id, currency: listing.currency, amount: round(quantity * entry.amount) }
      return { account: accrual.amount === 0 ? account : { ...account, accruals: [...account.accruals, accrual] } }
    }
    case 'payment': {
      const [due, accruals] = [account.accruals.filter(({ id }) => id === entry.id), account.accruals.filter(({ id }) => id !== entry.id)]
      const cash = due.reduce((cash, { currency, amount }) => withCash(cash, currency, amount), account.cash)
      return { account: { ...account, cash, accruals } }
    }
  }
}

const withCash = (cash: Account['cash'], currency: string, amount: number): Account['cash'] =>
  amount === 0 ? cash : new Map([...cash, [currency, round((cash.get(currency) ?? 0) + amount)]])

/** `pays`: money changes hands. */
const exchange = (
  account: Account,
  { listing, quantity, price }: { listing: Listing; quantity: number; price: number },
  commission: number,
  pays: boolean,
): { account: Account; realised?: number } => {
  if (quantity === 0) return { account }
  const held = holdingIn(account, listing)
  const worth = price * listing.multiplier
  const closing = Math.sign(held.quantity) === -Math.sign(quantity) ? Math.min(Math.abs(held.quantity), Math.abs(quantity)) : 0
  const opening = Math.abs(quantity) - closing
  const inCost = listing.secType === 'CASH' ? 0 : commission
  const closingCommission = (inCost * closing) / Math.abs(quantity)
  const realised = closing * (worth - held.averageCost) * Math.sign(held.quantity) - closingCommission
  const left = round(held.quantity + quantity)
  const kept = Math.abs(held.quantity) - closing
  const direction = Math.sign(opening > 0 ? quantity : held.quantity)
  const cost = direction * kept * held.averageCost + direction * opening * worth + (inCost - closingCommission)
  const released = held.quantity === 0 ? 0 : (held.commissionInCost * closing) / Math.abs(held.quantity)
  const position: Position = {
    listing,
    quantity: left,
    averageCost: left === 0 ? 0 : round(cost / left),
    realised: round(held.realised + (closing > 0 ? realised : 0)),
    commissionInCost: left === 0 ? 0 : round(held.commissionInCost - released + inCost - closingCommission),
  }
  let { cash } = account
  if (pays && listing.secType === 'FUT') cash = withCash(cash, listing.currency, realised + closingCommission + released - commission)
  else if (pays && listing.secType === 'CASH') {
    cash = withCash(withCash(cash, listing.symbol, quantity), listing.currency, -quantity * price)
    cash = withCash(cash, account.base, -commission)
  } else if (pays) cash = withCash(cash, listing.currency, -(quantity * worth + commission))
  const after = { ...account, cash, positions: new Map([...account.positions, [listing.conId, position]]) }
  return closing > 0 ? { account: after, realised: round(realised) } : { account: after }
}

const afterSplit = (account: Account, { listing, ratio, price }: Split): Account => {
  const held = holdingIn(account, listing)
  if (held.quantity === 0) return account
  const split = { ...held, quantity: round(held.quantity * ratio), averageCost: round(held.averageCost / ratio) }
  const steps = Math.trunc(split.quantity / listing.sizeIncrement + Math.sign(split.quantity) * 1e-9)
  const whole = round(steps * listing.sizeIncrement)
  const positions = new Map([...account.positions, [listing.conId, split]])
  return exchange({ ...account, positions }, { listing, quantity: round(whole - split.quantity), price }, 0, true).account
}

export const round = (value: number): number => Number(value.toFixed(8))
