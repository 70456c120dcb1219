/**
 * `close-all`: makes the named books flat, all of ours where none is named, `manual` only where it was asked for. It lowers the risk, so it
 * works while trading is halted, and it outlives a weekend: with the market closed its orders wait at the broker for the next open.
 */
import { newYorkDate, nextSession, sessionOn } from '../domain/calendar.ts'
import { closePositions, standingTargetsToZero, withoutOrders } from '../domain/closing/close.ts'
import { type Closing, closesHolder, closingOf, holdersOf, ordersToEnd } from '../domain/closing/holders.ts'
import { CloseAllBody } from '../domain/commands.ts'
import { isRefusal, type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Contract } from '../domain/ports/broker.ts'
import { isoTime } from '../domain/ports/clock.ts'
import { askInstruments, closingSteps, leftToClose, withInstruments } from './closing.ts'
import { type Decision, defineHandler, type Policy } from './handler.ts'
import { pipelineStarted } from './pipeline.ts'

type Body = { dryRun?: boolean; strategies?: string[]; includeManual?: boolean; reason?: string }

const closingFrom = ({ strategies, includeManual = false }: Body): Closing => ({ strategies, includeManual })

const changesNothing = (text: string, more: Record<string, unknown> = {}): DomainEvent[] => [
  event('CommandCompleted', { result: { changed: false, text, ...more } }),
]

const faultIn = ({ strategies }: Body): string | undefined => {
  if (strategies?.length === 0) return 'strategies: name whose books to close, or leave it out to close all of ours'
  return strategies?.includes('manual') ? 'strategies: manual is no book; ask for it by includeManual: true' : undefined
}

const refusalOf = ({ ledger, command, engine }: Decision<Body, unknown>): Refusal | undefined => {
  const { strategies } = command.body
  const fault = faultIn(command.body)
  if (fault !== undefined) return refuse('BODY_INVALID', fault)
  if (strategies === undefined) return undefined
  const isKnown = (id: string): boolean => engine.strategies[id] !== undefined || Object.hasOwn(ledger.books, id)
  const unknown = strategies.find((id) => !isKnown(id) && ledger.standing[id] === undefined)
  return unknown === undefined ? undefined : refuse('STRATEGY_UNKNOWN', unknown)
}

/** An open pipeline that closes all of these already. */
const closerOf = (ledger: Readonly<Ledger>, holders: readonly string[]): string | undefined =>
  Object.values(ledger.pipelines).find((pipeline) => {
    const closing = closingOf(pipeline)
    return closing !== undefined && holders.every((holder) => closesHolder(closing, holder))
  })?.id

/** What it would do now: the orders that have to end are taken for ended as they stand. */
const dryAnswer = ({ ledger, command, facts, now }: Decision<Body, Contract[] | null>, holders: string[]): DomainEvent[] | Refusal => {
  const closing = closingFrom(command.body)
  const cancels = ordersToEnd(ledger, closing).map(({ orderRef }) => orderRef)
  const after = withInstruments(withoutOrders(ledger, cancels), facts ?? []).ledger
  const round = { decision: command.id, step: command.id, round: 1, dryRun: true }
  const decided = closePositions(after, closing, round, now)
  if (isRefusal(decided)) return decided
  const decision = decided.flatMap((found) => (found.type === 'AllocationDecided' ? [found.data] : []))[0]!
  const crossed = decided.flatMap((found) => (found.type === 'PositionsCrossed' ? [found.data] : []))
  const orders = decision.orders.map(({ conId, symbol, quantity, type, shares }) => ({ conId, symbol, quantity, type, shares }))
  const text = `dry run: would cancel ${cancels.length} and place ${orders.length} ${orders.length === 1 ? 'order' : 'orders'}`
  const result = { dryRun: true, changed: false, text, books: holders, cancels: [...cancels, ...decision.cancels], crossed, orders }
  return [event('CommandCompleted', { result: { ...result, notes: decision.notes } })]
}

/**
 * Until when it plans: through the whole next session at least. One that has to wait for another's exit waits over the same nights and days
 * without a session, and is no business of the day before when its turn comes at the open.
 */
const validUntil = (command: string | null, now: number): string | null => {
  if (command === null) return null
  const today = sessionOn(newYorkDate(now))
  const { close } = today !== undefined && now < today.open ? today : nextSession(newYorkDate(now))
  return isoTime(Math.max(Date.parse(command), close))
}

const next: Policy = (ledger, pipeline) => {
  const closing = closingOf(pipeline)
  if (closing === undefined) return { end: { outcome: 'completed', text: 'nothing to close' } }
  return closingSteps(ledger, pipeline, closing)
}

export const closeAll = defineHandler({
  body: CloseAllBody,
  faultIn,
  needsBroker: false,
  gather: async (ports, { body }, ledger) => (body.dryRun === true ? askInstruments(ports, ledger, closingFrom(body)) : null),
  decide: (decision) => {
    const { ledger, command, now, engine } = decision
    const refused = refusalOf(decision)
    if (refused !== undefined) return refused
    const closing = closingFrom(command.body)
    const holders = holdersOf(ledger, closing, now)
    if (holders.length === 0) return changesNothing('already flat')
    if (command.body.dryRun === true) return dryAnswer(decision, holders)
    const closer = closerOf(ledger, holders)
    if (closer !== undefined) return changesNothing(`${closer} is closing that already`, { pipeline: closer })
    const plans = { ...engine, validUntil: validUntil(engine.validUntil, now) }
    return [pipelineStarted(command, plans), ...standingTargetsToZero(ledger, closing, now)]
  },
  next,
  left: leftToClose,
})
