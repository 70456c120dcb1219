/** Takes orders in: places, changes, holds and transmits them, cancels them, answers what-ifs. */
import { isByHand, isWorking, type Order } from './book.ts'
import { transmittedWith } from './bracket.ts'
import { isSet } from './field-layout.ts'
import type { Filling } from './filling.ts'
import { end, type Floor, isLive } from './floor.ts'
import { comingExtended, comingSession, extendedHours } from './market.ts'
import { applyChange, refusedChange } from './modify.ts'
import { leftOut, type OrderEntry, readOrderEntry } from './order-entry.ts'
import type { PlacedOrder } from './order-fields.ts'
import { duplicateId, type Rejection } from './rejections.ts'
import { isCutOff, neverExtended, readLife } from './time-in-force.ts'
import { ibTime } from './time-text.ts'
import { setStop } from './triggers.ts'
import type { Universe } from './universe.ts'

export type OrderDesk = {
  place: (clientId: number, orderId: number, placed: PlacedOrder) => void
  /** As a person would, without the API. */
  placeByHand: (placed: PlacedOrder) => Order | Rejection
  /** The next number below zero, by which client 0 can change and cancel it. */
  bind: (order: Order) => void
  cancel: (clientId: number, orderId: number) => void
  cancelByHand: (permId: number) => Rejection | undefined
  cancelAll: () => void
}

