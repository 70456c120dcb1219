/**
 * The bus on Pub/Sub. What is asked of Google is little: keep what was published, hand it over at least once, and again when its reader
 * died. Order, filters and the server's own back-off are not relied on; attempts, back-off and dead letters are ours, with the server's
 * dead-letter policy as the net below.
 */
import type { PubSub } from '@google-cloud/pubsub'
import { type Bus, publishTimeOf } from '../../domain/ports/bus.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import { nameFor, type Topics } from '../../domain/topics.ts'
import { type Consumer, openConsumer } from './consumer.ts'
import { type KeptLetters, letterOf, openKeptLetters, readLetter } from './dead-letters.ts'
import { followJourneys } from './journeys.ts'
import { openPublisher, type Publisher } from './publisher.ts'
import { wouldTake } from './reaching.ts'

export type BusOptions = {
  pubsub: PubSub
  topics: Topics
  mode: string
  clock: Clock
  /** How long a publication may take before it is an error. */
  publishWithinMs?: number
  /** A subscription gives nothing any more, for a reason that time does not heal: the process should end with these words. */
  onError?: (error: Error) => void
  warn?: (fields: object, text: string) => void
}

/**
 * Topics and subscriptions must be there (`ibt topics apply`).
 *
 * - `deadLetters` and `discard` take every dead letter into hand for a few seconds, and look for them as long: other processes that look at
 *   the same time see only a part, and what a looker who died had in hand is seen again after a minute. All letters are held in memory.
 *   The subscription that keeps them must have no retry policy: with one, what was looked at is away until its back-off is over.
 * - `nextDueAt` knows the back-offs of this object. `idle` answers for this object: what it published to topics to which it also
 *   subscribes has arrived, and nothing that arrived is in work or due. It cannot know of messages of others, and does not become true
 *   again when another process took what was published here.
 */
export const openBus = ({ pubsub, topics, mode, clock, publishWithinMs = 10_000, onError = raise, warn = () => {} }: BusOptions): Bus => {
  const named = <T>(entries: Readonly<Record<string, T>>) =>
    Object.entries(entries).map(([name, entry]) => [nameFor(name, mode), entry] as const)
  const topicRules = new Map(named(topics.topics))
  const subscriptions = new Map(named(topics.subscriptions).map(([name, rules]) => [name, { ...rules, topic: nameFor(rules.topic, mode) }]))
  const consumers = new Map<Consumer, { subscription: string; topic: string }>()
  const journeys = followJourneys()

  const publishers = new Map<string, Publisher>()
  const publisherOf = (topic: string): Publisher => {
    const rules = topicRules.get(topic)
    const key = rules?.kind === 'event' ? { orderingKey: nameFor(rules.orderingKey, mode) } : {}
    const publisher = publishers.get(topic) ?? openPublisher({ pubsub, clock, topic, deadlineMs: publishWithinMs, ...key })
    publishers.set(topic, publisher)
    return publisher
  }

  const graveyards = [...topicRules].filter(([, { kind }]) => kind === 'deadLetter').map(([name]) => name)
  /** Two looks at once would each see a part of the letters: one after the other. */
  let looking: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(look: () => Promise<T>): Promise<T> => {
    const turn = looking.then(look)
    looking = turn.catch(() => undefined)
    return turn
  }
  const keptOf = (graveyard: string): KeptLetters => {
    const [keeper] = [...subscriptions].find(([, { topic, handler }]) => topic === graveyard && handler === 'none') ?? []
    if (keeper === undefined) throw new Error(`no subscription in topics.yaml keeps what comes to "${graveyard}"`)
    return openKeptLetters(pubsub, clock, keeper)
  }

  return {
    publish: async (topic, { data, attributes }) => {
      const kind = topicRules.get(topic)?.kind
      if (kind === undefined) throw new Error(`there is no topic "${topic}" in topics.yaml`)
      if (kind === 'deadLetter') throw new Error(`"${topic}" takes dead letters only`)
      publishTimeOf(attributes, clock.now())
      const readers = () => [...consumers.values()].filter((reader) => reader.topic === topic).map(({ subscription }) => subscription)
      return journeys.begin(readers, () => publisherOf(topic)({ data: Buffer.from(data), attributes }))
    },
    subscribe: (subscription, consume) => {
      const rules = subscriptions.get(subscription)
      if (rules === undefined) throw new Error(`there is no subscription "${subscription}" in topics.yaml`)
      if (topicRules.get(rules.topic)?.kind === 'deadLetter')
        throw new Error(`"${subscription}" keeps dead letters: they are listed, not delivered`)
      const graveyard = rules.deadLetter === undefined ? graveyards[0] : nameFor(rules.deadLetter.topic, mode)
      const consumer = openConsumer({
        ...{ pubsub, clock, subscription, rules, consume, warn, failed: onError },
        arrived: (id) => journeys.end(subscription, id),
        bury: async (message, about) => {
          if (graveyard === undefined) throw new Error(`topics.yaml has no topic of kind deadLetter for "${subscription}"`)
          await publisherOf(graveyard)(letterOf(message, { ...about, id: message.id, subscription, deadAt: isoTime(clock.now()) }))
        },
      })
      consumers.set(consumer, { subscription, topic: rules.topic })
      return {
        close: async () => {
          await consumer.close()
          consumers.delete(consumer)
          if (![...consumers.values()].some((other) => other.subscription === subscription)) journeys.forget(subscription)
        },
      }
    },
    deadLetters: (subscription) =>
      inTurn(async () => {
        const letters = (await Promise.all(graveyards.map((graveyard) => keptOf(graveyard).list()))).flat()
        return letters.filter((letter) => subscription === undefined || letter.subscription === subscription)
      }),
    onDeadLetter: (heard) => {
      const readers = [...subscriptions].filter(
        ([, { topic, handler }]) => topicRules.get(topic)?.kind === 'deadLetter' && handler === 'alerts',
      )
      const opened = readers.map(([subscription, rules]) =>
        openConsumer({
          ...{ pubsub, clock, subscription, rules, warn, failed: onError, arrived: () => undefined, bury: async () => undefined },
          consume: (delivery) => void heard(readLetter(delivery)).then(delivery.ack, (error: Error) => delivery.nack(error.message)),
        }),
      )
      return { close: async () => void (await Promise.all(opened.map((consumer) => consumer.close()))) }
    },
    discard: (letter) =>
      inTurn(async () => {
        for (const graveyard of graveyards) if (await keptOf(graveyard).discard(letter)) return true
        return false
      }),
    nextDueAt: async () => {
      const times = [...consumers.keys()].map((consumer) => consumer.nextDueAt()).filter((time) => time !== undefined)
      return times.length === 0 ? undefined : Math.min(...times)
    },
    idle: async () => !journeys.any() && ![...consumers.keys()].some((consumer) => consumer.busy(clock.now())),
    reachable: async () => {
      const commands = [...topicRules].filter(([, { kind }]) => kind === 'command').map(([name]) => name)
      await Promise.all(commands.map((topic) => wouldTake(pubsub, clock, topic)))
    },
  }
}

const raise = (error: Error): never => {
  throw error
}
