/**
 * Follows the journal and keeps the documents in step with it: all views, one checkpoint, documents and checkpoint in one guarded batch.
 * A second projector beside it costs nothing but a reload. A store that fails is waited for; a commit that cannot be read stops it.
 */
import type { StoredCommit } from '../domain/commit.ts'
import type { Clock } from '../domain/ports/clock.ts'
import { type Checkpoint, type Documents, type DocumentWrite, Unstorable } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { restoreLedger, type SnapshotSource } from '../domain/snapshot.ts'
import { coalesce, createMeasure } from './batch.ts'
import { endsCommand } from './commands.ts'
import { createFollower, type Life, type Log } from './follower.ts'
import { type Comparison, compareDocuments, type Rebuilt, rebuildDocuments } from './rebuild.ts'
import { createReplay, Unprojectable } from './replay.ts'
import type { View } from './view.ts'
import { views as allViews } from './views.ts'

export type ProjectorOptions = {
  journal: Journal
  documents: Documents
  mode: 'paper' | 'live'
  log: Log
  clock: Pick<Clock, 'after' | 'monotonic'>
  /** Name of the checkpoint: `checkpoints/views`. */
  name?: string
  views?: readonly View[]
  /** Saves folding what the documents show already; a rebuild never uses them. */
  snapshots?: SnapshotSource
  /**
   * So many milliseconds of machine time a commit may wait for others, so that a burst of them writes each document once. What somebody
   * waits for is shown at once, with all before it: the end of a command, and a position that `caughtUp` was asked for. 0 without.
   */
  gatherMs?: number
}

export type Projector = Life & {
  /** Begins to follow, once in its life; the documents catch up in the background. */
  start(): Promise<void>
  /** Ends after the batch in hand. What is not written is written by the next one. */
  stop(): Promise<void>
  /** Resolves when the documents show this position. @throws Error once the projector has stopped, with the reason */
  caughtUp(position: number): Promise<void>
  /** The last position that the documents show, as far as this projector knows. */
  position(): number
  /** Makes the documents what the journal says, by writing only what differs. May run while projectors are at work. */
  rebuild(): Promise<Rebuilt>
  /** What a rebuild would change; writes nothing. */
  comparison(): Promise<Comparison>
}

/** One folded commit that waits to be written. */
type Waiting = { position: number; hash: string; writes: DocumentWrite[] }

