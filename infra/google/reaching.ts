/**
 * Whether Pub/Sub would take a message now, without giving it one: it is asked to publish none. It answers that this is no request, and so
 * that it was reached, knows the topic, and lets this account publish there. That needs no permission but the one to publish
 * (`pubsub.topics.publish`), goes the way that messages go, and is the same on the emulator, which knows no permissions to test.
 */
import type { PubSub } from '@google-cloud/pubsub'
import type { Clock } from '../../domain/ports/clock.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { retriesWithin } from './publisher.ts'
import { pubsubError } from './pubsub-errors.ts'

/** Of gRPC. */
const invalidArgument = 3
const answersWithinMs = 3_000
/** The client should give up first: it knows why. */
const clientsPatienceMs = 2_400

/** @throws Error in one line, as a publication would, after three seconds at most */
export const wouldTake = async (pubsub: PubSub, clock: Pick<Clock, 'after'>, topic: string): Promise<void> => {
  let callOff = () => {}
  const late = new Promise<never>((_, reject) => {
    callOff = clock.after(answersWithinMs, () => reject(new StoreUnavailable(`no answer within ${answersWithinMs / 1_000} s`)))
  })
  const asked = new Promise<void>((resolve, reject) => {
    pubsub.request(
      {
        client: 'PublisherClient',
        method: 'publish',
        reqOpts: { topic: pubsub.topic(topic).name, messages: [] },
        gaxOpts: { timeout: clientsPatienceMs, retry: { backoffSettings: retriesWithin(clientsPatienceMs) } },
      },
      (error) => (error === null || error === undefined || error.code === invalidArgument ? resolve() : reject(error)),
    )
  })
  try {
    await Promise.race([asked, late])
  } catch (error) {
    throw pubsubError(`the topic "${topic}"`, pubsub.projectId, error)
  } finally {
    callOff()
  }
}
