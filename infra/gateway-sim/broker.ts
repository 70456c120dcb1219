/**
 * The simulated broker: takes orders, moves through time, and reports. It knows no sockets and no wall clock; the same requests
 * at the same simulated times give the same reports.
 *
 * Time runs from event to event: the open, the moment an order trades, each half hour while an order works, the close, midnight.
 */
import { newYorkDate, newYorkMidnightAfter, sessionOn } from '../../domain/calendar.ts'
import { type Book, createBook, isWorking, type Order, remaining } from './book.ts'
import { comingSession, type Market, openSession, type Touch } from './market.ts'
import { type OrderEntry, type Rejection, readOrderEntry } from './order-entry.ts'
import type { PlacedOrder } from './order-fields.ts'
import { ibTime } from './time-text.ts'
import { createTrading, type Report, type Trading } from './trading.ts'
import type { Universe } from './universe.ts'

/** The next fill of one order (of any, without `orderRef`) that is to be smaller than the order. */
export type PartialFill = { orderRef?: string; quantity: number; price?: number }

export type Broker = {
  account: string
  universe: Universe
  market: Market
  book: Book
  trading: Trading
  now: () => number
  nextEventAt: () => number
  /** Runs everything due until then, in the order of time. */
  advanceTo: (to: number) => void
  place: (clientId: number, orderId: number, placed: PlacedOrder) => void
  cancel: (clientId: number, orderId: number) => void
  cancelAll: () => void
  /** At once when that order works, else as soon as one fits and would trade. */
  fillPartly: (partial: PartialFill) => void
  forgetPartials: () => void
}

export type BrokerOptions = { account: string; cash: number; start: number; seed: number; universe: Universe; market: Market }

const halfHour = 30 * 60_000
const nextHalfHour = (at: number): number => (Math.floor(at / halfHour) + 1) * halfHour

