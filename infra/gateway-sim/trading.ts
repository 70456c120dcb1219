/** Trades and what follows from them: executions, commissions, positions, cash, and the reports of all these. */
import { type Account, applyEntry, type Entry, foldAccount, holdingIn, type Position, round, type StartingCash } from './account.ts'
import { type Book, type Execution, type Order, remaining } from './book.ts'
import { commissionFor } from './commission.ts'
import type { Frictions } from './frictions.ts'
import type { Listing } from './listing.ts'
import type { Market } from './market.ts'
import type { Side } from './path.ts'
import type { Rejection } from './rejections.ts'
import { type RateOf, unrealisedOf, type Valuation, valuation } from './valuation.ts'

/** What the broker has to tell; an order, an execution and a commission go to the client they belong to. */
export type Report =
  | { kind: 'order'; order: Order }
  /** An order placed by hand has got its number. */
  | { kind: 'bound'; order: Order }
  | { kind: 'execution' | 'commission'; execution: Execution }
  | ({ kind: 'error'; clientId: number; id: number } & Rejection)
  | { kind: 'whatIf'; order: Order; before: Valuation; after: Valuation; commission: number }
  | { kind: 'holdings'; listing: Listing }
  | { kind: 'prices' }

/** What an execution says of the order that it belongs to. */
export type NamedAs = Partial<Pick<Execution, 'clientId' | 'orderId' | 'orderRef'>>

export type Trading = {
  account: () => Account
  priceOf: (position: { listing: Listing; averageCost?: number }) => number
  valuation: () => Valuation
  /** The account as a trade would leave it. */
  after: (order: Order, price: number) => { valuation: Valuation; commission: number }
  trade: (order: Order, shares: number, price: number) => void
  /** A trade of no order in the book: client 0, order 0, unless `as` says another. */
  handTrade: (listing: Listing, side: Side, shares: number, price: number, as?: NamedAs) => void
  transfer: (listing: Listing, quantity: number, price: number) => void
  /** A further revision of an execution; undefined when there is none with that id. */
  correct: (execId: string, shares: number | undefined, price: number | undefined) => Execution | undefined
  /** While on, executions are kept back although statuses and positions change; off tells them all. */
  holdExecutions: (on: boolean) => void
  /** Positions become `ratio` for one. */
  split: (listing: Listing, ratio: number) => void
  /** So much a share is owed from now on, until it is paid. */
  owe: (id: string, listing: Listing, amount: number) => void
  pay: (id: string, listing: Listing) => void
  /** The future has expired: what is held of it is closed at the last price. */
  settle: (listing: Listing) => void
  /** What is earned and lost counts anew from here. */
  beginDay: () => void
  dayStart: () => DayStart
}

/** The account when the day began, and what it was worth then. */
export type DayStart = { account: Account; valuation: Valuation; unrealised: ReadonlyMap<number, number> }

export type Money = { cash: StartingCash; rateOf: RateOf }

