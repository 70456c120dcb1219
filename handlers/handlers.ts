/** Every intent, by the type of its command. Beside these, each strategy's id is one. */
import * as t from 'io-ts'
import { refuse } from '../domain/errors.ts'
import type { Strategy } from '../domain/strategy.ts'
import { allocation, allocationRound } from './allocation.ts'
import { cashBalancer } from './cash-balancer.ts'
import { closeAll } from './close-all.ts'
import { closeClear, closeRound } from './closing.ts'
import { collectMarketData } from './collect-market-data.ts'
import { configure } from './configure.ts'
import { dayClose, eodCheck } from './eod-check.ts'
import { explain } from './explain.ts'
import { defineHandler, type Handler, nothingToGather } from './handler.ts'
import { orchestrator } from './orchestrator.ts'
import { cancelOrder } from './order-cancel.ts'
import { proof, reconcile } from './reconcile.ts'
import { resolveOrder } from './resolve-order.ts'
import { riskCheck } from './risk-check.ts'
import { signal } from './signal.ts'
import { summary } from './summary.ts'
import { halt, resume } from './switch.ts'
import { tradeReconciliation } from './trade-reconciliation.ts'

/** What people and schedules publish. */
export const intents: Readonly<Record<string, Handler>> = {
  orchestrator,
  allocation,
  reconcile,
  summary,
  'close-all': closeAll,
  'risk-check': riskCheck,
  'eod-check': eodCheck,
  halt,
  resume,
  configure,
  explain,
  'collect-market-data': collectMarketData,
  'cash-balancer': cashBalancer,
  'trade-reconciliation': tradeReconciliation,
  'cancel-order': cancelOrder,
  'resolve-order': resolveOrder,
}

/** Steps that only pipelines take. */
const inner: Readonly<Record<string, Handler>> = {
  'allocation-round': allocationRound,
  'close-clear': closeClear,
  'close-round': closeRound,
  'day-close': dayClose,
  proof,
}

/** For a step whose strategy went away while its pipeline was open: the step is refused, and the pipeline goes on without it. */
export const unknownStep = defineHandler({
  body: t.UnknownRecord,
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ command }) => refuse('STRATEGY_UNKNOWN', command.type),
})

/** Names that no strategy may have: other commands, the holder that is nobody's book, and what the steps of pipelines are called. */
export const reservedNames: readonly string[] = [
  ...Object.keys(intents),
  ...Object.keys(inner),
  ...['manual', 'end', 'allocation2', 'allocation3'],
]

export type Handlers = {
  /** The handler of a published command and its canonical type; aliases of strategies are understood. */
  published(type: string): { type: string; handler: Handler } | undefined
  /** The handler of a pipeline's step. */
  step(type: string): Handler | undefined
}

export const handlersFor = (strategies: Readonly<Record<string, Strategy>>): Handlers => {
  const signals = new Map(Object.entries(strategies).map(([id, strategy]) => [id, signal(strategy)]))
  const aliases = new Map(
    Object.entries(strategies).flatMap(([id, { aliases: others = [] }]) => others.map((alias) => [alias.toLowerCase(), id] as const)),
  )
  return {
    published: (name) => {
      const lower = name.toLowerCase()
      const underscored = lower.replaceAll('_', '-')
      if (Object.hasOwn(intents, underscored)) return { type: underscored, handler: intents[underscored]! }
      const type = aliases.get(lower) ?? lower
      const handler = signals.get(type)
      return handler && { type, handler }
    },
    step: (type) => (Object.hasOwn(inner, type) ? inner[type] : Object.hasOwn(intents, type) ? intents[type] : signals.get(type)),
  }
}
