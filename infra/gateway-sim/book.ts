/**
 * What the gateway keeps: orders with their permanent ids, executions with theirs, and the order ids that each client has used.
 * It outlives every connection. At midnight in New York it stops telling finished orders and executions, but keeps them here.
 */
import type { OrderEntry } from './order-entry.ts'
import type { Side } from './path.ts'
import type { Listing } from './universe.ts'

/** `ApiPending`: held in the gateway, not transmitted. `Inactive`: taken, then put aside for a reason. The others as in IB's API. */
export type OrderStatus = 'ApiPending' | 'PreSubmitted' | 'Submitted' | 'Filled' | 'Cancelled' | 'Inactive'

export type Order = Omit<OrderEntry, 'transmit' | 'whatIf'> & {
  /** 0 for an order that a person placed by hand. */
  readonly clientId: number
  /** 0 until an order placed by hand is bound to a number below zero. */
  orderId: number
  readonly permId: number
  status: OrderStatus
  /** Worst price now; absent at market. */
  limit?: number
  /** Price that wakes it, where it stands now; absent once it was reached. */
  stop?: number
  /** Until when `stop` has followed the price. */
  followedTo: number
  /** What it waits for by its conditions has come. */
  conditionsMet: boolean
  /** How many executions there were when it was placed. */
  executionsBefore: number
  /** Its stop was reached. */
  triggered: boolean
  filled: number
  averagePrice: number
  lastPrice: number
  commission: number
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
  /** Gives an order placed by hand a number of its own: −1, −2, … */
  bind: (order: Order) => void
  order: (clientId: number, orderId: number) => Order | undefined
  working: () => Order[]
  /** The id that a client is told: one more than the highest it ever used. */
  nextOrderId: (clientId: number) => number
  usedOrderIds: () => ReadonlyMap<number, number>
  /** Forgets so many of the ids that each client used last. */
  rollBackOrderIds: (count: number) => void
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
  let bound = 0
  const nextPermId = (): number => firstPermId + ++permIds

  return {
    orders,
    executions,
    add: (order) => {
      const added = { ...order, permId: nextPermId() }
      orders.push(added)
      if (order.orderId > 0) highestUsed.set(order.clientId, Math.max(order.orderId, highestUsed.get(order.clientId) ?? 0))
      return added
    },
    bind: (order) => {
      order.orderId = -++bound
    },
    order: (clientId, orderId) => orders.find((order) => orderId !== 0 && order.clientId === clientId && order.orderId === orderId),
    working: () => orders.filter(isWorking),
    nextOrderId: (clientId) => (highestUsed.get(clientId) ?? 0) + 1,
    usedOrderIds: () => highestUsed,
    rollBackOrderIds: (count) => {
      for (const [clientId, highest] of highestUsed) highestUsed.set(clientId, Math.max(0, highest - count))
    },
    nextExecId: () => `${run}.${hexadecimal(++execIds)}.01`,
    nextPermId,
    forget: () => {
      for (const order of orders.filter(isCompleted)) order.forgotten = true
      for (const execution of executions) execution.forgotten = true
    },
  }
}

/** Not those of midnight before; `apiOnly` leaves out what was placed by hand. */
export const completedOrders = (book: Book, apiOnly: boolean): Order[] =>
  book.orders.filter((order) => isCompleted(order) && !order.forgotten && !(apiOnly && isByHand(order)))

/** The API hands out numbers above zero. */
export const isByHand = ({ orderId }: { orderId: number }): boolean => orderId <= 0

const hexadecimal = (value: number): string => value.toString(16).padStart(8, '0').slice(-8)