export const createTrading = (
  book: Book,
  market: Market,
  { cash: startingCash, rateOf }: Money,
  frictions: Frictions,
  now: () => number,
  report: (report: Report) => void,
): Trading => {
  const ledger: Entry[] = []
  let account = foldAccount(startingCash, ledger)
  let holding = false
  const commissionOf = (listing: Listing, shares: number, value: number): number =>
    commissionFor(listing, shares, value, frictions.commission, rateOf)

  const priceOf: Trading['priceOf'] = ({ listing, averageCost }) =>
    market.price(listing.series, now()) ?? lastPriceOf(listing) ?? (averageCost === undefined ? 0 : averageCost / listing.multiplier)
  const lastPriceOf = (listing: Listing): number | undefined => {
    const entry = ledger.findLast((entry) => 'price' in entry && entry.listing.conId === listing.conId)
    return entry && 'price' in entry ? entry.price : undefined
  }

  const worth = (): Valuation => valuation(account, priceOf, rateOf)
  const dayStartNow = (): DayStart => ({
    account,
    valuation: worth(),
    unrealised: new Map(
      [...account.positions.values()].map((position) => [position.listing.conId, unrealisedOf(position, priceOf(position))]),
    ),
  })
  let dayStart = dayStartNow()

  const enter = (entry: Entry): number | undefined => {
    const applied = applyEntry(account, entry)
    ledger.push(entry)
    account = applied.account
    return applied.realised
  }

  const tell = (execution: Execution): void => {
    report({ kind: 'execution', execution })
    report({ kind: 'commission', execution })
  }

  const record = (execution: Omit<Execution, 'execId' | 'at' | 'held' | 'forgotten'>): void => {
    const { listing, shares, price, side, commission } = execution
    const execId = book.nextExecId()
    const quantity = side === 'BUY' ? shares : -shares
    const realised = enter({ kind: 'trade', id: baseOf(execId), listing, quantity, price, commission })
    const recorded = { ...execution, execId, ...(realised === undefined ? {} : { realised }), at: now(), held: holding, forgotten: false }
    book.executions.push(recorded)
    if (!holding) tell(recorded)
    report({ kind: 'holdings', listing })
  }

  const trade: Trading['trade'] = (order, shares, price) => {
    const value = order.filled * order.averagePrice + shares * price
    order.filled = round(order.filled + shares)
    order.averagePrice = round(value / order.filled)
    order.lastPrice = price
    const commission = round(commissionOf(order.listing, order.filled, value) - order.commission)
    order.commission = round(order.commission + commission)
    const isFilled = remaining(order) === 0
    order.status = isFilled ? 'Filled' : 'Submitted'
    if (isFilled) order.completed = { at: now(), text: `Filled Size: ${order.filled}` }
    report({ kind: 'order', order })
    const { orderId, clientId, permId, orderRef, listing, action, filled: cumulative, averagePrice } = order
    record({ orderId, clientId, permId, orderRef, listing, side: action, shares, price, cumulative, averagePrice, commission })
  }

  const correct: Trading['correct'] = (execId, newShares, newPrice) => {
    const wanted = baseOf(execId)
    const first = book.executions.findLast((execution) => baseOf(execution.execId) === wanted)
    const place = ledger.findIndex((entry) => entry.kind === 'trade' && entry.id === wanted)
    const entry = ledger[place]
    if (!first || entry?.kind !== 'trade') return undefined
    const [shares, price] = [newShares ?? first.shares, newPrice ?? first.price]
    ledger[place] = { ...entry, quantity: first.side === 'BUY' ? shares : -shares, price }
    const { realised } = applyEntry(foldAccount(startingCash, ledger.slice(0, place)), ledger[place])
    account = foldAccount(startingCash, ledger)
    const { realised: _, ...rest } = first
    const revision: Execution = {
      ...rest,
      execId: nextRevision(first.execId),
      shares,
      price,
      cumulative: round(first.cumulative - first.shares + shares),
      ...(realised === undefined ? {} : { realised }),
    }
    revision.averagePrice = round(
      (first.averagePrice * first.cumulative - first.shares * first.price + shares * price) / revision.cumulative,
    )
    book.executions.push(revision)
    const order = book.orders.find((order) => order.permId === first.permId)
    if (order) {
      const value = order.filled * order.averagePrice - first.shares * first.price + shares * price
      order.filled = round(order.filled - first.shares + shares)
      order.averagePrice = round(value / order.filled)
    }
    tell(revision)
    report({ kind: 'holdings', listing: first.listing })
    return revision
  }

  return {
    account: () => account,
    priceOf,
    valuation: worth,
    after: (order, price) => {
      const commission = commissionOf(order.listing, order.quantity, order.quantity * price)
      const quantity = order.action === 'BUY' ? order.quantity : -order.quantity
      const applied = applyEntry(account, { kind: 'trade', id: '', listing: order.listing, quantity, price, commission })
      return { valuation: valuation(applied.account, priceOf, rateOf), commission }
    },
    trade,
    handTrade: (listing, side, shares, price, as = {}) => {
      const commission = commissionOf(listing, shares, shares * price)
      const ids = { orderId: 0, clientId: 0, orderRef: '', permId: book.nextPermId(), ...as }
      record({ ...ids, listing, side, shares, price, cumulative: shares, averagePrice: price, commission })
    },
    transfer: (listing, quantity, price) => {
      enter({ kind: 'transfer', listing, quantity, price })
      report({ kind: 'holdings', listing })
    },
    correct,
    holdExecutions: (on) => {
      holding = on
      const released = on ? [] : book.executions.filter((execution) => execution.held)
      for (const execution of released) {
        execution.held = false
        tell(execution)
      }
    },
    split: (listing, ratio) => {
      if (holdingIn(account, listing).quantity === 0) return
      enter({ kind: 'split', listing, ratio, price: priceOf({ listing }) })
      report({ kind: 'holdings', listing })
    },
    owe: (id, listing, amount) => {
      if (holdingIn(account, listing).quantity === 0) return
      enter({ kind: 'dividend', id, listing, amount })
      report({ kind: 'holdings', listing })
    },
    pay: (id, listing) => {
      if (!account.accruals.some((accrual) => accrual.id === id)) return
      enter({ kind: 'payment', id, listing })
      report({ kind: 'holdings', listing })
    },
    settle: (listing) => {
      if (holdingIn(account, listing).quantity === 0) return
      enter({ kind: 'settlement', listing, price: priceOf({ listing }) })
      report({ kind: 'holdings', listing })
    },
    beginDay: () => {
      dayStart = dayStartNow()
    },
    dayStart: () => dayStart,
  }
}

/** Without those that were closed; pairs among them. */
export const openPositions = (account: Account): Position[] => [...account.positions.values()].filter(({ quantity }) => quantity !== 0)

const baseOf = (execId: string): string => execId.slice(0, execId.lastIndexOf('.'))

const nextRevision = (execId: string): string => {
  const revision = Number(execId.slice(execId.lastIndexOf('.') + 1)) + 1
  return `${baseOf(execId)}.${String(revision).padStart(2, '0')}`
}
