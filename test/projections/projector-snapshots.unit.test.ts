/** A projector that begins at a snapshot: it folds only what the snapshot lacks, shows the same, and trusts nothing that is not of this journal. */
import { expect } from 'chai'
import fc from 'fast-check'
import { canonical } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { snapshotOf } from '../../domain/snapshot.ts'
import type { Log } from '../../projections/follower.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { views } from '../../projections/views.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal, memorySnapshots } from '../memory-store.ts'
import { anyHistory } from './histories.ts'
import { commitsOf, documentsOf, type Told } from './story.ts'

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const clock = {
  monotonic: () => 0,
  after: (_: number, run: () => void) => {
    const turn = setImmediate(run)
    return () => clearImmediate(turn)
  },
}
const expected = (told: readonly Told[]) =>
  Object.fromEntries([...documentsOf(views, ...told)].map(([path, data]) => [path, canonical(data)]))

/** A journal that says from where on it was read, questions for one commit alone left out. */
const counted = (memory: Memory) => {
  const journal = memoryJournal(memory)
  const from: number[] = []
  const read: Journal['read'] = (first, last) => {
    if (first !== last) from.push(first)
    return journal.read(first, last)
  }
  return { journal: { ...journal, read }, from }
}

const world = (told: readonly Told[]) => {
  const memory = createMemory()
  const commits = commitsOf(told)
  const said: string[] = []
  const projector = (journal: Journal = memoryJournal(memory)): Projector =>
    createProjector({
      ...{ journal, documents: memoryDocuments(memory), mode: 'paper', clock },
      log: { ...silent, info: (_, text) => void said.push(text) },
      snapshots: { store: memorySnapshots(memory), version: 'v1' },
    })
  /** Shows everything up to a position, then stops. */
  const show = async (position: number, journal?: Journal): Promise<void> => {
    for (const commit of commits.slice(memory.commits.length, position)) memory.commits.push(commit)
    const following = projector(journal)
    await following.start()
    try {
      await following.caughtUp(position)
    } finally {
      await following.stop()
    }
  }
  const save = async (position: number, changes: object = {}): Promise<void> => {
    const ledger = initialLedger()
    for (const stored of commits.slice(0, position)) fold(ledger, stored)
    await memorySnapshots(memory).save({ ...snapshotOf(ledger, 'v1'), ...changes })
  }
  return { memory, commits, said, show, save }
}

const history = [
  ...fc.sample(anyHistory(0), 1)[0]!,
  ...Array.from(
    { length: 18 },
    (_, number): Told => ({
      cause: { kind: 'broker', report: 'lost' },
      events: [event('GatewayLost', { reason: `cable ${number}` })],
    }),
  ),
]

describe('the projector at a snapshot', () => {
  it('shows what it would show without, wherever snapshot, checkpoint and head are', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(anyHistory(20), { minLength: 2, maxLength: 4 }).map((histories) => histories.flat()),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 2 }),
        async (told, percents) => {
          const { memory, commits, show, save } = world(told)
          const [snapshot, shown] = percents
            .map((percent) => Math.round((percent / 100) * commits.length))
            .sort((left, right) => left - right) as [number, number]
          await show(shown)
          if (snapshot > 0) await save(snapshot)
          await show(commits.length)
          expect(Object.fromEntries(memory.documents)).to.deep.equal(expected(told))
        },
      ),
      { numRuns: 60 },
    )).timeout(30_000)

  it('reads the journal from there on, and no more', async () => {
    const { memory, show, save } = world(history)
    await show(15)
    await save(12)
    const { journal, from } = counted(memory)
    await show(20, journal)
    expect(from[0]).to.equal(13)
    expect(from).to.not.include(1)
    expect(Object.fromEntries(memory.documents)).to.deep.equal(expected(history))
  })

  it('takes none that is past what the documents show: those commits are still to be written', async () => {
    const { memory, show, save } = world(history)
    await show(10)
    await save(8)
    await save(11)
    const { journal, from } = counted(memory)
    await show(20, journal)
    expect(from[0]).to.equal(9)
    expect(Object.fromEntries(memory.documents)).to.deep.equal(expected(history))
  })

  it('folds everything where the snapshot is of another journal', async () => {
    const { memory, said, show, save } = world(history)
    await show(15)
    await save(12, { hash: 'f'.repeat(64) })
    const { journal, from } = counted(memory)
    await show(20, journal)
    expect(from[0]).to.equal(1)
    expect(said).to.deep.equal(['the snapshot of position 12 is not used: its text is of another position'])
  })

  it('still refuses documents of another journal, at the very position of the snapshot too', async () => {
    const { memory, show, save } = world(history)
    await show(15)
    await save(15)
    memory.checkpoints.set('views', { position: 15, hash: 'f'.repeat(64), version: 9 })
    const problem = await show(20).then(
      () => 'none',
      (error: Error) => error.message,
    )
    expect(problem).to.match(/^position 15 cannot be projected: the documents were made from another journal/)
  })

  it('proves without it: a rebuild reads from position 1', async () => {
    const { memory, show, save } = world(history)
    await show(20)
    await save(15)
    const { journal, from } = counted(memory)
    const projector = createProjector({
      ...{ journal, documents: memoryDocuments(memory), mode: 'paper', log: silent, clock },
      snapshots: { store: memorySnapshots(memory), version: 'v1' },
    })
    expect((await projector.rebuild()).written).to.equal(0)
    expect((await projector.comparison()).different).to.deep.equal([])
    expect(from).to.deep.equal([1, 1])
  })
})
