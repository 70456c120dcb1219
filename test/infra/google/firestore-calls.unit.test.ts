import { expect } from 'chai'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { backOffMs, insist, inTime, pause, refusalOf, status } from '../../../infra/google/firestore-calls.ts'

const failing = (code: number | undefined, message = 'no') => Object.assign(new Error(message), code === undefined ? {} : { code })

/** Timers that run when they are told to; `waits` are the times that were asked for. */
const timers = () => {
  const waiting = new Set<() => void>()
  const waits: number[] = []
  return {
    waits,
    waiting,
    clock: {
      after: (milliseconds: number, run: () => void) => {
        waits.push(milliseconds)
        waiting.add(run)
        return () => void waiting.delete(run)
      },
    },
    fire: () => {
      for (const run of [...waiting]) {
        waiting.delete(run)
        run()
      }
    },
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'succeeded',
    (error: unknown) => error,
  )

describe('a call to Firestore', () => {
  let machine: ReturnType<typeof timers>
  let abandonment: AbortController
  const patience = () => ({ what: 'reading', deadlineMs: 5_000, clock: machine.clock, abandoned: abandonment.signal })
  beforeEach(() => {
    machine = timers()
    abandonment = new AbortController()
  })

  it('answers, and leaves no timer behind', async () => {
    expect(await inTime(async () => 7, patience())).to.equal(7)
    expect([machine.waits, machine.waiting.size]).to.deep.equal([[5_000], 0])
  })

  it('ends at its deadline, and what comes later is heard by nobody', async () => {
    let fail = (_error: Error): void => {}
    const asking = inTime(
      () =>
        new Promise((_, reject) => {
          fail = reject
        }),
      patience(),
    )
    machine.fire()
    expect(await failureOf(asking))
      .to.be.instanceOf(StoreUnavailable)
      .with.property('message')
      .that.matches(/^reading: .* within 5 s/)
    fail(failing(14))
    await turn() // an unheard rejection would fail this test
  })

  it('ends when it is abandoned, and is not even begun afterwards', async () => {
    const asking = inTime(() => new Promise(() => {}), patience())
    abandonment.abort()
    expect(await failureOf(asking)).to.be.instanceOf(StoreUnavailable)
    expect(machine.waiting.size).to.equal(0)
    let begun = false
    const again = inTime(async () => {
      begun = true
    }, patience())
    expect(await failureOf(again)).to.be.instanceOf(StoreUnavailable)
    expect(begun).to.equal(false)
  })

  it('is repeated while the failure may pass, with pauses that grow', async () => {
    const failures: number[] = []
    const asking = insist(
      async (failed) => {
        failures.push(failed)
        if (failed < 3) throw failing(14)
        return 'there'
      },
      patience(),
      4,
    )
    for (let step = 0; step < 3; step++) {
      await turn()
      machine.fire()
    }
    expect(await asking).to.equal('there')
    expect(failures).to.deep.equal([0, 1, 2, 3])
    expect(machine.waits.filter((wait) => wait !== 5_000)).to.deep.equal([100, 200, 400])
  })

  it('is given up after so many tries', async () => {
    const asking = insist(() => Promise.reject(failing(14, 'no connection')), patience(), 2)
    await turn()
    machine.fire()
    expect(await failureOf(asking))
      .to.be.instanceOf(StoreUnavailable)
      .with.property('message', 'reading: no connection')
  })

  it('is not repeated when it will never pass', async () => {
    let calls = 0
    const asking = insist(() => {
      calls += 1
      return Promise.reject(failing(status.permissionDenied, 'Missing or insufficient permissions.'))
    }, patience())
    const failure = (await failureOf(asking)) as Error
    expect(failure).to.not.be.instanceOf(StoreUnavailable)
    expect(failure.message).to.equal(
      'reading: Firestore refuses (Missing or insufficient permissions.); give the account of this process the role roles/datastore.user',
    )
    expect(calls).to.equal(1)
  })

  it('knows what passes by itself from what does not', () => {
    const refused = (code: number | undefined, message?: string) => refusalOf(failing(code, message), 'x') !== undefined
    const passing = [1, 2, 4, 6, 8, 10, 11, 13, 14, undefined]
    expect(passing.filter((code) => refused(code))).to.deep.equal([])
    expect([3, 5, 7, 9, 12, 16].filter((code) => !refused(code))).to.deep.equal([])
    expect(refused(2, 'Getting metadata from plugin failed with error: Could not load the default credentials.')).to.equal(true)
    expect(refused(2, 'Getting metadata from plugin failed with error: getaddrinfo ENOTFOUND oauth2.googleapis.com')).to.equal(false)
  })

  it('pauses no longer than five seconds, and not at all once it is abandoned', async () => {
    expect([1, 2, 6, 7, 2_000].map(backOffMs)).to.deep.equal([100, 200, 3_200, 5_000, 5_000])
    const pausing = pause(5_000, patience())
    abandonment.abort()
    await pausing
    expect(machine.waiting.size).to.equal(0)
  })
})
