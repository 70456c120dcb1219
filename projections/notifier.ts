/**
 * Tells people what they have to know: follows the journal, the time and the dead letters, writes down each alert once as `notices/{id}`,
 * and sends it until every channel has taken it. Written first, sent then: a crash between the two may tell twice, never not at all.
 */
import { newYorkDate, sessionOn } from '../domain/calendar.ts'
import { settingOf } from '../domain/configuration.ts'
import { fold } from '../domain/fold.ts'
import { initialLedger, type Ledger } from '../domain/ledger.ts'
import type { Alert, AlertChannel } from '../domain/ports/alert-channel.ts'
import type { Bus, DeadLetter } from '../domain/ports/bus.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Checkpoint, Document, Documents, DocumentWrite } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { restoreLedger, type SnapshotSource } from '../domain/snapshot.ts'
import { nextSlot, type Topics } from '../domain/topics.ts'
import { noticePath } from '../domain/view-documents.ts'
import {
  alertsOf,
  backAgain,
  deadLetter,
  goneTooLong,
  goneTooLongAt,
  type Missable,
  missableOf,
  missableSchedules,
  notRun,
} from './alerts.ts'
import { createFollower, type Life, type Log } from './follower.ts'

export type NotifierOptions = {
  journal: Journal
  documents: Documents
  bus: Pick<Bus, 'onDeadLetter'>
  topics: Topics
  log: Log
  clock: Clock
  /** Beside the log, which always hears of an alert. */
  channels: readonly AlertChannel[]
  /** For a quick start. */
  snapshots?: SnapshotSource
}

export type Notifier = Life & {
  /** Begins to follow, once in its life: where it ended the last time, the first time at the head of the journal. */
  start(): Promise<void>
  /** Ends after what it is sending. What is not sent is sent by the next one. */
  stop(): Promise<void>
}

const name = 'alerts'
const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]
/** At once to one channel: a chat takes no more, and nobody reads more. */
const mostTogether = 20
const sending = { firstPauseMs: second, longestPauseMs: 5 * minute, givenUpAfterMs: 24 * hour }
/** Notices are forgotten after this time; what still lasts then is told again. */
const memory = 35 * day
/** Slots that were missed while nobody followed are told when somebody does again, if they are not older. */
const lookBack = 7 * day

/** One alert that some channels have not taken yet. `since`: machine time. */
type Waiting = { alert: Alert; channels: string[]; givenUp: string[]; since: number }

const documentOf = ({ alert: { id: _, ...alert }, channels, givenUp }: Waiting, now: number): Document => ({
  ...alert,
  waiting_for: [...channels],
  given_up: [...givenUp],
  told_at: channels.length === 0 ? isoTime(now) : null,
})
const alertIn = (path: string, data: Document): Alert => {
  const { at, position, severity, title, text, next } = data as unknown as Omit<Alert, 'id'>
  return { id: path.slice(noticePath('').length), at, position, severity, title, text, next }
}

