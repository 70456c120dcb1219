import { expect } from 'chai'
import fc from 'fast-check'
import { canonical, type StoredCommit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Document, Documents, DocumentWrite } from '../../domain/ports/documents.ts'
import { type Journal, StoreUnavailable } from '../../domain/ports/journal.ts'
import { systemClock } from '../../infra/clock.ts'
import { coalesce, largestBatch } from '../../projections/batch.ts'
import type { Log } from '../../projections/follower.ts'
import { createProjector, type Projector, type ProjectorOptions } from '../../projections/projector.ts'
import type { View } from '../../projections/view.ts'
import { views } from '../../projections/views.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { anyHistory } from './histories.ts'
import {
  broker,
  changed,
  command,
  commitsOf,
  connected,
  documentsOf,
  filled,
  planned,
  resolved,
  SPY,
  signal,
  snapshot,
  started,
  type Told,
} from './story.ts'

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
/** Back-off without the wait. */
const hasty: ProjectorOptions['clock'] = {
  monotonic: () => 0,
  after: (_, run) => {
    const turn = setImmediate(run)
    return () => clearImmediate(turn)
  },
}

const history: Told[] = [
  started,
  connected,
  command('configure', 'c1', changed({ 'strategies.dummy.allocation': 0.5 })),
  command('reconcile', 'c2', snapshot()),
  command('dummy', 'c3', resolved(SPY), signal('dummy')),
  command('allocation', 'alloc-1', planned('r1')),
  broker(filled('r1', 'e1.01', '8')),
  broker(filled('r1', 'e2.01', '12')),
]

const texts = (documents: ReadonlyMap<string, Document>): Record<string, string> =>
  Object.fromEntries([...documents].map(([path, data]) => [path, canonical(data)]))
const expected = (...told: Told[]): Record<string, string> => texts(documentsOf(views, ...told))
const stored = (memory: Memory): Record<string, string> => Object.fromEntries(memory.documents)