export const createBroker = (options: BrokerOptions, report: (report: Report) => void): Broker => {
  const { market, universe } = options
  let now = options.start
  const book = createBook(options.seed, options.start)
  const trading = createTrading(book, market, options.cash, () => now, report)
  const partials: PartialFill[] = []

  // ── Time ──

  /** Where in its coming session an order trades next. */
  const touchOf = (order: Order): Touch | undefined => {
    const session = comingSession(now)
    if (order.listing.currency !== 'USD') return undefined
    if (order.timeInForce !== 'OPG') {
      return market.touch(order.listing.symbol, session, Math.max(now, order.restsUntil), order.action, order.limit)
    }
    const touch = market.touch(order.listing.symbol, session, session.open, order.action, order.limit)
    return touch?.at === session.open && now <= session.open ? touch : undefined
  }

  const nextEventAt = (): number => {
    const session = comingSession(now)
    const working = book.working()
    const touches = working.flatMap((order) => touchOf(order)?.at ?? [])
    const step = working.length > 0 && openSession(now) ? [nextHalfHour(now)] : []
    const events = [session.open, session.close, newYorkMidnightAfter(now), ...touches, ...step]
    return Math.min(...events.filter((at) => at > now))
  }

  const step = (at: number): void => {
    const touched = book.working().map((order) => ({ order, touch: touchOf(order) }))
    const due = touched.filter(({ touch }) => touch?.at === at)
    const midnight = newYorkMidnightAfter(now)
    now = at
    const session = sessionOn(newYorkDate(at))
    if (session?.open === at) openMarket(new Set(due.map(({ order }) => order)))
    for (const { order, touch } of due) execute(order, touch!)
    if (session?.close === at) closeMarket()
    if (at === midnight) book.forget()
    report({ kind: 'prices' })
  }

  const openMarket = (trading: ReadonlySet<Order>): void => {
    for (const order of book.working().filter((order) => !trading.has(order))) {
      if (order.timeInForce === 'OPG') end(order)
      else submit(order)
    }
  }

  const closeMarket = (): void => {
    for (const order of book.working()) if ((order.expiresAt ?? Number.POSITIVE_INFINITY) <= now) end(order)
  }

  const submit = (order: Order): void => {
    if (order.status === 'Submitted') return
    order.status = 'Submitted'
    report({ kind: 'order', order })
  }

  const end = (order: Order): void => {
    order.status = 'Cancelled'
    order.completed = { at: now, text: 'Cancelled' }
    report({ kind: 'order', order })
    report({ kind: 'error', clientId: order.clientId, id: order.orderId, code: 202, text: 'Order Canceled - reason:' })
  }

  // ── Fills ──

  const execute = (order: Order, touch: Touch): void => {
    const fitting = partials.findIndex((partial) => partial.orderRef === undefined || partial.orderRef === order.orderRef)
    const [partial] = fitting < 0 ? [] : partials.splice(fitting, 1)
    if (partial) tradePartly(order, partial, touch.price)
    else trading.trade(order, remaining(order), touch.price)
  }

  const tradePartly = (order: Order, partial: PartialFill, price: number): void => {
    order.restsUntil = nextHalfHour(now)
    trading.trade(order, Math.min(partial.quantity, remaining(order)), partial.price ?? price)
  }

  // ── Orders ──

  const place: Broker['place'] = (clientId, orderId, placed) => {
    const reject = (rejection: Rejection): void => report({ kind: 'error', clientId, id: orderId, ...rejection })
    const entry = readOrderEntry(placed, universe, options.account, now)
    if ('code' in entry) return reject(entry)
    const existing = book.order(clientId, orderId)
    if (entry.whatIf) return tellWhatIf({ ...orderFrom(clientId, orderId, entry), permId: 0 })
    if (existing) {
      const refused = modify(existing, entry)
      return refused ? reject(refused) : transmit(existing, entry)
    }
    if (orderId < book.nextOrderId(clientId)) return reject(duplicate)
    transmit(book.add(orderFrom(clientId, orderId, entry)), entry)
  }

  const transmit = (order: Order, entry: OrderEntry): void => {
    if (!entry.transmit) return
    const open = openSession(now)
    order.status = open ? 'Submitted' : 'PreSubmitted'
    report({ kind: 'order', order })
    if (!open) report({ kind: 'error', clientId: order.clientId, id: order.orderId, code: 399, text: waits(order) })
    const touch = touchOf(order)
    if (touch?.at === now) execute(order, touch)
  }

  const orderFrom = (clientId: number, orderId: number, entry: OrderEntry): Omit<Order, 'permId'> => {
    const { transmit: _, whatIf: __, ...asked } = entry
    const nothing = { filled: 0, averagePrice: 0, lastPrice: 0, commission: 0, restsUntil: 0, forgotten: false }
    return { clientId, orderId, ...asked, ...nothing, ...lifeOf(entry), status: 'ApiPending' }
  }

  const lifeOf = (entry: OrderEntry): { expiresAt?: number } => (entry.timeInForce === 'GTC' ? {} : { expiresAt: comingSession(now).close })

  /** A working order may change its size, price and time in force; what it already traded stays. */
  const modify = (order: Order, entry: OrderEntry): Rejection | undefined => {
    if (!isWorking(order) && order.status !== 'ApiPending') return duplicate
    if (order.listing !== entry.listing || order.action !== entry.action) {
      return { code: 105, text: 'Order being modified does not match original order.' }
    }
    if (entry.quantity <= order.filled) return { code: 104, text: 'Cannot modify a filled order.' }
    delete order.limit
    delete order.expiresAt
    const { quantity, timeInForce, attributes, algorithm } = entry
    Object.assign(
      order,
      { quantity, timeInForce, attributes, algorithm },
      entry.limit === undefined ? {} : { limit: entry.limit },
      lifeOf(entry),
    )
    return undefined
  }

  const tellWhatIf = (order: Order): void => {
    order.status = 'PreSubmitted'
    const { valuation: after, commission } = trading.after(order, order.limit ?? trading.priceOf(order))
    report({ kind: 'whatIf', order, before: trading.valuation(), after, commission })
  }

  const waits = (order: Order): string => {
    const { action, quantity, listing } = order
    const what = `${action} ${quantity} ${listing.symbol} ${listing.primaryExchange}`
    return `Order Message:\n${what}\nWarning: your order will not be placed at the exchange until ${ibTime(comingSession(now).open)}`
  }

  const cancel: Broker['cancel'] = (clientId, orderId) => {
    const order = book.order(clientId, orderId)
    const refuse = (code: number, text: string): void => report({ kind: 'error', clientId, id: orderId, code, text })
    const named = `OrderId ${orderId} that needs to be cancelled`
    if (!order || order.forgotten) return refuse(10147, `${named} is not found.`)
    if (order.completed) return refuse(10148, `${named} cannot be cancelled, state: ${order.status}.`)
    end(order)
  }

  return {
    account: options.account,
    universe,
    market,
    book,
    trading,
    now: () => now,
    nextEventAt,
    advanceTo: (to) => {
      for (let at = nextEventAt(); at <= to; at = nextEventAt()) step(at)
      if (to <= now) return
      now = to
      report({ kind: 'prices' })
    },
    place,
    cancel,
    cancelAll: () => {
      for (const order of book.orders.filter((order) => !order.completed)) end(order)
    },
    fillPartly: (partial) => {
      const order = book.working().find((working) => working.orderRef === partial.orderRef)
      if (order) tradePartly(order, partial, order.limit ?? trading.priceOf(order))
      else partials.push(partial)
    },
    forgetPartials: () => {
      partials.length = 0
    },
  }
}

const duplicate: Rejection = { code: 103, text: 'Duplicate order id' }
