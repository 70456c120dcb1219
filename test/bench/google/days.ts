/** Days of trading as the demo has them, on Pub/Sub and Firestore, and the starts that follow, with everything counted that is billed. */
import type { Commit } from '../../../domain/commit.ts'
import { isoTime } from '../../../domain/ports/clock.ts'
import { nextSlot } from '../../../domain/topics.ts'
import { systemClock } from '../../../infra/clock.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { createProjector } from '../../../projections/projector.ts'
import { isView, type Operation, type Sum, sumOf } from './bill.ts'
import { mode, newProject, openProcess, operationsOf, type Running, reachedOver, type World } from './world.ts'

const schedule = 'orchestrator'
/** As in the demo: strategies that meet in SPY from both sides. */
const allocations = {
  'strategies.spymacdvixy.allocation': 0.5,
  'strategies.testsignalgenerator.allocation': 0.35,
  'strategies.dummy.allocation': 0.15,
}
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** `bytes` as Pub/Sub bills them. */
export type Day = Sum & { commits: number; messages: number; bytes: number }

const publish = async ({ composed, driver }: Running, now: number, type: string, body: object): Promise<void> => {
  const attributes = { type, id: `bench-${type}`, source: 'cli', publishedAt: isoTime(now) }
  await composed.bus.publish(`${mode}-commands`, { data: JSON.stringify(body), attributes })
  await driver.settled()
}

/** What each day cost, from one decision to the next, and what the views were written in all of them together. */
export const liveThrough = async (world: World, tell: (what: string) => void): Promise<{ days: Day[]; operations: Operation[] }> => {
  const { clock, firestore, pubsub, sessions } = world
  const rules = readTopics().schedules.find(({ job }) => job === schedule)
  if (rules === undefined) throw new Error(`topics.yaml has no schedule ${schedule}`)
  const running = await openProcess(world)
  const { ledger } = running.composed.engine
  await publish(running, clock.now(), 'configure', { changes: allocations })
  await publish(running, clock.now(), 'resume', {})
  const soFar = () => ({
    operations: firestore.operations.length,
    commits: ledger.position,
    messages: pubsub.published.messages + pubsub.delivered.messages,
    bytes: pubsub.published.bytes + pubsub.delivered.bytes,
  })
  const first = firestore.operations.length
  const days: Day[] = []
  for (const session of sessions) {
    const before = soFar()
    await running.driver.runTo(nextSlot(rules, session.open))
    const now = soFar()
    days.push({
      ...sumOf(firestore.operations.slice(before.operations)),
      commits: now.commits - before.commits,
      messages: now.messages - before.messages,
      bytes: now.bytes - before.bytes,
    })
    tell(session.date)
  }
  const operations = firestore.operations.slice(first)
  await running.composed.stop()
  return { days, operations }
}

/** All reads of a start of the whole process, until it is at rest. */
export const start = async (world: World): Promise<Operation[]> => {
  let stop = async (): Promise<void> => undefined
  const operations = await operationsOf(world.firestore, async () => {
    const { composed } = await openProcess(world)
    stop = composed.stop
  })
  await stop()
  return operations
}

/** The same where every state has to be folded from position 1. */
export const startWithoutSnapshot = async (world: World): Promise<Operation[]> => {
  const { firestore, close } = openConnection(world.store)
  await firestore.recursiveDelete(firestore.collection(`journals/${mode}/snapshots`))
  await close()
  return start(world)
}

export const commitsOf = async ({ store }: World): Promise<Commit[]> => {
  const { firestore, close } = openConnection(store)
  const commits: Commit[] = []
  const journal = openJournal({ firestore, mode, abandoned: new AbortController().signal })
  for await (const { json } of journal.read(1)) commits.push(JSON.parse(json) as Commit)
  await close()
  return commits
}

const withProjector = async (
  world: World,
  store: GoogleStore,
  work: (parts: ReturnType<typeof partsOf>) => Promise<unknown>,
): Promise<void> => {
  const connection = openConnection(reachedOver(store, world.firestore))
  const leaving = new AbortController()
  const parts = partsOf(connection.firestore, leaving.signal)
  try {
    await work(parts)
  } finally {
    await parts.projector.stop()
    leaving.abort()
    parts.documents.close()
    await connection.close()
  }
}
const partsOf = (firestore: ReturnType<typeof openConnection>['firestore'], abandoned: AbortSignal) => {
  const journal = openJournal({ firestore, mode, abandoned })
  const documents = openDocuments({ firestore, mode, clock: systemClock, abandoned })
  return { journal, documents, projector: createProjector({ journal, documents, mode, log: silent, clock: systemClock }) }
}

/** Documents written when the same commits come one at a time, each shown before the next: more cannot be. */
export const showOneByOne = async (world: World, commits: readonly Commit[]): Promise<number> => {
  const operations = await operationsOf(world.firestore, () =>
    withProjector(world, newProject(world.store.emulators!), async ({ journal, projector }) => {
      await projector.start()
      for (const commit of commits) {
        const { answer } = await journal.append(commit)
        if (answer !== 'appended') throw new Error(`commit ${commit.position}: ${answer}`)
        await projector.caughtUp(commit.position)
      }
    }),
  )
  return sumOf(operations, isView).writes
}

/** Everything that a rebuild writes or deletes, checkpoints too. */
export const rebuildIntact = async (world: World): Promise<Sum> =>
  sumOf(await operationsOf(world.firestore, () => withProjector(world, world.store, ({ projector }) => projector.rebuild())))
