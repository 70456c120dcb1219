/**
 * Watches `config/*` for changes that are not ours: one that asks for something becomes a `halt` or a `configure` with the actor `console`,
 * all else is put back. Nothing is written down about an edit but the edit itself: as long as it is not decided the document differs from
 * the journal, so a restart finds it again, and its command has the same id.
 */
import { canonical, sha256 } from '../domain/commit.ts'
import type { Configuration } from '../domain/configuration.ts'
import type { Bus } from '../domain/ports/bus.ts'
import { type Clock, isoTime } from '../domain/ports/clock.ts'
import type { Checkpoint, Document, Documents } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import type { SnapshotSource } from '../domain/snapshot.ts'
import { type Topics, topicOf, validForOf } from '../domain/topics.ts'
import { createConfigurationFold, type Expected, type ExpectedAt } from './configuration.ts'
import { comparableText, readSettingsEdit, readSwitchEdit, repairOf, shorten, type Wish } from './edit.ts'
import type { Life, Log } from './follower.ts'
import { Unprojectable } from './replay.ts'

export type HandEditsOptions = {
  journal: Pick<Journal, 'head' | 'read'>
  documents: Documents
  bus: Pick<Bus, 'publish'>
  topics: Topics
  mode: 'paper' | 'live'
  log: Log
  clock: Pick<Clock, 'now' | 'after' | 'monotonic'>
  /** Where market time is simulated, commands carry the time at which they were published. */
  simulated?: boolean
  /** Name of the checkpoint under which the views are written. */
  name?: string
  /** For a quick start. */
  snapshots?: SnapshotSource
  /** For whoever has a fold already; else the journal is folded here. */
  expectedAt?: ExpectedAt
}

export type HandEdits = Life & {
  /** Resolves after the first look: what was edited while nobody watched is asked for before a projector writes over it. */
  start(): Promise<void>
  stop(): Promise<void>
  /** True when everything noticed was looked at. What waits for the engine or for time does not count. */
  idle(): boolean
}

const soonMs = 50
const longestPauseMs = 10_000
/** A halt that is not decided after this time is published again; a document that somebody keeps changing is left alone for so long. */
export const patienceMs = 60_000
export const mostRepairs = 5

/** A command that was published for an edit and is not known to be decided. `publishedAt` is market time, `askedAt` machine time. */
type Asked = {
  id: string
  wish: Wish
  since: number
  text: string
  publishedAt: number
  askedAt: number
  unwatch: () => void
}
/** A document between two checkpoints at which the journal gives it the same content. */
type Seen = { path: string; found: Document | undefined; text: string; expected: Expected; place: Checkpoint }
/** Milliseconds until the next look; undefined: a notice is enough. */
type Next = number | undefined

