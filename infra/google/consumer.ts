/**
 * One reader of one subscription. The client keeps every message under lease for as long as this process has it: while it is worked on,
 * and while it waits for its next attempt. That waiting is ours, by market time: what goes back to Pub/Sub comes again whenever it pleases.
 */

import type { PubSub } from '@google-cloud/pubsub'
import { Duration, type Message as Received, SubscriptionCloseBehaviors } from '@google-cloud/pubsub'
import { backOffAfter, type Delivery, publishTimeOf } from '../../domain/ports/bus.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import type { Subscription } from '../../domain/topics.ts'
import { firstWords, pubsubError } from './pubsub-errors.ts'

export type Consumer = {
  close(): Promise<void>
  /** Market time of the next attempt that waits here, if any. */
  nextDueAt(): number | undefined
  /** True when something is worked on, or should be by now. */
  busy(now: number): boolean
}

export type ConsumerOptions = {
  pubsub: PubSub
  clock: Clock
  /** As it is called in the project. */
  subscription: string
  rules: Subscription
  consume: (delivery: Delivery) => void
  /** Keeps the message among the dead letters; durable when it resolves. */
  bury: (message: Received, about: { reason: string; attempts: number; publishedAt: string }) => Promise<void>
  arrived: (id: string) => void
  /** Nothing more will come: the subscription is not there, or not for us. */
  failed: (error: Error) => void
  warn: (fields: object, text: string) => void
}

/** Longer than any command waits; a message that is held longer is let go and comes again. */
const longestLease = Duration.from({ hours: 25 })
/** For what is in hand when a reader closes; the client takes the last second of it to send back the rest. */
const closeWithin = Duration.from({ seconds: 3 })
/** However long Pub/Sub was away, it is asked again after so long at most. */
const longestReconnect = Duration.from({ seconds: 5 })

const openClient = ({ pubsub, subscription, rules }: ConsumerOptions) => {
  const lease = Duration.from({ milliseconds: rules.ackDeadline })
  return pubsub.subscription(subscription, {
    minAckDeadline: lease,
    maxAckDeadline: lease,
    maxExtensionTime: longestLease,
    batching: { maxMilliseconds: 10 },
    flowControl: { allowExcessMessages: true, maxMessages: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER },
    streamingOptions: { maxStreams: 1, timeout: Number.POSITIVE_INFINITY, retryMaxBackoff: longestReconnect },
    closeOptions: { behavior: SubscriptionCloseBehaviors.WaitForProcessing, timeout: closeWithin },
  })
}

/** One message under lease. It is in work while it has no `dueAt`. */
type Held = { received: Received; attempt: number; dueAt?: number; callOff: () => void }

export const openConsumer = (options: ConsumerOptions): Consumer => {
  const { pubsub, clock, subscription, rules, consume, bury, arrived, failed, warn } = options
  const client = openClient(options)
  const held = new Set<Held>()
  let closing: Promise<void> | undefined
  let over = false

  const acknowledge = async ({ received }: Held): Promise<void> => {
    if (!rules.exactlyOnce) return received.ack()
    await received.ackWithResponse().catch((error: unknown) => {
      warn({ subscription, message: received.id }, `the acknowledgement did not count, the message may come again: ${firstWords(error)}`)
    })
  }
  const handOver = (one: Held): void => {
    delete one.dueAt
    const delivery = toDelivery(one)
    queueMicrotask(() => consume(delivery)) // each for itself, and out of reach of the client, which would swallow what is thrown
  }
  const waitForNext = (one: Held): void => {
    if (closing !== undefined) {
      sendBack(one)
      return
    }
    one.dueAt = clock.now() + backOffAfter(rules.retry, one.attempt)
    one.attempt += 1
    one.callOff = clock.at(one.dueAt, () => handOver(one))
  }
  const sendBack = (one: Held): void => {
    one.callOff()
    held.delete(one)
    one.received.nack()
  }
  const dismiss = async (one: Held): Promise<void> => {
    held.delete(one)
    await acknowledge(one)
  }

  const toDelivery = (one: Held): Delivery => {
    const { received, attempt } = one
    let ended = false
    /** The first end counts; one that failed may be tried again. After the close the message is with somebody else. */
    const end = async (how: () => void | Promise<void>): Promise<void> => {
      if (ended || over) return
      ended = true
      try {
        await how()
      } catch (error) {
        ended = false
        throw error
      }
    }
    const buryAndDismiss = async (reason: string): Promise<void> => {
      await bury(received, { reason, attempts: attempt, publishedAt: publishedAt(received) })
      await dismiss(one)
    }
    return {
      id: received.id,
      data: received.data.toString(),
      attributes: { ...received.attributes },
      publishedAt: publishedAt(received),
      attempt,
      ack: () => end(() => dismiss(one)),
      nack: (reason) =>
        end(async () => {
          if (rules.deadLetter === undefined || attempt < rules.deadLetter.attempts) return waitForNext(one)
          try {
            await buryAndDismiss(reason)
          } catch (error) {
            warn({ subscription, message: received.id }, `cannot be given up yet: ${firstWords(error)}`)
            waitForNext(one)
          }
        }),
      deadLetter: (reason) => end(() => buryAndDismiss(reason)),
    }
  }

  client.on('error', (error) => failed(pubsubError(`the subscription "${subscription}"`, pubsub.projectId, error)))
  client.on('message', (received) => {
    if (closing !== undefined) return received.nack()
    arrived(received.id)
    const one: Held = { received, attempt: Math.max(received.deliveryAttempt, 1), callOff: () => {} }
    held.add(one)
    handOver(one)
  })

  return {
    close: () => {
      closing ??= (async () => {
        for (const one of [...held]) if (one.dueAt !== undefined) sendBack(one)
        await client.close()
        over = true
        held.clear()
      })()
      return closing
    },
    nextDueAt: () => [...held].reduce<number | undefined>((next, { dueAt }) => (dueAt! < (next ?? Infinity) ? dueAt : next), undefined),
    busy: (now) => [...held].some(({ dueAt }) => dueAt === undefined || dueAt <= now),
  }
}

/** A stranger's attribute that is no time counts for nothing. */
const publishedAt = ({ attributes, publishTime }: Received): string => {
  try {
    return publishTimeOf(attributes, publishTime.getTime())
  } catch {
    return isoTime(publishTime.getTime())
  }
}
