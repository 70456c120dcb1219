/** When the engine takes snapshots, what it makes of them at its start, and that nobody waits for them. */
import { expect } from 'chai'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Snapshots } from '../../domain/ports/snapshots.ts'
import { createEngine, type Engine, type EngineOptions } from '../../handlers/engine.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryJournal, memorySnapshots } from '../memory-store.ts'
import { createBroker, createBus, now, silent } from './ports-in-hand.ts'

type Details = { memory?: Memory; epoch?: number; every?: number; version?: string; store?: Snapshots; journal?: EngineOptions['journal'] }

describe('the engine and its snapshots', () => {
  let running: Engine[] = []
  afterEach(async () => {
    for (const engine of running) await engine.stop()
    running = []
  })

  const engineWith = (details: Details = {}) => {
    const { memory = createMemory(), epoch = 1, every, version = 'v1' } = details
    const { store = memorySnapshots(memory), journal = memoryJournal(memory) } = details
    const mail = createBus()
    const said: string[] = []
    /** What waits for machine time, by the milliseconds it was told to wait. */
    const afterwards = new Map<number, () => void>()
    const after = (milliseconds: number, run: () => void) => {
      afterwards.set(milliseconds, run)
      return () => void afterwards.delete(milliseconds)
    }
    const say = (_: object, text: string) => void said.push(text)
    const engine = createEngine({
      ...{ journal, bus: mail.bus, broker: createBroker().broker, topics: readTopics(), strategies: {} },
      ...{ mode: 'paper', holder: 'test', log: { ...silent, info: say, warn: say } },
      clock: { ...simulatedClock(Date.parse(now)), monotonic: () => 0, after },
      lease: { acquire: async () => ({ epoch }), renew: async () => true, release: async () => {} },
      snapshots: { store, version, ...(every === undefined ? {} : { every }) },
    })
    running.push(engine)
    /** So many commands, one commit each. */
    const configure = async (count: number): Promise<void> => {
      for (let number = 0; number < count; number++)
        mail.deliver('paper-commands-engine', 'configure', { changes: { freshMinutes: 1 + (number % 2) } })
      await until('nothing is under way', () => engine.idle())
    }
    return { engine, memory, said, afterwards, configure }
  }
  const begin = async (details: Details = {}) => {
    const bench = engineWith(details)
    await bench.engine.start()
    await until('the gateway is ready', () => bench.engine.ready())
    await until('nothing is under way', () => bench.engine.idle())
    return bench
  }
  const positions = ({ snapshots }: Memory) => snapshots.map(({ position }) => position)
  const replayed = ({ commits }: Memory) => {
    const ledger = initialLedger()
    for (const stored of commits) fold(ledger, stored)
    return ledger
  }

  it('takes one after so many commits, and each is the state of its position', async () => {
    const { memory, configure } = await begin({ every: 10 })
    await configure(35)
    await until('three are written', () => memory.snapshots.length === 3)
    expect(positions(memory)).to.deep.equal([10, 20, 30])
    for (const { position, json, hash } of memory.snapshots) {
      const ledger = replayed({ ...memory, commits: memory.commits.slice(0, position) })
      expect(json).to.equal(JSON.stringify(ledger))
      expect(hash).to.equal(ledger.hash)
    }
  })

  it('begins at one, reads only what came after, and stands where a replay stands', async () => {
    const first = await begin({ every: 10 })
    await first.configure(30)
    await first.engine.stop()
    const { memory } = first
    const journal = memoryJournal(memory)
    const from: number[] = []
    const read: typeof journal.read = (first, last) => {
      if (first !== last) from.push(first)
      return journal.read(first, last)
    }
    const last = memory.snapshots.at(-1)!.position
    const { engine, configure, said } = await begin({ memory, epoch: 2, journal: { ...journal, read } })
    expect(from).to.deep.equal([last + 1])
    expect(said).to.include('the state was restored from a snapshot')
    await configure(3)
    expect(JSON.stringify(engine.ledger)).to.equal(JSON.stringify(replayed(memory)))
  })

  it('of another version, of another journal or unreadable: folds everything', async () => {
    const first = await begin({ every: 10 })
    await first.configure(30)
    await first.engine.stop()
    const { memory } = first
    const sound = structuredClone(memory.snapshots)
    const spoil = (change: (json: string) => object) => {
      for (const snapshot of memory.snapshots) Object.assign(snapshot, change(snapshot.json))
    }
    const wrong: [string, () => void][] = [
      ['of another version', () => undefined],
      ['of another journal', () => spoil(() => ({ hash: 'f'.repeat(64) }))],
      ['damaged', () => spoil((json) => ({ json: json.replace('freshMinutes', 'freshHours') }))],
    ]
    let epoch = 2
    for (const [what, change] of wrong) {
      memory.snapshots = structuredClone(sound)
      change()
      const { engine, said } = await begin({ memory, epoch: epoch++, version: what === 'of another version' ? 'v2' : 'v1' })
      expect(said, what).to.not.include('the state was restored from a snapshot')
      expect(JSON.stringify(engine.ledger), what).to.equal(JSON.stringify(replayed(memory)))
      await engine.stop()
    }
  })

  it('that has seen more than the journal holds: the end was cut off, and nothing begins', async () => {
    const first = await begin({ every: 10 })
    await first.configure(30)
    await first.engine.stop()
    const { memory } = first
    const last = memory.snapshots.at(-1)!.position
    memory.commits.length = last - 5
    const { engine } = engineWith({ memory, epoch: 2 })
    const { message } = await engine.start().then(
      () => expect.fail('it started'),
      (error: Error) => error,
    )
    expect(message).to.equal(
      `the journal is broken: commit ${last - 4} was cut off: a snapshot has seen commit ${last}; see ibt verify, and restore it from a backup`,
    )
    expect(memory.commits, 'nothing is appended').to.have.length(last - 5)
  })

  it('that its predecessor took while the head was asked for is no cut', async () => {
    const first = await begin({ every: 10 })
    await first.configure(20)
    await first.engine.stop()
    const { memory } = first
    const journal = memoryJournal(memory)
    const held = memory.commits.splice(8)
    const snapshots = memorySnapshots(memory)
    const store: Snapshots = {
      ...snapshots,
      latest: async (version, atMost) => {
        memory.commits.push(...held.splice(0)) // what it says to have seen is durable by then
        return snapshots.latest(version, atMost)
      },
    }
    const { said } = await begin({ memory, epoch: 2, store, journal })
    expect(said).to.include('the state was restored from a snapshot')
  })

  it('takes a last one at a clean stop, where at least 50 commits came since', async () => {
    const few = await begin()
    await few.configure(40)
    await few.engine.stop()
    expect(few.memory.snapshots).to.deep.equal([])
    const many = await begin()
    await many.configure(60)
    await many.engine.stop()
    expect(positions(many.memory)).to.deep.equal([many.engine.ledger.position])
    const again = await begin({ memory: many.memory, epoch: 2 })
    await again.configure(40)
    await again.engine.stop()
    expect(positions(many.memory)).to.have.length(1)
  })

  it('takes none of a state that a failure may have left half folded', async () => {
    const memory = createMemory()
    const journal = memoryJournal(memory)
    let broken = false
    const append: typeof journal.append = async (commit) => {
      const answer = await journal.append(commit)
      // A commit that cannot be folded: it does not follow.
      return broken && answer.answer === 'appended'
        ? { ...answer, stored: { ...answer.stored, json: answer.stored.json.replace(/"position":\d+/, '"position":9999') } }
        : answer
    }
    const { engine, configure } = await begin({ memory, journal: { ...journal, append } })
    await configure(60)
    broken = true
    await configure(1).catch(() => undefined)
    expect((await engine.stopped).message).to.match(/does not follow/)
    expect(memory.snapshots).to.deep.equal([])
  })

  it('writes one at a time, and no decision waits for it', async () => {
    const memory = createMemory()
    const real = memorySnapshots(memory)
    const held: (() => void)[] = []
    const store: Snapshots = {
      ...real,
      save: async (snapshot) => {
        await new Promise<void>((resolve) => held.push(resolve))
        await real.save(snapshot)
      },
    }
    const { configure } = await begin({ memory, store, every: 10 })
    await configure(40)
    expect([held.length, memory.snapshots.length]).to.deep.equal([1, 0])
    held.shift()!()
    await until('the first is written', () => memory.snapshots.length === 1)
    await configure(1)
    await until('the next is being written', () => held.length === 1)
    held.shift()!()
    await until('it is written', () => memory.snapshots.length === 2)
    expect(positions(memory)).to.deep.equal([10, memory.commits.length])
  })

  it('says that one could not be written, and goes on', async () => {
    const memory = createMemory()
    const store: Snapshots = {
      latest: async () => undefined,
      save: () => {
        throw new Error('the disk is full')
      },
    }
    const { engine, configure, said } = await begin({ memory, store, every: 10 })
    await configure(25)
    expect(said.filter((text) => text.startsWith('a snapshot could not be written'))).to.have.length(2)
    expect(engine.ledger.position).to.equal(memory.commits.length)
  })

  it('does not let a store that hangs hold up its stop for more than 2 s', async () => {
    const store: Snapshots = { latest: async () => undefined, save: () => new Promise(() => undefined) }
    const { engine, configure, afterwards } = await begin({ store, every: 10 })
    await configure(20)
    let stopped = false
    const stopping = engine.stop().then(() => {
      stopped = true
    })
    await until('it waits', () => afterwards.has(2_000))
    expect(stopped).to.equal(false)
    afterwards.get(2_000)!()
    await stopping
  })
})
