/** The state is plain JSON: whoever restores it and folds on stands where one who folded everything stands. */
import { expect } from 'chai'
import fc from 'fast-check'
import { canonical, type StoredCommit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { DocumentWrite } from '../../domain/ports/documents.ts'
import { ledgerFrom, restoreLedger, snapshotOf } from '../../domain/snapshot.ts'
import { createReplay } from '../../projections/replay.ts'
import { views } from '../../projections/views.ts'
import { booked, closed, filled, ledgerOf, ordered, ready, SPY, snapshot, stands, VIXY, wants } from '../given.ts'
import { createMemory, type Memory, memoryJournal, memorySnapshots } from '../memory-store.ts'
import { anyHistory } from '../projections/histories.ts'
import { broker, commitsOf, connected, started } from '../projections/story.ts'

const restored = (ledger: Ledger): Ledger => {
  const back = ledgerFrom(snapshotOf(ledger, 'v1'))
  return back.ok ? back.value : expect.fail(back.problem)
}
const foldOn = (ledger: Ledger, commits: readonly StoredCommit[]): Ledger => {
  for (const stored of commits) fold(ledger, stored)
  return ledger
}

/** Everything by which two values could differ for a program: contents, the order of names, prototypes, and what is not JSON at all. */
const anatomy = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : typeof value === 'number' ? `${value}` : value
  const prototype = Object.getPrototypeOf(value)
  const kind =
    prototype === null ? 'no prototype' : prototype === Object.prototype ? 'plain' : prototype === Array.prototype ? 'list' : 'other'
  return [kind, Reflect.ownKeys(value).map((key) => [key, anatomy((value as Record<PropertyKey, unknown>)[key])])]
}

/** Every object in it, once for each place where it stands. */
const objectsIn = (value: unknown): object[] =>
  typeof value !== 'object' || value === null ? [] : [value, ...Object.values(value).flatMap(objectsIn)]

/** Several lives of an engine, one after the other, and where it is cut. */
const anyLife = fc.array(anyHistory(30), { minLength: 2, maxLength: 8 }).map((histories) => histories.flat())

