/**
 * The one shape of an intent: a codec for its body, a gathering of facts that may wait, and a pure decision.
 * `gather` may run beside others and must read of the ledger what it needs before its first await.
 * `decide` sees the newest state, touches nothing, and gives the events of one commit or a refusal.
 */
import type * as t from 'io-ts'
import type { Command } from '../domain/commands.ts'
import type { Refusal } from '../domain/errors.ts'
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger, Pipeline } from '../domain/ledger.ts'
import type { PaperRecord } from '../domain/paper-record.ts'
import type { BarCatalogue } from '../domain/ports/bar-catalogue.ts'
import type { Broker } from '../domain/ports/broker.ts'
import type { Strategy } from '../domain/strategy.ts'

/** What lives in the engine and not in the state, as facts of one moment. */
export type EngineFacts = {
  /** Connected, account known, and the questions after the connect answered. */
  ready: boolean
  /** Orders that this process planned and has not handed to the socket. */
  notHandedOver: readonly string[]
  /** Ends of orders that the broker announced to this process, by order ref; they still have to be confirmed. */
  said: Readonly<Record<string, { how: 'cancelled' | 'rejected'; text: string; code?: number }>>
  strategies: Readonly<Record<string, Strategy>>
  /** Of the command that is decided, ISO times: until when it may plan; and, of a pipeline, until when it must have ended. */
  validUntil: string | null
  endsBy: string
}

export type Decision<B, F> = { ledger: Readonly<Ledger>; command: Command<B>; facts: F; now: number; engine: EngineFacts }

/** Reads the paper journal anew. @throws StoreUnavailable when it cannot be reached now; Error when there is none, or a broken one */
export type ReadPaperRecord = () => Promise<PaperRecord>

/** `now`: the market time at which the gathering begins. `paper`: of a live engine alone. */
export type Ports = { broker: Broker; catalogue: BarCatalogue; now: number; paper?: ReadPaperRecord }

export type Handler<B = unknown, F = unknown> = {
  body: t.Decoder<unknown, B>
  /**
   * In words, what is wrong with a body beyond what its codec can say, and whatever the state: fields that do not go together, a setting out of its
   * range. Whoever publishes asks this first, so that it reaches no topic; `decide` refuses it all the same, for it may come another way.
   */
  faultIn?(body: B): string | undefined
  /** Without a ready gateway it is refused for the moment, before anything is gathered. */
  needsBroker: boolean
  gather(ports: Ports, command: Command<B>, ledger: Readonly<Ledger>): Promise<F>
  decide(decision: Decision<B, F>): DomainEvent[] | Refusal
  /**
   * As a step it only asks, so that its pipeline can prove what it did: `validFor` ends planning, and this plans nothing. It is taken as
   * long as the pipeline may wait (`endsWithin`).
   */
  asksOnly?: boolean
  /** What a pipeline of this type does next, looking at the state alone. */
  next?: Policy
  /** What such a pipeline would leave undone if it ended now, in words; undefined: nothing. */
  left?: (ledger: Readonly<Ledger>, pipeline: Pipeline) => string | undefined
}

/** One step is a command of its own with a derived id; all steps given at once gather side by side and are decided in this order. */
export type Step = { id: string; type: string; body: Record<string, unknown> }
export type End = { outcome: 'completed' | 'partial_success' | 'failed' | 'refused' | 'expired'; code?: string; text: string }
export type Move = { wait: true } | { steps: Step[] } | { end: End }
export type Policy = (ledger: Readonly<Ledger>, pipeline: Pipeline) => Move

/** For intents whose facts are all in the state. */
export const nothingToGather = async (): Promise<null> => null

/** Keeps the types of body and facts together inside, and forgets them outside. */
export const defineHandler = <B, F>(handler: Handler<B, F>): Handler => handler as unknown as Handler
