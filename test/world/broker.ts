/**
 * The broker's own books: orders, executions, positions. They are the truth that everything else is compared with.
 * It knows nothing of processes and lines; what it has to say goes to `tell`, in the order in which it happened.
 */
import { nextSession } from '../../domain/calendar.ts'
import { newYorkDate } from '../../domain/new-york-time.ts'
import type { BrokerReport, CompletedOrder, Execution, OrderSighting, OrderTicket } from '../../domain/ports/broker.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Chance } from './chance.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import { contractOf, isPair, type Market, tradingDay } from './market.ts'

export const account = 'DU1'
export const clientId = 7

export type BrokerOrder = {
  orderRef: string
  orderId: number
  permId: number
  conId: number
  /** Signed, as all quantities here. */
  quantity: number
  filled: number
  /** In cents. */
  limit: number | undefined
  status: 'PreSubmitted' | 'Submitted' | 'Filled' | 'Cancelled' | 'Inactive' | 'Rejected'
  until: number
  endedAt: number | undefined
  /** It will not trade, whatever the price. */
  rests: boolean
  silent: boolean
}
/** The latest revision of an execution. `at`: when it was traded, in market time; `quantities`: what counted from when on. */
export type BrokerExecution = { execution: Execution; at: number; quantities: readonly { quantity: string; from: number }[] }
/** One order as it came in. `journal`: how many commits were durable; `against`: opposite orders that were at work. */
export type Receipt = { ticket: OrderTicket; against: readonly string[] } & HandedOver
/** What was so at the moment at which the order was written to the line. `at`: market time. */
export type HandedOver = { journal: number; mayAct: boolean; at: number }
/** So many new shares for each old one, and the moment. */
export type Split = { conId: number; ratio: number; at: number }

export type SimulatedBroker = {
  receive(ticket: OrderTicket, handedOver: HandedOver): void
  cancel(orderId: number): void
  /** A person, or another program, trades in the same account. */
  tradeByHand(conId: number, quantity: number): void
  /** Before the next session opens everybody has so many shares for one; orders of the day are called off. */
  split(conId: number, ratio: number): void
  nextValidId(): number
  /** From now on the broker names a next id that is lower than those it has seen. */
  rollBack(): void
  openOrders(): OrderSighting[]
  /** Of today, New York: at midnight they are forgotten. */
  executions(): Execution[]
  completedOrders(): CompletedOrder[]
  positions: ReadonlyMap<number, number>
  /** For the invariants: all there ever was. */
  orders: readonly BrokerOrder[]
  everyExecution(): readonly BrokerExecution[]
  receipts: readonly Receipt[]
  /** When the executions of an answer were read, by the time at which it was complete. */
  looks: Map<string, number>
  splits: readonly Split[]
  netLiquidation(): number
  euros(): number
}

export type BrokerOptions = {
  clock: WorldClock
  chance: Chance
  faults: Faults
  market: Market
  tell: (report: BrokerReport, key: string) => void
  note: (text: string) => void
}

const mentionOf = (conId: number) => {
  const { symbol, secType, currency } = contractOf(conId)
  return { conId, symbol, secType, currency }
}
const isAtWork = ({ status }: BrokerOrder): boolean => status === 'PreSubmitted' || status === 'Submitted'

