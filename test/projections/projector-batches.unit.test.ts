/** When the projector writes, and how much at once. */
import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { type Document, type Documents, type DocumentWrite, Unstorable } from '../../domain/ports/documents.ts'
import { systemClock } from '../../infra/clock.ts'
import { largestBatch } from '../../projections/batch.ts'
import { commandsView } from '../../projections/commands.ts'
import type { Log } from '../../projections/follower.ts'
import { createProjector, type Projector, type ProjectorOptions } from '../../projections/projector.ts'
import type { View } from '../../projections/view.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { broker, command, commitsOf, filled, snapshot, started, type Told } from './story.ts'

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
      let now = 0
      const clock: ProjectorOptions['clock'] = {
        monotonic: () => now,
        after: (milliseconds, run) => {
          const timer = { milliseconds, run }
          timers.push(timer)
          return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1))
        },
      }
      const pass = (milliseconds: number) => {
        now += milliseconds
        for (const timer of [...timers]) {
          timer.milliseconds -= milliseconds
          if (timer.milliseconds > 0) continue
          timers.splice(timers.indexOf(timer), 1)
          timer.run()
        }
      }
      return { clock, waits: () => timers.map(({ milliseconds }) => milliseconds), pass }
    }
    let machine: ReturnType<typeof handClock>
    let projector: Projector
    const shownAt = () => batches.map(({ position }) => position)
    const begin = async (views: readonly View[] = [counting]): Promise<void> => {
      machine = handClock()
      projector = projectorOn({ views, clock: machine.clock, gatherMs: 300 })
      await projector.start()
    }
    const gathering = (milliseconds = 300) => until('it gathers', () => machine.waits()[0] === milliseconds)
    const restless = () => new Promise((resolve) => setImmediate(resolve))

    it('show a burst together, so much later than its first commit', async () => {
      await begin()
      append(history[0]!)
      await gathering()
      machine.pass(200)
      for (const told of history.slice(1)) append(told)
      await gathering(100)
      expect(batches).to.deep.equal([])
      machine.pass(100)
      await until('it is shown', () => projector.position() === 8)
      expect(batches.map(({ position, writes }) => [position, writes.length])).to.deep.equal([[8, 1]])
    })

    it('show the end of a command at once, with what came before it', async () => {
      const told: Told[] = [started, command('reconcile', 'c1', snapshot()), broker(filled('r1', 'e1.01', '1'))]
      await begin([commandsView])
      append(told[0]!)
      await gathering()
      append(told[1]!)
      await until('it is shown', () => projector.position() === 2)
      append(told[2]!)
      await gathering()
      expect(shownAt()).to.deep.equal([2])
    })

    it('gather while a pipeline is under way: only its end is waited for', async () => {
      const begun = command(
        'orchestrator',
        'c1',
        event('PipelineStarted', { pipeline: 'c1', plan: {}, validUntil: null, endsBy: '2030-01-01T00:00:00.000Z' }),
      )
      await begin([commandsView])
      append(started, begun)
      await gathering()
      expect(batches).to.deep.equal([])
    })

    it('show at once what somebody waits for, also when he comes later', async () => {
      await begin()
      append(history[0]!)
      await gathering()
      await projector.caughtUp(1)
      const waiting = projector.caughtUp(3)
      append(history[1]!)
      await gathering()
      expect(shownAt(), 'nobody waits for the second alone').to.deep.equal([1])
      append(history[2]!)
      await waiting
      expect(shownAt()).to.deep.equal([1, 3])
    })

    it('wait for nobody while it is quiet', async () => {
      await begin()
      append(history[0]!)
      await projector.caughtUp(1)
      await restless()
      expect(machine.waits()).to.deep.equal([])
    })

    it('do not hold up a stop', async () => {
      await begin()
      append(history[0]!)
      await gathering()
      await projector.stop()
      expect([machine.waits(), batches]).to.deep.equal([[], []])
    })
  })
})
