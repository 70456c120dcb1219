/** `halt` and `resume`: the switch. A halt is never late, never waits, and outlives every resume that was published before it. */
import { HaltBody, ResumeBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { openOrders } from '../domain/ledger.ts'
import { defineHandler, nothingToGather } from './handler.ts'
import { cancelOrWithdraw } from './order-cancel.ts'

const changesNothing = (text: string): DomainEvent[] => [event('CommandCompleted', { result: { changed: false, text } })]

export const halt = defineHandler({
  body: HaltBody,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => {
    const { reason = 'halted by command', cancelWorking = settingOf(ledger.configuration, 'halt.cancelWorking') } = command.body
    const { on, haltPublishedAt } = ledger.trading
    // What is in hand is withdrawn even by a repeated halt; what was handed over counts as working and stays, unless its cancel is wished for.
    const orders = openOrders(ledger).filter((order) => cancelWorking || engine.notHandedOver.includes(order.orderRef))
    const ends = orders.flatMap((order) => cancelOrWithdraw(order, engine.notHandedOver, `halt: ${reason}`))
    const later = haltPublishedAt === null || command.publishedAt > haltPublishedAt
    if (!on && !later && ends.length === 0) return changesNothing('trading was halted already')
    return [...(on || later ? [event('TradingHalted', { reason, publishedAt: command.publishedAt, cancelWorking })] : []), ...ends]
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
