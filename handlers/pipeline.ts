/**
 * Pipelines: intents that need several decisions with waiting between them. A pipeline is a policy over the state, so a restart
 * continues where the journal stands. Step ids derive from the command's id, so a step is decided once.
 */
import { type ErrorCode, errors } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Ledger, Pipeline, StepOutcome } from '../domain/ledger.ts'
import { isOpen, type Order } from '../domain/order.ts'
import type { EngineFacts, Move } from './handler.ts'

/** Asked anew so often when a decision first had to cancel something. */
const mostRounds = 3

export const pipelineStarted = (command: { id: string; body: unknown }, { validUntil, endsBy }: EngineFacts): DomainEvent =>
  event('PipelineStarted', { pipeline: command.id, plan: { ...(command.body as object) }, validUntil, endsBy })

export const endId = (pipeline: string): string => `${pipeline}:end`

/** The commander, again after each round that had to cancel; then until each of its orders is seen, refused or in doubt. */
export const allocationRounds = (ledger: Readonly<Ledger>, pipeline: Pipeline): Move => {
  const stepId = (round: number) => `${pipeline.id}:allocation${round === 1 ? '' : round}`
  const round = latestRound(pipeline, stepId)
  const step = pipeline.steps[stepId(round)]
  if (step === undefined) return { steps: [{ id: stepId(round), type: 'allocation-round', body: allocationBody(pipeline) }] }
  if (step.outcome !== 'done') return { end: { outcome: step.outcome === 'refused' ? 'refused' : 'failed', ...coded(step) } }
  if (pipeline.plan['dryRun'] === true) return { end: { outcome: 'completed', text: 'dry run: decided, nothing ordered' } }
  const stillOpen = pipeline.cancels.some((orderRef) => isOpenIn(ledger, orderRef))
  const unseen = pipeline.orders.some((orderRef) => ledger.orders[orderRef]?.status === 'planned')
  if (stillOpen || unseen) return { wait: true }
  if (pipeline.cancels.length > 0 && round < mostRounds)
    return { steps: [{ id: stepId(round + 1), type: 'allocation-round', body: allocationBody(pipeline) }] }
  return { end: outcomeOf(ledger, pipeline) }
}

const latestRound = (pipeline: Pipeline, stepId: (round: number) => string): number => {
  let round = 1
  while (pipeline.steps[stepId(round + 1)] !== undefined) round++
  return round
}

const isOpenIn = (ledger: Readonly<Ledger>, orderRef: string): boolean => {
  const order = ledger.orders[orderRef]
  return order !== undefined && isOpen(order)
}

const allocationBody = ({ plan }: Pipeline): Record<string, unknown> =>
  Object.fromEntries(Object.entries(plan).filter(([name]) => name !== 'runReconcile' && name !== 'signals'))

/** What did not happen, and why the step says it did not. */
export const because = (what: string, { text }: StepOutcome): string => (text === undefined ? what : `${what}: ${text}`)

const coded = ({ code, text }: StepOutcome) => ({
  ...(code === undefined ? {} : { code }),
  text: text ?? errors[code as ErrorCode]?.text ?? code ?? 'failed',
})

/** Whoever reads how a run ended should not have to look the order up. */
const fateOf = ({ orderRef, status, how, closedText }: Order): string =>
  status === 'unresolved' ? `${orderRef} in doubt, no answer of the broker names it` : `${orderRef} ${how}, ${closedText}`

/** Each order has its own line in the execution's document. */
const shownFates = 50

const outcomeOf = (ledger: Readonly<Ledger>, { orders, cancels }: Pipeline) => {
  const poor = orders.filter((orderRef) => {
    const order = ledger.orders[orderRef]
    return order?.status === 'unresolved' || order?.how === 'rejected' || order?.how === 'lost' || order?.how === 'withdrawn'
  })
  if (cancels.length > 0)
    return { outcome: 'partial_success', text: `after ${mostRounds} decisions orders still had to be cancelled first` } as const
  if (orders.length === 0) return { outcome: 'completed', text: 'nothing to order' } as const
  if (poor.length === 0)
    return { outcome: 'completed', text: `${orders.length} ${orders.length === 1 ? 'order' : 'orders'} at the broker` } as const
  const fates = poor.slice(0, shownFates).map((orderRef) => fateOf(ledger.orders[orderRef]!))
  const more = poor.length > shownFates ? ` and ${poor.length - shownFates} more` : ''
  const text = `${poor.length} of ${orders.length} orders refused, withdrawn or in doubt: ${fates.join('; ')}${more}`
  return { outcome: poor.length === orders.length ? 'failed' : 'partial_success', text } as const
}
