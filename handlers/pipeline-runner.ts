/**
 * Takes up the steps of open pipelines: looks at each policy after every commit, gathers its steps side by side,
 * decides them in their order, and ends what is over. Nothing here is remembered; a restart looks at the same state.
 */
import type { Command } from '../domain/commands.ts'
import { event } from '../domain/events.ts'
import type { Ledger, Pipeline } from '../domain/ledger.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Decided, Gathered } from './deciding.ts'
import type { End, Move, Step } from './handler.ts'
import type { Handlers } from './handlers.ts'
import { endId } from './pipeline.ts'
import { aboutCommand } from './telling.ts'
import type { Log, Writer } from './writer.ts'

const firstBackOff = 1_000
const longestBackOff = 60_000

export type PipelineRunner = { advance(): void; open(): boolean; stop(): void }

/** Taken up again and again, it would never be done. */
const taken = ({ id }: Step): End => ({ outcome: 'failed', code: 'STEP_ID_TAKEN', text: `${id} is the id of another command` })

export const createPipelineRunner = ({
  ledger,
  handlers,
  clock,
  writer,
  log,
  gather,
  decide,
  asking,
}: {
  ledger: Readonly<Ledger>
  handlers: Handlers
  clock: Clock
  writer: Writer
  log: Log
  gather: (command: Command) => Promise<Gathered>
  decide: (command: Command, gathered: Gathered) => Promise<Decided>
  /** True while the engine asks the broker of its own accord: nothing is planned in the middle of that. */
  asking: () => boolean
}): PipelineRunner => {
  /** Ids of steps and ends that this process is at work on, or waits to try again. */
  const inHand = new Set<string>()
  const backOffs = new Map<string, number>()
  /** Why a step of a pipeline could not be decided the last time. */
  const reasons = new Map<string, string>()
  const timers = new Map<string, () => void>()
  let working = 0
  let stopped = false

  const causeOf = (pipeline: Pipeline, id: string, type: string) => ({
    kind: 'command' as const,
    id,
    type,
    publishedAt: pipeline.publishedAt,
    source: pipeline.source,
    ...(pipeline.actor === null ? {} : { actor: pipeline.actor }),
    ...(pipeline.correlationId === null ? {} : { correlationId: pipeline.correlationId }),
    ...(pipeline.job === null ? {} : { job: pipeline.job }),
    pipeline: pipeline.id,
  })

  const commandOf = (pipeline: Pipeline, step: Step): Command => {
    const { kind: _, ...cause } = causeOf(pipeline, step.id, step.type)
    return { ...cause, body: step.body }
  }

  const moveOf = (pipeline: Pipeline): Move => {
    const { next, left } = handlers.step(pipeline.type) ?? {}
    if (next === undefined)
      return { end: { outcome: 'failed', code: 'UNKNOWN_PIPELINE', text: `this engine knows no pipeline ${pipeline.type}` } }
    const now = isoTime(clock.now())
    const move = next(ledger, pipeline)
    const because = (): string =>
      [whyOf(pipeline), left?.(ledger, pipeline)].map((text) => (text === undefined ? '' : `; ${text}`)).join('')
    const plans = 'steps' in move && move.steps.some(({ type }) => handlers.step(type)?.asksOnly !== true)
    if (plans && pipeline.validUntil !== null && now > pipeline.validUntil)
      return {
        end: {
          outcome: 'expired',
          code: 'EXPIRED',
          text: `valid until ${pipeline.validUntil}: nothing more is planned${because()}`,
        },
      }
    if (!('end' in move) && now >= pipeline.endsBy)
      return {
        end: {
          outcome: 'failed',
          code: 'ENDS_WITHIN',
          text: `still waiting at ${pipeline.endsBy}, when it had to end${because()}`,
        },
      }
    return move
  }

  const end = (pipeline: Pipeline, { outcome, code, text }: End): void => {
    const id = endId(pipeline.id)
    if (inHand.has(id)) return
    inHand.add(id)
    void writer.enqueue(async () => {
      const data = { pipeline: pipeline.id, outcome, text, ...(code === undefined ? {} : { code }) }
      // Ids come from outside: where somebody's command has the name of this end, the end takes another.
      let name = id
      while (
        ledger.pipelines[pipeline.id] !== undefined &&
        (await writer.commit(causeOf(pipeline, name, pipeline.type), [event('PipelineEnded', data)])) === 'already'
      )
        name = endId(name)
      inHand.delete(id)
    })
  }

  const release = (step: Step): void => {
    inHand.delete(step.id)
    backOffs.delete(step.id)
  }

  const whyOf = ({ id }: Pipeline): string | undefined => reasons.get(id)

  const tryAgain = (pipeline: Pipeline, step: Step, reason: string): void => {
    reasons.set(pipeline.id, reason)
    const wait = backOffs.get(step.id) ?? firstBackOff
    backOffs.set(step.id, Math.min(wait * 2, longestBackOff))
    log.info({ ...aboutCommand(commandOf(pipeline, step)), step: step.id, wait }, `tried again later: ${reason}`)
    clock.at(clock.now() + wait, () => {
      inHand.delete(step.id)
      advance()
    })
  }

  const run = async (pipeline: Pipeline, steps: readonly Step[]): Promise<void> => {
    for (const step of steps) inHand.add(step.id)
    working++
    const commands = steps.map((step) => commandOf(pipeline, step))
    const facts = await Promise.all(commands.map(gather))
    const decisions = commands.map((command, index) => decide(command, facts[index]!))
    for (const [index, decision] of decisions.entries()) {
      const decided = await decision
      if (decided.outcome === 'later') tryAgain(pipeline, steps[index]!, decided.reason)
      else if (decided.appended === 'already' && ledger.pipelines[pipeline.id]?.steps[steps[index]!.id] === undefined)
        end(pipeline, taken(steps[index]!))
      else release(steps[index]!)
    }
    working--
    advance()
  }

  const arm = (pipeline: Pipeline): void => {
    if (timers.has(pipeline.id)) return
    timers.set(pipeline.id, clock.at(Date.parse(pipeline.endsBy), advance))
  }

  const advance = (): void => {
    if (stopped) return
    for (const [id, cancel] of timers)
      if (ledger.pipelines[id] === undefined) {
        cancel()
        timers.delete(id)
        reasons.delete(id)
      }
    for (const pipeline of Object.values(ledger.pipelines)) {
      arm(pipeline)
      const move = moveOf(pipeline)
      if ('end' in move) end(pipeline, move.end)
      // A group of steps is taken up whole: those that are done are not in it, those in hand wait for their turn.
      else if ('steps' in move && !asking()) {
        const steps = move.steps.filter((step) => !inHand.has(step.id))
        if (steps.length > 0) void run(pipeline, steps)
      }
    }
  }

  return {
    advance,
    open: () => working > 0,
    stop: () => {
      stopped = true
      for (const cancel of timers.values()) cancel()
    },
  }
}
