import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { until } from '../../contract/until.ts'
import { startChild } from './processes.ts'
import { storeWorld } from './world.ts'

describe('the store', () => {
  let world: ReturnType<typeof storeWorld>
  beforeEach(() => {
    world = storeWorld()
  })
  afterEach(() => world.close())
  const foreignFile = (text: string) => {
    mkdirSync(dirname(world.path), { recursive: true })
    writeFileSync(world.path, text)
  }

  it('makes every commit durable, in a write-ahead log', () => {
    const { database } = world.open()
    expect(database.prepare('PRAGMA journal_mode').get()).to.deep.include({ journal_mode: 'wal' })
    expect(database.prepare('PRAGMA synchronous').get()).to.deep.include({ synchronous: 2 })
  })

  it('does not wait for the disk where a loss is made good by doing it again, and waits again afterwards', () => {
    const store = world.open()
    const waits = () => store.database.prepare('PRAGMA synchronous').get()!['synchronous']
    expect(store.repeatable(waits)).to.equal(1)
    expect(store.transaction(waits)).to.equal(2)
    expect(() =>
      store.repeatable(() => {
        throw new Error('changed my mind')
      }),
    ).to.throw('changed my mind')
    expect(waits()).to.equal(2)
  })

  it('refuses a file of a newer program, in one line, and leaves it alone', () => {
    const store = world.open()
    store.database.exec('PRAGMA user_version = 7')
    store.close()
    expect(() => openStore(world.path)).to.throw(`${world.path} has schema version 7, this program knows 1`)
    expect(new DatabaseSync(world.path).prepare('PRAGMA user_version').get()).to.deep.include({ user_version: 7 })
  })

  it('refuses a file that is no store', () => {
    foreignFile('Dear diary, this is not a database, and it is long enough to be looked at as one.'.repeat(20))
    expect(() => openStore(world.path)).to.throw(`${world.path} is not a store: it is no SQLite file`)
    expect(readFileSync(world.path, 'utf8')).to.match(/^Dear diary/)
  })

  it('refuses a database that holds something else', () => {
    foreignFile('')
    new DatabaseSync(world.path).exec('CREATE TABLE recipes (name TEXT)')
    expect(() => openStore(world.path)).to.throw(`${world.path} is not a store: it holds other tables`)
  })

  it('writes all of a transaction or nothing', () => {
    const store = world.open()
    const insert = (version: number) => store.database.prepare("INSERT INTO checkpoints VALUES (?, 1, 'h', ?)").run(`p${version}`, version)
    expect(() =>
      store.transaction(() => {
        insert(1)
        throw new Error('changed my mind')
      }),
    ).to.throw('changed my mind')
    expect(store.transaction(() => insert(2)).changes).to.equal(1)
    expect(store.database.prepare('SELECT projection FROM checkpoints').all()).to.have.length(1)
  })

  it('says when the file cannot be used now', () => {
    const store = world.open()
    store.database.exec('PRAGMA busy_timeout = 20')
    const other = world.open()
    other.transaction(() => {
      expect(() => store.transaction(() => undefined)).to.throw(StoreUnavailable, 'the store cannot be used now')
    })
    expect(store.transaction(() => 'free again')).to.equal('free again')
  })

  it('can be opened for the first time by several processes at once', async () => {
    const children = [1, 2, 3].map(() => startChild('open', world.path))
    const ends = await Promise.all(children.map((child) => child.end()))
    expect(ends).to.deep.equal([1, 2, 3].map(() => ({ code: 0, errors: '' })))
    expect(world.open().database.prepare('PRAGMA user_version').get()).to.deep.include({ user_version: 1 })
  })

  it('tells of changes: its own by subject, those of others in any case', async () => {
    const [store, other] = [world.open(), world.open()]
    const told: string[] = []
    const stops = ['journal', 'bus:x'].map((subject) => store.watch(subject, () => told.push(subject)))
    store.changed('journal')
    store.changed('journal')
    expect(told).to.deep.equal([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).to.deep.equal(['journal'])
    other.transaction(() => other.database.exec("INSERT INTO checkpoints VALUES ('p', 1, 'h', 1)"))
    await until('both were told', () => told.length >= 3)
    expect(told.slice(1)).to.deep.equal(['journal', 'bus:x'])
    for (const stop of stops) stop()
    store.changed('journal')
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).to.have.length(3)
  })
})
