/** Hand edits on every store there is here, made by another process. */
import { expect } from 'chai'
import type { Commit, StoredCommit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { systemClock } from '../../infra/clock.ts'
import { openDocuments } from '../../infra/embedded/documents.ts'
import { openJournal } from '../../infra/embedded/journal.ts'
import { readTopics } from '../../infra/topics-file.ts'
import type { Log } from '../../projections/follower.ts'
import { createHandEdits } from '../../projections/hand-edits.ts'
import { createProjector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { storeWorld } from '../infra/embedded/world.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { trading } from './hand-edits-world.ts'
import { command, commitsOf } from './story.ts'

type Place = { journal: Journal; documents: Documents }
type World = { open(): Place; close(): Promise<void> }

const worlds: Record<string, () => World> = {
  memory: () => {
    const memory = createMemory()
    return { open: () => ({ journal: memoryJournal(memory), documents: memoryDocuments(memory) }), close: async () => undefined }
  },
  SQLite: () => {
    const world = storeWorld()
    const open = () => {
      const store = world.open()
      return { journal: openJournal(store), documents: openDocuments(store) }
    }
    return { open, close: async () => void (await world.close()) }
  },
}

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const commitOf = ({ json }: StoredCommit): Commit => JSON.parse(json) as Commit

for (const [name, open] of Object.entries(worlds))
  describe(`hand edits on ${name}`, () => {
    let world: World
    let running: { stop(): Promise<void> }[]
    beforeEach(() => {
      world = open()
      running = []
    })
    afterEach(async () => {
      for (const each of running) await each.stop()
      await world.close()
    })

    it('are seen from another process, and end in the documents of the journal', async () => {
      const [ours, somebody] = [world.open(), world.open()]
      const commits = commitsOf(trading)
      for (const stored of commits) await ours.journal.append(commitOf(stored))
      const common = { ...ours, mode: 'paper' as const, log: silent, clock: systemClock }
      const published: { topic: string; attributes: Readonly<Record<string, string>> }[] = []
      const bus = {
        publish: async (topic: string, { attributes }: { attributes: Readonly<Record<string, string>> }) => {
          published.push({ topic, attributes })
          return String(published.length)
        },
      }
      const projector = createProjector(common)
      const watcher = createHandEdits({ ...common, bus, topics: readTopics() })
      running.push(watcher, projector)
      await watcher.start()
      await projector.start()
      await projector.caughtUp(commits.length)

      /** Past the checkpoint of the views, as the console writes. */
      const edit = async (path: string, data: Document): Promise<void> => {
        const guard = await somebody.documents.checkpoint('somebody')
        expect(
          (await somebody.documents.write('somebody', [{ kind: 'merge', path, data }], { position: 1, hash: 'x' }, guard)).answer,
        ).to.equal('written')
      }
      await edit('config/common', { changed: ['nonsense'], note: 'mine' })
      await until('the settings are put back', async () => (await somebody.documents.get('config/common'))?.['note'] === undefined)
      expect(published).to.deep.equal([])

      await edit('config/paper', { tradingEnabled: false })
      await until('the halt is published', () => published.length > 0)
      expect(published[0]).to.deep.include({ topic: 'paper-urgent' })
      expect(published[0]!.attributes).to.not.have.property('publishedAt')
      const haltedAt = '2026-11-20T21:30:00.000Z'
      const halt = command(
        'halt',
        published[0]!.attributes['id']!,
        event('TradingHalted', { reason: 'by hand', publishedAt: haltedAt, cancelWorking: false }),
      )
      await somebody.journal.append(commitOf(commitsOf([halt], commits.at(-1))[0]!))
      await projector.caughtUp(commits.length + 1)
      await until('all is looked at', () => watcher.idle())
      expect(await somebody.documents.get('config/paper')).to.include({ tradingEnabled: false, reason: 'by hand' })
      expect(await projector.comparison()).to.deep.include({ different: [], missing: [], extra: [] })
      expect(published).to.have.length(1)
    })
  })
