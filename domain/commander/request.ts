import type { OrderProperties } from '../commands.ts'

/** What is asked of the commander. `strategies`: the others are left alone, though their books still count. */
export type AllocationRequest = {
  dryRun: boolean
  strategies?: string[]
  freshMinutes?: number
  orderProperties?: OrderProperties
}

/** What reaches the decision beside the state: the engine's facts. */
export type AllocationFacts = {
  gatewayReady: boolean
  /** The id of the command, or of the pipeline, that the audit of its orders belongs to. */
  decision: string
  /** The id of the command or step, from which the order refs are made. */
  step: string
  /** 1, 2 … within one pipeline. */
  round: number
  /** Epoch milliseconds of the command's publication: the times it names are counted from then. Now when absent. */
  askedAt?: number
  /** Ids of the strategies that the engine found, enabled or not. */
  knownStrategies: string[]
}
