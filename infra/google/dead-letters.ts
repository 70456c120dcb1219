/**
 * Dead letters on Pub/Sub: messages on a topic of their own, kept by a subscription that nobody consumes.
 * Those that we gave up carry all about it in one attribute. Those that Pub/Sub itself gave up, because their consumers died again and
 * again, carry its attributes.
 */
import type { PubSub, Message as Received } from '@google-cloud/pubsub'
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import { type DeadLetter, type Message, neverAcknowledged } from '../../domain/ports/bus.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import { pubsubError } from './pubsub-errors.ts'

// ── As messages ──

const ours = 'deadLetter'
/** Limits of Pub/Sub. */
const [longestAttribute, mostAttributes] = [1_024, 100]

const Burial = t.type({
  id: t.string,
  subscription: t.string,
  attempts: t.number,
  reason: t.string,
  publishedAt: t.string,
  deadAt: t.string,
})
type Burial = t.TypeOf<typeof Burial>

/** As long as fits; a reason may quote what it complains about. */
const burialText = (burial: Burial): string => {
  const text = JSON.stringify(burial)
  if (Buffer.byteLength(text) <= longestAttribute) return text
  return burialText({ ...burial, reason: `${burial.reason.slice(0, Math.floor(burial.reason.length * 0.9))}…` })
}

/** The message that keeps a dead letter: body and attributes as they were (the last of 100 attributes makes room for what we add). */
export const letterOf = (
  { data, attributes }: Pick<Received, 'data' | 'attributes'>,
  burial: Burial,
): { data: Uint8Array; attributes: Record<string, string> } => {
  const original = Object.entries(attributes).filter(([name]) => name !== ours)
  return { data, attributes: { ...Object.fromEntries(original.slice(0, mostAttributes - 1)), [ours]: burialText(burial) } }
}

const pubsubs = 'CloudPubSubDeadLetterSource'
const parsed = (text: string | undefined): unknown => {
  try {
    return text && JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a message of the dead-letter topic, whoever put it there. `publishedAt`: ISO time at which it came there. */
export const readLetter = ({ id, data, attributes, publishedAt }: Message): DeadLetter => {
  const burial = decode(Burial, parsed(attributes[ours]))
  const original = (isAdded: (name: string) => boolean) => Object.fromEntries(Object.entries(attributes).filter(([name]) => !isAdded(name)))
  if (burial.ok) {
    const { subscription, attempts, reason, deadAt } = burial.value
    const message = { id: burial.value.id, data, attributes: original((name) => name === ours), publishedAt: burial.value.publishedAt }
    return { ...message, subscription, attempts, reason, deadAt }
  }
  const published = Date.parse(attributes[`${pubsubs}TopicPublishTime`] ?? '')
  return {
    ...{ id, data, attributes: original((name) => name.startsWith(pubsubs)) },
    publishedAt: Number.isNaN(published) ? publishedAt : isoTime(published),
    subscription: attributes[`${pubsubs}Subscription`]?.split('/').at(-1) ?? 'unknown',
    attempts: Number(attributes[`${pubsubs}DeliveryCount`] ?? 0),
    reason: neverAcknowledged,
    deadAt: publishedAt,
  }
}

// ── On the subscription that keeps them ──

/** A message of the dead-letter topic while we look at it. */
type Kept = { handle: string; letter: DeadLetter }
type PullResponse = {
  receivedMessages?: {
    ackId: string
    message: {
      messageId: string
      data: Buffer
      attributes: Record<string, string>
      publishTime: { seconds: string | number; nanos: number }
    }
  }[]
}

const callWithinMs = 10_000
const lookEveryMs = 100
/** Pub/Sub may say that there is nothing although there is, so it is asked for this long; shorter once it has begun to answer. */
const patienceMs = { none: 2_000, some: 1_000 }
/** Nobody else gets what we look at; it is given back at the end, and were we to die, after this time. */
const holdSeconds = 60
const atOnce = 1_000

export type KeptLetters = {
  /** All letters, the oldest first, each once however often it was buried. They stay where they are. */
  list(): Promise<DeadLetter[]>
  discard(letter: Pick<DeadLetter, 'id' | 'subscription'>): Promise<boolean>
}

/** @param subscription that keeps the letters, as it is called in the project */
export const openKeptLetters = (pubsub: PubSub, clock: Clock, subscription: string): KeptLetters => {
  const name = pubsub.subscription(subscription).name
  const call = (method: 'pull' | 'acknowledge' | 'modifyAckDeadline', request: object): Promise<PullResponse> =>
    new Promise((resolve, reject) => {
      const reqOpts = { subscription: name, ...request }
      pubsub.request<PullResponse>(
        { client: 'SubscriberClient', method, reqOpts, gaxOpts: { timeout: callWithinMs } },
        (error, response) =>
          error ? reject(pubsubError(`the subscription "${subscription}"`, pubsub.projectId, error)) : resolve(response ?? {}),
      )
    })
  const extend = (kept: readonly Kept[], seconds: number) =>
    inParts(kept, (ackIds) => call('modifyAckDeadline', { ackIds, ackDeadlineSeconds: seconds }))
  const inParts = async (kept: readonly Kept[], send: (ackIds: string[]) => Promise<unknown>): Promise<void> => {
    for (let from = 0; from < kept.length; from += atOnce) await send(kept.slice(from, from + atOnce).map(({ handle }) => handle))
  }

  const pull = async (): Promise<[string, Kept][]> => {
    const { receivedMessages = [] } = await call('pull', { maxMessages: atOnce, returnImmediately: true })
    return receivedMessages.map(({ ackId, message: { messageId, data, attributes, publishTime } }) => {
      const publishedAt = isoTime(Number(publishTime.seconds) * 1_000 + Math.floor(publishTime.nanos / 1e6))
      return [messageId, { handle: ackId, letter: readLetter({ id: messageId, data: data.toString(), attributes, publishedAt }) }]
    })
  }
  /** Takes all that is there into hand, lets `use` have it, and gives back what it did not acknowledge. */
  const withAll = async <T>(use: (kept: readonly Kept[]) => Promise<T>): Promise<T> => {
    const kept = new Map<string, Kept>()
    try {
      for (let heard = clock.monotonic(); clock.monotonic() - heard < (kept.size > 0 ? patienceMs.some : patienceMs.none); ) {
        const found = await pull()
        for (const [id, one] of found) kept.set(id, one)
        if (found.length > 0) heard = clock.monotonic()
        await extend(
          found.map(([, one]) => one),
          holdSeconds,
        )
        if (found.length === 0) await new Promise<void>((resolve) => void clock.after(lookEveryMs, resolve))
      }
      return await use([...kept.values()])
    } finally {
      await extend([...kept.values()], 0).catch(() => undefined)
    }
  }

  return {
    list: () =>
      withAll(async (kept) => {
        const letters = new Map(kept.map(({ letter }) => [`${letter.subscription} ${letter.id}`, letter]))
        return [...letters.values()].sort((first, second) => (first.deadAt < second.deadAt ? -1 : first.deadAt > second.deadAt ? 1 : 0))
      }),
    discard: ({ id, subscription: from }) =>
      withAll(async (kept) => {
        const copies = kept.filter(({ letter }) => letter.id === id && letter.subscription === from)
        await inParts(copies, (ackIds) => call('acknowledge', { ackIds }))
        return copies.length > 0
      }),
  }
}
