/** When the projector writes, and how much at once. */
import { expect } from 'chai'
import { type Document, type Documents, type DocumentWrite, Unstorable } from '../../domain/ports/documents.ts'
import { systemClock } from '../../infra/clock.ts'
import { largestBatch } from '../../projections/batch.ts'
import { createProjector, type Log, type Projector, type ProjectorOptions } from '../../projections/projector.ts'
import type { View } from '../../projections/view.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { broker, commitsOf, filled, started, type Told } from './story.ts'

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const history: Told[] = [started, ...Array.from({ length: 7 }, (_, number) => broker(filled('r1', `e${number}.01`, '1')))]
const lineOf =
  (data: Document): View =>
  ({ commit }) => [{ kind: 'set', path: `activity/${commit.position}`, data }]
const counting: View = ({ commit }) => [{ kind: 'merge', path: 'status/paper', data: { position: commit.position } }]

describe('the batches of the projector', () => {
  let memory: Memory
  let batches: { position: number; writes: readonly DocumentWrite[] }[]
  let running: Projector[]
  beforeEach(() => {
    memory = createMemory()
    batches = []
    running = []
  })
  afterEach(async () => {
    for (const projector of running) await projector.stop()
  })
  const append = (...told: Told[]): void => {
    memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
    for (const listener of memory.listeners.get('journal') ?? []) listener()
  }
  const documents: () => Documents = () => {
    const real = memoryDocuments(memory)
    return {
      ...real,
      write: async (name, writes, next, guard) => {
        const unstorable = writes.find(({ path }) => path === 'activity/5-too-large')
        if (unstorable !== undefined) throw new Unstorable(unstorable.path, 'activity/5-too-large takes too much')
        const written = await real.write(name, writes, next, guard)
        batches.push({ position: next.position, writes })
        return written
      },
    }
  }
  const projectorOn = (options: Partial<ProjectorOptions>): Projector => {
    const projector = createProjector({
      journal: memoryJournal(memory),
      documents: documents(),
      mode: 'paper',
      log: silent,
      clock: systemClock,
      ...options,
    })
    running.push(projector)
    return projector
  }

  it('are bounded by bytes: what a store takes at once is not a question of documents alone', async () => {
    append(...history)
    const projector = projectorOn({ views: [lineOf({ text: 'x'.repeat(largestBatch.bytes / 3) })] })
    await projector.start()
    await projector.caughtUp(8)
    expect(batches.map(({ position }) => position)).to.deep.equal([2, 4, 6, 8])
    expect(memory.documents.size).to.equal(8)
  })

  it('are bounded in a rebuild too', async () => {
    append(...history)
    await projectorOn({ views: [lineOf({ text: 'x'.repeat(largestBatch.bytes / 3) })] }).rebuild()
    expect(batches.map(({ writes }) => writes.length)).to.deep.equal([2, 2, 2, 2])
  })

  it('end before a document that no store can hold, and the projector says where', async () => {
    append(...history)
    const tooLarge: View = ({ commit }) => (commit.position === 5 ? [{ kind: 'set', path: 'activity/5-too-large', data: {} }] : [])
    const projector = projectorOn({ views: [lineOf({}), tooLarge] })
    await projector.start()
    await until('it stopped', () => projector.failure() !== undefined)
    expect(projector.failure()!.message).to.equal('position 5 cannot be projected: activity/5-too-large takes too much')
    expect(projector.position()).to.equal(4)
    expect([...memory.documents.keys()]).to.deep.equal(['activity/1', 'activity/2', 'activity/3', 'activity/4'])
  })

  describe('when they gather', () => {
    /** Machine time that a test moves by hand. */
    const handClock = () => {
      const timers: { milliseconds: number; run: () => void }[] = []
      const clock: ProjectorOptions['clock'] = {
        after: (milliseconds, run) => {
          const timer = { milliseconds, run }
          timers.push(timer)
          return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
        },
      }
      return { clock, waits: () => timers.map(({ milliseconds }) => milliseconds), pass: () => timers.shift()!.run() }
    }

    it('show the first commit at once, and a burst after it together', async () => {
      const { clock, waits, pass } = handClock()
      const projector = projectorOn({ views: [counting], clock, gatherMs: 300 })
      await projector.start()
      append(history[0]!)
      await projector.caughtUp(1)
      await until('it gathers', () => waits().length === 1)
      for (const told of history.slice(1)) append(told)
      await new Promise((resolve) => setImmediate(resolve))
      expect(waits()).to.deep.equal([300])
      expect(batches.map(({ position }) => position)).to.deep.equal([1])
      pass()
      await projector.caughtUp(8)
      expect(batches.map(({ position, writes }) => [position, writes.length])).to.deep.equal([
        [1, 1],
        [8, 1],
      ])
    })

    it('wait for nobody once it is quiet', async () => {
      const { clock, waits, pass } = handClock()
      const projector = projectorOn({ views: [counting], clock, gatherMs: 300 })
      await projector.start()
      append(history[0]!)
      await projector.caughtUp(1)
      await until('it gathers', () => waits().length === 1)
      pass()
      await until('it waits for news', () => waits().length === 0)
      await new Promise((resolve) => setImmediate(resolve))
      append(history[1]!)
      await projector.caughtUp(2)
      expect(batches).to.have.length(2)
    })

    it('do not hold up a stop', async () => {
      const { clock, waits } = handClock()
      const projector = projectorOn({ views: [counting], clock, gatherMs: 3_600_000 })
      await projector.start()
      append(history[0]!)
      await until('it gathers', () => waits().length === 1)
      await projector.stop()
      expect(waits()).to.deep.equal([])
    })
  })
})