export const createProjector = (options: ProjectorOptions): Projector => {
  const { journal, documents, mode, log, clock, name = 'views', views = allViews, snapshots, gatherMs = 0 } = options
  let replay = createReplay(views, mode)
  let checkpoint: Checkpoint | undefined
  let loaded = false

  const shown = (): number => checkpoint?.position ?? 0

  const load = async (): Promise<void> => {
    checkpoint = await documents.checkpoint(name)
    // It went back behind what is folded here: somebody reset it, and its documents have to be written again.
    if (shown() < replay.position()) replay = createReplay(views, mode)
    if (replay.position() === 0) await restore()
    loaded = true
    follower.moved()
  }
  /** What the documents show already is folded silently; a snapshot does that at once. */
  const restore = async (): Promise<void> => {
    if (snapshots === undefined) return
    const ignored = (fields: object, text: string) => log.info(fields, text)
    const ledger = await restoreLedger({ snapshots, journal, atMost: shown(), ignored })
    if (ledger === undefined) return
    replay = createReplay(views, mode, ledger)
    checkSame(ledger)
  }

  /** @returns false when the checkpoint fell behind what is folded: read again from the start */
  const write = async (waiting: Waiting[]): Promise<boolean> => {
    try {
      return await writeTogether(waiting)
    } catch (error) {
      if (!(error instanceof Unstorable)) throw error
      if (waiting.length === 1) throw new Unprojectable(waiting[0]!.position, error.message, { cause: error })
      // One by one: what comes before the commit whose document no store can hold is shown before it stops us.
      for (const each of [...waiting]) if (!(await write([each]))) return false
      return true
    }
  }
  const writeTogether = async (waiting: Waiting[]): Promise<boolean> => {
    while (waiting.length > 0 && !follower.stopped()) {
      const { position, hash } = waiting.at(-1)!
      const writes = coalesce(waiting.flatMap((each) => each.writes))
      const written = await documents.write(name, writes, { position, hash }, checkpoint)
      if (written.answer === 'written') {
        checkpoint = written.checkpoint
        log.debug({ position, commits: waiting.length, documents: writes.length }, 'documents written')
        follower.moved()
        return true
      }
      const moved = await documents.checkpoint(name)
      checkpoint = moved
      log.debug({ position: shown() }, 'another projector was faster')
      follower.moved()
      if (shown() < waiting[0]!.position - 1) return false
      while (waiting.length > 0 && waiting[0]!.position <= shown()) checkSame(waiting.shift()!)
    }
    return !follower.stopped()
  }

  /** The documents must be of this journal: another hash at the checkpoint means that one of the two was replaced. */
  const checkSame = ({ position, hash }: { position: number; hash: string }): void => {
    if (position === checkpoint?.position && hash !== checkpoint.hash)
      throw new Unprojectable(position, `the documents were made from another journal: ${checkpoint.hash} stands here, not ${hash}`)
  }

  /**
   * Takes all that waits in the journal, and what comes while it gathers, as many commits to a batch as fit; a commit is never split.
   * Returns with nothing waiting.
   */
  const catchUp = async (): Promise<void> => {
    let waiting: Waiting[] = []
    let measure = createMeasure()
    let showBy = 0
    do {
      follower.read()
      for await (const stored of journal.read(replay.position() + 1)) {
        if (follower.stopped()) return
        const silently = stored.position <= shown()
        const writes = await stepOrStop(stored, silently, waiting)
        if (silently) {
          checkSame(stored)
          continue
        }
        if (waiting.length > 0 && !measure.takes(writes)) {
          if (!(await write(waiting))) return startOver()
          waiting = []
          measure = createMeasure()
        }
        if (waiting.length === 0) showBy = clock.monotonic() + gatherMs
        waiting.push({ position: stored.position, hash: stored.hash, writes })
        measure.add(writes)
      }
    } while (await moreMayCome(waiting, showBy))
    if (waiting.length > 0 && !(await write(waiting))) return startOver()
    if (replay.position() < shown()) await checkNotCutOff()
  }
  /** Waits for more to show with it, unless somebody waits for what is there. */
  const moreMayCome = async (waiting: readonly Waiting[], showBy: number): Promise<boolean> => {
    const left = showBy - clock.monotonic()
    if (waiting.length === 0 || left <= 0 || follower.stopped()) return false
    if (follower.isWaitedFor(replay.position()) || waiting.some(({ writes }) => writes.some(endsCommand))) return false
    await follower.pause(() => follower.hasNews() || follower.isWaitedFor(replay.position()), left)
    return follower.hasNews() && !follower.stopped()
  }
  /** What came before a commit that cannot be read is shown before it stops us. */
  const stepOrStop = async (stored: StoredCommit, silently: boolean, waiting: Waiting[]): Promise<DocumentWrite[]> => {
    try {
      return replay.step(stored, silently)
    } catch (error) {
      await write(waiting)
      throw error
    }
  }
  const startOver = (): void => {
    loaded = false
    follower.again()
  }
  const checkNotCutOff = async (): Promise<void> => {
    const head = await journal.head()
    if (head.position < shown())
      throw new Unprojectable(head.position + 1, `the documents show position ${shown()}, but the journal ends at ${head.position}`)
    follower.again()
  }

  const follower = createFollower({
    ...{ name: 'projector', journal, clock, log, position: shown, trouble: 'the store failed; trying again' },
    round: async () => {
      if (!loaded) await load()
      await catchUp()
      return undefined
    },
    doubt: () => {
      loaded = false // whether the last batch was written is not known
    },
    isFinal: (error) => error instanceof Unprojectable,
  })

  return {
    start: async () => follower.start(),
    stop: follower.stop,
    caughtUp: follower.caughtUp,
    position: shown,
    failure: follower.failure,
    lookedAt: follower.lookedAt,
    look: follower.look,
    rebuild: () => rebuildDocuments({ journal, documents, mode, name, views }),
    comparison: () => compareDocuments({ journal, documents, mode, name, views }),
  }
}
