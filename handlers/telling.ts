/** What the log says of commands, of what was decided for them, and of what became of their orders: each line names the request it goes back to. */
import type { Command } from '../domain/commands.ts'
import { type Cause, correlationOf } from '../domain/commit.ts'
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Committed, Log } from './writer.ts'

/** The fields of any line about a command. */
export const aboutCommand = ({ id, type, actor, correlationId }: Pick<Command, 'id' | 'type' | 'actor' | 'correlationId'>) => ({
  command: id,
  type,
  ...(actor === undefined ? {} : { actor }),
  ...(correlationId === undefined ? {} : { correlationId }),
})

/** The fields of any line about an order of ours. */
export const aboutOrder = (ledger: Readonly<Ledger>, orderRef: string) => {
  const correlationId = ledger.orders[orderRef]?.correlationId
  return { orderRef, ...(correlationId === undefined ? {} : { correlationId }) }
}

/** The one request that all the orders have, which the events are about. */
export const requestOf = (ledger: Readonly<Ledger>, events: readonly DomainEvent[]): { correlationId?: string } => {
  const refs = events.flatMap(({ data }) => ('orderRef' in data && typeof data.orderRef === 'string' ? [data.orderRef] : []))
  const [first, ...others] = new Set(refs.map((orderRef) => ledger.orders[orderRef]?.correlationId))
  return first === undefined || others.length > 0 ? {} : { correlationId: first }
}

const aboutCause = (cause: Cause): object => (cause.kind === 'command' ? aboutCommand(cause) : correlationOf(cause))

/** In a person's words, where an order of ours is concerned. */
const orderLineOf = ({ type, data }: DomainEvent): string | undefined => {
  switch (type) {
    case 'OrderPlanned':
      return `order of ${data.quantity} ${data.symbol} planned`
    case 'OrderPlaced':
      return 'order is at the broker'
    case 'FillReceived':
      return `${data.quantity} ${data.symbol} filled at ${data.price}`
    case 'OrderCancelRequested':
      return `cancel wished for: ${data.reason}`
    case 'OrderClosed':
      return `order is ${data.how}: ${data.text}`
    default:
      return undefined
  }
}

const alertLineOf = ({ type, data }: DomainEvent): { fields: object; text: string } | undefined => {
  switch (type) {
    case 'OrderUnresolved':
    case 'DiscrepancyFound':
      return { fields: { conId: data.conId }, text: data.text }
    case 'RiskBreached':
      return { fields: { rule: data.rule, scope: data.scope }, text: data.text }
    case 'TradingHalted':
      return { fields: {}, text: `trading is halted: ${data.reason}` }
    case 'SignalFailed':
      return { fields: { strategy: data.strategy, code: data.code }, text: data.text }
    case 'GatewayLost':
      return { fields: {}, text: `the gateway is gone: ${data.reason}` }
    default:
      return undefined
  }
}

/** One line for a command, one for each thing that happened to an order, and what a person should look at as a warning. */
export const tell = ({ commit: { cause, position }, events }: Committed, ledger: Readonly<Ledger>, log: Log): void => {
  const about = aboutCause(cause)
  if (cause.kind === 'command') {
    const types = [...new Set(events.map(({ type }) => type))]
    log.info({ ...about, source: cause.source, position, events: types }, `${cause.type} decided: ${types.join(', ')}`)
  }
  for (const event of events) {
    const orderLine = orderLineOf(event)
    if (orderLine !== undefined && 'orderRef' in event.data)
      log.info({ ...about, ...aboutOrder(ledger, event.data.orderRef), event: event.type, position }, orderLine)
    const alert = alertLineOf(event)
    if (alert !== undefined) log.warn({ ...about, ...alert.fields }, alert.text)
  }
}