export const createBroker = ({ clock, chance, faults, market, tell, note }: BrokerOptions): SimulatedBroker => {
  const orders: BrokerOrder[] = []
  const executions = new Map<string, BrokerExecution>()
  const positions = new Map<number, number>()
  const receipts: Receipt[] = []
  const splits: Split[] = []
  const looks = new Map<string, number>()
  let euros = 5_000
  /** In cents: what all trades brought, less what they cost. */
  let paid = 0
  const worth = (): number => [...positions].reduce((sum, [conId, quantity]) => sum + quantity * market.price(conId), 0)
  let highestId = 0
  let rolledBackBy = 0
  let executed = 0

  const sightingOf = (order: BrokerOrder): OrderSighting => ({
    ...{ orderRef: order.orderRef, orderId: order.orderId, clientId, permId: order.permId, account },
    contract: mentionOf(order.conId),
    status: order.status,
    filled: String(Math.abs(order.filled)),
    remaining: String(Math.abs(order.quantity - order.filled)),
  })
  const tellStatus = (order: BrokerOrder): void => {
    if (!order.silent) tell({ kind: 'order', sighting: sightingOf(order) }, `status ${order.orderRef}`)
  }
  const tellMessage = ({ orderId, orderRef, silent }: BrokerOrder, meaning: 'rejected' | 'cancelled', code: number, text: string): void => {
    if (!silent) tell({ kind: 'orderMessage', orderId, code, text, meaning }, `status ${orderRef}`)
  }
  const end = (order: BrokerOrder, status: BrokerOrder['status']): void => {
    order.status = status
    order.endedAt = clock.now()
    note(`broker: ${order.orderRef} is ${status}, filled ${order.filled} of ${order.quantity}`)
    tellStatus(order)
  }

  const execute = (of: { orderRef: string; orderId: number; permId: number; clientId: number }, conId: number, quantity: number): void => {
    executed += 1
    const base = `0000.${String(executed).padStart(4, '0')}`
    if (isPair(conId)) euros += quantity
    else {
      positions.set(conId, (positions.get(conId) ?? 0) + quantity)
      paid -= quantity * market.price(conId)
    }
    const execution: Execution = {
      ...{ executionId: `${base}.01`, ...of, account, contract: mentionOf(conId) },
      ...{ quantity: String(quantity), price: String(market.price(conId) / 100), time: isoTime(clock.now()) },
    }
    note(`broker: ${execution.executionId} ${quantity} ${execution.contract.symbol} for ${of.orderRef || 'a hand'}`)
    book(base, execution)
    if (faults.happens('an execution is corrected')) clock.after(chance.whole(100, 10_000), () => correct(base))
  }
  const book = (base: string, execution: Execution): void => {
    const before = executions.get(base)
    const quantities = [...(before?.quantities ?? []), { quantity: execution.quantity, from: clock.now() }]
    executions.set(base, { execution, at: before?.at ?? clock.now(), quantities })
    tell({ kind: 'execution', execution }, `execution ${base}`)
    const { executionId } = execution
    tell(
      { kind: 'commission', commission: { executionId, commission: '1', currency: 'USD', realizedProfit: undefined } },
      `commission ${base}`,
    )
  }
  /** The same trade at another price, or of one share less: the digits after the last dot count up. */
  const correct = (base: string): void => {
    const { execution } = executions.get(base)!
    const { conId } = execution.contract
    const bought = Number(execution.quantity)
    const less = Math.abs(bought) > 1 && !isPair(conId) && faults.happens('a corrected execution is smaller') ? Math.sign(bought) : 0
    positions.set(conId, (positions.get(conId) ?? 0) - less)
    const order = orders.find((each) => each.orderRef === execution.orderRef && isAtWork(each))
    if (order !== undefined) order.filled -= less
    note(`broker: ${base} is corrected${less === 0 ? '' : ` to ${bought - less}`}`)
    const price = String((market.price(conId) + 1) / 100)
    book(base, { ...execution, executionId: `${base}.02`, quantity: String(bought - less), price })
  }

  /** One moment of the market for one order: perhaps a part of it trades. */
  const trade = (order: BrokerOrder): void => {
    if (!isAtWork(order)) return
    if (clock.now() >= order.until) {
      end(order, 'Cancelled')
      return
    }
    if (order.status === 'PreSubmitted') {
      order.status = 'Submitted'
      tellStatus(order)
    }
    const price = market.price(order.conId)
    const meets = order.limit === undefined || (order.quantity > 0 ? price <= order.limit : price >= order.limit)
    if (order.rests || !meets) {
      tradeAgain(order, chance.whole(60_000, 600_000))
      return
    }
    const open = order.quantity - order.filled
    const part = chance.happens(0.5) ? open : Math.sign(open) * chance.whole(1, Math.abs(open))
    order.filled += part
    execute({ orderRef: order.orderRef, orderId: order.orderId, permId: order.permId, clientId }, order.conId, part)
    if (order.filled === order.quantity) end(order, 'Filled')
    else {
      tellStatus(order)
      tradeAgain(order, chance.whole(200, 60_000))
    }
  }
  const tradeAgain = (order: BrokerOrder, milliseconds: number): void => {
    clock.at(Math.min(clock.now() + milliseconds, Math.max(order.until, clock.now() + 1)), () => trade(order))
  }

  const accept = (ticket: OrderTicket): void => {
    const { from, until } = tradingDay(clock.now())
    const quantity = Number(ticket.quantity) * (ticket.action === 'BUY' ? 1 : -1)
    const order: BrokerOrder = {
      ...{ orderRef: ticket.orderRef, orderId: ticket.orderId, permId: 9_000_000 + orders.length, conId: ticket.contract.conId },
      ...{ quantity, filled: 0, limit: ticket.limitPrice === undefined ? undefined : Math.round(Number(ticket.limitPrice) * 100) },
      ...{ status: from > clock.now() ? 'PreSubmitted' : 'Submitted', until, endedAt: undefined },
      rests: faults.happens('an order rests'),
      silent: faults.happens('an order is accepted in silence'),
    }
    orders.push(order)
    if (faults.happens('an order is rejected')) {
      end(order, 'Rejected')
      tellMessage(order, 'rejected', 201, 'Order rejected - reason: the margin is not enough')
      return
    }
    if (faults.happens('an order is inactive')) {
      end(order, 'Inactive')
      return
    }
    tellStatus(order)
    clock.at(from + chance.whole(50, 20_000), () => trade(order))
    clock.at(until, () => trade(order))
  }

  const remembers = (time: number | undefined): boolean => time !== undefined && newYorkDate(time) === newYorkDate(clock.now())

  return {
    receive: (ticket, handedOver) => {
      const opposite = (order: BrokerOrder) => order.conId === ticket.contract.conId && order.quantity > 0 !== (ticket.action === 'BUY')
      const against = orders.filter((order) => isAtWork(order) && opposite(order)).map(({ orderRef }) => orderRef)
      receipts.push({ ticket, against, ...handedOver })
      note(`broker: received ${ticket.orderRef} ${ticket.action} ${ticket.quantity} ${ticket.contract.symbol} as ${ticket.orderId}`)
      const taken = orders.some(({ orderId }) => orderId === ticket.orderId)
      highestId = Math.max(highestId, ticket.orderId)
      if (taken) {
        tell({ kind: 'orderMessage', orderId: ticket.orderId, code: 103, text: 'Duplicate order id', meaning: 'rejected' }, 'duplicates')
        return
      }
      if (!faults.happens('an order is swallowed')) accept(ticket)
    },
    cancel: (orderId) => {
      const order = orders.find((candidate) => candidate.orderId === orderId)
      if (order === undefined || !isAtWork(order)) {
        const text = `OrderId ${orderId} that needs to be cancelled can not be cancelled`
        tell({ kind: 'orderMessage', orderId, code: 10148, text, meaning: 'cancelRefused' }, `status ${order?.orderRef ?? orderId}`)
        return
      }
      clock.after(chance.whole(10, 3_000), () => {
        if (!isAtWork(order)) return
        end(order, 'Cancelled')
        tellMessage(order, 'cancelled', 202, 'Order Canceled - reason:')
      })
    },
    tradeByHand: (conId, quantity) => {
      faults.hit('a hand trades')
      execute({ orderRef: '', orderId: 0, permId: 8_000_000 + executed, clientId: 0 }, conId, quantity)
    },
    split: (conId, ratio) => {
      const { open } = nextSession(newYorkDate(clock.now()))
      clock.at(open - 3_600_000, () => {
        note(`broker: ${ratio} new shares of ${contractOf(conId).symbol} for an old one`)
        for (const order of orders) if (order.conId === conId && isAtWork(order)) end(order, 'Cancelled')
        if ((positions.get(conId) ?? 0) !== 0) faults.hit('a position is split')
        positions.set(conId, (positions.get(conId) ?? 0) * ratio)
        market.split(conId, ratio)
        splits.push({ conId, ratio, at: clock.now() })
      })
    },
    nextValidId: () => Math.max(1, highestId + 1 - rolledBackBy),
    rollBack: () => {
      rolledBackBy += chance.whole(1, 5)
      faults.hit('the ids are rolled back')
    },
    openOrders: () => orders.filter(isAtWork).map(sightingOf),
    executions: () => [...executions.values()].filter(({ at }) => remembers(at)).map(({ execution }) => execution),
    completedOrders: () =>
      orders
        .filter((order) => remembers(order.endedAt))
        .map(({ orderRef, permId, conId, status, filled, endedAt }) => ({
          ...{ orderRef, permId, account, contract: mentionOf(conId), filled: String(Math.abs(filled)) },
          status: status === 'Rejected' ? 'Inactive' : status,
          completedStatus: status === 'Rejected' ? 'Rejected: the margin is not enough' : status,
          completedTime: isoTime(endedAt!),
        })),
    positions,
    orders,
    everyExecution: () => [...executions.values()],
    receipts,
    looks,
    splits,
    netLiquidation: () => Math.max(1, Math.round(100_000 + (paid + worth()) / 100)),
    euros: () => euros,
  }
}
