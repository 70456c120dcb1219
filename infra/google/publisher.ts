/** Publishing to one topic: durable when it resolves, an error in one line when it takes too long. */
import type { PubSub } from '@google-cloud/pubsub'
import type { Message } from '../../domain/ports/bus.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { pubsubError } from './pubsub-errors.ts'

export type Publisher = (message: { data: Uint8Array; attributes: Message['attributes'] }) => Promise<string>

/** The client's own deadline should end a call first; this one holds while it still looks for its credentials. */
const graceMs = 1_000
/** Events come in bursts; commands do not, and somebody waits for each. */
const gatherEventsMs = 10

/** The client's own settings let it sleep far beyond the deadline between two attempts. */
export const retriesWithin = (deadlineMs: number) => ({
  ...{ initialRetryDelayMillis: 100, retryDelayMultiplier: 1.5, maxRetryDelayMillis: graceMs / 2 },
  ...{ initialRpcTimeoutMillis: deadlineMs, rpcTimeoutMultiplier: 1, maxRpcTimeoutMillis: deadlineMs, totalTimeoutMillis: deadlineMs },
})

export const openPublisher = ({
  pubsub,
  clock,
  topic,
  orderingKey,
  deadlineMs,
}: {
  pubsub: PubSub
  clock: Clock
  topic: string
  /** With a key, messages are published in the order of the calls. */
  orderingKey?: string
  deadlineMs: number
}): Publisher => {
  const handle = pubsub.topic(topic, {
    batching: orderingKey === undefined ? { maxMessages: 1 } : { maxMilliseconds: gatherEventsMs },
    messageOrdering: orderingKey !== undefined,
    gaxOpts: { timeout: deadlineMs, retry: { backoffSettings: retriesWithin(deadlineMs) } },
  })
  return async ({ data, attributes }) => {
    let callOff = () => {}
    const late = new Promise<never>((_, reject) => {
      callOff = clock.after(deadlineMs + graceMs, () => reject(new StoreUnavailable(`no answer within ${deadlineMs} ms`)))
    })
    try {
      const message = { data, attributes: { ...attributes }, ...(orderingKey === undefined ? {} : { orderingKey }) }
      return await Promise.race([handle.publishMessage(message), late])
    } catch (error) {
      // By its own account the client keeps a key closed after a failure, until it is told to go on.
      if (orderingKey !== undefined) handle.resumePublishing(orderingKey)
      throw pubsubError(`the topic "${topic}"`, pubsub.projectId, error)
    } finally {
      callOff()
    }
  }
}
