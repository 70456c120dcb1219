/** A live engine finds the record on paper in the database beside its own. */
import { expect } from 'chai'
import { type Commit, genesisHash } from '../../../domain/commit.ts'
import { type DomainEvent, event, toStored } from '../../../domain/events.ts'
import { paperJournalOf, readPaperRecord } from '../../../infra/paper-journal.ts'
import { openData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { usesEmulators } from '../../emulators.ts'

const at = '2026-11-20T21:05:00.000Z'
const written: DomainEvent[][] = [
  [event('EngineStarted', { epoch: 1, mode: 'paper' })],
  [event('TradingHalted', { reason: 'test', publishedAt: at, cancelWorking: false })],
  [event('TradingResumed', { reason: 'test' })],
]

describe('the paper journal on Firestore', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()

  it('is that of the database paper in the same project, and is read whole', async () => {
    const { project, ...store } = emulators.store()
    const where = { dataDirectory: './nowhere', store: { kind: 'google' as const, ...store, project, database: 'live' } }
    expect(paperJournalOf(where)).to.equal(`project:${project}/paper`)
    expect(await readPaperRecord(where)).to.include({ position: 0, starts: 0 })

    const paper = await openData({ ...where, mode: 'paper', store: { ...where.store, database: 'paper' } }, readTopics())
    let head = { position: 0, hash: genesisHash }
    for (const events of written) {
      const commit: Commit = {
        ...{ position: head.position + 1, epoch: 1, recordedAt: at, previousHash: head.hash },
        ...{ cause: { kind: 'engine', reason: 'test' }, events: toStored(events, at) },
      }
      const appended = await paper.journal.append(commit)
      if (appended.answer !== 'appended') throw new Error(appended.answer)
      head = appended.stored
    }
    await paper.close()
    expect(await readPaperRecord(where)).to.include({ position: 3, hash: head.hash, starts: 1, halts: 1 })
  })

  it('may be in another project, and is not taken from the database of live trading', async () => {
    const [mine, other] = [emulators.store(), emulators.store()]
    const where = { dataDirectory: './nowhere', store: { kind: 'google' as const, ...mine, database: 'live' } }
    const live = await openData({ ...where, mode: 'live' }, readTopics())
    const events = toStored([event('EngineStarted', { epoch: 1, mode: 'live' })], at)
    await live.journal.append({
      ...{ position: 1, epoch: 1, recordedAt: at, previousHash: genesisHash, cause: { kind: 'engine', reason: 'test' }, events },
    })
    await live.close()
    const read = (paperJournal: string) => readPaperRecord({ ...where, paperJournal }).catch((error: Error) => error.message)
    expect(await read(`project:${other.project}/paper-2`)).to.include({ position: 0 })
    expect(await read(`project:${mine.project}/live`)).to.contain('holds the journal of live trading')
  })
})
