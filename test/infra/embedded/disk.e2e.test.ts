/** A disk that lost the end of a file, flipped a bit or is full: the journal opens at its last whole commit, or says what is wrong with it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import type { StoredCommit } from '../../../domain/commit.ts'
import { event, toStored } from '../../../domain/events.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { verifyChain } from '../../../domain/verify.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { all, appendAll, commitAfter } from '../../contract/commits.ts'
import { ibt, temporaryFolder } from '../cli/ibt.ts'

const ids = Array.from({ length: 80 }, (_, number) => `command-${number}`)

describe('the disk under the store', function () {
  this.timeout(180_000)
  let folder: ReturnType<typeof temporaryFolder>
  let commits: StoredCommit[]
  /** The files as a machine leaves them that lost its power, the log not yet moved into the database. */
  let [database, log] = ['', '']
  before(async () => {
    folder = temporaryFolder()
    const path = join(folder.path, 'paper.sqlite')
    const store = openStore(path)
    store.database.exec('PRAGMA wal_autocheckpoint = 0')
    commits = await appendAll(openJournal(store), ids)
    mkdirSync(join(folder.path, 'lost-power'))
    database = join(folder.path, 'lost-power', 'paper.sqlite')
    log = `${database}-wal`
    copyFileSync(path, database)
    copyFileSync(`${path}-wal`, log)
    store.close() // moves the log into the database
  })
  after(() => folder.remove())

  let copies = 0
  const copied = (...files: string[]): string => {
    const directory = join(folder.path, `copy-${++copies}`)
    mkdirSync(directory)
    for (const file of files)
      if (existsSync(file)) copyFileSync(file, join(directory, `paper.sqlite${file.endsWith('-wal') ? '-wal' : ''}`))
    return join(directory, 'paper.sqlite')
  }
  /** What the journal gives, or the line that says why it gives nothing. */
  const read = async (path: string): Promise<StoredCommit[] | string> => {
    try {
      const store = openStore(path)
      try {
        return await all(openJournal(store).read(1))
      } finally {
        store.close()
      }
    } catch (error) {
      return (error as Error).message
    }
  }

  const verified = async (path: string) => {
    const store = openStore(path)
    try {
      return await verifyChain(openJournal(store), [{ name: 'the documents', ...commits.at(-1)! }])
    } finally {
      store.close()
    }
  }

  it('that lost the end of a write gives the last whole commit, and goes on from there', async () => {
    const size = statSync(log).size
    const found = new Set<number>()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: size }), async (left) => {
        const path = copied(database, log)
        truncateSync(`${path}-wal`, left)
        const kept = await read(path)
        expect(kept, `of ${left} bytes`).to.deep.equal(commits.slice(0, kept.length))
        found.add(kept.length)
        const store = openStore(path)
        const journal = openJournal(store)
        const next = commitAfter(await journal.head(), { id: 'after the power came back' })
        expect(await journal.append(next)).to.include({ answer: 'appended' })
        expect(await verifyChain(journal)).to.include({ ok: true, commits: kept.length + 1 })
        store.close()
      }),
      { numRuns: 60, examples: [[size], [size - 1], [0], [1]] },
    )
    expect(Math.min(...found)).to.equal(0)
    expect(Math.max(...found)).to.equal(commits.length)
    expect(found.size, 'cut at many places').to.be.above(20)
  })

  it('that lost a part of the database itself says that it is damaged; no commit is missing in silence', async () => {
    const whole = join(folder.path, 'paper.sqlite')
    const size = statSync(whole).size
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: size - 1 }), async (left) => {
        const path = copied(whole)
        truncateSync(path, left)
        const kept = await read(path)
        if (typeof kept === 'string')
          expect(kept, `of ${left} bytes`).to.equal(`${path} is damaged (database disk image is malformed): restore it from a backup`)
        else if (!isDeepStrictEqual(kept, commits)) expect(await verified(path), `of ${left} bytes`).to.include({ ok: false })
      }),
      { numRuns: 40 },
    )
  })

  it('that changed a byte of a commit does not go unseen', async () => {
    const whole = readFileSync(join(folder.path, 'paper.sqlite'))
    for (const position of [1, 41, 80]) {
      const path = copied()
      const bytes = Buffer.from(whole)
      bytes[bytes.indexOf(commits[position - 1]!.json) + 40] = 0x7a
      writeFileSync(path, bytes)
      const store = openStore(path)
      expect(await verifyChain(openJournal(store))).to.deep.equal({
        ok: false,
        position,
        problem: `commit ${position} was altered: its text does not give its hash`,
      })
      store.close()
    }
  })

  it('that changed a commit or lost one starts no engine: one line names the commit', async () => {
    const { path: DATA_DIR, remove } = temporaryFolder()
    const path = join(DATA_DIR, 'paper.sqlite')
    const store = openStore(path)
    const journal = openJournal(store)
    const events = toStored([event('GatewayLost', { reason: 'the night' })], '2026-11-20T21:05:00.000Z')
    for (const id of ids) await journal.append({ ...commitAfter(await journal.head(), { id }), events })
    const damage = async (...statements: string[]): Promise<string> => {
      const copy = join(DATA_DIR, `copy-${++copies}`)
      mkdirSync(copy)
      store.database.exec(`VACUUM INTO '${join(copy, 'paper.sqlite')}'`)
      const damaged = openStore(join(copy, 'paper.sqlite'))
      for (const statement of statements) damaged.database.exec(statement)
      const { position } = await openJournal(damaged).head()
      damaged.close()
      const { code, errors } = await ibt(['start'], { DATA_DIR: copy, IB_PORT: '1', LOG_LEVEL: 'silent' })
      expect(code).to.equal(1)
      const again = openStore(join(copy, 'paper.sqlite'))
      expect((await openJournal(again).head()).position, 'nothing is appended').to.equal(position)
      again.close()
      return errors
    }
    const says = (what: string) => `ibt: the journal is broken: ${what}; see ibt verify, and restore it from a backup\n`
    const altered = `UPDATE commits SET json = replace(json, 'the night', 'the light') WHERE position =`
    expect(await damage(`${altered} 41`)).to.equal(says('commit 41 was altered: its text does not give its hash'))
    expect(await damage(`${altered} 80`)).to.equal(says('commit 80 was altered: its text does not give its hash'))
    expect(await damage('DELETE FROM commits WHERE position = 17')).to.equal(says('commit 17 is missing'))
    store.close()
    remove()
  })

  it('that is full takes nothing and loses nothing, and takes it when there is room', async () => {
    const path = join(folder.path, 'full', 'paper.sqlite')
    const store = openStore(path)
    const journal = openJournal(store)
    await appendAll(journal, ids.slice(0, 10))
    const { page_count: pages } = store.database.prepare('PRAGMA page_count').get() as { page_count: number }
    store.database.exec(`PRAGMA max_page_count = ${pages}`)
    const large = commitAfter(await journal.head(), { id: 'large', note: 'x'.repeat(100_000) })
    const failure = await journal.append(large).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(StoreUnavailable)
    expect((failure as Error).message).to.equal('the store cannot be used now: database or disk is full')
    expect(await journal.marker('large')).to.equal(undefined)
    expect(await verifyChain(journal)).to.include({ ok: true, commits: 10 })
    store.database.exec('PRAGMA max_page_count = 1000000')
    expect(await journal.append(large)).to.include({ answer: 'appended' })
    store.close()
  })
})
