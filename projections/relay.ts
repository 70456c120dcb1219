/**
 * Publishes every event of the journal to the events topic: in order, none left out, each at least once. Its pointer, a checkpoint like a
 * projection's, is moved only after the bus has kept the events, so after a crash the last of them come again: readers know an event by
 * its position. After a failure it goes back to the first event that is not known to be kept; the order is then 1, 2, 3, 2, 3, never 1, 3.
 */
import { genesisHash, type StoredCommit } from '../domain/commit.ts'
import type { Bus } from '../domain/ports/bus.ts'
import type { Clock } from '../domain/ports/clock.ts'
import type { Checkpoint, Documents } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { hashAt } from '../domain/snapshot.ts'
import type { Topics } from '../domain/topics.ts'
import { type EventMessage, eventTopicOf, messagesOf } from './event-messages.ts'
import { createFollower, type Life, type Log } from './follower.ts'

export type RelayOptions = {
  journal: Journal
  documents: Documents
  bus: Pick<Bus, 'publish'>
  topics: Topics
  mode: 'paper' | 'live'
  log: Log
  clock: Pick<Clock, 'after' | 'monotonic'>
}

export type Relay = Life & {
  /** Begins to follow, once in its life, from its pointer on; where there is none, from position 1. */
  start(): Promise<void>
  /** Ends after the events in hand, and leaves its pointer where it stands. */
  stop(): Promise<void>
  /** Resolves when every event up to this position is on the bus. @throws Error once the relay has stopped, with the reason */
  caughtUp(position: number): Promise<void>
  /** The last position of which every event is on the bus, as far as this relay knows. */
  position(): number
}

/** The journal is at fault, or the pointer: waiting does not help. The message names the position. */
export class Unpublishable extends Error {
  override name = 'Unpublishable'
  readonly position: number
  constructor(position: number, problem: string, options?: ErrorOptions) {
    super(`the events of position ${position} cannot be published: ${problem}`, options)
    this.position = position
  }
}

const name = 'relay'
const pointerEveryMs = 1_000
/** What is handed to the bus before an answer is waited for: whole commits, until there is this much. */
const largestGroup = { messages: 100, characters: 1_000_000 }

type Place = { position: number; hash: string }
type Outgoing = { place: Place; messages: EventMessage[] }
const beginning: Place = { position: 0, hash: genesisHash }

const outgoing = (stored: StoredCommit, last: number): Outgoing => {
  const { position, hash } = stored
  if (position !== last + 1) throw new Unpublishable(last + 1, 'the journal has no such commit')
  try {
    return { place: { position, hash }, messages: messagesOf(stored) }
  } catch (error) {
    throw new Unpublishable(position, error instanceof Error ? error.message : String(error), { cause: error })
  }
}

