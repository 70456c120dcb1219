/**
 * What the gateway keeps: orders with their permanent ids, executions with theirs, and the order ids that each client has used.
 * It outlives every connection. At midnight in New York it stops telling finished orders and executions, but keeps them here.
 */
import type { Side } from './market.ts'
import type { Attributes } from './order-fields.ts'
import type { ExecutionFilter } from './requests.ts'
import { ibDate, newYorkClock } from './time-text.ts'
import type { Listing } from './universe.ts'

/** `ApiPending`: held in the gateway, not transmitted. The others as in IB's API. */
export type OrderStatus = 'ApiPending' | 'PreSubmitted' | 'Submitted' | 'Filled' | 'Cancelled'

export type Order = {
  readonly clientId: number
  readonly orderId: number
  readonly permId: number
  readonly listing: Listing
  readonly action: Side
  readonly orderRef: string
  quantity: number
  /** Absent for an order at market. */
  limit?: number
  timeInForce: string
  /** As the client sent them. */
  attributes: Attributes
  algorithm: readonly string[]
  status: OrderStatus
  filled: number
  averagePrice: number
  lastPrice: number
  commission: number
  /** The close of its session, when a DAY order ends; absent for GTC. */
  expiresAt?: number
  /** Nothing more is traded before this moment, after a partial fill. */
  restsUntil: number
  completed?: { at: number; text: string }
  /** Midnight has passed since it was completed. */
  forgotten: boolean
}

export type Execution = {
  execId: string
  orderId: number
  clientId: number
  permId: number
  orderRef: string
  listing: Listing
  side: Side
  shares: number
  price: number
  cumulative: number
  averagePrice: number
  commission: number
  /** Absent when it closed nothing. */
  realised?: number
  at: number
  /** Known to the broker but not yet told to anyone. */
  held: boolean
  forgotten: boolean
}

export type Book = {
  orders: Order[]
  executions: Execution[]
  add: (order: Omit<Order, 'permId'>) => Order
  order: (clientId: number, orderId: number) => Order | undefined
  working: () => Order[]
  /** The id that a client is told: one more than the highest it ever used. */
  nextOrderId: (clientId: number) => number
  usedOrderIds: () => ReadonlyMap<number, number>
  nextExecId: () => string
  nextPermId: () => number
  forget: () => void
}

export const isWorking = (order: Order): boolean => order.status === 'PreSubmitted' || order.status === 'Submitted'
const isCompleted = (order: Order): boolean => order.status === 'Filled' || order.status === 'Cancelled'

export const remaining = (order: Order): number => order.quantity - order.filled

/** Permanent ids and execution ids follow from the seed, the start and the count alone. */
export const createBook = (seed: number, start: number): Book => {
  const orders: Order[] = []
  const executions: Execution[] = []
  const highestUsed = new Map<number, number>()
  const firstPermId = 1_000_000_000 + (Math.abs(seed) % 1000) * 1_000_000
  const run = `${hexadecimal(Math.abs(seed))}.${hexadecimal(Math.floor(start / 1000))}`
  let permIds = 0
  let execIds = 0
  const nextPermId = (): number => firstPermId + ++permIds

  return {
    orders,
    executions,
    add: (order) => {
      const added = { ...order, permId: nextPermId() }
      orders.push(added)
      highestUsed.set(order.clientId, Math.max(order.orderId, highestUsed.get(order.clientId) ?? 0))
      return added
    },
    order: (clientId, orderId) => orders.find((order) => order.clientId === clientId && order.orderId === orderId),
    working: () => orders.filter(isWorking),
    nextOrderId: (clientId) => (highestUsed.get(clientId) ?? 0) + 1,
    usedOrderIds: () => highestUsed,
    nextExecId: () => `${run}.${hexadecimal(++execIds)}.01`,
    nextPermId,
    forget: () => {
      for (const order of orders.filter(isCompleted)) order.forgotten = true
      for (const execution of executions) execution.forgotten = true
    },
  }
}

export const completedOrders = (book: Book): Order[] => book.orders.filter((order) => isCompleted(order) && !order.forgotten)

/** An empty field or client id 0 asks for all; `time` is the earliest, `yyyymmdd-hh:mm:ss` in New York or with a space. */
export const executionsLike = (book: Book, filter: ExecutionFilter): Execution[] =>
  book.executions.filter(
    (execution) =>
      !execution.forgotten &&
      !execution.held &&
      (filter.clientId === '' || filter.clientId === '0' || filter.clientId === String(execution.clientId)) &&
      (filter.time === '' || `${ibDate(execution.at)}-${newYorkClock(execution.at)}` >= filter.time.slice(0, 17).replace(' ', '-')) &&
      ['', execution.listing.symbol].includes(filter.symbol) &&
      ['', execution.listing.secType].includes(filter.secType) &&
      ['', 'SMART', execution.listing.primaryExchange].includes(filter.exchange) &&
      (filter.side === '' || filter.side.toUpperCase().startsWith(execution.side[0]!)),
  )

const hexadecimal = (value: number): string => value.toString(16).padStart(8, '0').slice(-8)
