import type { DocumentReference } from '@google-cloud/firestore'
import { expect } from 'chai'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import type { Lease } from '../../../domain/ports/lease.ts'
import { systemClock } from '../../../infra/clock.ts'
import { openLease } from '../../../infra/google/lease.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { googleClients } from './clients.ts'

const ttlMs = 30_000
/** All deadlines are over fifteen times sooner. */
const quick = {
  after: (milliseconds: number, run: () => void) => systemClock.after(milliseconds / 15, run),
  monotonic: () => systemClock.monotonic() * 15,
}

describe('the lease on Google Firestore, in trouble', () => {
  const { hosts, store } = usesEmulators()
  let clients: ReturnType<typeof googleClients>
  let proxy: TcpProxy
  /** What is really there, past the proxy. */
  let document: DocumentReference
  let rival: Lease
  const through = (clock: typeof quick = systemClock): Lease =>
    openLease({ firestore: clients.connect(proxy.host).firestore, mode: 'paper', clock })
  const updatedAt = async () => (await document.get()).updateTime!.toMillis()

  beforeEach(async () => {
    clients = googleClients(store())
    proxy = await startTcpProxy(hosts().firestore)
    const { firestore } = clients.connect()
    document = firestore.doc('journals/paper/lease/current')
    rival = openLease({ firestore, mode: 'paper' })
  })
  afterEach(async () => {
    proxy.setMode('pass')
    await clients.close()
    await proxy.close()
  })

  it('gives twenty who come at once one epoch', async () => {
    const contenders = Array.from({ length: 20 }, () => openLease({ firestore: clients.connect().firestore, mode: 'paper' }))
    const answers = await Promise.all(contenders.map((contender, number) => contender.acquire(`holder ${number}`, ttlMs)))
    expect(answers.filter((answer) => 'epoch' in answer)).to.deep.equal([{ epoch: 1 }])
  })

  it('takes for its own the lease whose answer was lost', async () => {
    const lease = through()
    for (const epoch of [1, 2]) {
      const { lost } = proxy.bytes()
      proxy.setMode('resetOnAnswer', 'the first') // its name stands in the write, not in the read before it
      expect(await lease.acquire('the first', ttlMs)).to.deep.equal({ epoch })
      expect(proxy.bytes().lost, 'an answer was lost').to.be.above(lost)
      expect((await document.get()).data()).to.deep.include({ holder: 'the first', epoch })
      expect(await lease.renew(epoch, ttlMs)).to.equal(true)
    }
  })

  for (const trouble of ['resetOnAnswer', 'swallowAnswers'] as const)
    it(`counts a renewal as done when its answer was lost (${trouble})`, async () => {
      const lease = through(trouble === 'swallowAnswers' ? quick : systemClock)
      expect(await lease.acquire('first', ttlMs)).to.deep.equal({ epoch: 1 })
      expect(await lease.renew(1, ttlMs), 'now it knows its last write').to.equal(true)
      const before = await updatedAt()
      proxy.setMode(trouble)
      const renewing = lease.renew(1, ttlMs)
      await until('it took effect', async () => (await updatedAt()) > before)
      if (trouble === 'swallowAnswers') setTimeout(() => proxy.setMode('pass'), 400)
      expect(await renewing).to.equal(true)
      expect(proxy.bytes().lost).to.be.above(0)
      expect((await document.get()).data()).to.deep.include({ holder: 'first', epoch: 1 })
      expect(await lease.renew(1, ttlMs), 'and the next one').to.equal(true)
    })

  it('is lost at once, and not unclear, when another took it', async () => {
    const lease = through()
    await lease.acquire('first', 1)
    await lease.renew(1, 1)
    expect(await rival.acquire('second', ttlMs)).to.deep.equal({ epoch: 2 })
    const start = performance.now()
    expect(await lease.renew(1, ttlMs)).to.equal(false)
    expect(performance.now() - start).to.be.below(2_000)
    expect((await document.get()).data()).to.deep.include({ holder: 'second', epoch: 2 })
  })

  it('does not take an earlier renewal that came late for the one that is asked for', async () => {
    const lease = through(quick)
    await lease.acquire('first', ttlMs)
    await lease.renew(1, ttlMs)
    const before = await updatedAt()
    proxy.setMode('holdQuestions')
    const given = await lease.renew(1, ttlMs).catch((error: unknown) => error)
    expect(given).to.be.instanceOf(StoreUnavailable)
    proxy.setMode('pass')
    await until('the late one takes effect', async () => (await updatedAt()) > before)
    const late = await updatedAt()
    expect(await lease.renew(1, ttlMs)).to.equal(true)
    expect(await updatedAt()).to.be.above(late)
  })

  it('says that the store cannot be reached, and recovers', async () => {
    const lease = through(quick)
    await lease.acquire('first', ttlMs)
    proxy.setMode('refuse')
    for (const asking of [lease.renew(1, ttlMs), lease.acquire('first', ttlMs), lease.release(1)])
      expect(await asking.then(String, (error: unknown) => error)).to.be.instanceOf(StoreUnavailable)
    proxy.setMode('pass')
    await until('it is renewed', () => lease.renew(1, ttlMs).catch(() => false))
    expect(await rival.acquire('second', ttlMs)).to.have.all.keys('heldFor')
  })

  it('is lost with its document: another who took it anew under the same epoch keeps it', async () => {
    const lease = through()
    expect(await lease.acquire('first', ttlMs)).to.deep.equal({ epoch: 1 })
    await document.delete()
    expect(await rival.acquire('second', ttlMs)).to.deep.equal({ epoch: 1 })
    expect([await lease.renew(1, ttlMs), await rival.renew(1, ttlMs)]).to.deep.equal([false, true])
    await lease.release(1)
    expect(await rival.renew(1, ttlMs)).to.equal(true)
  })

  it('is let go of at once by a process that is to end', async () => {
    const leaving = new AbortController()
    const { firestore } = clients.connect(proxy.host)
    const lease = openLease({ firestore, mode: 'paper', abandoned: leaving.signal })
    await lease.acquire('first', ttlMs)
    proxy.setMode('holdQuestions')
    const releasing = lease.release(1).catch((error: unknown) => error)
    const start = performance.now()
    leaving.abort()
    expect(await releasing).to.be.instanceOf(StoreUnavailable)
    expect(performance.now() - start).to.be.below(1_000)
    proxy.setMode('pass')
    await firestore.doc(document.path).get() // the client must not be closed over a call
  })

  it('names a document that is no lease', async () => {
    await document.set({ holder: 'first', epoch: 'one', ttlMs, renewal: 0 })
    const failure = await rival.acquire('second', ttlMs).catch((error: unknown) => (error as Error).message)
    expect(failure).to.match(/journals\/paper\/lease\/current is no lease: epoch/)
  })
})