/** @throws Error when topics.yaml has not exactly one topic of kind event */
export const createRelay = ({ journal, documents, bus, topics, mode, log, clock }: RelayOptions): Relay => {
  const topic = eventTopicOf(topics, mode)
  /** Up to here everything is on the bus. */
  let place = beginning
  /** What the store says of that; it lags behind. */
  let pointer: Checkpoint | undefined
  let pointerMovedAt = Number.NEGATIVE_INFINITY
  let loaded = false

  // ── The pointer ──

  const load = async (): Promise<void> => {
    const found = await documents.checkpoint(name)
    const [before, now] = [pointer?.position ?? 0, found?.position ?? 0]
    // Another relay is further, or somebody put the pointer back, so that everything after it is published again.
    if (now > place.position || now < before) place = found ?? beginning
    pointer = found
    const hash = place.position === 0 ? genesisHash : await hashAt(journal, place.position)
    if (hash === undefined) throw new Unpublishable(place.position, 'they were published before, but the journal ends earlier')
    if (hash !== place.hash) throw new Unpublishable(place.position, `those of another journal were published: ${place.hash}, not ${hash}`)
    loaded = true
    follower.moved()
  }
  const movePointer = async (): Promise<void> => {
    const written = await documents.write(name, [], { position: place.position, hash: place.hash }, pointer)
    pointerMovedAt = clock.monotonic()
    if (written.answer === 'written') pointer = written.checkpoint
    else loaded = false // another relay is at work; what it did is read first
  }
  /** Milliseconds until the pointer may be moved; undefined when it stands where it should. */
  const pointerDueIn = (): number | undefined =>
    place.position === (pointer?.position ?? 0) ? undefined : Math.max(0, pointerMovedAt + pointerEveryMs - clock.monotonic())

  // ── Publishing ──

  /** Moves our place as far as the bus has kept everything. @throws what the bus threw first */
  const publish = async (group: readonly Outgoing[]): Promise<void> => {
    let trouble: { error: unknown } | undefined
    const handOver = async (message: EventMessage): Promise<boolean> => {
      try {
        await bus.publish(topic, message)
        return true
      } catch (error) {
        trouble ??= { error }
        return false
      }
    }
    const handedOver: Promise<boolean>[] = []
    for (const message of group.flatMap(({ messages }) => messages)) {
      if (trouble !== undefined) break
      handedOver.push(handOver(message))
      // The order of the calls is that of the publication. A bus that refuses at once is heard here, before it gets the next message;
      // one that answers later hears of them all before its first answer, and lets none pass that comes after one that failed.
      await undefined
    }
    const kept = (await Promise.all(handedOver)).indexOf(false)
    let left = kept === -1 ? handedOver.length : kept
    for (const commit of group) {
      left -= commit.messages.length
      if (left < 0) break
      place = commit.place
    }
    follower.moved()
    if (trouble !== undefined) throw trouble.error
  }

  /** Publishes all that waits in the journal, some of it at a time. Ends early when the pointer has to be read again. */
  const catchUp = async (): Promise<void> => {
    let group: Outgoing[] = []
    let last = place.position
    for await (const stored of journal.read(last + 1)) {
      if (follower.stopped()) return
      const next = await outgoingOrStop(stored, last, group)
      last = next.place.position
      group.push(next)
      if (!isFull(group)) continue
      await publish(group)
      group = []
      if (pointerDueIn() === 0) await movePointer()
      if (!loaded) return
    }
    if (group.length > 0) await publish(group)
    if (pointerDueIn() === 0) await movePointer()
  }
  /** What came before a commit that cannot be read is published before it stops us. */
  const outgoingOrStop = async (stored: StoredCommit, last: number, group: readonly Outgoing[]): Promise<Outgoing> => {
    try {
      return outgoing(stored, last)
    } catch (error) {
      await publish(group)
      throw error
    }
  }

  /** Without it, what was published in the last second would only be published again. A rival that moved it meanwhile is answered once more. */
  const leavePointer = async (): Promise<void> => {
    try {
      for (let attempt = 1; attempt <= 3 && pointerDueIn() !== undefined; attempt++) {
        if (attempt > 1) await load()
        await movePointer()
      }
    } catch (error) {
      log.warn({ err: error, position: place.position }, 'the pointer of the events could not be moved; the last of them will come again')
    }
  }

  const follower = createFollower({
    ...{ name, journal, clock, log, position: () => place.position, trouble: 'the store or the bus failed; trying again' },
    round: async () => {
      follower.read()
      if (!loaded) await load()
      await catchUp()
      if (!loaded) follower.again()
      return pointerDueIn()
    },
    doubt: () => {
      loaded = false // whether the pointer was moved is not known
    },
    isFinal: (error) => error instanceof Unpublishable,
    leave: leavePointer,
  })

  return {
    start: async () => follower.start(),
    stop: follower.stop,
    caughtUp: follower.caughtUp,
    position: () => place.position,
    failure: follower.failure,
    lookedAt: follower.lookedAt,
    look: follower.look,
  }
}

const isFull = (group: readonly Outgoing[]): boolean => {
  let [messages, characters] = [0, 0]
  for (const commit of group) {
    messages += commit.messages.length
    for (const { data } of commit.messages) characters += data.length
  }
  return messages >= largestGroup.messages || characters >= largestGroup.characters
}
