/**
 * A bus that keeps its word and no more: at least once, late, twice, out of order. What a process had in hand when it ended comes
 * again after the deadline; what was sent back waits by market time.
 */
import { type Bus, backOffAfter, type DeadLetter, type Delivery, type Message } from '../../domain/ports/bus.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { nameFor, type Subscription, type Topics } from '../../domain/topics.ts'
import type { Chance } from './chance.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'

/** One message on its way to one subscription. `hold` counts its holders: only the latest may end it. */
type Waiting = { message: Message; subscription: string; attempt: number; hold: number; over: boolean }
type Consumer = { process: Process; consume: (delivery: Delivery) => void }

export type PostOffice = {
  publish(topic: string, message: { data: string; attributes: Readonly<Record<string, string>> }): string
  /** The bus as one process sees it. */
  portOf(process: Process): Bus
  /** Messages that are neither acknowledged nor given up. */
  pending(): Message[]
  deadLetters(): DeadLetter[]
  /** What was kept on topics that only outsiders read, in the order in which the bus kept it. */
  outside(): readonly { topic: string; data: string; attributes: Readonly<Record<string, string>> }[]
}

export type PostOfficeOptions = {
  topics: Topics
  mode: 'paper' | 'live'
  clock: WorldClock
  chance: Chance
  faults: Faults
  /** A process has published a command. */
  commanded: (message: Outgoing) => void
}
type Outgoing = { data: string; attributes: Readonly<Record<string, string>> }

export const createPostOffice = ({ topics, mode, clock, chance, faults, commanded }: PostOfficeOptions): PostOffice => {
  const rules = new Map<string, Subscription>(
    Object.entries(topics.subscriptions).map(([name, subscription]) => [nameFor(name, mode), subscription]),
  )
  /** Several processes may read one subscription; each delivery goes to one of them. */
  const consumers = new Map<string, Set<Consumer>>()
  const told: ({ topic: string } & Outgoing)[] = []
  const waiting: Waiting[] = []
  const dead: DeadLetter[] = []
  let published = 0

  const deliverAfter = (milliseconds: number, letter: Waiting): void => {
    clock.after(milliseconds, () => deliver(letter))
  }

  const bury = (letter: Waiting, reason: string): void => {
    letter.over = true
    dead.push({ ...letter.message, subscription: letter.subscription, attempts: letter.attempt, reason, deadAt: isoTime(clock.now()) })
  }

  const sendBack = (letter: Waiting, reason: string): void => {
    const { retry, deadLetter } = rules.get(letter.subscription)!
    if (deadLetter !== undefined && letter.attempt >= deadLetter.attempts) {
      bury(letter, reason)
      return
    }
    const wait = backOffAfter(retry, letter.attempt)
    clock.at(clock.now() + wait, () => deliver(letter))
  }

  const deliver = (letter: Waiting): void => {
    if (letter.over) return
    const readers = [...(consumers.get(letter.subscription) ?? [])].filter(({ process }) => process.alive())
    const consumer = readers.length > 1 ? chance.pick(readers) : readers[0]
    if (consumer === undefined) {
      deliverAfter(1_000, letter)
      return
    }
    letter.attempt += 1
    letter.hold += 1
    const hold = letter.hold
    const holds = (): boolean => !letter.over && letter.hold === hold
    const end = (point: string, how: () => void): Promise<void> =>
      consumer.process.call(point, () => (holds() ? how() : undefined), faults.latency)
    consumer.process.onEnd(() => {
      if (holds()) deliverAfter(rules.get(letter.subscription)!.ackDeadline, letter)
    })
    // Nobody extends the deadline of what a frozen process has in hand.
    const { ackDeadline } = rules.get(letter.subscription)!
    clock.after(ackDeadline, () => holds() && consumer.process.frozen() && deliver(letter))
    consumer.consume({
      ...letter.message,
      attempt: letter.attempt,
      ack: () =>
        end('bus.ack', () => {
          if (faults.happens('an acknowledgement is lost')) deliverAfter(chance.whole(100, 20_000), letter)
          else letter.over = true
        }),
      nack: (reason) => end('bus.nack', () => sendBack(letter, reason)),
      deadLetter: (reason) => end('bus.deadLetter', () => bury(letter, reason)),
    })
  }

  const send = (letter: Waiting): void => {
    deliverAfter(faults.happens('a message comes late') ? chance.whole(1_000, 60_000) : chance.whole(1, 50), letter)
    if (faults.happens('a message comes twice')) deliverAfter(chance.whole(1, 5_000), letter)
  }

  /** What one process publishes on one topic keeps its order: after one that failed, none that was handed over with it is kept. */
  const publisher = (process: Process): Bus['publish'] => {
    let last: Promise<unknown> = Promise.resolve()
    const send = (topic: string, message: Outgoing): Promise<string> =>
      process.call(
        'bus.publish',
        () => {
          if (faults.happens('the bus cannot be reached')) throw new Error('the bus cannot be reached')
          const id = publish(topic, message)
          if (message.attributes['source'] === 'console') commanded(message)
          if (faults.happens('a publication is kept and not answered')) throw new Error('the answer of a publication was lost')
          return id
        },
        faults.latency,
      )
    return (topic, message) => {
      const sent = last.then(() => send(topic, message))
      last = sent
      sent.catch(() => {
        if (last === sent) last = Promise.resolve()
      })
      return sent
    }
  }

  const publish: PostOffice['publish'] = (topic, { data, attributes }) => {
    published += 1
    const message: Message = { id: `m${published}`, data, attributes, publishedAt: attributes['publishedAt'] ?? isoTime(clock.now()) }
    const readers = [...rules].filter(([, { topic: read, handler }]) => nameFor(read, mode) === topic && handler !== 'none')
    if (readers.length === 0) told.push({ topic, data, attributes })
    for (const [subscription] of readers) {
      const letter: Waiting = { message, subscription, attempt: 0, hold: 0, over: false }
      waiting.push(letter)
      send(letter)
    }
    return message.id
  }

  return {
    publish,
    portOf: (process) => ({
      publish: publisher(process),
      subscribe: (subscription, consume) => {
        if (!rules.has(subscription)) throw new Error(`there is no subscription "${subscription}"`)
        process.step('bus.subscribe')
        const consumer = { process, consume: process.heard(consume) }
        consumers.set(subscription, (consumers.get(subscription) ?? new Set()).add(consumer))
        return { close: async () => void consumers.get(subscription)?.delete(consumer) }
      },
      deadLetters: async () => dead,
      onDeadLetter: () => ({ close: async () => undefined }),
      discard: async ({ id, subscription }) => {
        const found = dead.findIndex((letter) => letter.id === id && letter.subscription === subscription)
        return found >= 0 && dead.splice(found, 1).length > 0
      },
      nextDueAt: async () => undefined,
      idle: async () => waiting.every(({ over }) => over),
      reachable: async () => undefined,
    }),
    pending: () => waiting.filter(({ over }) => !over).map(({ message }) => message),
    deadLetters: () => dead,
    outside: () => told,
  }
}
