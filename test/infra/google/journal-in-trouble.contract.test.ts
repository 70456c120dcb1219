import { expect } from 'chai'
import { genesisHash, maximumCommitBytes } from '../../../domain/commit.ts'
import type { Clock } from '../../../domain/ports/clock.ts'
import { type Journal, StoreUnavailable } from '../../../domain/ports/journal.ts'
import { systemClock } from '../../../infra/clock.ts'
import { type Emulator, startFirestoreEmulator } from '../../../infra/google/emulators.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { all, appendAll, beginning, commitAfter } from '../../contract/commits.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { googleClients } from './clients.ts'

/** Deadlines and back-off are over so much sooner. */
const quicker = (times: number): Pick<Clock, 'after'> => ({ after: (milliseconds, run) => systemClock.after(milliseconds / times, run) })

describe('the journal on Google Firestore, in trouble', () => {
  const { hosts, store } = usesEmulators()
  let clients: ReturnType<typeof googleClients>
  let proxy: TcpProxy
  let abandonment: AbortController
  /** What is really there, past the proxy. */
  let direct: Journal
  const through = (clock: Pick<Clock, 'after'> = systemClock): Journal =>
    openJournal({ firestore: clients.connect(proxy.host).firestore, mode: 'paper', clock, abandoned: abandonment.signal })
  const there = async () => (await all(direct.read(1))).map(({ position, hash }) => ({ position, hash }))

  beforeEach(async () => {
    clients = googleClients(store())
    proxy = await startTcpProxy(hosts().firestore)
    abandonment = new AbortController()
    direct = openJournal({ firestore: clients.connect().firestore, mode: 'paper', abandoned: abandonment.signal })
  })
  afterEach(async () => {
    abandonment.abort()
    proxy.setMode('pass')
    await clients.close()
    await proxy.close()
  })

  it('knows its own commit when the connection broke on the answer', async () => {
    const journal = through()
    for (let round = 1; round <= 3; round++) {
      const head = await journal.head()
      const lost = proxy.bytes().lost
      proxy.setMode('resetOnAnswer')
      const answer = await journal.append(commitAfter(head, { id: `c${round}` }))
      expect(answer).to.have.property('answer', 'appended')
      expect(proxy.bytes().lost, 'an answer was lost').to.be.above(lost)
      expect(await direct.head()).to.deep.equal(await journal.head())
    }
    expect((await there()).length).to.equal(3)
  })

  it('reads back after five seconds without an answer', async () => {
    const journal = through()
    expect(await journal.head()).to.deep.equal(beginning)
    proxy.setMode('swallowAnswers')
    const start = performance.now()
    const appending = journal.append(commitAfter(beginning, { id: 'c1' }))
    await until('the commit took effect', async () => (await direct.head()).position === 1)
    const { sent } = proxy.bytes()
    await until('it is read back', () => proxy.bytes().sent > sent + 50)
    proxy.setMode('pass')
    expect(await appending).to.have.property('answer', 'appended')
    expect(performance.now() - start).to.be.within(4_900, 30_000)
    expect((await there()).length).to.equal(1)
  })

  it('does not mind a try that takes effect after it was given up', async () => {
    const journal = through(quicker(25))
    await journal.head()
    proxy.setMode('holdQuestions')
    const appending = journal.append(commitAfter(beginning, { id: 'c1' }))
    await new Promise((resolve) => setTimeout(resolve, 1_000)) // several deadlines of a fifth of a second
    expect(await there()).to.deep.equal([])
    proxy.setMode('pass')
    const answer = await appending
    expect(answer).to.have.property('answer', 'appended')
    expect(await there()).to.deep.equal([await journal.head()])
    expect(await journal.append(commitAfter(await journal.head(), { id: 'c1' })), 'decided once').to.have.property('answer', 'already')
  })

  it('tells a conflict after a long silence, too', async () => {
    const journal = through(quicker(25))
    await journal.head()
    proxy.setMode('holdQuestions')
    const appending = journal.append(commitAfter(beginning, { id: 'c1', epoch: 1 }))
    await direct.append(commitAfter(beginning, { id: 'c2', epoch: 2 }))
    proxy.setMode('pass')
    expect(await appending).to.deep.equal({ answer: 'conflict', position: 1, epoch: 2 })
    expect(await direct.marker('c1')).to.equal(undefined)
  })

  it('waits out a store that cannot be reached, and then appends', async () => {
    const journal = through()
    const [first] = await appendAll(journal, ['c1'])
    proxy.setMode('refuse')
    let answered = false
    const appending = journal.append(commitAfter(first!, { id: 'c2' })).finally(() => {
      answered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 6_000)) // longer than one try
    expect(answered).to.equal(false)
    proxy.setMode('pass')
    expect(await appending).to.have.property('answer', 'appended')
    expect((await there()).length).to.equal(2)
  })

  it('gives up when it is told to', async () => {
    const journal = through()
    await journal.head()
    proxy.setMode('refuse')
    const appending = journal.append(commitAfter(beginning, { id: 'c1' })).catch((error: unknown) => error)
    setTimeout(() => abandonment.abort(), 300)
    expect(await appending).to.be.instanceOf(StoreUnavailable)
    const again = await journal.append(commitAfter(beginning, { id: 'c1' })).catch((error: unknown) => error)
    expect(again).to.be.instanceOf(StoreUnavailable)
  }).timeout(5_000)

  it('sends nothing of a commit that is too large', async () => {
    const journal = through()
    await journal.head()
    const before = proxy.bytes().sent
    const note = 'x'.repeat(maximumCommitBytes)
    expect(await journal.append(commitAfter(beginning, { id: 'c1', note })).catch((error: unknown) => error)).to.be.instanceOf(RangeError)
    await journal.head()
    expect(proxy.bytes().sent - before, 'the question for the head, and no more').to.be.below(5_000)
  })

  it('reads no more than a page ahead', async () => {
    const firestore = clients.connect().firestore
    const commits = firestore.collection('journals').doc('paper').collection('commits')
    const bytesEach = 20_000 // 100 commits in the first page, then 200 at once
    let fill = firestore.batch()
    for (let position = 1; position <= 450; position++) {
      fill.set(commits.doc(String(position).padStart(12, '0')), {
        ...{ position, epoch: 1, recordedAt: '', previousHash: genesisHash, hash: String(position), json: 'x'.repeat(bytesEach) },
      })
      if (position % 150 !== 0) continue
      await fill.commit()
      fill = firestore.batch()
    }
    const journal = through()
    await journal.head()
    const answered = () => proxy.bytes().answered
    const answersTo = (position: number) => position * bytesEach
    const before = answered()
    const positions: number[] = []
    for await (const { position } of journal.read(1)) {
      positions.push(position)
      if (position === 1) {
        await until('the second page has come', () => answered() - before > answersTo(300))
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(answered() - before).to.be.below(answersTo(350))
      }
    }
    expect(positions).to.deep.equal(Array.from({ length: 450 }, (_, place) => place + 1))
  })

  it('ends in an error, not in a wait, when it cannot be read', async () => {
    const journal = through(quicker(25))
    await journal.head()
    proxy.setMode('refuse')
    const failures = await Promise.all(
      [journal.head(), journal.marker('c1'), all(journal.read(1))].map((asking) => asking.catch((error: unknown) => error)),
    )
    for (const failure of failures) expect(failure).to.be.instanceOf(StoreUnavailable)
  })

  it('says at once what will never pass', async () => {
    const { firestore } = clients.connect()
    const journal = openJournal({ firestore, mode: '__paper__', abandoned: abandonment.signal }) // a name that Firestore keeps for itself
    const failure = await journal.append(commitAfter(beginning, { id: 'c1' })).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Error).and.not.instanceOf(StoreUnavailable)
    expect((failure as Error).message).to.match(/^appending commit 1: Firestore refuses \(.*\); the request itself is wrong/)
  }).timeout(3_000)

  it('names a document that is none of its own, and a commit that is gone although its marker is there', async () => {
    const [first] = await appendAll(direct, ['c1'])
    const { firestore } = clients.connect()
    const commits = firestore.collection('journals').doc('paper').collection('commits')
    await commits.doc('000000000001').update({ json: 7 })
    const failure = (promise: Promise<unknown>) => promise.catch((error: unknown) => (error as Error).message)
    expect(await failure(all(direct.read(1)))).to.match(/journals\/paper\/commits\/000000000001 is none of the journal's: json/)
    await commits.doc('000000000001').delete()
    const fresh = openJournal({ firestore, mode: 'paper', abandoned: abandonment.signal })
    expect(await failure(fresh.append(commitAfter(beginning, { id: 'c1', note: 'y' })))).to.match(/commit 1 is gone/)
    expect(first!.position).to.equal(1)
  })
})

