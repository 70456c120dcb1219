/**
 * An at-least-once bus on SQLite, after the manner of Pub/Sub: topics fan out to subscriptions, each with a copy of its own.
 * A message is taken under a deadline by the wall clock, which its consumer extends for as long as it lives; what a dead process
 * had in hand comes again after that. A message that was sent back waits by market time.
 */
import { randomUUID } from 'node:crypto'
import {
  type Bus,
  backOffAfter,
  type DeadLetter,
  type Delivery,
  type Message,
  neverAcknowledged,
  publishTimeOf,
} from '../../domain/ports/bus.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { nameFor, type Subscription, type Topics } from '../../domain/topics.ts'
import { asUnavailable, type Store } from './store.ts'

type MessageRow = { message: number; data: string; attributes: string; publishedAt: string }
type DeliveryRow = MessageRow & { attempt: number; reason: string | null }
type DeadRow = MessageRow & { subscription: string; attempts: number; reason: string; deadAt: string }

const retryStoreAfterMs = 1_000

export type BusOptions = {
  store: Store
  topics: Topics
  mode: string
  clock: Clock
  /** Epoch milliseconds of the machine, by which processes agree on deadlines. */
  wallTime?: () => number
}

export const openBus = ({ store, topics, mode, clock, wallTime = Date.now }: BusOptions): Bus => {
  const deliveries = openDeliveries(store)
  const topicKinds = new Map(Object.entries(topics.topics).map(([name, { kind }]) => [nameFor(name, mode), kind]))
  const subscriptions = new Map(
    Object.entries(topics.subscriptions).map(([name, rules]) => [nameFor(name, mode), { ...rules, topic: nameFor(rules.topic, mode) }]),
  )
  return {
    publish: async (topic, { data, attributes }) => {
      const kind = topicKinds.get(topic)
      if (kind === undefined) throw new Error(`there is no topic "${topic}" in topics.yaml`)
      if (kind === 'deadLetter') throw new Error(`"${topic}" takes dead letters only`)
      const readers = [...subscriptions].filter(([, rules]) => rules.topic === topic).map(([name]) => name)
      const id = deliveries.add(topic, data, attributes, publishTimeOf(attributes, clock.now()), readers)
      for (const reader of readers) store.changed(subjectOf(reader))
      return id
    },
    subscribe: (subscription, consume) => {
      const rules = subscriptions.get(subscription)
      if (rules === undefined) throw new Error(`there is no subscription "${subscription}" in topics.yaml`)
      if (topicKinds.get(rules.topic) === 'deadLetter')
        throw new Error(`"${subscription}" keeps dead letters: they are listed, not delivered`)
      return openConsumer({ store, deliveries, clock, wallTime, subscription, rules, consume })
    },
    deadLetters: async (subscription) => deliveries.dead(subscription),
    onDeadLetter: (heard) => {
      const known = new Set<string>()
      const look = (): void => {
        if (!store.database.isOpen) return
        for (const letter of deliveries.dead()) {
          const name = `${letter.subscription} ${letter.id}`
          if (known.has(name)) continue
          known.add(name)
          heard(letter).catch(() => known.delete(name)) // looked at again with the next one, or by the next process
        }
      }
      const unwatch = store.watch(graveyard, look)
      queueMicrotask(look)
      return { close: async () => unwatch() }
    },
    discard: async (letter) => deliveries.forget(letter),
    nextDueAt: async () => deliveries.nextDueAt(),
    idle: async () => deliveries.idle(clock.now()),
    reachable: async () => deliveries.look(),
  }
}

const graveyard = 'bus:dead letters'
const subjectOf = (subscription: string): string => `bus:${subscription}`

// ── Rows ── A delivery without a consumer waits, until `dueAt` if that is set; one with a consumer is in hand until its deadline.

const idOf = (message: number): string => `m${message}`
const toMessage = ({ message, data, attributes, publishedAt }: MessageRow): Message => ({
  id: idOf(message),
  data,
  attributes: JSON.parse(attributes) as Record<string, string>,
  publishedAt,
})

/** Who asks, and the two times by which things fall due. */
type Asking = { subscription: string; consumer: string; now: number; wall: number }
/** One attempt at one message. Once somebody else has it, its end is theirs. */
type Hold = { subscription: string; message: number; attempt: number; consumer: string }