export const createHandEdits = (options: HandEditsOptions): HandEdits => {
  const { documents, bus, topics, mode, log, clock, simulated = false, name = 'views' } = options
  const { expectedAt = createConfigurationFold(options.journal, mode, options.snapshots) } = options
  const switchPath = `config/${mode}`
  const paths = [switchPath, 'config/common'] // a halt goes before everything
  const open = new Map<string, Asked>()
  const repairs = new Map<string, { times: number[]; restUntil?: number }>()
  /** The last command of an edit that was given up: the very same edit, made again, is another command. */
  const ended = new Map<string, { edit: string; position: number }>()
  const told = new Map<string, string>()
  let stopped = false
  let failure: Error | undefined
  let lookedAt: number | undefined
  let news = true
  let calm = false
  let wake: () => void = () => undefined
  let running: Promise<void> | undefined

  // ── Reading ──

  const readSettled = async (path: string): Promise<Seen | 'nothing' | 'later'> => {
    const before = await documents.checkpoint(name)
    if (before === undefined || before.position === 0) return 'nothing'
    const found = await documents.get(path)
    const place = await documents.checkpoint(name)
    if (place === undefined || place.position < before.position) return 'later'
    const expected = (await expectedAt(place)).get(path)
    if (expected === undefined) return 'nothing'
    // A projector wrote it between the two: what was found may be of either side.
    if (expected.since > before.position) return 'later'
    return { path, found, text: comparableText(found), expected, place }
  }

  // ── Asking ──

  const editOf = ({ path, expected, text }: Seen, wish: Wish): string => sha256(canonical([path, expected.since, text, wish]))

  /** The same for everybody who sees the edit, and another one where that command is over and the edit stands there again. */
  const idFor = async (seen: Seen, wish: Wish): Promise<string> => {
    const edit = editOf(seen, wish)
    const last = ended.get(seen.path)
    for (let after = last?.edit === edit ? last.position : 0; ; ) {
      const id = `console-${sha256(canonical([edit, after])).slice(0, 40)}`
      const command = await documents.get(`commands/${id}`)
      if (command === undefined) return id
      after = Math.max(after + 1, Number(command['position']) || 0)
    }
  }

  const forget = (path: string): void => {
    open.get(path)?.unwatch()
    open.delete(path)
  }

  const ask = async (seen: Seen, wish: Wish, problems: readonly string[]): Promise<Next> => {
    const { path, text, expected } = seen
    const id = await idFor(seen, wish)
    const unwatch = documents.watch(`commands/${id}`, signal)
    const publishedAt = clock.now()
    const time: Record<string, string> = simulated ? { publishedAt: isoTime(publishedAt) } : {}
    try {
      await bus.publish(topicOf(topics, wish.type, mode), {
        data: JSON.stringify(wish.body),
        attributes: { type: wish.type, id, source: 'console', actor: 'console', ...time },
      })
    } catch (error) {
      unwatch()
      throw error
    }
    const again = open.get(path)?.id === id
    forget(path)
    open.set(path, { id, wish, since: expected.since, text, publishedAt, askedAt: clock.monotonic(), unwatch })
    const besides = problems.length === 0 ? '' : `; besides, ${problems.join('; ')}`
    const what = wish.type === 'halt' ? wish.body.reason : `${path} was changed by hand: ${shorten(canonical(wish.body.changes), 300)}`
    log.warn(
      { document: path, command: id, ...shown(seen), problems },
      `${what}; ${wish.type} is published${again ? ' again, it is not decided yet' : ''} as ${id}${besides}`,
    )
    return patienceMs
  }

  // ── Putting back ──

  const shown = ({ text, expected }: Seen) => ({ found: shorten(text, 1_000), expected: shorten(expected.text, 1_000) })

  const putBack = async (seen: Seen, problems: readonly string[]): Promise<Next> => {
    const { path, expected, found, place } = seen
    const now = clock.monotonic()
    const { times, restUntil = 0 } = repairs.get(path) ?? { times: [] }
    if (now < restUntil) return restUntil - now
    const recent = times.filter((time) => now - time < patienceMs)
    if (recent.length >= mostRepairs) {
      repairs.set(path, { times: [], restUntil: now + patienceMs })
      log.warn(
        { document: path, ...shown(seen) },
        `${path} was put back ${recent.length} times within a minute and is changed by hand again; it is left as it is for a minute`,
      )
      return patienceMs
    }
    const written = await documents.write(name, [repairOf(path, expected.data, found)], place, place)
    if (written.answer === 'moved') return soonMs
    repairs.set(path, { times: [...recent, now] })
    log.warn({ document: path, ...shown(seen) }, `${path} was changed by hand and is put back: ${problems.join('; ')}`)
    return undefined
  }

  // ── Looking ──

  /** How a configure ended that left the document as it was edited; undefined: it may still be decided. */
  const endOf = (asked: Asked, command: Document | undefined): string | undefined => {
    if (command !== undefined) return `${asked.id} was ${command['status']}: ${command['text'] ?? 'nothing was changed'}`
    const validFor = validForOf(topics, asked.wish.type)
    return clock.now() > asked.publishedAt + validFor ? `nobody decided ${asked.id} while it was valid` : undefined
  }

  const attend = async (path: string): Promise<Next> => {
    const seen = await readSettled(path)
    if (seen === 'later') return soonMs
    if (seen === 'nothing') return undefined
    const { text, expected, found, place } = seen
    const differs = text !== expected.text
    const asked = open.get(path)
    let underWay: Configuration = {}
    if (asked !== undefined) {
      const unchanged = asked.since === expected.since && asked.text === text
      if (asked.wish.type === 'halt' && unchanged) {
        const left = asked.askedAt + patienceMs - clock.monotonic()
        return left > 0 ? left : ask(seen, asked.wish, [])
      }
      const command = await documents.get(`commands/${asked.id}`)
      if (command !== undefined && Number(command['position']) > place.position) return soonMs
      const end = endOf(asked, command)
      if (end === undefined) {
        if (unchanged) return patienceMs
        // Where a projector wrote the document meanwhile, it no longer shows what is under way, and nobody has asked that back.
        if (asked.since === expected.since && asked.wish.type === 'configure') underWay = asked.wish.body.changes
      } else {
        if (unchanged && differs) {
          const answer = await putBack(seen, [end])
          if (answer !== undefined) return answer
          ended.set(path, { edit: editOf(seen, asked.wish), position: Number(command?.['position'] ?? place.position) })
          forget(path)
          return undefined
        }
        forget(path)
      }
    }
    if (!differs && Object.keys(underWay).length === 0) return open.has(path) ? patienceMs : undefined
    const { wish, problems } =
      path === switchPath ? readSwitchEdit(path, expected.data, found) : readSettingsEdit(expected.data, found, underWay)
    if (wish !== undefined) return ask(seen, wish, problems)
    if (!open.has(path)) return putBack(seen, problems)
    // What is under way writes the document anew, or is refused; putting it back now could be taken for a wish of its own.
    if (problems.length > 0 && told.get(path) !== text)
      log.warn({ document: path, ...shown(seen) }, `${path} was changed by hand and will be put back: ${problems.join('; ')}`)
    told.set(path, text)
    return patienceMs
  }

  /** Each document by itself: trouble with the settings never holds up a halt. */
  const look = async (): Promise<Next> => {
    const next: number[] = []
    const troubles: unknown[] = []
    for (const path of paths)
      try {
        const answer = await attend(path)
        if (answer !== undefined) next.push(answer)
      } catch (error) {
        troubles.push(error)
      }
    if (troubles.length > 0) throw troubles[0]
    return next.length === 0 ? undefined : Math.min(...next)
  }

  // ── The loop ──

  const signal = (): void => {
    news = true
    calm = false
    wake()
  }
  /** Until there is news, or the time has passed; after trouble news does not count, so that a store that fails is not asked more often. */
  const pause = async (milliseconds: Next, troubled: boolean): Promise<void> => {
    let callOff: () => void = () => undefined
    await new Promise<void>((resolve) => {
      wake = () => (stopped || !troubled) && resolve()
      if (stopped || (news && !troubled)) return resolve()
      calm = !troubled && milliseconds !== soonMs
      if (milliseconds !== undefined) callOff = clock.after(milliseconds, resolve)
    })
    callOff()
    calm = false
    wake = () => undefined
  }

  const follow = async (looked: () => void): Promise<void> => {
    let nextPause = soonMs
    while (!stopped) {
      news = false
      try {
        const next = await look()
        lookedAt = clock.monotonic()
        nextPause = soonMs
        if (next !== soonMs) looked()
        await pause(next, false)
      } catch (error) {
        if (error instanceof Unprojectable) throw error
        log.warn({ err: error, pauseMs: nextPause }, 'hand edits could not be looked at; trying again')
        looked()
        await pause(nextPause, true)
        nextPause = Math.min(nextPause * 2, longestPauseMs)
      }
    }
  }

  let unwatch: (() => void)[] = []
  const letGo = (): void => {
    for (const end of unwatch) end()
    unwatch = []
    for (const path of paths) forget(path)
  }

  return {
    start: () =>
      new Promise((resolve) => {
        if (running !== undefined) return resolve()
        unwatch = paths.map((path) => documents.watch(path, signal))
        running = follow(resolve)
          .catch((error: Error) => {
            failure = error
            stopped = true
            log.error({ err: error }, `hand edits are no longer seen: ${error.message}`)
          })
          .finally(() => {
            letGo()
            resolve()
          })
      }),
    stop: async () => {
      stopped = true
      wake()
      await running
    },
    idle: () => failure !== undefined || (calm && !news),
    failure: () => failure,
    lookedAt: () => lookedAt,
    look: signal,
  }
}