describe('a listener of the journal on Google Firestore', () => {
  const { store } = usesEmulators()
  let emulator: Emulator | undefined
  let clients: ReturnType<typeof googleClients>
  let abandonment: AbortController
  beforeEach(() => {
    abandonment = new AbortController()
  })
  afterEach(async function () {
    this.timeout(180_000)
    abandonment.abort()
    await clients.close() // refuses while anybody listens
    await emulator?.end()
  })

  it('ends when the journal is abandoned, so that the client can be closed', async () => {
    clients = googleClients(store())
    const journal = openJournal({ firestore: clients.connect().firestore, mode: 'paper', abandoned: abandonment.signal })
    let told = 0
    journal.onAppended(() => {
      told += 1
    })
    await until('it listens', () => told > 0)
    abandonment.abort()
    journal.onAppended(() => expect.fail('told after all was over'))()
    await clients.close()
  })

  it('outlives a restart of the server', async () => {
    emulator = await startFirestoreEmulator()
    const port = Number(emulator.host.split(':')[1])
    const project = { project: 'restart', database: '(default)', emulators: { firestore: emulator.host, pubsub: '127.0.0.1:1' } }
    clients = googleClients(project)
    const open = () =>
      openJournal({ firestore: clients.connect(project.emulators.firestore).firestore, mode: 'paper', abandoned: abandonment.signal })
    const [journal, writer] = [open(), open()]
    let told = 0
    const stop = journal.onAppended(() => {
      told += 1
    })
    await until('it listens', () => told > 0)
    await appendAll(writer, ['c1'])
    await until('it was told of the first', () => told > 1)
    await emulator.end()
    emulator = await startFirestoreEmulator(port)
    const before = told
    const rival = open() // the memory of the server is gone, and with it the head that the others know
    expect((await rival.append(commitAfter(beginning, { id: 'c9' }))).answer).to.equal('appended')
    await until('it was told of what came after the restart', () => told > before, 75_000)
    const settled = told
    expect((await rival.append(commitAfter(await rival.head(), { id: 'c10' }))).answer).to.equal('appended')
    await until('and of the next, sooner than a new beginning is due', () => told > settled, 30_000)
    stop()
    await clients.close()
  }).timeout(180_000)
})