describe('a snapshot of the state', () => {
  const anyCut = fc.record({ told: anyLife, percent: fc.integer({ min: 0, max: 100 }) })

  it('folds on to the same state, wherever it was taken', () => {
    fc.assert(
      fc.property(anyCut, ({ told, percent }) => {
        const commits = commitsOf(told)
        const position = Math.round((percent / 100) * commits.length)
        const before = foldOn(initialLedger(), commits.slice(0, position))
        const again = restored(before)
        expect(anatomy(again)).to.deep.equal(anatomy(before))
        const rest = commits.slice(position)
        foldOn(before, rest)
        foldOn(again, rest)
        expect(again).to.deep.equal(before)
        expect(anatomy(again)).to.deep.equal(anatomy(before))
        expect(canonical(again)).to.equal(canonical(before))
      }),
      { numRuns: 200 },
    )
  })

  it('gives the same documents from there on', () => {
    fc.assert(
      fc.property(anyCut, ({ told, percent }) => {
        const commits = commitsOf(told)
        const position = Math.round((percent / 100) * commits.length)
        const all = createReplay(views, 'paper')
        for (const stored of commits.slice(0, position)) all.step(stored, false)
        const ledger = foldOn(initialLedger(), commits.slice(0, position))
        const later = createReplay(views, 'paper', restored(ledger))
        const writesOf = (step: (stored: StoredCommit) => DocumentWrite[]) =>
          commits.slice(position).map((stored) => canonical(step(stored)))
        expect(writesOf((stored) => later.step(stored, false))).to.deep.equal(writesOf((stored) => all.step(stored, false)))
        expect([later.position(), later.hash()]).to.deep.equal([all.position(), all.hash()])
      }),
      { numRuns: 200 },
    )
  })

  it('shares no object between two places of the state, which its text would part', () => {
    fc.assert(
      fc.property(anyLife, (told) => {
        const objects = objectsIn(foldOn(initialLedger(), commitsOf(told)))
        expect(new Set(objects).size).to.equal(objects.length)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps a working account: books, standing targets, fills, corrections and ends', () => {
    const ledger = ledgerOf(
      ready,
      snapshot({ holdings: [{ instrument: SPY, quantity: '5', marketPrice: '100' }] }),
      wants('trend', [{ instrument: SPY, weight: '0.5' }]),
      stands('trend', [{ instrument: SPY, quantity: '50' }]),
      booked('hedge', VIXY, '7'),
      ordered('r1', SPY, { trend: '10' }),
      filled('r1', SPY, 'e1.01', { trend: '4' }),
      filled('r1', SPY, 'e1.02', { trend: '5' }),
      closed('r1', 'cancelled', '5'),
    )
    expect(ledger.books).to.deep.equal({ trend: { 756733: '5' }, hedge: { 80011: '7' } })
    const again = restored(ledger)
    expect(again).to.deep.equal(ledger)
    expect(JSON.stringify(again)).to.equal(JSON.stringify(ledger))
  })

  it('does not take a name for something that every object has', () => {
    const ledger = restored(
      ledgerOf(ready, event('SignalFailed', { strategy: 'toString', dryRun: false, code: 'BARS_STALE', text: 'old' })),
    )
    expect(ledger.failures['toString']?.code).to.equal('BARS_STALE')
    expect([ledger.books['constructor'], ledger.signals['toString'], ledger.pipelines['valueOf']]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('goes through orders and books in the order in which they came, not in that of the alphabet', () => {
    const ledger = ledgerOf(
      ready,
      ordered('zz', SPY, { trend: '1' }),
      ordered('aa', VIXY, { hedge: '1' }),
      booked('z', SPY, '1'),
      booked('a', SPY, '1'),
    )
    const again = restored(ledger)
    expect([Object.keys(again.orders), Object.keys(again.books)]).to.deep.equal([
      ['zz', 'aa'],
      ['z', 'a'],
    ])
  })

  it('is refused by name where the text is not that of a state', () => {
    const sound = snapshotOf(ledgerOf(ready), 'v1')
    const problem = (json: string): string => {
      const read = ledgerFrom({ ...sound, json })
      return read.ok ? 'none' : read.problem
    }
    const with_ = (changes: object) => JSON.stringify({ ...JSON.parse(sound.json), ...changes })
    expect(problem(sound.json)).to.equal('none')
    expect(problem(sound.json.slice(0, -9))).to.equal('its text is not JSON of a state')
    expect(problem('[]')).to.equal('its text is not JSON of a state')
    expect(problem(with_({ books: [] }))).to.equal('its "books" is not that of a state')
    expect(problem(with_({ epoch: '1' }))).to.equal('its "epoch" is not that of a state')
    expect(problem(with_({ snapshot: undefined }))).to.equal('its "snapshot" is not that of a state')
    expect(problem(with_({ position: 4 }))).to.equal('its text is of another position')
    expect(problem(with_({ hash: 'f' }))).to.equal('its text is of another position')
  })
})

describe('restoring the state', () => {
  const commission = (number: number) =>
    broker(event('CommissionReported', { executionId: `e${number}.01`, commission: '1', currency: 'USD' }))
  const commits = commitsOf([started, connected, ...Array.from({ length: 8 }, (_, number) => commission(number))])
  let memory: Memory
  let said: string[]
  beforeEach(() => {
    memory = createMemory()
    memory.commits.push(...commits)
    said = []
  })
  const stateAt = (position: number): Ledger => foldOn(initialLedger(), commits.slice(0, position))
  const save = (position: number, changes: object = {}) =>
    memorySnapshots(memory).save({ ...snapshotOf(stateAt(position), 'v1'), ...changes })
  const restore = (more: { atMost?: number; version?: string } = {}) => {
    const { version = 'v1', ...others } = more
    return restoreLedger({
      snapshots: { store: memorySnapshots(memory), version },
      journal: memoryJournal(memory),
      ignored: (_, text) => said.push(text),
      ...others,
    })
  }

  it('takes the newest that is not past the position', async () => {
    for (const position of [2, 5, 9]) await save(position)
    expect(await restore()).to.deep.equal(stateAt(9))
    expect((await restore({ atMost: 8 }))?.position).to.equal(5)
    expect([await restore({ atMost: 1 }), await restore({ atMost: 0 }), await restore({ version: 'v2' })]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ])
    expect(said).to.deep.equal([])
  })

  it('looks past one that is of another journal, and says so', async () => {
    await save(4)
    await save(6, { hash: 'f'.repeat(64), json: JSON.stringify({ ...stateAt(6), hash: 'f'.repeat(64) }) })
    expect((await restore())?.position).to.equal(4)
    expect(said).to.deep.equal(['the snapshot of position 6 is not used: the journal has another commit there'])
  })

  it('looks past one that cannot be read, and where a position is named, past one that the journal does not reach', async () => {
    await save(3)
    await save(5, { json: '{}' })
    expect((await restore())?.position).to.equal(3)
    await save(9)
    memory.commits.splice(8)
    expect((await restore({ atMost: 20 }))?.position).to.equal(3)
    expect(said).to.deep.equal([
      'the snapshot of position 5 is not used: its "position" is not that of a state',
      'the snapshot of position 9 is not used: the journal has another commit there',
      'the snapshot of position 5 is not used: its "position" is not that of a state',
    ])
  })

  it('gives nothing where the journal ends before what a snapshot has seen', async () => {
    await save(3)
    await save(9)
    memory.commits.splice(8)
    const { message } = await restore().then(
      () => expect.fail('it gave a state'),
      (error: Error) => error,
    )
    expect(message).to.equal(
      'the journal is broken: commit 9 was cut off: a snapshot has seen commit 9; see ibt verify, and restore it from a backup',
    )
  })

  it('goes without one when their store fails', async () => {
    const store = { ...memorySnapshots(memory), latest: async () => Promise.reject(new Error('the disk is away')) }
    const ignored = (_: object, text: string) => said.push(text)
    expect(await restoreLedger({ snapshots: { store, version: 'v1' }, journal: memoryJournal(memory), ignored })).to.equal(undefined)
    expect(said).to.deep.equal(['no snapshot can be loaded: the disk is away'])
  })
})
