/** Hand edits as they come: by another client of Firestore, in types that JSON does not have. */
import { type DocumentData, type Firestore, Timestamp } from '@google-cloud/firestore'
import { expect } from 'chai'
import type { Commit, StoredCommit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { systemClock } from '../../infra/clock.ts'
import { openConnection } from '../../infra/google/connection.ts'
import { openDocuments } from '../../infra/google/documents.ts'
import { readTopics } from '../../infra/topics-file.ts'
import type { Log } from '../../projections/follower.ts'
import { createHandEdits, type HandEdits } from '../../projections/hand-edits.ts'
import { createProjector, type Projector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { usesEmulators } from '../emulators.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { trading } from './hand-edits-world.ts'
import { command, commitsOf } from './story.ts'

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const commitOf = ({ json }: StoredCommit): Commit => JSON.parse(json) as Commit

describe('hand edits in Firestore', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let browser: Firestore
  let documents: Documents
  let journal: Journal
  let projector: Projector
  let watcher: HandEdits
  let published: { topic: string; data: string; id: string }[]
  let close: () => Promise<void>

  beforeEach(async () => {
    const store = emulators.store()
    const [ours, theirs] = [openConnection(store), openConnection(store)]
    browser = theirs.firestore
    const opened = openDocuments({ firestore: ours.firestore, mode: 'paper', clock: systemClock })
    documents = opened
    journal = memoryJournal(createMemory())
    for (const stored of commitsOf(trading)) await journal.append(commitOf(stored))
    published = []
    const bus = {
      publish: async (topic: string, { data, attributes }: { data: string; attributes: Readonly<Record<string, string>> }) =>
        String(published.push({ topic, data, id: attributes['id']! })),
    }
    const common = { journal, documents, mode: 'paper' as const, log: silent, clock: systemClock }
    projector = createProjector(common)
    watcher = createHandEdits({ ...common, bus, topics: readTopics() })
    await watcher.start()
    await projector.start()
    await projector.caughtUp(trading.length)
    close = async () => {
      await watcher.stop()
      await projector.stop()
      opened.close()
      await ours.close()
      await theirs.close()
    }
  })
  afterEach(() => close?.())

  const write = (path: string, data: DocumentData) => browser.doc(path).update(data)
  const agrees = async (): Promise<void> => {
    await until('all is looked at', () => watcher.idle())
    expect(await projector.comparison()).to.deep.include({ different: [], missing: [], extra: [] })
  }

  for (const [what, value] of [
    ['a box without a tick', false],
    ['a time', Timestamp.fromMillis(0)],
    ['no number', Number.NaN],
  ] as const)
    it(`halt by ${what}, and the halt is what stands there in the end`, async () => {
      await write('config/paper', { tradingEnabled: value, note: 'by hand' })
      await until('the halt is published', () => published.length > 0)
      expect(published[0]).to.include({ topic: 'paper-urgent' })
      const halt = event('TradingHalted', { reason: 'by hand', publishedAt: '2026-11-20T21:30:00.000Z', cancelWorking: false })
      await journal.append(commitOf(commitsOf([command('halt', published[0]!.id, halt)], await journal.head())[0]!))
      await projector.caughtUp(trading.length + 1)
      await until('the note is gone', async () => (await documents.get('config/paper'))?.['note'] === undefined)
      expect(await documents.get('config/paper')).to.include({ tradingEnabled: false, reason: 'by hand' })
      await agrees()
      expect(published).to.have.length(1)
    })

  it('are put back where a document was deleted, or a setting is of a type that no setting has', async () => {
    await browser.doc('config/common').delete()
    await until('the settings are there again', async () => (await documents.get('config/common')) !== undefined)
    await agrees()
    const settings = (await browser.doc('config/common').get()).get('settings') as DocumentData
    await write('config/common', { settings: { ...settings, freshMinutes: Timestamp.fromMillis(60) } })
    await until(
      'the setting is what it was',
      async () => ((await documents.get('config/common'))?.['settings'] as DocumentData | undefined)?.['freshMinutes'] === 180,
      30_000,
    )
    await agrees()
    expect(published).to.deep.equal([])
  })

  it('become a configure of the value that was typed in', async () => {
    const settings = (await browser.doc('config/common').get()).get('settings') as DocumentData
    await write('config/common', { settings: { ...settings, 'exposure.overall': 0.5 } })
    await until('it is published', () => published.length > 0)
    expect(published[0]).to.include({ topic: 'paper-commands', data: '{"changes":{"exposure.overall":0.5}}' })
  })
})
