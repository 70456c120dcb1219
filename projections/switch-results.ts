/** What the switch, the configuration and the intents about one order answer: what was done, what stays as it is, and what is left to do. */
import { absolute } from '../domain/decimal.ts'
import type { DomainEvent, EventType } from '../domain/events.ts'
import { blockedBecause } from '../domain/ledger.ts'
import type { Order } from '../domain/order.ts'
import type { Json } from '../domain/ports/documents.ts'
import type { Answer } from './look-results.ts'
import { actionOf, symbolOf, type ViewInput } from './view.ts'

const of = <T extends EventType>(events: readonly DomainEvent[], type: T): Extract<DomainEvent, { type: T }>[] =>
  events.filter((event): event is Extract<DomainEvent, { type: T }> => event.type === type)

const many = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const words = ({ orderRef, quantity, symbol }: Order): string => `order ${orderRef} (${actionOf(quantity)} ${absolute(quantity)} ${symbol})`

const withdrawnIn = (events: readonly DomainEvent[]): string[] =>
  of(events, 'OrderClosed').flatMap(({ data }) => (data.how === 'withdrawn' ? [data.orderRef] : []))
const cancelsIn = (events: readonly DomainEvent[]): string[] => of(events, 'OrderCancelRequested').map(({ data }) => data.orderRef)

/** A cancel reaches the broker when the line stands; until then it is kept. */
const whenSent = ({ ledger }: ViewInput): string => (ledger.gateway.connected ? '' : '; it is sent when the gateway is back')

const halted = (input: ViewInput): Answer => {
  const { events, ledger, orders } = input
  const withdrawn = withdrawnIn(events)
  const cancels = cancelsIn(events)
  const left = orders.open().flatMap(({ orderRef }) => (cancels.includes(orderRef) ? [] : [orderRef]))
  const parts = [
    ...(withdrawn.length === 0 ? [] : [`${many(withdrawn.length, 'order')} withdrawn`]),
    ...(cancels.length === 0 ? [] : [`${many(cancels.length, 'cancel')} asked for${whenSent(input)}`]),
    ...(left.length === 0 ? [] : [`${many(left.length, 'order')} left at the broker`]),
  ]
  return {
    text: [`trading is halted: ${ledger.trading.reason}`, ...parts].join('; '),
    result: { trading: false, changed: of(events, 'TradingHalted').length > 0, withdrawn, cancels, left_working: left },
  }
}

/** What still stands in the way of a trade is said by who switches it on, not found out by him at the next run. */
const resumed = ({ ledger, orders }: ViewInput): Answer => {
  const unresolved = orders.open().flatMap(({ status, orderRef }) => (status === 'unresolved' ? [orderRef] : []))
  const doubted = new Set([...Object.keys(ledger.unexplained), ...Object.keys(ledger.discrepancies)])
  const blocked = [...doubted].map(Number).map((conId) => ({
    ...{ conId, symbol: symbolOf(ledger, conId), reason: blockedBecause(ledger, conId) ?? null },
  }))
  const parts = [
    ...(ledger.gateway.connected ? [] : [`the gateway is not connected: ${ledger.gateway.reason ?? 'not yet'}`]),
    ...(blocked.length === 0 ? [] : [`blocked until explained: ${blocked.map(({ conId, symbol }) => symbol ?? conId).join(', ')}`]),
    ...(unresolved.length === 0 ? [] : [`unresolved: ${unresolved.join(', ')}`]),
  ]
  return {
    text: [`trading is on: ${ledger.trading.reason}`, ...parts].join('; '),
    result: { trading: true, changed: true, gateway: { ...ledger.gateway }, blocked_instruments: blocked, unresolved_orders: unresolved },
  }
}

const configured = ({ events }: ViewInput): Answer | undefined => {
  const [changed] = of(events, 'ConfigurationChanged')
  if (changed === undefined) return undefined
  const lines = Object.entries(changed.data.changes)
  return {
    text: lines
      .map(([name, { from, to }]) => `${name}: ${from === null ? 'not set' : JSON.stringify(from)} → ${JSON.stringify(to)}`)
      .join('; '),
    result: { changed: true, changes: changed.data.changes as Json },
  }
}

const cancelled = (input: ViewInput): Answer | undefined => {
  const { events, ledger, mode } = input
  const [withdrawn] = withdrawnIn(events)
  const orderRef = withdrawn ?? cancelsIn(events)[0]
  const order = orderRef === undefined ? undefined : ledger.orders[orderRef]
  if (orderRef === undefined || order === undefined) return undefined
  const filled = { filled: Number(order.filled), quantity: Number(order.quantity) }
  if (withdrawn !== undefined)
    return { text: `${words(order)} is withdrawn: it had not been handed over`, result: { orderRef, cancel: 'withdrawn', ...filled } }
  return {
    text: `the broker is asked to cancel ${words(order)}, ${absolute(order.filled)} filled so far${whenSent(input)}`,
    result: { orderRef, cancel: 'requested', ...filled, document: `positions/${mode}/openOrders/${orderRef}` },
  }
}

const resolved = ({ events, ledger }: ViewInput): Answer | undefined => {
  const [closed] = of(events, 'OrderClosed')
  const order = closed && ledger.orders[closed.data.orderRef]
  if (closed === undefined || order === undefined) return undefined
  const { orderRef, how, text } = closed.data
  const blocked = blockedBecause(ledger, order.conId) ?? null
  return {
    text: `${words(order)} is ${how}, ${text}${blocked === null ? '' : `; ${order.symbol} stays blocked: ${blocked}`}`,
    result: { orderRef, how, filled: Number(order.filled), quantity: Number(order.quantity), blocked },
  }
}

const answers: Readonly<Record<string, (input: ViewInput) => Answer | undefined>> = {
  halt: halted,
  resume: resumed,
  configure: configured,
  'cancel-order': cancelled,
  'resolve-order': resolved,
}

/** By the command's type; undefined for all others, and where its events say nothing that these know. */
export const switchAnswer = (input: ViewInput): Answer | undefined => {
  const { cause } = input.commit
  return cause.kind === 'command' && Object.hasOwn(answers, cause.type) ? answers[cause.type]!(input) : undefined
}
