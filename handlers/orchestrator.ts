/** `orchestrator`: the daily run. Signals side by side → reconcile → the commander; a failed reconcile stops it. */
import { contradictionIn, resolveProperties } from '../domain/commander/order-properties.ts'
import { OrchestratorBody } from '../domain/commands.ts'
import { strategySettingOf } from '../domain/configuration.ts'
import { isRefusal, refuse } from '../domain/errors.ts'
import { defineHandler, nothingToGather, type Policy } from './handler.ts'
import { allocationRounds, because, pipelineStarted } from './pipeline.ts'

const next: Policy = (ledger, pipeline) => {
  const strategies = pipeline.plan['signals'] as string[]
  const body = pipeline.plan['dryRun'] === true ? { dryRun: true } : {}
  const signals = strategies
    .map((type) => ({ id: `${pipeline.id}:${type}`, type, body }))
    .filter(({ id }) => pipeline.steps[id] === undefined)
  if (signals.length > 0) return { steps: signals }
  if (pipeline.plan['runReconcile'] !== false) {
    const id = `${pipeline.id}:reconcile`
    const reconciled = pipeline.steps[id]
    if (reconciled === undefined) return { steps: [{ id, type: 'reconcile', body: {} }] }
    if (reconciled.outcome !== 'done') {
      const text = because('the reconcile failed, so nothing was allocated', reconciled)
      return { end: { outcome: 'failed', code: reconciled.code ?? 'RECONCILE_FAILED', text } }
    }
  }
  return allocationRounds(ledger, pipeline)
}

export const orchestrator = defineHandler({
  body: OrchestratorBody,
  faultIn: ({ orderProperties }) => contradictionIn(orderProperties ?? {}),
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => {
    const { strategies: wanted } = command.body
    const unknown = wanted?.find((id) => engine.strategies[id] === undefined)
    if (unknown !== undefined) return refuse('STRATEGY_UNKNOWN', unknown)
    const properties = resolveProperties(command.body.orderProperties ?? {}, Date.parse(command.publishedAt))
    if (isRefusal(properties)) return properties
    // Without a wish, every strategy that is enabled and has money or holds something gives a signal. That list is a fact from here on;
    // the decision is about everybody all the same: who is disabled and holds something is named in it.
    const signals =
      wanted ??
      Object.keys(engine.strategies)
        .filter((id) => strategySettingOf(ledger.configuration, id, 'enabled'))
        .filter((id) => strategySettingOf(ledger.configuration, id, 'allocation') > 0 || Object.keys(ledger.books[id] ?? {}).length > 0)
        .sort()
    return [pipelineStarted({ id: command.id, body: { ...command.body, signals } }, engine)]
  },
  next: (ledger, pipeline) => next(ledger, pipeline),
})