export const createOrderDesk = (floor: Floor, filling: Filling, universe: Universe, account: string): OrderDesk => {
  const { book, market, trading, now, report } = floor

  // ── Placing ──

  const place: OrderDesk['place'] = (clientId, orderId, placed) => {
    const reject = (rejection: Rejection): void => report({ kind: 'error', clientId, id: orderId, ...rejection })
    const entry = readOrderEntry(placed, universe, account, now())
    if ('code' in entry) return reject(entry)
    if (entry.whatIf) return tellWhatIf({ ...orderFrom(clientId, orderId, entry), permId: 0 })
    const existing = book.order(clientId, orderId)
    if (existing) {
      const refused = refusedChange(existing, entry)
      if (refused) return reject(refused)
      applyChange(existing, entry)
      return entry.transmit ? transmit(existing) : undefined
    }
    if (orderId < book.nextOrderId(clientId)) return reject(duplicateId)
    if (entry.parentId !== 0 && !book.order(clientId, entry.parentId)) return reject({ code: 10006, text: 'Missing parent order.' })
    const parent = book.order(clientId, entry.parentId)
    if (parent?.completed && parent.status !== 'Filled') return reject({ code: 10006, text: 'Missing parent order.' })
    const order = book.add(orderFrom(clientId, orderId, entry))
    if (entry.transmit) transmit(order)
  }

  const placeByHand: OrderDesk['placeByHand'] = (placed) => {
    const entry = readOrderEntry(placed, universe, account, now())
    if ('code' in entry) return entry
    const order = book.add(orderFrom(0, 0, entry))
    transmit(order)
    return order
  }

  const orderFrom = (clientId: number, orderId: number, entry: OrderEntry): Omit<Order, 'permId'> => {
    const { transmit: _, whatIf: __, ...asked } = entry
    const { limit } = entry.terms
    const nothing = { filled: 0, averagePrice: 0, lastPrice: 0, commission: 0, restsUntil: 0, forgotten: false }
    const untouched = {
      conditionsMet: false,
      executionsBefore: book.executions.length,
      triggered: false,
      followedTo: now(),
      status: 'ApiPending' as const,
      ...(limit === undefined ? {} : { limit }),
    }
    return { clientId, orderId, ...asked, ...nothing, ...untouched }
  }

  /** With it go the orders of its bracket that were held for it; one whose parent ends as it goes out has ended with it. */
  const transmit = (last: Order): void => {
    for (const order of transmittedWith(book, last)) {
      if (order.completed) continue
      if (order === last) submitNow(order)
      else submitHeld(order)
    }
  }

  /** It may have been held for days: how long it works counts from now. */
  const submitHeld = (order: Order): void => {
    const life = readLife(order.attributes, order.terms, now())
    if ('code' in life) {
      report({ kind: 'error', clientId: order.clientId, id: order.orderId, ...life })
      end(floor, order)
    } else {
      order.life = life
      submitNow(order)
    }
  }

  const submitNow = (order: Order): void => {
    setStop(order, market, now())
    order.status = isLive(floor, { ...order, status: 'Submitted' }) ? 'Submitted' : 'PreSubmitted'
    report({ kind: 'order', order })
    for (const text of notices(order)) report({ kind: 'error', clientId: order.clientId, id: order.orderId, ...text })
    const move = filling.moveOf(order)
    filling.carryOut(move && move.at <= now() ? [{ order, move }] : [])
  }

  /** Warnings that go with an order that was taken. */
  const notices = (order: Order): Rejection[] => {
    const { action, quantity, listing } = order
    const what = `Order Message:\n${action} ${quantity} ${listing.symbol} ${listing.primaryExchange}\nWarning: `
    const opens = opensAt(order)
    const ignored = leftOut(order)
    return [
      ...(opens === undefined ? [] : [{ code: 399, text: `${what}your order will not be placed at the exchange until ${ibTime(opens)}` }]),
      ...(ignored.length === 0 ? [] : [{ code: 399, text: `${what}the simulator works it without ${ignored.join(', ')}` }]),
      ...(isSet(order.attributes['outsideRth']) && neverExtended.includes(order.terms.orderType)
        ? [{ code: 2109, text: outsideIgnored }]
        : []),
    ]
  }

  /** When the market opens for it; undefined while it is open. */
  const opensAt = ({ life }: Order): number | undefined => {
    const { open } = life.extended ? extendedHours(comingExtended(now())) : comingSession(now())
    return open > now() ? open : undefined
  }

  const tellWhatIf = (order: Order): void => {
    order.status = 'PreSubmitted'
    const { valuation: after, commission } = trading.after(order, order.limit ?? trading.priceOf(order))
    report({ kind: 'whatIf', order, before: trading.valuation(), after, commission })
  }

  // ── Cancelling ──

  const cancel: OrderDesk['cancel'] = (clientId, orderId) => {
    const order = book.order(clientId, orderId)
    const refused = order ? refusedCancel(order) : undefined
    const named = `OrderId ${orderId} that needs to be cancelled`
    const refuse = (rejection: Rejection): void => report({ kind: 'error', clientId, id: orderId, ...rejection })
    if (!order || order.forgotten) return refuse({ code: 10147, text: `${named} is not found.` })
    if (order.completed) return refuse({ code: 10148, text: `${named} cannot be cancelled, state: ${order.status}.` })
    if (refused) return refuse(refused)
    end(floor, order)
  }

  /** The exchange does not give orders for an auction back shortly before it. */
  const refusedCancel = (order: Order): Rejection | undefined =>
    isWorking(order) && order.life.auction && isCutOff(order.life.auction, now()) ? notCancellable(order) : undefined

  return {
    place,
    placeByHand,
    bind: (order) => {
      book.bind(order)
      report({ kind: 'bound', order })
    },
    cancel,
    cancelByHand: (permId) => {
      const order = book.orders.find((order) => order.permId === permId && isByHand(order))
      if (!order) return { code: 10147, text: `there is no order ${permId} that was placed by hand` }
      if (order.completed) return { code: 10148, text: `order ${permId} cannot be cancelled, state: ${order.status}` }
      const refused = refusedCancel(order)
      if (!refused) end(floor, order)
      return refused
    },
    cancelAll: () => {
      for (const order of book.orders.filter((order) => !order.completed)) {
        const refused = refusedCancel(order)
        if (refused) report({ kind: 'error', clientId: order.clientId, id: order.orderId, ...refused })
        else end(floor, order)
      }
    },
  }
}

export const notCancellable = ({ permId }: { permId: number }): Rejection => ({
  code: 161,
  text: `Cancel attempted when order is not in a cancellable state. Order permId =${permId}`,
})

const outsideIgnored =
  "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored based on the order type and destination. PlaceOrder is now being processed."
