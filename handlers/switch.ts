/** `halt` and `resume`: the switch. A halt is never late, never waits, and outlives every resume that was published before it. */
import { HaltBody, ResumeBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { openOrders } from '../domain/ledger.ts'
import { type Decision, defineHandler, nothingToGather } from './handler.ts'
import { cancelOrWithdraw } from './order-cancel.ts'

const changesNothing = (text: string): DomainEvent[] => [event('CommandCompleted', { result: { changed: false, text } })]

/**
 * The switch goes off. What is in hand is withdrawn even by a repeated halt; what was handed over counts as working and stays, unless its
 * cancel is wished for. Orders of a close-all stay either way: they lower the risk, and `cancel-order` is there for a single one.
 */
export const haltEvents = (
  { ledger, command, engine }: Pick<Decision<unknown, unknown>, 'ledger' | 'command' | 'engine'>,
  {
    reason,
    cancelWorking = settingOf(ledger.configuration, 'halt.cancelWorking'),
  }: { reason: string; cancelWorking?: boolean | undefined },
): DomainEvent[] => {
  const { on, haltPublishedAt } = ledger.trading
  const orders = openOrders(ledger).filter((order) => !order.closing && (cancelWorking || engine.notHandedOver.includes(order.orderRef)))
  const ends = orders.flatMap((order) => cancelOrWithdraw(order, engine.notHandedOver, `halt: ${reason}`))
  const later = haltPublishedAt === null || command.publishedAt > haltPublishedAt
  return [...(on || later ? [event('TradingHalted', { reason, publishedAt: command.publishedAt, cancelWorking })] : []), ...ends]
}

export const halt = defineHandler({
  body: HaltBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: (decision) => {
    const { reason = 'halted by command', cancelWorking } = decision.command.body
    const events = haltEvents(decision, { reason, cancelWorking })
    return events.length > 0 ? events : changesNothing('trading was halted already')
  },
})

export const resume = defineHandler({
  body: ResumeBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command }) => {
    const { on, haltPublishedAt } = ledger.trading
    if (haltPublishedAt !== null && command.publishedAt < haltPublishedAt)
      return refuse('SUPERSEDED_BY_HALT', `halted at ${haltPublishedAt}`)
    if (on) return changesNothing('trading was on already')
    return [event('TradingResumed', { reason: command.body.reason ?? 'resumed by command' })]
  },
})
