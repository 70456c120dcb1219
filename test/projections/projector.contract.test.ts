/** The projector on every store there is here. */
import { expect } from 'chai'
import { type Commit, canonical } from '../../domain/commit.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { systemClock } from '../../infra/clock.ts'
import { openDocuments } from '../../infra/embedded/documents.ts'
import { openJournal } from '../../infra/embedded/journal.ts'
import { openJournal as openGoogleJournal } from '../../infra/google/journal.ts'
import type { Log } from '../../projections/follower.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { views } from '../../projections/views.ts'
import { all } from '../contract/commits.ts'
import { usesEmulators } from '../emulators.ts'
import { storeWorld } from '../infra/embedded/world.ts'
import { connections } from '../infra/google/connected.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import {
  broker,
  command,
  commitsOf,
  decision,
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

type Place = { journal: Journal; documents: Documents }
type World = { open(): Place; close(): Promise<void> }

/** What is asked for inside of `describe`, and then before each test. */
const worlds: Record<string, () => () => World> = {
  memory: () => () => {
    const memory = createMemory()
    return { open: () => ({ journal: memoryJournal(memory), documents: memoryDocuments(memory) }), close: async () => undefined }
  },
  SQLite: () => () => {
    const world = storeWorld()
    const open = () => {
      const store = world.open()
      return { journal: openJournal(store), documents: openDocuments(store) }
    }
    return { open, close: async () => void (await world.close()) }
  },
  'Google Firestore': () => {
    const emulators = usesEmulators()
    return () => {
      const store = emulators.store()
      const { open, close } = connections()
      const place = () => {
        const { firestore, documents } = open(store)
        return { journal: openGoogleJournal({ firestore, mode: 'paper', clock: systemClock, abandoned: abandonment.signal }), documents }
      }
      const abandonment = new AbortController()
      return {
        open: place,
        close: async () => {
          abandonment.abort()
          await close()
        },
      }
    }
  },
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const history: Told[] = [
  started,
  command('reconcile', 'c1', snapshot()),
  command('dummy', 'c2', resolved(SPY), signal('dummy')),
  command('allocation', 'alloc-1', planned('r1')),
  ...Array.from({ length: 20 }, (_, number) => broker(filled('r1', `e${number}.01`, '1'))),
]
const commits = commitsOf(history).map(({ json }) => JSON.parse(json) as Commit)

for (const [name, open] of Object.entries(worlds))
  describe(`the projector on ${name}`, () => {
    const begin = open()
    let world: World
    let projectors: Projector[]
    beforeEach(() => {
      world = begin()
      projectors = []
    })
    afterEach(async () => {
      for (const projector of projectors) await projector.stop()
      await world.close()
    })
    const projectorAt = (place: Place): Projector => {
      const projector = createProjector({ ...place, mode: 'paper', log: silent, clock: systemClock })
      projectors.push(projector)
      return projector
    }
    const documentsAt = async ({ documents }: Place) =>
      Object.fromEntries((await all(documents.all())).map(({ path, data }) => [path, canonical(data)]))
    const expected = Object.fromEntries([...documentsOf(views, ...history)].map(([path, data]) => [path, canonical(data)]))

    it('keeps up with a writer, two of them on one checkpoint, and agrees with a rebuild', async () => {
      const writer = world.open()
      const two = [world.open(), world.open()].map(projectorAt)
      for (const projector of two) await projector.start()
      for (const commit of commits) expect((await writer.journal.append(commit)).answer).to.equal('appended')
      for (const projector of two) await projector.caughtUp(commits.length)
      expect(await documentsAt(writer)).to.deep.equal(expected)
      const version = (await writer.documents.checkpoint('views'))!.version
      expect(await two[0]!.rebuild()).to.include({ written: 0, deleted: 0, position: commits.length })
      expect((await writer.documents.checkpoint('views'))!.version).to.equal(version)
    })

    it('stores beside a document what would make it too large, and agrees with a rebuild', async () => {
      const notes = Array.from({ length: 6_000 }, (_, number) => ({
        ...{ code: 'LIMIT_GROSS', text: 'clipped', strategy: 'dummy', conId: number, numbers: { wanted: '30', allowed: '20.5' } },
      }))
      const large = commitsOf([started, command('allocation', 'alloc-1', decision({ notes }))])
      const place = world.open()
      for (const { json } of large) await place.journal.append(JSON.parse(json) as Commit)
      const projector = projectorAt(place)
      await projector.start()
      await projector.caughtUp(large.length)
      const shown = (await place.documents.get('executions/alloc-1'))!['decision'] as unknown as {
        notes: { rows: number; details: string[] }
      }
      const parts = await Promise.all(shown.notes.details.map((path) => place.documents.get(path)))
      expect(parts.flatMap((part) => part!['rows'])).to.have.length(6_000)
      expect((await place.documents.list('details')).map(({ path }) => path)).to.deep.equal([...shown.notes.details].sort())
      expect(await projector.rebuild()).to.include({ written: 0, deleted: 0 })
    })

    it('repairs what was changed past it', async () => {
      const place = world.open()
      for (const commit of commits) await place.journal.append(commit)
      const projector = projectorAt(place)
      await projector.start()
      await projector.caughtUp(commits.length)
      await projector.stop()
      const changes = [
        { kind: 'merge' as const, path: 'status/paper', data: { epoch: 7 } },
        { kind: 'delete' as const, path: 'commands/c1' },
        { kind: 'set' as const, path: 'commands/never', data: {} },
      ]
      const checkpoint = (await place.documents.checkpoint('views'))!
      await place.documents.write('views', changes, checkpoint, checkpoint)
      expect(await projector.comparison()).to.deep.include({
        different: ['status/paper'],
        missing: ['commands/c1'],
        extra: ['commands/never'],
      })
      expect(await projector.rebuild()).to.include({ written: 2, deleted: 1 })
      expect(await documentsAt(place)).to.deep.equal(expected)
    })
  })
