/** Topics and subscriptions on Google's emulator, as `Topics` describe them. */
import type { PubSub } from '@google-cloud/pubsub'
import { nameFor, type Topics } from '../../../domain/topics.ts'

/** Pub/Sub knows no shorter ack deadline. */
export const shortestAckDeadlineMs = 10_000

/** The second call is for subscriptions that refer to topics. */
export const createTopics = async (pubsub: PubSub, { topics, subscriptions }: Topics, mode = 'paper'): Promise<void> => {
  await Promise.all(Object.keys(topics).map((name) => pubsub.createTopic(nameFor(name, mode))))
  const full = (topic: string) => pubsub.topic(nameFor(topic, mode)).name
  await Promise.all(
    Object.entries(subscriptions).map(([name, { topic, ackDeadline, deadLetter, exactlyOnce, ordering }]) =>
      pubsub.createSubscription(nameFor(topic, mode), nameFor(name, mode), {
        ackDeadlineSeconds: ackDeadline / 1_000,
        enableExactlyOnceDelivery: exactlyOnce,
        enableMessageOrdering: ordering,
        ...(deadLetter && { deadLetterPolicy: { deadLetterTopic: full(deadLetter.topic), maxDeliveryAttempts: deadLetter.attempts } }),
      }),
    ),
  )
}