const openDeliveries = ({ database, transaction, repeatable, changed }: Store) => {
  const insertMessage = database.prepare('INSERT INTO messages (topic, data, attributes, publishedAt) VALUES (?, ?, ?, ?)')
  const insertDelivery = database.prepare('INSERT INTO deliveries (subscription, message, attempt) VALUES (?, ?, 0)')
  const dropMessage = database.prepare(
    'DELETE FROM messages WHERE number = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = number)',
  )
  const due = database.prepare(
    `SELECT message, data, attributes, publishedAt, attempt, reason FROM deliveries JOIN messages ON number = message
     WHERE subscription = $subscription AND (CASE WHEN consumer IS NULL THEN dueAt IS NULL OR dueAt <= $now
       ELSE consumer <> $consumer AND deadline <= $wall END) ORDER BY message`,
  )
  const hold = database.prepare(
    'UPDATE deliveries SET attempt = attempt + 1, consumer = ?, deadline = ?, dueAt = NULL WHERE subscription = ? AND message = ?',
  )
  const extend = database.prepare('UPDATE deliveries SET deadline = ? WHERE subscription = ? AND consumer = ?')
  const held = database.prepare(
    'SELECT 1 FROM deliveries WHERE subscription = $subscription AND message = $message AND attempt = $attempt AND consumer = $consumer',
  )
  const wait = database.prepare(
    'UPDATE deliveries SET consumer = NULL, deadline = NULL, dueAt = ?, reason = ? WHERE subscription = ? AND message = ?',
  )
  const remove = database.prepare('DELETE FROM deliveries WHERE subscription = ? AND message = ?')
  const insertDead = database.prepare(
    `INSERT INTO deadLetters (subscription, message, data, attributes, publishedAt, attempts, reason, deadAt)
     SELECT subscription, message, data, attributes, publishedAt, attempt, ?, ? FROM deliveries JOIN messages ON number = message
     WHERE subscription = ? AND message = ?`,
  )
  const listDead = database.prepare('SELECT * FROM deadLetters WHERE ?1 IS NULL OR subscription = ?1 ORDER BY number')
  const forgetDead = database.prepare("DELETE FROM deadLetters WHERE subscription = ? AND 'm' || message = ?")
  const nextBackOff = database.prepare('SELECT min(dueAt) AS time FROM deliveries WHERE subscription = ? AND consumer IS NULL')
  const nextDeadline = database.prepare('SELECT min(deadline) AS time FROM deliveries WHERE subscription = ? AND consumer <> ?')
  const anyBackOff = database.prepare('SELECT min(dueAt) AS time FROM deliveries WHERE consumer IS NULL')
  const someMessage = database.prepare('SELECT data FROM messages LIMIT 1')
  const busy = database.prepare('SELECT 1 FROM deliveries WHERE consumer IS NOT NULL OR dueAt IS NULL OR dueAt <= ? LIMIT 1')

  const timeOf = (row: unknown): number | undefined => (row as { time: number | null }).time ?? undefined
  const drop = (subscription: string, message: number): void => {
    remove.run(subscription, message)
    dropMessage.run(message)
  }
  const bury = (subscription: string, message: number, reason: string, deadAt: string): void => {
    insertDead.run(reason, deadAt, subscription, message)
    drop(subscription, message)
    changed(graveyard)
  }
  // Taking and ending do not wait for the disk: what a power cut undoes of them is delivered again, which a consumer must bear anyhow.
  /** Ends one attempt, unless it has ended or gone to somebody else already. */
  const end = (attempt: Hold, how: () => void): void => {
    repeatable(() => held.get(attempt) !== undefined && how())
  }
  return {
    add: (
      topic: string,
      data: string,
      attributes: Readonly<Record<string, string>>,
      publishedAt: string,
      readers: readonly string[],
    ): string =>
      transaction(() => {
        const message = Number(insertMessage.run(topic, data, JSON.stringify(attributes), publishedAt).lastInsertRowid)
        for (const reader of readers) insertDelivery.run(reader, message)
        dropMessage.run(message) // nobody reads this topic
        return idOf(message)
      }),
    /** Takes all that is due, one attempt more each. What has had its attempts goes to the dead letters instead. */
    take: (asking: Asking, { ackDeadline, deadLetter }: Subscription): DeliveryRow[] => {
      if (due.get(asking) === undefined) return []
      return repeatable(() => {
        const rows = due.all(asking) as DeliveryRow[]
        const spent = (row: DeliveryRow) => deadLetter !== undefined && row.attempt >= deadLetter.attempts
        for (const row of rows) {
          if (spent(row)) bury(asking.subscription, row.message, row.reason ?? neverAcknowledged, isoTime(asking.now))
          else hold.run(asking.consumer, asking.wall + ackDeadline, asking.subscription, row.message)
        }
        return rows.filter((row) => !spent(row)).map((row) => ({ ...row, attempt: row.attempt + 1 }))
      })
    },
    extend: (subscription: string, consumer: string, deadline: number): void => {
      repeatable(() => extend.run(deadline, subscription, consumer))
    },
    ack: (attempt: Hold) => end(attempt, () => drop(attempt.subscription, attempt.message)),
    sendBack: (attempt: Hold, dueAt: number, reason: string) =>
      end(attempt, () => wait.run(dueAt, reason, attempt.subscription, attempt.message)),
    bury: (attempt: Hold, reason: string, deadAt: string) =>
      end(attempt, () => bury(attempt.subscription, attempt.message, reason, deadAt)),
    dead: (subscription?: string): DeadLetter[] =>
      (listDead.all(subscription ?? null) as DeadRow[]).map(({ subscription, attempts, reason, deadAt, ...row }) => ({
        ...toMessage(row),
        subscription,
        attempts,
        reason,
        deadAt,
      })),
    forget: ({ id, subscription }: Pick<DeadLetter, 'id' | 'subscription'>): boolean =>
      transaction(() => forgetDead.run(subscription, id).changes > 0),
    /** Market time of the subscription's next back-off, wall time of the next deadline of another consumer. */
    nextOf: (subscription: string, consumer: string) => ({
      backOff: timeOf(nextBackOff.get(subscription)),
      deadline: timeOf(nextDeadline.get(subscription, consumer)),
    }),
    nextDueAt: (): number | undefined => timeOf(anyBackOff.get()),
    idle: (now: number): boolean => busy.get(now) === undefined,
    /** @throws StoreUnavailable, or Error in one line when the file is closed, damaged or not ours */
    look: (): void => {
      try {
        someMessage.get()
      } catch (error) {
        throw asUnavailable(error)
      }
    },
  }
}

