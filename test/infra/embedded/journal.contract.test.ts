import { expect } from 'chai'
import { verifyChain } from '../../../domain/verify.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import type { Store } from '../../../infra/embedded/store.ts'
import { all, appendAll, beginning, commitAfter } from '../../contract/commits.ts'
import { journalContract } from '../../contract/journal.contract.ts'
import { until } from '../../contract/until.ts'
import { startChild } from './processes.ts'
import { storeWorld } from './world.ts'

journalContract('SQLite', async () => {
  const world = storeWorld()
  const store: Store = world.open()
  const run = (sql: string, ...values: (string | number)[]) => store.database.prepare(sql).run(...values)
  return {
    journal: openJournal(store),
    another: async () => openJournal(world.open()),
    tamper: async ({ position, epoch, recordedAt, previousHash, hash, json }) => {
      run(
        'REPLACE INTO commits (position, epoch, recordedAt, previousHash, hash, json) VALUES (?, ?, ?, ?, ?, ?)',
        position,
        epoch,
        recordedAt,
        previousHash,
        hash,
        json,
      )
    },
    remove: async (position) => {
      run('DELETE FROM commits WHERE position = ?', position)
    },
    close: world.close,
  }
})

describe('the journal on SQLite, beyond the contract', () => {
  let world: ReturnType<typeof storeWorld>
  beforeEach(() => {
    world = storeWorld()
  })
  afterEach(() => world.close())
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'succeeded',
      (error: unknown) => (error as Error).message,
    )

  it('calls a gap and a wrong link what they are: bugs', async () => {
    const journal = openJournal(world.open())
    const [first] = await appendAll(journal, ['c1'])
    expect(await failure(journal.append(commitAfter({ position: 2, hash: first!.hash }, { id: 'c3' })))).to.match(/commit 3 leaves a gap/)
    expect(await failure(journal.append(commitAfter({ position: 1, hash: beginning.hash }, { id: 'c2' })))).to.match(
      /commit 2 does not continue/,
    )
    expect(await failure(journal.append(commitAfter({ position: -1, hash: beginning.hash }, { id: 'c0' })))).to.match(
      /commit 0 leaves a gap/,
    )
    expect(await journal.head()).to.deep.equal({ position: 1, hash: first!.hash })
    expect((await journal.append(commitAfter(first!, { id: 'c2' }))).answer).to.equal('appended')
  })

  it('loses no commit of a process that was killed, and keeps the chain', async () => {
    world.open()
    const child = startChild('append', world.path)
    await child.said(50)
    await child.kill()
    const journal = openJournal(world.open())
    const { position } = await journal.head()
    expect(position).to.be.at.least(Number(child.lines.at(-1)))
    expect(await verifyChain(journal)).to.deep.include({ ok: true, commits: position })
    expect(await journal.marker(`c${position}`)).to.deep.equal(await journal.head())
  })

  it('can be read and followed while another process writes', async () => {
    const journal = openJournal(world.open())
    const seen: number[] = []
    let reading = Promise.resolve()
    const stop = journal.onAppended(() => {
      reading = reading.then(async () => {
        for await (const { position } of journal.read((seen.at(-1) ?? 0) + 1)) seen.push(position)
      })
    })
    const child = startChild('append', world.path)
    await child.said(1)
    await until('a hundred commits were seen', () => seen.length >= 100)
    await child.kill()
    stop()
    await reading
    expect(seen).to.deep.equal(Array.from({ length: seen.length }, (_, number) => number + 1))
    expect((await all(journal.read(1))).length).to.be.at.least(100)
  })
})
