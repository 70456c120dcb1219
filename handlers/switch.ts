/** `halt` and `resume`: the switch. A halt is never late, never waits, and outlives every resume that was published before it. */
import { HaltBody, ResumeBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { isRefusal, type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { type Ledger, openOrders } from '../domain/ledger.ts'
import { type PaperRecord, paperChecklist, tradedFor } from '../domain/paper-record.ts'
import { StoreUnavailable } from '../domain/ports/journal.ts'
import { type Decision, defineHandler, nothingToGather, type Ports } from './handler.ts'
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

// ── Before live trading ──

/** Once for the journal, and again for each strategy that came later. */
const unproven = ({ mode, provenOnPaper, configuration }: Readonly<Ledger>): string[] | undefined => {
  if (mode !== 'live') return undefined
  const strategies = tradedFor(configuration).filter((strategy) => provenOnPaper?.includes(strategy) !== true)
  return provenOnPaper === null || strategies.length > 0 ? strategies : undefined
}

/** A store that is away passes; a journal that is not there, or is broken, does not vouch for anything. */
const readPaper = async ({ paper }: Ports): Promise<PaperRecord | Refusal> => {
  if (paper === undefined) return refuse('NOT_PROVEN_ON_PAPER', 'no paper journal is known; PAPER_JOURNAL names it')
  try {
    return await paper()
  } catch (error) {
    const { message } = error as Error
    return error instanceof StoreUnavailable
      ? refuse('STORE_UNAVAILABLE', `the paper journal: ${message}`)
      : refuse('NOT_PROVEN_ON_PAPER', `the paper journal cannot be read: ${message}`)
  }
}

const proofOn = (
  record: PaperRecord,
  strategies: readonly string[],
  { configuration }: Readonly<Ledger>,
  now: number,
): { position: number; hash: string; strategies: string[] } | Refusal => {
  const checklist = paperChecklist(record, { configuration, strategies, now })
  const unmet = checklist.filter(({ met }) => !met)
  if (unmet.length > 0) return refuse('NOT_PROVEN_ON_PAPER', unmet.map(({ text }) => text).join('; '), { checklist })
  return { position: record.position, hash: record.hash, strategies: [...strategies] }
}

/** In live mode trading goes on only for what has a record on paper; which one that was stands in the journal. */
export const resume = defineHandler({
  body: ResumeBody,
  needsBroker: false,
  gather: async (ports, _, ledger) => (unproven(ledger) === undefined || ledger.trading.on ? undefined : readPaper(ports)),
  decide: ({ ledger, command, facts, now }) => {
    const { on, haltPublishedAt } = ledger.trading
    if (haltPublishedAt !== null && command.publishedAt < haltPublishedAt)
      return refuse('SUPERSEDED_BY_HALT', `halted at ${haltPublishedAt}`)
    if (on) return changesNothing('trading was on already')
    const reason = command.body.reason ?? 'resumed by command'
    const strategies = unproven(ledger)
    if (strategies === undefined) return [event('TradingResumed', { reason })]
    if (facts === undefined) return refuse('NOT_PROVEN_ON_PAPER', 'switch or configuration changed meanwhile; resume again')
    const paper = isRefusal(facts) ? facts : proofOn(facts, strategies, ledger, now)
    return isRefusal(paper) ? paper : [event('TradingResumed', { reason, paper })]
  },
})