export const createNotifier = (options: NotifierOptions): Notifier => {
  const { journal, documents, bus, topics, log, clock, channels, snapshots } = options
  let ledger: Ledger = initialLedger()
  let checkpoint: Checkpoint | undefined
  let loaded = false
  let begun = false
  /** Ids of all notices. */
  const told = new Set<string>()
  const waiting = new Map<string, Waiting>()
  /** Found, and not yet written down. */
  let found: Alert[] = []
  let missable: Missable[] = []
  /** Dead letters that came, and how to say that they are written down, or will not be. */
  let letters: { letter: DeadLetter; heard: () => void; left: (error: Error) => void }[] = []
  let listening: { close(): Promise<void> } | undefined
  let callOff: () => void = () => undefined
  const pauses = new Map(channels.map((channel) => [channel.name, { until: Number.NEGATIVE_INFINITY, ms: sending.firstPauseMs }]))

  // ── Where it stands ──

  const load = async (): Promise<void> => {
    checkpoint = await documents.checkpoint(name)
    const old: DocumentWrite[] = []
    for (const { path, data } of await documents.list('notices')) {
      const alert = alertIn(path, data)
      if (Date.parse(alert.at) < clock.now() - memory) old.push({ kind: 'delete', path })
      else remember(alert, data)
    }
    if (!begun) await begin()
    loaded = true
    if (old.length > 0 || checkpoint === undefined) await write(old)
  }
  const remember = (alert: Alert, { waiting_for, given_up }: Document): void => {
    told.add(alert.id)
    const left = channels.map((channel) => channel.name).filter((each) => (waiting_for as readonly string[]).includes(each))
    if (left.length === 0) waiting.delete(alert.id)
    else if (!waiting.has(alert.id))
      waiting.set(alert.id, { alert, channels: left, givenUp: [...(given_up as readonly string[])], since: clock.monotonic() })
  }
  /** What happened before there was anybody to tell it is history. */
  const begin = async (): Promise<void> => {
    const head = await journal.head()
    const known = checkpoint !== undefined && checkpoint.position <= head.position
    const from = known ? checkpoint!.position : head.position
    const ignored = (fields: object, text: string) => log.info(fields, text)
    const restored = snapshots && (await restoreLedger({ snapshots, journal, atMost: from, ignored }))
    if (restored !== undefined) ledger = restored
    if (from > ledger.position) for await (const stored of journal.read(ledger.position + 1, from)) fold(ledger, stored)
    const since = known ? Math.max(Date.parse(ledger.recordedAt), clock.now() - lookBack) : clock.now()
    missable = missableSchedules(topics).map((schedule) => missableOf(topics, schedule, nextSlot(schedule, since)))
    begun = true
  }

  /** @returns false when another notifier moved the checkpoint: what it wrote is read first */
  const write = async (writes: readonly DocumentWrite[]): Promise<boolean> => {
    const { position, hash } = ledger
    const written = await documents.write(name, writes, { position, hash }, checkpoint)
    if (written.answer === 'written') checkpoint = written.checkpoint
    else {
      loaded = false
      follower.again()
    }
    return written.answer === 'written'
  }

  // ── Finding ──

  const read = async (): Promise<void> => {
    for await (const stored of journal.read(ledger.position + 1)) {
      if (follower.stopped()) return
      const { connected } = ledger.gateway
      const { commit, events } = fold(ledger, stored)
      found.push(...alertsOf(commit, events, ledger))
      if (!connected && ledger.gateway.connected) found.push(...backAgain([...told, ...found.map(({ id }) => id)], ledger))
    }
  }
  const goneAt = (): number | undefined => goneTooLongAt(ledger, settingOf(ledger.configuration, 'alerts.gatewayLostMinutes'))
  const lookAtTime = async (): Promise<void> => {
    const now = clock.now()
    const gone = goneAt()
    if (gone !== undefined && now >= gone) found.push(goneTooLong(ledger, gone))
    missable = await Promise.all(missable.map((each) => pass(each, now)))
  }
  const pass = async (first: Missable, now: number): Promise<Missable> => {
    let each = first
    for (; each.at <= now; each = missableOf(topics, each.schedule, nextSlot(each.schedule, each.slot))) {
      const isTradingDay = sessionOn(newYorkDate(each.slot)) !== undefined
      if (isTradingDay && (await journal.marker(each.id)) === undefined) found.push(notRun(each))
    }
    return each
  }
  const hear = async (letter: DeadLetter): Promise<void> => {
    if (follower.stopped()) throw new Error('the notifier has stopped')
    await new Promise<void>((heard, left) => {
      letters.push({ letter, heard, left })
      follower.again()
    })
  }

  // ── Telling ──

  const writeDown = async (): Promise<void> => {
    const came = letters
    const unknown = new Map<string, Alert>()
    for (const alert of [...found, ...came.map(({ letter }) => deadLetter(letter))])
      if (!told.has(alert.id) && !unknown.has(alert.id)) unknown.set(alert.id, alert)
    const next = [...unknown.values()].map((alert): Waiting => {
      return { alert, channels: channels.map((channel) => channel.name), givenUp: [], since: clock.monotonic() }
    })
    if (next.length > 0) {
      const writes = next.map(
        (each): DocumentWrite => ({ kind: 'set', path: noticePath(each.alert.id), data: documentOf(each, clock.now()) }),
      )
      if (!(await write(writes))) return
    }
    found = []
    letters = letters.filter((each) => !came.includes(each))
    for (const { heard } of came) heard()
    for (const each of next) {
      const { id, severity, title, text, next: todo } = each.alert
      told.add(id)
      if (each.channels.length > 0) waiting.set(id, each)
      log[severity === 'warning' ? 'warn' : severity]({ alert: id, next: todo }, `${title}: ${text}`)
    }
  }
  const send = async (channel: AlertChannel): Promise<Waiting[]> => {
    const mine = [...waiting.values()].filter(({ channels: left }) => left.includes(channel.name)).slice(0, mostTogether)
    const pausing = pauses.get(channel.name)!
    if (mine.length === 0 || clock.monotonic() < pausing.until) return []
    try {
      await channel.send(mine.map(({ alert }) => alert))
      Object.assign(pausing, { until: Number.NEGATIVE_INFINITY, ms: sending.firstPauseMs })
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error))
      log.warn({ channel: channel.name, pauseMs: pausing.ms, alerts: mine.length }, `alerts could not be sent: ${message}`)
      Object.assign(pausing, { until: clock.monotonic() + pausing.ms, ms: Math.min(pausing.ms * 2, sending.longestPauseMs) })
      return giveUp(channel, mine)
    }
    for (const each of mine) each.channels = each.channels.filter((left) => left !== channel.name)
    return mine
  }
  const giveUp = (channel: AlertChannel, mine: readonly Waiting[]): Waiting[] => {
    const hopeless = mine.filter(({ since }) => clock.monotonic() - since >= sending.givenUpAfterMs)
    for (const each of hopeless) {
      each.channels = each.channels.filter((left) => left !== channel.name)
      each.givenUp.push(channel.name)
      log.error({ channel: channel.name, alert: each.alert.id }, `never told by ${channel.name}: ${each.alert.title}`)
    }
    return hopeless
  }
  const tell = async (): Promise<void> => {
    const changed = new Set((await Promise.all(channels.map(send))).flat())
    if (changed.size === 0) return
    for (const each of changed) if (each.channels.length === 0) waiting.delete(each.alert.id)
    await write(
      [...changed].map((each): DocumentWrite => ({ kind: 'merge', path: noticePath(each.alert.id), data: documentOf(each, clock.now()) })),
    )
    follower.again() // there may be more than could go at once
  }

  // ── When ──

  /** Wakes it at the next market time at which something may be missing. */
  const arm = (): void => {
    callOff()
    const gone = goneAt()
    const times = [...missable.map(({ at }) => at), ...(gone === undefined || gone <= clock.now() ? [] : [gone])]
    callOff = times.length === 0 ? () => undefined : clock.at(Math.min(...times), follower.again)
  }
  const dueIn = (): number | undefined => {
    const times = [...waiting.values()].flatMap(({ channels: left }) => left.map((each) => pauses.get(each)!.until))
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - clock.monotonic())
  }

  const follower = createFollower({
    ...{ name: 'notifier', journal, clock, log, position: () => ledger.position, trouble: 'the store failed; alerts wait' },
    round: async () => {
      follower.read()
      if (!loaded) await load()
      await read()
      await lookAtTime()
      await writeDown()
      if (loaded) await tell()
      arm()
      return loaded ? dueIn() : 0
    },
    doubt: () => {
      loaded = false
    },
    /** What cannot be folded is told by the projector, which stops at it too. */
    isFinal: (error) => error instanceof Error && error.name === 'UnreadableEvent',
    leave: async () => {
      callOff()
      for (const { left } of letters) left(new Error('the notifier has stopped'))
      await listening?.close()
    },
  })
  return {
    start: async () => {
      follower.start()
      listening ??= bus.onDeadLetter(hear)
    },
    stop: follower.stop,
    failure: follower.failure,
    lookedAt: follower.lookedAt,
    look: follower.look,
  }
}
