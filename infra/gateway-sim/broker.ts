/**
 * The simulated broker: takes orders, moves through time, and reports. It knows no sockets and no wall clock; the same requests
 * at the same simulated times give the same reports.
 *
 * Time runs from event to event: the open, the moment an order trades or wakes or its stop is reached, each half hour while an order
 * works, the end of an order, the close, midnight.
 *
 * The login may manage further accounts: each is a broker of its own in the same market, whose time goes with the first one's.
 */
import { newYorkDate, newYorkMidnightAfter, sessionOn } from '../../domain/calendar.ts'
import type { StartingCash } from './account.ts'
import { type Book, createBook, type Order } from './book.ts'
import { waitsForParent } from './bracket.ts'
import { type CorporateActions, createCorporateActions } from './corporate-actions.ts'
import { createFilling, type Filling, nextHalfHour } from './filling.ts'
import { end, type Floor, isLive, submit } from './floor.ts'
import type { Frictions } from './frictions.ts'
import { comingExtended, comingSession, extendedHours, type Market, openSession } from './market.ts'
import { createOrderDesk, type OrderDesk } from './order-desk.ts'
import type { Permissions } from './permissions.ts'
import { exchangeRates, type Rates } from './rates.ts'
import { createTrading, type Report, type Trading } from './trading.ts'
import { followPrice } from './triggers.ts'
import type { Universe } from './universe.ts'

export type Broker = OrderDesk &
  Pick<Filling, 'fillPartly' | 'forgetPartials'> & {
    account: string
    universe: Universe
    market: Market
    book: Book
    trading: Trading
    /** Dividends and splits, past and to come. */
    actions: CorporateActions
    /** Which market data the account may see; may be changed at any time. */
    permissions: Permissions
    /** Exchange rates of the moment. */
    rates: Rates
    /** What fills cost beside the price; may be changed at any time. */
    frictions: Frictions
    now: () => number
    nextEventAt: () => number
    /** All that the login manages: this one, and then the others in the order in which they came. */
    accounts: () => readonly Broker[]
    /** The account of that name, which from now on is there. */
    ofAccount: (account: string) => Broker
    /** Runs everything due until then, in the order of time; stops after the events of the moment that `interrupted` names. */
    advanceTo: (to: number, interrupted?: () => number) => void
  }

export type BrokerOptions = {
  account: string
  /** US dollars, or amounts by currency; the account itself is in US dollars. */
  cash: StartingCash
  start: number
  seed: number
  universe: Universe
  market: Market
  frictions: Frictions
}

/** @param tell also says whose report it is */
export const createBroker = (options: BrokerOptions, tell: (report: Report, from: Broker) => void): Broker => {
  const { account, market, seed, universe } = options
  const report = (one: Report): void => tell(one, broker)
  const neighbours: Broker[] = []
  const frictions = { ...options.frictions }
  let now = options.start
  const book = createBook(seed, options.start)
  const rates = exchangeRates(universe, market, () => now)
  const rateOf = (currency: string): number => rates(currency, 'USD')
  const trading = createTrading(book, market, { cash: options.cash, rateOf }, frictions, () => now, report)
  const floor: Floor = { book, market, trading, frictions, seed, now: () => now, report }
  const filling = createFilling(floor)
  const actions = createCorporateActions(floor, universe)

  const nextEventAt = (): number => {
    const session = comingSession(now)
    const working = book.working()
    const moves = working.flatMap((order) => filling.moveOf(order)?.at ?? [])
    const ends = working.flatMap((order) => order.life.expiresAt ?? [])
    const outside = working.some(({ life }) => life.extended) ? [extendedHours(comingExtended(now)).open] : []
    const halfHours = working.length > 0 && openSession(now) ? [nextHalfHour(now)] : []
    const events = [session.open, session.close, newYorkMidnightAfter(now), ...moves, ...ends, ...outside, ...halfHours]
    return Math.min(...[...events, ...neighbours.map((one) => one.nextEventAt())].filter((at) => at > now))
  }

  const step = (at: number): void => {
    const due = book.working().flatMap((order) => {
      const move = filling.moveOf(order)
      return move?.at === at ? [{ order, move }] : []
    })
    const midnight = newYorkMidnightAfter(now)
    const moved = moveTime(at)
    const atOpen = sessionOn(newYorkDate(at))?.open === at
    openFor(new Set(due.map(({ order }) => order)), atOpen)
    filling.carryOut(due)
    if (atOpen) endAfterAuction()
    for (const order of book.working()) if ((order.life.expiresAt ?? Number.POSITIVE_INFINITY) <= now) end(floor, order)
    tellStops(moved)
    if (sessionOn(newYorkDate(at))?.close === at) actions.expire(newYorkDate(at))
    if (at === midnight) beginDay(newYorkDate(at))
    for (const one of neighbours) one.advanceTo(at)
    report({ kind: 'prices' })
  }

  const beginDay = (date: string): void => {
    book.forget()
    trading.beginDay()
    actions.begin(date)
  }

  /** Those that do nothing at the open come to the exchange; those that wanted its auction alone have missed it. */
  const openFor = (due: ReadonlySet<Order>, atOpen: boolean): void => {
    for (const order of book.working().filter((order) => !due.has(order))) {
      if (atOpen && order.life.auction === 'open') end(floor, order)
      else if (isLive(floor, order) && (atOpen || order.life.extended)) submit(floor, order)
    }
  }

  const endAfterAuction = (): void => {
    for (const order of book.working()) if (order.life.auction === 'open') end(floor, order)
  }

  /** Returns the orders whose stop has moved with the price. */
  const moveTime = (at: number): Order[] => {
    const moved = book.working().filter((order) => !waitsForParent(book, order) && followPrice(order, market, at))
    now = at
    return moved
  }

  const tellStops = (moved: readonly Order[]): void => {
    for (const order of moved) if (!order.completed && !order.triggered) report({ kind: 'order', order })
  }

  const ofAccount = (wanted: string): Broker => {
    const there = broker.accounts().find((one) => one.account === wanted)
    if (there) return there
    const added = createBroker({ ...options, account: wanted, start: now, seed: seed + neighbours.length + 1 }, tell)
    neighbours.push(added)
    return added
  }

  const broker: Broker = {
    ...{ account, universe, market, book, trading, frictions, actions, rates, permissions: new Map(), now: () => now, nextEventAt },
    ...{ accounts: () => [broker, ...neighbours], ofAccount },
    ...createOrderDesk(floor, filling, universe, account),
    fillPartly: filling.fillPartly,
    forgetPartials: filling.forgetPartials,
    advanceTo: (to, interrupted = () => Number.POSITIVE_INFINITY) => {
      for (let at = nextEventAt(); at <= Math.min(to, interrupted()); at = nextEventAt()) step(at)
      const end = Math.min(to, interrupted())
      if (end <= now) return
      tellStops(moveTime(end))
      for (const one of neighbours) one.advanceTo(end)
      report({ kind: 'prices' })
    },
  }
  return broker
}
