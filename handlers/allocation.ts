/** `allocation`: the commander by itself, a pipeline because a decision may have to cancel first; and its single round. */

import { allocate } from '../domain/commander/commander.ts'
import { contradictionIn, resolveProperties } from '../domain/commander/order-properties.ts'
import { AllocationBody } from '../domain/commands.ts'
import { isRefusal, refuse } from '../domain/errors.ts'
import type { Ledger } from '../domain/ledger.ts'
import { defineHandler, nothingToGather } from './handler.ts'
import { allocationRounds, pipelineStarted } from './pipeline.ts'

export const allocation = defineHandler({
  body: AllocationBody,
  faultIn: ({ orderProperties }) => contradictionIn(orderProperties ?? {}),
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ command, engine }) => {
    const unknown = command.body.strategies?.find((id) => engine.strategies[id] === undefined)
    if (unknown !== undefined) return refuse('STRATEGY_UNKNOWN', unknown)
    const properties = resolveProperties(command.body.orderProperties ?? {}, Date.parse(command.publishedAt))
    return isRefusal(properties) ? properties : [pipelineStarted(command, engine)]
  },
  next: allocationRounds,
})

/** A dry run reads the signals of its own steps; a real decision never sees them. */
const withDrySignals = (ledger: Readonly<Ledger>, pipelineId: string): Readonly<Ledger> => {
  const { drySignals = {}, dryFailures = {} } = ledger.pipelines[pipelineId] ?? {}
  return { ...ledger, signals: { ...ledger.signals, ...drySignals }, failures: { ...ledger.failures, ...dryFailures } }
}

/** A step only: nobody publishes it. */
export const allocationRound = defineHandler({
  body: AllocationBody,
  needsBroker: true,
  gather: nothingToGather,
  decide: ({ ledger, command, now, engine }) => {
    const pipeline = command.pipeline ?? command.id
    const { dryRun = false, ...wishes } = command.body
    const facts = {
      gatewayReady: engine.ready,
      decision: pipeline,
      step: command.id,
      round: (ledger.pipelines[pipeline]?.rounds ?? 0) + 1,
      askedAt: Date.parse(command.publishedAt),
      knownStrategies: Object.keys(engine.strategies),
    }
    return allocate(dryRun ? withDrySignals(ledger, pipeline) : ledger, { dryRun, ...wishes }, facts, now)
  },
})
