/**
 * How one command is carried through its handler: gather, decide, append. The same for published commands and for steps,
 * so that every refusal, expiry and failure is treated in one place.
 */
import type { Command } from '../domain/commands.ts'
import type { Cause } from '../domain/commit.ts'
import { decode } from '../domain/decode.ts'
import { errors, isRefusal, passes, type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { BarCatalogue } from '../domain/ports/bar-catalogue.ts'
import { type Broker, BrokerUnavailable } from '../domain/ports/broker.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import { withoutSecrets } from '../domain/secrets.ts'
import type { EngineFacts, Handler, Ports, ReadPaperRecord } from './handler.ts'
import { aboutCommand } from './telling.ts'
import { type Log, NotWritable, type Writer } from './writer.ts'

/** What came of gathering: facts, a refusal, or the bug that kept it from ending. `sequence`: the reports that had been heard when it began. */
export type Gathered = { sequence: number } & ({ facts: unknown } | Refusal | { bug: Error })

/** `appended`: not when it had been decided before. `later`: a passing refusal; nothing was written. */
export type Decided = { outcome: 'decided'; appended?: 'appended' | 'already' } | { outcome: 'later'; reason: string }

export type Deciding = {
  gather(command: Command, handler: Handler): Promise<Gathered>
  /** Queues the decision. @param urgency of the queue */
  decide(command: Command, handler: Handler, gathered: Gathered, urgency?: 'urgent' | 'normal'): Promise<Decided>
}

const asRefusal = (error: unknown): Refusal | { bug: Error } => {
  if (!(error instanceof BrokerUnavailable)) return { bug: error instanceof Error ? error : new Error(String(error)) }
  if (error.why === 'refused') return refuse('BROKER_REFUSED', error.message)
  return refuse(error.why === 'timedOut' ? 'BROKER_TIMED_OUT' : 'GATEWAY_NOT_READY', error.message)
}

export const causeOf = ({ body: _, ...command }: Command): Cause => ({ kind: 'command', ...command })

export const createDeciding = ({
  ledger,
  broker,
  catalogue,
  paper,
  clock,
  writer,
  log,
  ready,
  sequence,
  facts,
  validFor,
  patience,
}: {
  ledger: Readonly<Ledger>
  broker: Broker
  catalogue: BarCatalogue
  paper?: ReadPaperRecord | undefined
  clock: Clock
  writer: Writer
  log: Log
  ready: () => boolean
  sequence: () => number
  facts: (command: Command, sequence: number) => EngineFacts
  /** Milliseconds from the publish time; a step is valid as long as its pipeline. */
  validFor: (command: Command) => number
  /** Milliseconds from the publish time for which a broker that is there, but does not answer, is asked again. */
  patience: (command: Command) => number
}): Deciding => {
  const ports = (): Ports => ({ broker, catalogue, now: clock.now(), ...(paper === undefined ? {} : { paper }) })
  const isOlderThan = (command: Command, milliseconds: number): boolean => clock.now() > Date.parse(command.publishedAt) + milliseconds
  /** A step that plans nothing is bounded by its pipeline's end alone. */
  const hasTime = (command: Command, { asksOnly }: Handler): boolean => asksOnly === true && command.pipeline !== undefined
  const isExpired = (command: Command, handler: Handler): boolean => !hasTime(command, handler) && isOlderThan(command, validFor(command))

  const decideNow = (command: Command, handler: Handler, gathered: Gathered): DomainEvent[] | Refusal => {
    if (isExpired(command, handler)) return refuse('EXPIRED', `published at ${command.publishedAt}, now is ${isoTime(clock.now())}`)
    // One strategy whose bars never come must not hold up the others for as long as the whole pipeline may last.
    if (
      'refusal' in gathered &&
      gathered.refusal === 'BROKER_TIMED_OUT' &&
      !hasTime(command, handler) &&
      isOlderThan(command, patience(command))
    )
      return refuse('EXPIRED', `published at ${command.publishedAt}, and the broker still does not answer: ${gathered.text}`)
    if ('refusal' in gathered) return gathered
    if ('bug' in gathered) throw gathered.bug
    if (handler.needsBroker && !ready()) return refuse('GATEWAY_NOT_READY')
    return handler.decide({ ledger, command, facts: gathered.facts, now: clock.now(), engine: facts(command, gathered.sequence) })
  }

  /** A bug in a handler or a strategy ends its own command, loudly; the engine goes on. */
  const eventsOf = (command: Command, handler: Handler, gathered: Gathered): DomainEvent[] | Refusal => {
    try {
      const decided = decideNow(command, handler, gathered)
      if (isRefusal(decided) && !passes(decided))
        return [
          event('CommandRefused', {
            code: decided.refusal,
            text: withoutSecrets(decided.text),
            ...(decided.details === undefined ? {} : { details: decided.details }),
          }),
        ]
      if (isRefusal(decided) || decided.length > 0) return decided
      return [event('CommandCompleted', { result: { changed: false } })]
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      log.error({ ...aboutCommand(command), stack }, `the decision failed: ${message}`)
      return [event('CommandFailed', { code: 'UNEXPECTED', text: withoutSecrets(message) })]
    }
  }

  const remember = async (command: Command, events: readonly DomainEvent[]): Promise<'appended' | 'already'> => {
    try {
      return await writer.commit(causeOf(command), events)
    } catch (error) {
      if (!(error instanceof NotWritable)) throw error
      log.error({ ...aboutCommand(command), stack: error.stack }, `the decision cannot be written: ${error.message}`)
      const tooLarge = error.cause instanceof RangeError
      const data = tooLarge
        ? {
            code: 'DECISION_TOO_LARGE',
            text: `${errors.DECISION_TOO_LARGE.text}: ${error.message}; ask for fewer strategies or instruments at a time`,
          }
        : { code: 'UNEXPECTED', text: withoutSecrets(error.message) }
      return writer.commit(causeOf(command), [event('CommandFailed', data)])
    }
  }

  return {
    gather: async (command, handler) => {
      const heard = sequence()
      const body = decode(handler.body, command.body)
      if (!body.ok) return { sequence: heard, ...refuse('BODY_INVALID', body.problem) }
      if (isExpired(command, handler)) return { sequence: heard, facts: undefined } // refused when it is decided; the broker is not asked
      if (handler.needsBroker && !ready()) return { sequence: heard, ...refuse('GATEWAY_NOT_READY') }
      try {
        return { sequence: heard, facts: await handler.gather(ports(), command, ledger) }
      } catch (error) {
        return { sequence: heard, ...asRefusal(error) }
      }
    },
    decide: async (command, handler, gathered, urgency = 'normal') => {
      let decided: Decided = { outcome: 'later', reason: 'the engine stopped' }
      await writer.enqueue(async () => {
        if (command.pipeline !== undefined && ledger.pipelines[command.pipeline] === undefined) {
          decided = { outcome: 'decided' } // its pipeline has ended meanwhile: nothing is decided for it any more
          return
        }
        const events = eventsOf(command, handler, gathered)
        if (isRefusal(events)) {
          decided = { outcome: 'later', reason: withoutSecrets(`${events.refusal}: ${events.text}`) }
          return
        }
        decided = { outcome: 'decided', appended: await remember(command, events) }
      }, urgency)
      return decided
    },
  }
}
