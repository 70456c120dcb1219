import type { Subscription } from '../topics.ts'
import { fromIso, isoTime } from './clock.ts'

/** A message as it was published. `publishedAt`: ISO time by the bus (or by the attribute of that name where market time is simulated). */
export type Message = { id: string; data: string; attributes: Readonly<Record<string, string>>; publishedAt: string }

/**
 * One delivery of a message. Exactly one of `ack`, `nack`, `deadLetter` ends it; later calls do nothing.
 * Until then the bus keeps extending the deadline: a slow handler is not a lost one.
 */
export interface Delivery extends Message {
  /** 1 for the first delivery. */
  attempt: number
  ack(): Promise<void>
  /** Comes again after a back-off; beyond the subscription's attempts it goes to the dead letters with this reason. */
  nack(reason: string): Promise<void>
  /** Gives up at once, with the reason kept beside the body and the attempts. */
  deadLetter(reason: string): Promise<void>
}

export type DeadLetter = Message & { subscription: string; attempts: number; reason: string; deadAt: string }

/** At least once, perhaps late, perhaps twice, perhaps out of order. Nothing of ours relies on more. */
export interface Bus {
  /** Durable when it resolves. @returns the message id. @throws Error naming an unknown topic */
  publish(topic: string, message: { data: string; attributes: Readonly<Record<string, string>> }): Promise<string>
  /** Messages are handed over at once and without a limit; the consumer limits its own work. @throws Error naming an unknown subscription */
  subscribe(subscription: string, consume: (delivery: Delivery) => void): { close(): Promise<void> }
  deadLetters(subscription?: string): Promise<DeadLetter[]>
  /**
   * Hands over every dead letter, at least once: those that die from now on, and those that nobody has heard of yet, perhaps others too.
   * One counts as heard when the promise resolves. They stay where they are kept.
   */
  onDeadLetter(heard: (letter: DeadLetter) => Promise<void>): { close(): Promise<void> }
  /** Lets go of a dead letter for good: a person has looked at it. @returns false when there is none such (any more) */
  discard(letter: Pick<DeadLetter, 'id' | 'subscription'>): Promise<boolean>
  /** Market time of the next delivery that waits for a back-off or a deadline, if any. */
  nextDueAt(): Promise<number | undefined>
  /** True when nothing is waiting, in delivery or in back-off that is already due. Answered without a look at a server. */
  idle(): Promise<boolean>
  /**
   * Resolves when the bus would take a command now: it is asked, each time, and nothing is published.
   * @throws Error in one line that says why not, after three seconds at most: `StoreUnavailable` where asking again later may help,
   * another one where a topic is missing or the account may not publish
   */
  reachable(): Promise<void>
}

/**
 * When a message counts as published. A publisher may say (attribute `publishedAt`) that its message is older, never that it is of the
 * future: it would stay valid, and a halt in force, for ever.
 * @param latest epoch milliseconds at which the bus has it @throws Error when the attribute is not an ISO time
 */
export const publishTimeOf = ({ publishedAt }: Message['attributes'], latest: number): string => {
  if (publishedAt === undefined) return isoTime(latest)
  try {
    return isoTime(Math.min(fromIso(publishedAt), latest))
  } catch {
    throw new Error(`the attribute publishedAt is not an ISO time: "${publishedAt}"`)
  }
}

/** Milliseconds of market time. Doubles from the minimum to the maximum, without chance: where market time is simulated, a run repeats exactly. */
export const backOffAfter = (retry: Subscription['retry'], attempt: number): number =>
  retry === undefined ? 0 : Math.min(retry.minimumBackOff * 2 ** (attempt - 1), retry.maximumBackOff)

/** Why a message is dead of which only this is known: its consumers died, again and again. */
export const neverAcknowledged = 'was never acknowledged'
