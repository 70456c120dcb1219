/**
 * Messages of the bus become commands. A message is acknowledged only after its decision is in the journal;
 * what cannot be read is dead-lettered with its reason; what cannot be decided now goes back until its time is over.
 */
import PQueue from 'p-queue'
import { type Command, readEnvelope } from '../domain/commands.ts'
import { event } from '../domain/events.ts'
import type { Delivery } from '../domain/ports/bus.ts'
import type { Journal } from '../domain/ports/journal.ts'
import type { Topics } from '../domain/topics.ts'
import { causeOf, type Decided, type Deciding } from './deciding.ts'
import type { Handlers } from './handlers.ts'
import { jobRefusal, slotOfJob } from './job.ts'
import type { Log, Writer } from './writer.ts'

/** So many commands gather side by side; the rest waits in memory. */
const gathersAtOnce = 8

export type Intake = {
  receive(delivery: Delivery, urgency: 'urgent' | 'normal'): void
  /** Urgent halts that have arrived and are not decided. */
  haltsPending(): number
  open(): boolean
}

export const createIntake = ({
  journal,
  handlers,
  deciding,
  writer,
  topics,
  log,
  haltDecided,
}: {
  journal: Journal
  handlers: Handlers
  deciding: Deciding
  writer: Writer
  topics: Topics
  log: Log
  /** Whatever came of the last halt that was pending: what waited for it may go on. */
  haltDecided: () => void
}): Intake => {
  const gathering = new PQueue({ concurrency: gathersAtOnce })
  const inHand = new Map<string, Promise<void>>()
  /** Messages that say halt, until their end: one that goes back to the bus still counts. */
  const halts = new Set<string>()
  let open = 0

  const carryOut = async (command: Command, urgency: 'urgent' | 'normal'): Promise<Decided> => {
    if ((await journal.marker(command.id)) !== undefined) return { outcome: 'decided' }
    const found = handlers.published(command.type)!
    const named = { ...command, type: found.type }
    const refused = jobRefusal(topics, named)
    if (refused !== undefined) {
      let decided: Decided = { outcome: 'later', reason: 'the engine stopped' }
      await writer.enqueue(async () => {
        const appended = await writer.commit(causeOf(named), [event('CommandRefused', { code: refused.refusal, text: refused.text })])
        const skipped = { job: named.job, slot: refused.slot, code: refused.refusal }
        if (appended === 'appended') log.info(skipped, `the job ${named.job} is skipped: ${refused.text}`)
        decided = { outcome: 'decided' }
      }, urgency)
      return decided
    }
    const gathered =
      urgency === 'urgent' ? await deciding.gather(named, found.handler) : await gathering.add(() => deciding.gather(named, found.handler))
    return deciding.decide(named, found.handler, gathered, urgency)
  }

  /** Two deliveries of one command wait for the same decision. */
  const once = async (command: Command, delivery: Delivery, urgency: 'urgent' | 'normal'): Promise<Decided> => {
    while (inHand.has(command.id)) await inHand.get(command.id)
    const work = carryOut(command, urgency)
    // Gone from hand as soon as it is decided: an acknowledgement may take its time, and the next delivery must not spin until then.
    const ended = () => void inHand.delete(command.id)
    inHand.set(command.id, work.then(ended, ended))
    const decided = await work
    if (decided.outcome === 'decided') await delivery.ack()
    else await delivery.nack(decided.reason)
    return decided
  }

  const take = async (delivery: Delivery, urgency: 'urgent' | 'normal'): Promise<Decided> => {
    const command = readEnvelope(delivery, (job, publishedAt) => slotOfJob(topics, job, publishedAt))
    if (!command.ok) return giveUp(delivery, command.problem)
    if (handlers.published(command.value.type) === undefined) return giveUp(delivery, `there is no command "${command.value.type}"`)
    return once(command.value, delivery, urgency)
  }

  const giveUp = async (delivery: Delivery, problem: string): Promise<Decided> => {
    log.warn({ message: delivery.id, attributes: delivery.attributes }, `dead-lettered: ${problem}`)
    await delivery.deadLetter(problem)
    return { outcome: 'decided' }
  }

  return {
    receive: (delivery, urgency) => {
      const isHalt = handlers.published(delivery.attributes['type'] ?? '')?.type === 'halt'
      if (isHalt) halts.add(delivery.id)
      open++
      take(delivery, isHalt ? 'urgent' : urgency)
        .then(({ outcome }) => {
          if (outcome === 'decided' && halts.delete(delivery.id) && halts.size === 0) haltDecided()
        })
        .catch(async (error: Error) => {
          log.error({ message: delivery.id, stack: error.stack }, `the message could not be taken: ${error.message}`)
          await delivery.nack(error.message).catch(() => {})
        })
        .finally(() => open--)
    },
    haltsPending: () => halts.size,
    open: () => open > 0,
  }
}
