/**
 * How books are closed, step by step: orders that have to end, a look at what the broker holds, orders that make flat, and the proof.
 * Used by every pipeline that closes something (`closingOf`), as a policy over the state.
 */
import * as t from 'io-ts'
import { closePositions, standingTargetsToZero, unresolvedInstruments } from '../domain/closing/close.ts'
import {
  type Closing,
  closingOf,
  hasMoreToClose,
  isInDoubt,
  isOpposedByExit,
  leftOpen,
  ordersOf,
  ordersToEnd,
} from '../domain/closing/holders.ts'
import { isZero } from '../domain/decimal.ts'
import { isRefusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Instrument, Ledger, Pipeline, StepOutcome } from '../domain/ledger.ts'
import { isOpen, type Order } from '../domain/order.ts'
import type { Contract } from '../domain/ports/broker.ts'
import { defineHandler, type End, type Move, nothingToGather, type Ports } from './handler.ts'
import { hoursIn } from './instruments.ts'
import { cancelOrWithdraw } from './order-cancel.ts'
import { because } from './pipeline.ts'

/** Decided again so often when something is left after all orders have ended. */
const mostRounds = 3

const numbered = (name: string, round: number): string => `${name}${round <= 1 ? '' : round}`
const clearId = ({ id }: Pipeline): string => `${id}:clear`
const lookId = ({ id }: Pipeline): string => `${id}:look`
const roundId = ({ id }: Pipeline, round: number): string => `${id}:${numbered('close', round)}`
const proofId = ({ id }: Pipeline, rounds: number): string => `${id}:${numbered('proof', rounds)}`

// ── The policy ──

const isAwaited = (order: Order | undefined): boolean => order !== undefined && isOpen(order) && order.status !== 'unresolved'

const ownOrders = (ledger: Readonly<Ledger>, { id }: Pipeline): Order[] =>
  Object.values(ledger.orders).filter(({ decision }) => decision === id)

const touchedBy = (ledger: Readonly<Ledger>, pipeline: Pipeline): number[] => ownOrders(ledger, pipeline).map(({ conId }) => conId)

/** What the pipeline would leave as it is; undefined when all is closed, or when it closes nothing. */
export const leftToClose = (ledger: Readonly<Ledger>, pipeline: Pipeline): string | undefined => {
  const closing = closingOf(pipeline)
  const left = closing && leftOpen(ledger, closing, touchedBy(ledger, pipeline))
  return left && `left: ${left}`
}

const roundsOf = (pipeline: Pipeline): number => {
  let rounds = 0
  while (pipeline.steps[roundId(pipeline, rounds + 1)] !== undefined) rounds++
  return rounds
}

export const hasBegunToClose = (pipeline: Pipeline): boolean => pipeline.steps[clearId(pipeline)] !== undefined

const failedStep = ({ steps }: Pipeline, ids: readonly string[]): { id: string; step: StepOutcome } | undefined =>
  ids.flatMap((id) => (steps[id] === undefined || steps[id].outcome === 'done' ? [] : [{ id, step: steps[id] }]))[0]

const endOf = (ledger: Readonly<Ledger>, pipeline: Pipeline): End => {
  const orders = ownOrders(ledger, pipeline)
  const left = leftToClose(ledger, pipeline)
  const by = orders.length === 0 ? '' : `, by ${orders.length} ${orders.length === 1 ? 'order' : 'orders'}`
  if (left === undefined) return { outcome: 'completed', text: `flat${by}, as the reconcile of ${ledger.snapshot?.takenAt} shows` }
  const ends = orders
    .filter(({ how }) => how !== null && how !== 'filled')
    .map(({ orderRef, how, closedText }) => `${orderRef} ${how}, ${closedText}`)
  const text = [left, ...ends].join('; ')
  return { outcome: orders.some(({ filled }) => !isZero(filled)) ? 'partial_success' : 'failed', code: 'NOT_FLAT', text }
}