// ── One consumer ──

type ConsumerOptions = Required<Pick<BusOptions, 'store' | 'clock' | 'wallTime'>> & {
  deliveries: ReturnType<typeof openDeliveries>
  subscription: string
  rules: Subscription
  consume: (delivery: Delivery) => void
}

const openConsumer = ({
  store,
  deliveries,
  clock,
  wallTime,
  subscription,
  rules,
  consume,
}: ConsumerOptions): { close(): Promise<void> } => {
  const consumer = randomUUID()
  const inHand = new Set<Delivery>()
  let closed = false
  let wakeUps: (() => void)[] = []
  let stopExtending: (() => void) | undefined

  /** Timers and notices run this; a store that is away for a moment is asked again. */
  const patiently = (run: () => void, again?: () => void): void => {
    if (closed || !store.database.isOpen) return
    try {
      run()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      if (again) wakeUps.push(clock.after(retryStoreAfterMs, again))
    }
  }
  const handOver = (): void =>
    patiently(() => {
      for (const row of deliveries.take({ subscription, consumer, now: clock.now(), wall: wallTime() }, rules)) {
        const delivery = toDelivery(row)
        inHand.add(delivery)
        queueMicrotask(() => consume(delivery)) // each for itself: one that throws does not keep the others from arriving
      }
      if (inHand.size > 0) keepExtending()
      wakeForNext()
    }, handOver)
  const wakeForNext = (): void => {
    for (const callOff of wakeUps) callOff()
    const { backOff, deadline } = deliveries.nextOf(subscription, consumer)
    wakeUps = []
    if (backOff !== undefined) wakeUps.push(clock.at(backOff, handOver))
    if (deadline !== undefined) wakeUps.push(clock.after(Math.max(deadline - wallTime(), 0) + 1, handOver))
  }
  const keepExtending = (): void => {
    stopExtending ??= clock.after(rules.ackDeadline / 3, () => {
      stopExtending = undefined
      if (inHand.size === 0) return
      patiently(() => deliveries.extend(subscription, consumer, wallTime() + rules.ackDeadline))
      keepExtending()
    })
  }
  const toDelivery = (row: DeliveryRow): Delivery => {
    const hold: Hold = { subscription, message: row.message, attempt: row.attempt, consumer }
    /** A second end finds its hold gone and changes nothing; one that failed may be tried again. */
    const end = (write: () => void): void => {
      write()
      inHand.delete(delivery)
    }
    const bury = (reason: string) => deliveries.bury(hold, reason, isoTime(clock.now()))
    const delivery: Delivery = {
      ...toMessage(row),
      attempt: row.attempt,
      ack: async () => end(() => deliveries.ack(hold)),
      nack: async (reason) =>
        end(() => {
          if (rules.deadLetter !== undefined && row.attempt >= rules.deadLetter.attempts) return bury(reason)
          deliveries.sendBack(hold, clock.now() + backOffAfter(rules.retry, row.attempt), reason)
          store.changed(subjectOf(subscription))
        }),
      deadLetter: async (reason) => end(() => bury(reason)),
    }
    return delivery
  }

  const unwatch = store.watch(subjectOf(subscription), handOver)
  queueMicrotask(handOver)
  return {
    /** Nothing more is handed over. What is in hand may still be ended; otherwise it comes again after its deadline. */
    close: async () => {
      closed = true
      unwatch()
      stopExtending?.()
      for (const callOff of wakeUps) callOff()
    },
  }
}