describe('the projector', () => {
  let memory: Memory
  let running: Projector[]
  beforeEach(() => {
    memory = createMemory()
    running = []
  })
  afterEach(async () => {
    for (const projector of running) await projector.stop()
  })
  /** Appends past the journal, which would ask for a marker; the followers are told. */
  const append = (...told: Told[]): StoredCommit[] => {
    const last = memory.commits.at(-1)
    const commits = commitsOf(told, last)
    memory.commits.push(...commits)
    for (const listener of memory.listeners.get('journal') ?? []) listener()
    return commits
  }
  const projectorOn = (options: Partial<ProjectorOptions> = {}): Projector => {
    const projector = createProjector({
      journal: memoryJournal(memory),
      documents: memoryDocuments(memory),
      mode: 'paper',
      log: silent,
      clock: hasty,
      ...options,
    })
    running.push(projector)
    return projector
  }
  const caughtUp = async (options: Partial<ProjectorOptions> = {}): Promise<Projector> => {
    const projector = projectorOn(options)
    await projector.start()
    await projector.caughtUp(memory.commits.length)
    return projector
  }
  const problemOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no problem',
      (error: unknown) => (error as Error).message,
    )
  /** Documents through which every write can be watched and spoilt. */
  const through = (before: (batch: { writes: readonly DocumentWrite[]; position: number }) => void | Promise<void>): Documents => {
    const real = memoryDocuments(memory)
    return {
      ...real,
      write: async (name, writes, next, guard) => {
        await before({ writes, position: next.position })
        return real.write(name, writes, next, guard)
      },
    }
  }

  describe('following', () => {
    it('brings the documents and the checkpoint to the head', async () => {
      append(...history)
      const projector = await caughtUp()
      expect(stored(memory)).to.deep.equal(expected(...history))
      expect(memory.checkpoints.get('views')).to.deep.include({ position: 8, hash: memory.commits.at(-1)!.hash })
      expect(projector.position()).to.equal(8)
    })

    it('takes all that waits in one batch, each document once', async () => {
      append(...history)
      const batches: (readonly DocumentWrite[])[] = []
      await caughtUp({ documents: through(({ writes }) => void batches.push(writes)) })
      expect(batches).to.have.length(1)
      const paths = batches[0]!.map(({ path }) => path)
      expect(new Set(paths).size).to.equal(paths.length)
    })

    it('goes on with what is appended later', async () => {
      append(...history.slice(0, 4))
      const projector = await caughtUp()
      append(...history.slice(4))
      await projector.caughtUp(8)
      expect(stored(memory)).to.deep.equal(expected(...history))
    })

    it('fills from the journal what it missed while it was away', async () => {
      append(...history.slice(0, 3))
      await (await caughtUp()).stop()
      append(...history.slice(3))
      const batches: number[] = []
      await caughtUp({ documents: through(({ position }) => void batches.push(position)) })
      expect(stored(memory)).to.deep.equal(expected(...history))
      expect(batches).to.deep.equal([8])
    })

    it('writes nothing where nothing is new', async () => {
      append(...history)
      await (await caughtUp()).stop()
      const version = memory.checkpoints.get('views')!.version
      await caughtUp()
      expect(memory.checkpoints.get('views')!.version).to.equal(version)
    })

    it('keeps batches small without splitting a commit', async () => {
      const many: View = ({ commit }) =>
        Array.from({ length: commit.position === 3 ? largestBatch.documents + 50 : 150 }, (_, number) => ({
          kind: 'set' as const,
          path: `activity/${commit.position}-${number}`,
          data: { number },
        }))
      append(...history)
      const batches: { position: number; count: number }[] = []
      const documents = through(({ writes, position }) => void batches.push({ position, count: writes.length }))
      await caughtUp({ views: [many], documents })
      expect(batches).to.deep.equal([
        { position: 2, count: 300 },
        { position: 3, count: largestBatch.documents + 50 },
        { position: 5, count: 300 },
        { position: 7, count: 300 },
        { position: 8, count: 150 },
      ])
    })

    it('follows the checkpoint when nothing is to be shown', async () => {
      append(...history)
      await caughtUp({ views: [] })
      expect(memory.checkpoints.get('views')).to.include({ position: 8 })
      expect(memory.documents.size).to.equal(0)
    })
  })

  describe('in trouble', () => {
    it('leaves documents and checkpoint in agreement after a crash between two batches', async () => {
      append(...history)
      let batches = 0
      const dies = through(() => {
        if (++batches > 2) throw new Error('the process is gone')
      })
      const one: Partial<ProjectorOptions> = { documents: dies, journal: oneByOne() }
      const projector = projectorOn(one)
      await projector.start()
      await until('two batches are written', () => batches > 2)
      await projector.stop()
      const { position } = memory.checkpoints.get('views')!
      expect(position).to.be.lessThan(8)
      expect(stored(memory)).to.deep.equal(expected(...history.slice(0, position)))
      await caughtUp()
      expect(stored(memory)).to.deep.equal(expected(...history))
    })
    /** A journal that shows one more commit each time it is asked. */
    const oneByOne = (): Journal => {
      const real = memoryJournal(memory)
      let shown = 0
      return {
        ...real,
        read: (from) => {
          shown = Math.min(shown + 1, memory.commits.length)
          if (shown < memory.commits.length) setImmediate(() => [...(memory.listeners.get('journal') ?? [])].map((listener) => listener()))
          return real.read(from, shown)
        },
      }
    }

    it('shares the work with a second projector on the same checkpoint', async () => {
      const two = [projectorOn(), projectorOn({ journal: oneByOne() })]
      append(...history.slice(0, 2))
      for (const projector of two) await projector.start()
      for (const told of history.slice(2)) {
        append(told)
        await Promise.race(two.map((projector) => projector.caughtUp(memory.commits.length)))
      }
      for (const projector of two) await projector.caughtUp(8)
      expect(stored(memory)).to.deep.equal(expected(...history))
    })

    it('writes only the rest when the other was faster in the middle of a batch', async () => {
      append(...history)
      let first = true
      const positions: number[] = []
      const rival = createProjector({ journal: oneByOne(), documents: memoryDocuments(memory), mode: 'paper', log: silent, clock: hasty })
      const documents = through(async ({ position }) => {
        positions.push(position)
        if (!first) return
        first = false
        await rival.start()
        await rival.caughtUp(3)
        await rival.stop()
      })
      await caughtUp({ documents })
      expect(positions).to.deep.equal([8, 8])
      expect(stored(memory)).to.deep.equal(expected(...history))
    })

    it('waits for a store that fails and skips nothing, even when the batch was written and the answer lost', async () => {
      append(...history)
      const real = memoryDocuments(memory)
      let failures = 0
      const pauses: number[] = []
      const documents: Documents = {
        ...real,
        write: async (...batch) => {
          failures += 1
          if (failures === 3) await real.write(...batch)
          if (failures <= 3) throw new StoreUnavailable('busy')
          return real.write(...batch)
        },
      }
      const clock: ProjectorOptions['clock'] = {
        ...hasty,
        after: (milliseconds, run) => {
          pauses.push(milliseconds)
          return hasty.after(milliseconds, run)
        },
      }
      await caughtUp({ documents, clock })
      expect(pauses).to.deep.equal([50, 100, 200])
      expect(stored(memory)).to.deep.equal(expected(...history))
    })

    it('stops loudly at a commit that it cannot read, with everything before it shown', async () => {
      append(...history.slice(0, 4))
      const [unknown] = append({ cause: { kind: 'broker', report: 'x' }, events: [event('GatewayLost', { reason: 'x' })] })
      memory.commits[4] = { ...unknown!, json: unknown!.json.replace('GatewayLost', 'GatewayEaten') }
      const errors: string[] = []
      const projector = projectorOn({ log: { ...silent, error: (_, text) => void errors.push(text) } })
      const waiting = problemOf(projector.caughtUp(6))
      await projector.start()
      expect(await waiting).to.match(/^position 5 cannot be projected: unknown event type "GatewayEaten"/)
      expect(errors).to.have.length(1)
      expect(projector.failure()?.message).to.equal(errors[0])
      expect(await problemOf(projector.caughtUp(6))).to.equal(errors[0])
      expect(projector.position()).to.equal(4)
      expect(stored(memory)).to.deep.equal(expected(...history.slice(0, 4)))
    })

    it('stops at a view that breaks, naming the position', async () => {
      append(...history)
      const breaks: View = ({ commit }) => {
        if (commit.position === 3) throw new TypeError('no such field')
        return []
      }
      const projector = projectorOn({ views: [breaks] })
      await projector.start()
      expect(await problemOf(projector.caughtUp(8))).to.equal('position 3 cannot be projected: no such field')
    })

    it('refuses documents of another journal and a journal that was cut off', async () => {
      append(...history)
      await (await caughtUp()).stop()
      const before = [...memory.commits]
      memory.commits.splice(6)
      const cutOff = projectorOn()
      await cutOff.start()
      expect(await problemOf(cutOff.caughtUp(9))).to.equal(
        'position 7 cannot be projected: the documents show position 8, but the journal ends at 6',
      )
      memory.commits.splice(0, 6, ...before)
      memory.checkpoints.set('views', { position: 4, hash: 'f'.repeat(64), version: 9 })
      const foreign = projectorOn()
      await foreign.start()
      expect(await problemOf(foreign.caughtUp(8))).to.match(/^position 4 cannot be projected: the documents were made from another journal/)
      expect(await problemOf(foreign.rebuild())).to.match(/^position 4 cannot be projected: the documents were made from another journal/)
    })

    it('starts again from nothing when the checkpoint is taken away under it', async () => {
      append(...history.slice(0, 5))
      const projector = await caughtUp()
      memory.checkpoints.clear()
      memory.documents.clear()
      append(...history.slice(5))
      await until('all documents are back', () => memory.checkpoints.get('views')?.position === 8)
      expect(projector.failure()).to.equal(undefined)
      expect(stored(memory)).to.deep.equal(expected(...history))
    })

    it('tells who waits when it is stopped', async () => {
      append(...history)
      const projector = await caughtUp()
      const waiting = problemOf(projector.caughtUp(9))
      await projector.stop()
      expect(await waiting).to.equal('the projector has stopped')
      expect(await problemOf(projector.caughtUp(8))).to.equal('no problem')
    })

    it('does not hold up a stop by its back-off', async () => {
      append(...history)
      const documents = through(() => {
        throw new StoreUnavailable('down for the night')
      })
      let pauses = 0
      const clock: ProjectorOptions['clock'] = {
        ...hasty,
        after: (_, run) => {
          pauses += 1
          return systemClock.after(3_600_000, run)
        },
      }
      const projector = projectorOn({ documents, clock })
      await projector.start()
      await until('it waits', () => pauses > 0)
      await projector.stop()
      expect(memory.documents.size).to.equal(0)
    })
  })

  describe('rebuilding', () => {
    const alter = (path: string, data: Document) => memory.documents.set(path, canonical(data))

    it('writes nothing where the documents are intact', async () => {
      append(...history)
      const projector = await caughtUp()
      const version = memory.checkpoints.get('views')!.version
      expect(await projector.comparison()).to.deep.equal({ different: [], missing: [], extra: [], position: 8 })
      expect(await projector.rebuild()).to.deep.equal({ written: 0, deleted: 0, unchanged: memory.documents.size, position: 8 })
      expect(memory.checkpoints.get('views')!.version).to.equal(version)
    })

    it('writes only what was altered, brings back what was deleted and deletes what was added', async () => {
      append(...history)
      const projector = await caughtUp()
      const sound = stored(memory)
      alter('positions/paper/holdings/dummy', { [SPY.conId]: 21 })
      memory.documents.delete('executions/alloc-1')
      alter('positions/paper/holdings/ghost', { 1: 1 })
      const found = {
        different: ['positions/paper/holdings/dummy'],
        missing: ['executions/alloc-1'],
        extra: ['positions/paper/holdings/ghost'],
        position: 8,
      }
      expect(await projector.comparison()).to.deep.equal(found)
      expect(stored(memory)).to.not.deep.equal(sound)
      const batches: string[][] = []
      const repairer = projectorOn({ documents: through(({ writes }) => void batches.push(writes.map(({ path }) => path))) })
      const total = Object.keys(sound).length
      expect(await repairer.rebuild()).to.deep.equal({ written: 2, deleted: 1, unchanged: total - 2, position: 8 })
      expect(batches.map((paths) => paths.sort())).to.deep.equal([
        ['executions/alloc-1', 'positions/paper/holdings/dummy', 'positions/paper/holdings/ghost'],
      ])
      expect(stored(memory)).to.deep.equal(sound)
      expect(await projector.comparison()).to.deep.equal({ different: [], missing: [], extra: [], position: 8 })
    })

    it('stays at the checkpoint: what was not shown before is left to the projector', async () => {
      append(...history.slice(0, 5))
      await (await caughtUp()).stop()
      append(...history.slice(5))
      memory.documents.delete('strategies/dummy/intent/latest')
      expect(await projectorOn().rebuild()).to.include({ written: 1, position: 5 })
      expect(stored(memory)).to.deep.equal(expected(...history.slice(0, 5)))
    })

    it('makes everything anew where there are neither documents nor a checkpoint', async () => {
      append(...history)
      const { written, position } = await projectorOn().rebuild()
      expect({ written, position }).to.deep.equal({ written: memory.documents.size, position: 8 })
      expect(stored(memory)).to.deep.equal(expected(...history))
      expect(memory.checkpoints.get('views')).to.include({ position: 8, hash: memory.commits.at(-1)!.hash })
    })

    it('has nothing to do on an empty journal', async () => {
      expect(await projectorOn().rebuild()).to.deep.equal({ written: 0, deleted: 0, unchanged: 0, position: 0 })
      expect(memory.checkpoints.size).to.equal(0)
    })

    it('claims nothing while documents are half there, and can be called again after a crash', async () => {
      const many: View = ({ commit }) =>
        Array.from({ length: 100 }, (_, number) => ({
          kind: 'set' as const,
          path: `activity/${commit.position}-${number}`,
          data: { number },
        }))
      append(...history)
      let batches = 0
      const dies = through(() => {
        if (++batches === 2) throw new Error('the process is gone')
      })
      expect(await problemOf(projectorOn({ views: [many], documents: dies }).rebuild())).to.equal('the process is gone')
      expect(memory.checkpoints.get('views')).to.include({ position: 0 })
      expect(await projectorOn({ views: [many] }).rebuild()).to.deep.equal({ written: 400, deleted: 0, unchanged: 400, position: 8 })
      expect(memory.documents.size).to.equal(800)
    })

    it('gives way to a projector at work, and ends in agreement with it', async () => {
      append(...history.slice(0, 4))
      const live = await caughtUp()
      alter('status/paper', { forged: true })
      let later = 4
      /** A commit arrives, and is shown, between every comparison and the batch that comes of it. */
      const arrive = async (): Promise<void> => {
        if (later >= history.length) return
        append(history[later]!)
        later += 1
        await live.caughtUp(later)
      }
      const rebuilt = await projectorOn({ documents: through(arrive) }).rebuild()
      await live.caughtUp(memory.commits.length)
      expect(rebuilt.position).to.be.greaterThan(4)
      expect(stored(memory)).to.deep.equal(expected(...history.slice(0, memory.commits.length)))
    })

    it('compares again when the checkpoint moved while it compared', async () => {
      append(...history.slice(0, 4))
      const live = await caughtUp()
      const real = memoryDocuments(memory)
      let read = false
      let later = history.slice(4)
      const documents: Documents = {
        ...real,
        async *all() {
          yield* real.all()
          if (read) return
          read = true
          append(...later)
          await live.caughtUp(memory.commits.length)
        },
      }
      expect(await projectorOn({ documents }).comparison()).to.include({ position: 8 })
      later = history.slice(0, 1)
      read = false
      expect(await projectorOn({ documents }).rebuild()).to.include({ written: 0, position: 9 })
    })

    it('gives up on a store that does not keep what it is given', async () => {
      append(...history)
      const projector = await caughtUp()
      alter('status/paper', { forged: true })
      const real = memoryDocuments(memory)
      const forgetful: Documents = { ...real, write: (name, _, next, guard) => real.write(name, [], next, guard) }
      expect(await problemOf(projectorOn({ documents: forgetful }).rebuild())).to.equal('status/paper does not keep what is written to it')
      expect((await projector.comparison()).different).to.deep.equal(['status/paper'])
    })
  })

  describe('always', () => {
    it('shows the same documents live as rebuilt, whatever the batches', async () => {
      await fc.assert(
        fc.asyncProperty(anyHistory(40), fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 12 }), async (told, sizes) => {
          memory = createMemory()
          const projector = projectorOn()
          await projector.start()
          for (let from = 0, turn = 0; from < told.length; turn++) {
            const size = sizes[turn % sizes.length]!
            append(...told.slice(from, from + size))
            from += size
            await projector.caughtUp(memory.commits.length)
          }
          expect(await projector.comparison()).to.deep.equal({ different: [], missing: [], extra: [], position: told.length })
          expect(stored(memory)).to.deep.equal(expected(...told))
          await projector.stop()
        }),
        { numRuns: 60 },
      )
    })

    it('means by a batch what its writes mean one by one', async () => {
      const path = fc.constantFrom('a/1', 'a/2')
      const data = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.integer())
      const write: fc.Arbitrary<DocumentWrite> = fc.oneof(
        fc.record({ kind: fc.constant('set' as const), path, data }),
        fc.record({ kind: fc.constant('merge' as const), path, data }),
        fc.record({ kind: fc.constant('delete' as const), path }),
      )
      const start = fc.array(write, { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(start, fc.array(write, { maxLength: 8 }), async (before, writes) => {
          const results = await Promise.all(
            [writes, coalesce(writes)].map(async (batch) => {
              const own = createMemory()
              const documents = memoryDocuments(own)
              await documents.write('first', before, { position: 1, hash: 'a' }, undefined)
              await documents.write('views', batch, { position: 1, hash: 'a' }, undefined)
              return stored(own)
            }),
          )
          expect(results[1]).to.deep.equal(results[0])
        }),
      )
    })
  })
})