/** @param clearFirst the standing targets are not at 0 yet */
export const closingSteps = (ledger: Readonly<Ledger>, pipeline: Pipeline, closing: Closing, clearFirst = false): Move => {
  const step = (id: string, type: string): Move => ({ steps: [{ id, type, body: {} }] })
  const ending = ordersToEnd(ledger, closing)
  const clear = clearId(pipeline)
  if (pipeline.steps[clear] === undefined && (clearFirst || ending.some(({ cancelRequested }) => !cancelRequested)))
    return step(clear, 'close-clear')

  const rounds = roundsOf(pipeline)
  const failed = failedStep(pipeline, [clear, lookId(pipeline), roundId(pipeline, rounds), proofId(pipeline, rounds)])
  if (failed !== undefined) {
    const why = because(`the step ${failed.id} could not be taken`, failed.step)
    const text = [why, leftToClose(ledger, pipeline)].filter((part) => part !== undefined).join('; ')
    return { end: { outcome: 'failed', code: failed.step.code ?? failed.step.outcome, text } }
  }

  const opposing = pipeline.cancels.some((orderRef) => isAwaited(ledger.orders[orderRef]))
  if (opposing || ordersOf(ledger, closing).some(isAwaited)) return { wait: true }
  if (isInDoubt(ledger, closing, touchedBy(ledger, pipeline))) return { wait: true }
  if (hasMoreToClose(ledger, closing) && rounds < mostRounds) {
    if (isOpposedByExit(ledger, closing)) return { wait: true }
    if (pipeline.steps[lookId(pipeline)] === undefined) return step(lookId(pipeline), 'proof')
    return step(roundId(pipeline, rounds + 1), 'close-round')
  }
  if (pipeline.steps[proofId(pipeline, rounds)] === undefined) return step(proofId(pipeline, rounds), 'proof')
  return { end: endOf(ledger, pipeline) }
}

// ── The steps ──

const notAStep = () => refuse('BODY_INVALID', 'this is a step of a pipeline that closes books, and nothing by itself')

/** Targets to 0 where they are not yet, and an end to every order in which those books have a share. */
export const closeClear = defineHandler({
  body: t.UnknownRecord,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, now, engine }) => {
    const closing = closingOfStep(ledger, command.pipeline)
    if (closing === undefined) return notAStep()
    const ends = ordersToEnd(ledger, closing).flatMap((order) =>
      cancelOrWithdraw(order, engine.notHandedOver, `the book is closed by ${command.pipeline}`),
    )
    return [...standingTargetsToZero(ledger, closing, now), ...ends]
  },
})

const closingOfStep = (ledger: Readonly<Ledger>, pipelineId: string | undefined): Closing | undefined => {
  const pipeline = ledger.pipelines[pipelineId ?? '']
  return pipeline && closingOf(pipeline)
}

/** Contracts of holdings that no decision of ours ever named. One that the broker does not know is left out. */
export const askInstruments = async ({ broker }: Ports, ledger: Readonly<Ledger>, closing: Closing): Promise<Contract[]> => {
  const found = await Promise.all(
    unresolvedInstruments(ledger, closing).map(async ({ conId, symbol, secType, currency }) => {
      const contracts = await broker.contracts({ conId, symbol, secType, exchange: '', currency })
      return contracts.filter((contract) => contract.conId === conId).slice(0, 1)
    }),
  )
  return found.flat()
}

const instrumentOf = (contract: Contract): Instrument => {
  const { conId, symbol, secType, exchange, currency, multiplier, sizeStep, minTick } = contract
  const declared = { symbol, secType, exchange, currency }
  return { declared, conId, symbol, secType, exchange, currency, multiplier, sizeStep, minTick, ...hoursIn(contract) }
}

export const withInstruments = (
  ledger: Readonly<Ledger>,
  contracts: readonly Contract[],
): { ledger: Readonly<Ledger>; found: DomainEvent[] } => {
  const found = contracts.map(instrumentOf).filter(({ conId }) => ledger.instruments[conId] === undefined)
  const instruments = { ...ledger.instruments, ...Object.fromEntries(found.map((instrument) => [instrument.conId, instrument])) }
  return { ledger: { ...ledger, instruments }, found: found.map((instrument) => event('InstrumentResolved', instrument)) }
}

/** One round of orders. A pipeline that may only trade in its session says until when. */
export const closeRound = defineHandler({
  body: t.UnknownRecord,
  needsBroker: true,
  gather: async (ports, command, ledger) => {
    const closing = closingOfStep(ledger, command.pipeline)
    return closing === undefined ? [] : askInstruments(ports, ledger, closing)
  },
  decide: ({ ledger, command, facts, now }) => {
    const pipeline = ledger.pipelines[command.pipeline ?? '']
    const closing = closingOfStep(ledger, command.pipeline)
    if (pipeline === undefined || closing === undefined) return notAStep()
    const until = pipeline.plan['tradesUntil']
    if (typeof until === 'string' && now >= Date.parse(until)) return refuse('SESSION_OVER', `at ${until}`)
    const known = withInstruments(ledger, facts)
    const round = { decision: pipeline.id, step: command.id, round: pipeline.rounds + 1, dryRun: false }
    const decided = closePositions(known.ledger, closing, round, now)
    return isRefusal(decided) ? decided : [...known.found, ...decided]
  },
})
