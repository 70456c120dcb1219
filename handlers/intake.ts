/**
 * Messages of the bus become commands. A message is acknowledged only after its decision is in the journal;
 * what cannot be read is dead-lettered with its reason; what cannot be decided now goes back until its time is over.
 */
import PQueue from 'p-queue'
import { type Command, readEnvelope } from '../domain/commands.ts'
import { event } from '../domain/events.ts'
import type { Delivery } from '../domain/ports/bus.ts'
import type { Clock } from '../domain/ports/clock.ts'
import { type Journal, StoreUnavailable } from '../domain/ports/journal.ts'
import type { Topics } from '../domain/topics.ts'
import { causeOf, type Decided, type Deciding } from './deciding.ts'
import type { Handlers } from './handlers.ts'
import { jobRefusal, slotOfJob } from './job.ts'
import { aboutCommand } from './telling.ts'
import type { Log, Writer } from './writer.ts'

/** So many commands gather side by side; the rest waits in memory. */
const gathersAtOnce = 8
/** A journal that could not be asked is asked again after so long. */
const askAgainMs = 1_000

export type Intake = {
  receive(delivery: Delivery, urgency: 'urgent' | 'normal'): void
  /** Urgent halts that have arrived and are not decided. */
  haltsPending(): number
  open(): boolean
  /** What waits for the journal goes back to the bus. */
  stop(): void
}

/** Of a message that may be none of ours: its attributes name the request and who asked, if anybody does. */
const aboutMessage = ({ id, attributes }: Delivery) => ({ message: id, attributes })

export const createIntake = ({
  journal,
  clock,
  handlers,
  deciding,
  writer,
  topics,
  log,
  haltDecided,
}: {
  journal: Pick<Journal, 'marker'>
  clock: Pick<Clock, 'after'>
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

  const stopping = new AbortController()

  /**
   * Stays in hand while the journal cannot be asked: each way back to the bus counts as an attempt, and a halt must not end among the dead
   * letters because a store was away for an hour.
   */
  const wasDecided = async (command: Command): Promise<boolean> => {
    for (let failures = 0; ; failures++)
      try {
        return (await journal.marker(command.id)) !== undefined
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || stopping.signal.aborted) throw error
        if (failures === 0) log.warn(aboutCommand(command), `the command waits until the journal can be asked: ${error.message}`)
        await untilLater()
      }
  }
  const untilLater = (): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        callOff()
        stopping.signal.removeEventListener('abort', end)
        resolve()
      }
      const callOff = clock.after(askAgainMs, end)
      stopping.signal.addEventListener('abort', end)
    })

  const carryOut = async (command: Command, urgency: 'urgent' | 'normal'): Promise<Decided> => {
    if (await wasDecided(command)) return { outcome: 'decided' }
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
    log.warn(aboutMessage(delivery), `dead-lettered: ${problem}`)
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
          log.error({ ...aboutMessage(delivery), stack: error.stack }, `the message could not be taken: ${error.message}`)
          await delivery.nack(error.message).catch(() => {})
        })
        .finally(() => open--)
    },
    haltsPending: () => halts.size,
    open: () => open > 0,
    stop: () => stopping.abort(),
  }
}
