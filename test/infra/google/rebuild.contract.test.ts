/** Documents on Firestore that somebody deleted or changed by hand, and a line that breaks while they are written. */
import type { Firestore } from '@google-cloud/firestore'
import { expect } from 'chai'
import { canonical } from '../../../domain/commit.ts'
import { systemClock } from '../../../infra/clock.ts'
import type { Log } from '../../../projections/follower.ts'
import { createProjector, type Projector } from '../../../projections/projector.ts'
import { views } from '../../../projections/views.ts'
import { all } from '../../contract/commits.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { createMemory, type Memory, memoryJournal } from '../../memory-store.ts'
import {
  broker,
  changed,
  closed,
  command,
  commitsOf,
  documentsOf,
  filled,
  connected as gatewayConnected,
  planned,
  resolved,
  SPY,
  signal,
  snapshot,
  started,
  type Told,
} from '../../projections/story.ts'
import { startTcpProxy } from '../../tcp-proxy.ts'
import { type Connected, connections } from './connected.ts'

const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined }
const history: Told[] = [
  started,
  gatewayConnected,
  command('configure', 'c1', changed({ 'strategies.dummy.allocation': 0.5 })),
  command('reconcile', 'c2', snapshot()),
  command('dummy', 'c3', resolved(SPY), signal('dummy')),
  command('allocation', 'alloc-1', planned('r1'), planned('r2', { orderId: 2 })),
  broker(filled('r1', 'e1.01', '8')),
  broker(filled('r1', 'e2.01', '12')),
  broker(closed('r1', 'filled', '20')),
]
const expected = (told: readonly Told[]): Record<string, string> =>
  Object.fromEntries([...documentsOf(views, ...told)].map(([path, data]) => [path, canonical(data)]))

describe('documents on Google Firestore, after a hand edit', () => {
  const emulators = usesEmulators()
  const { open, close } = connections()
  let store: ReturnType<typeof emulators.store>
  let memory: Memory
  let place: Connected
  let running: Projector[]
  let warnings: number
  beforeEach(() => {
    store = emulators.store()
    memory = createMemory()
    place = open(store)
    running = []
    warnings = 0
  })
  afterEach(async () => {
    for (const projector of running) await projector.stop()
    await close()
  })
  const append = (...told: Told[]): void => {
    memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
    for (const listener of memory.listeners.get('journal') ?? []) listener()
  }
  const log: Log = {
    ...quiet,
    warn: () => {
      warnings += 1
    },
  }
  const projectorAt = ({ documents }: Connected): Projector => {
    const projector = createProjector({ journal: memoryJournal(memory), documents, mode: 'paper', log, clock: systemClock })
    running.push(projector)
    return projector
  }
  const shown = async (): Promise<Projector> => {
    append(...history)
    const projector = projectorAt(place)
    await projector.start()
    await projector.caughtUp(history.length)
    return projector
  }
  const found = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await all(place.documents.all())).map(({ path, data }) => [path, canonical(data)]))
  /** When each of these was last written, to the nanosecond. */
  const lastWrites = async (firestore: Firestore, paths: readonly string[]): Promise<Record<string, string>> => {
    const documents = await firestore.getAll(...paths.map((path) => firestore.doc(path)))
    return Object.fromEntries(documents.map(({ ref, updateTime }) => [ref.path, `${updateTime?.seconds}.${updateTime?.nanoseconds}`]))
  }

  it('are made whole again, and only what differs is written', async () => {
    const projector = await shown()
    const paths = Object.keys(expected(history))
    const { firestore } = place
    await firestore.doc('strategies/dummy/intent/latest').delete()
    await firestore.doc('positions/paper/holdings/dummy').delete()
    await firestore.doc('positions/paper').update({ account: 'DU9' })
    await firestore.doc('commands/never').set({ status: 'completed' })
    await firestore.doc('strategies/ghost/intent/latest').set({ status: 'success' })
    const touched = ['positions/paper', 'positions/paper/holdings/dummy', 'strategies/dummy/intent/latest']
    const others = paths.filter((path) => !touched.includes(path))
    const before = await lastWrites(firestore, others)
    expect(await projector.comparison()).to.deep.equal({
      different: ['positions/paper'],
      missing: ['positions/paper/holdings/dummy', 'strategies/dummy/intent/latest'],
      extra: ['commands/never', 'strategies/ghost/intent/latest'],
      position: history.length,
    })
    expect(await projector.rebuild()).to.deep.equal({ written: 3, deleted: 2, unchanged: others.length, position: history.length })
    expect(await found()).to.deep.equal(expected(history))
    expect(await lastWrites(firestore, others)).to.deep.equal(before)
  })

  it('are made anew from nothing but the journal, and the projector carries on', async () => {
    const projector = await shown()
    for (const path of Object.keys(await found())) await place.firestore.doc(path).delete()
    expect((await projector.rebuild()).written).to.equal(Object.keys(expected(history)).length)
    append(broker(filled('r2', 'e3.01', '1')))
    await projector.caughtUp(history.length + 1)
    expect(await found()).to.deep.equal(expected([...history, broker(filled('r2', 'e3.01', '1'))]))
  })

  it('are left alone where nothing was edited', async () => {
    const projector = await shown()
    const paths = [...Object.keys(expected(history)), 'checkpoints/views']
    const before = await lastWrites(place.firestore, paths)
    expect(await projector.rebuild()).to.include({ written: 0, deleted: 0 })
    expect(await lastWrites(place.firestore, paths)).to.deep.equal(before)
  })

  it('are told from what others keep in the same database', async () => {
    const theirs = ['journals/paper/commits/000000000001', 'customers/1', 'commands/c1/notes/1', 'positions/live', 'config/else']
    for (const path of theirs) await place.firestore.doc(path).set({ theirs: true })
    const projector = await shown()
    const before = await lastWrites(place.firestore, theirs)
    expect(await projector.rebuild()).to.include({ written: 0, deleted: 0 })
    expect(await lastWrites(place.firestore, theirs)).to.deep.equal(before)
  })

  it('are known where a value changed its kind and looks the same', async () => {
    const projector = await shown()
    const status = (await place.documents.get('status/paper'))!
    await place.firestore.doc('status/paper').update({ updated_at: new Date(String(status['updated_at'])) })
    expect((await projector.comparison()).different).to.deep.equal(['status/paper'])
    await projector.rebuild()
    expect(await found()).to.deep.equal(expected(history))
  })

  it('come to the same end when the line breaks in the middle of following', async () => {
    const proxy = await startTcpProxy(emulators.hosts().firestore)
    try {
      const far = open(store, { host: proxy.host, deadlineMs: 500 })
      const projector = projectorAt(far)
      await projector.start()
      append(...history.slice(0, 3))
      await projector.caughtUp(3)
      proxy.setMode('resetOnAnswer')
      append(...history.slice(3, 5))
      await projector.caughtUp(5)
      proxy.setMode('swallowAnswers')
      append(...history.slice(5, 7))
      await until('the batch is there, unanswered', async () => (await place.documents.checkpoint('views'))?.position === 7)
      proxy.setMode('refuse')
      append(...history.slice(7))
      const before = warnings
      await until('it has tried in vain', () => warnings > before)
      expect(projector.position()).to.equal(5)
      proxy.setMode('pass')
      await projector.caughtUp(history.length)
      expect(projector.failure()).to.equal(undefined)
      expect(await found()).to.deep.equal(expected(history))
    } finally {
      proxy.setMode('pass')
      for (const projector of running.splice(0)) await projector.stop()
      await close()
      await proxy.close()
      place = open(store)
    }
  })
})
