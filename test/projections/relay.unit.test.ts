import { expect } from 'chai'
import fc from 'fast-check'
import { canonical, type StoredCommit } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import type { Topics } from '../../domain/topics.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { eventsAreRead, eventTopicOf } from '../../projections/event-messages.ts'
import { createRelay, type Relay, type RelayOptions } from '../../projections/relay.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { createBus, createMachineTime, hasty, silent } from './relay-in-hand.ts'
import { broker, command, commitsOf, connected, filled, planned, resolved, SPY, signal, snapshot, started, type Told } from './story.ts'

const history: Told[] = [
  started,
  connected,
  command('reconcile', 'c1', snapshot()),
  command('dummy', 'c2', resolved(SPY), signal('dummy')),
  command('allocation', 'alloc-1', planned('r1'), planned('r2'), planned('r3')),
  broker(filled('r1', 'e1.01', '8')),
]
const historyPositions = ['1.0', '2.0', '3.0', '4.0', '4.1', '5.0', '5.1', '5.2', '6.0']
const lost = (number: number): Told => broker(event('GatewayLost', { reason: `cable ${number}` }))

describe('the relay', () => {
  let memory: Memory
  let running: Relay[]
  beforeEach(() => {
    memory = createMemory()
    running = []
  })
  afterEach(async () => {
    for (const relay of running) await relay.stop()
  })
  const append = (...told: Told[]): void => {
    memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
    for (const listener of memory.listeners.get('journal') ?? []) listener()
  }
  const relayTo = (bus: RelayOptions['bus'], options: Partial<RelayOptions> = {}): Relay => {
    const relay = createRelay({
      ...{ journal: memoryJournal(memory), documents: memoryDocuments(memory), bus, topics: readTopics(), mode: 'paper' },
      ...{ log: silent, clock: hasty() },
      ...options,
    })
    running.push(relay)
    return relay
  }
  const relayed = async (bus: RelayOptions['bus'], options: Partial<RelayOptions> = {}): Promise<Relay> => {
    const relay = relayTo(bus, options)
    await relay.start()
    await relay.caughtUp(memory.commits.length)
    return relay
  }
  const pointer = () => memory.checkpoints.get('relay')
  const problemOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no problem',
      (error: unknown) => (error as Error).message,
    )

  describe('publishing', () => {
    it('says of an event all that it is, and in its attributes what a reader chooses by', async () => {
      const cause = {
        kind: 'command',
        id: 'c1',
        type: 'dummy',
        publishedAt: '2026-11-20T20:59:00.000Z',
        source: 'http',
        correlationId: 'why',
      } as const
      const lateEvent = event('GatewayLost', { reason: 'cable' }, '2026-11-20T20:30:00.000Z')
      append(started, { cause, events: [event('TradingResumed', { reason: 'go' }), lateEvent] })
      const { bus, kept } = createBus()
      await relayed(bus)
      const { recordedAt } = memory.commits[1]!
      expect(kept).to.deep.equal([
        {
          topic: 'paper-events',
          data: canonical({
            ...{ type: 'EngineStarted', v: 1, position: '1.0', data: { epoch: 1, mode: 'paper' } },
            ...{ occurredAt: memory.commits[0]!.recordedAt, recordedAt: memory.commits[0]!.recordedAt },
          }),
          attributes: { type: 'EngineStarted', v: '1', position: '1.0' },
        },
        {
          topic: 'paper-events',
          data: canonical({ type: 'TradingResumed', v: 1, occurredAt: recordedAt, recordedAt, position: '2.0', data: { reason: 'go' } }),
          attributes: { type: 'TradingResumed', v: '1', position: '2.0', correlationId: 'why' },
        },
        {
          topic: 'paper-events',
          data: canonical({
            ...{ type: 'GatewayLost', v: 1, occurredAt: '2026-11-20T20:30:00.000Z', recordedAt, position: '2.1' },
            data: { reason: 'cable' },
          }),
          attributes: { type: 'GatewayLost', v: '1', position: '2.1', correlationId: 'why' },
        },
      ])
    })

    it('begins at position 1 of a journal with a history, and goes on with what is appended', async () => {
      append(...history.slice(0, 4))
      const { bus, positions } = createBus()
      const relay = await relayed(bus)
      append(...history.slice(4))
      await relay.caughtUp(6)
      expect(positions()).to.deep.equal(historyPositions)
      expect([relay.position(), relay.failure()]).to.deep.equal([6, undefined])
    })

    it('goes on after the pointer of the one before it', async () => {
      append(...history.slice(0, 4))
      const { bus, positions } = createBus()
      await (await relayed(bus)).stop()
      expect(pointer()).to.include({ position: 4, hash: memory.commits[3]!.hash })
      append(...history.slice(4))
      await relayed(bus)
      expect(positions()).to.deep.equal(historyPositions)
    })

    it('publishes all again when somebody put the pointer back', async () => {
      append(...history)
      const { bus, positions } = createBus()
      const relay = await relayed(bus)
      await until('the pointer stands', () => pointer()?.position === 6)
      memory.checkpoints.clear()
      append(lost(7))
      await until('all was published again', () => positions().length === 2 * historyPositions.length + 2)
      expect(positions()).to.deep.equal([...historyPositions, '7.0', ...historyPositions, '7.0'])
      expect(relay.failure()).to.equal(undefined)
    })

    it('holds no more in hand than it must, however long the journal', async () => {
      const commits = commitsOf(Array.from({ length: 3_000 }, (_, number) => lost(number)))
      memory.commits.push(...commits)
      const real = memoryJournal(memory)
      const { bus, kept, mostUnanswered } = createBus()
      let furthestAhead = 0
      const read: Journal['read'] = async function* (from, to) {
        for await (const stored of real.read(from, to)) {
          furthestAhead = Math.max(furthestAhead, stored.position - kept.length)
          yield stored
        }
      }
      await relayed(bus, { journal: { ...real, read } })
      expect(kept).to.have.length(3_000)
      expect(mostUnanswered()).to.equal(100)
      expect(furthestAhead).to.be.at.most(100)
    })

    it('hands over large commits a few at a time', async () => {
      append(...Array.from({ length: 12 }, () => broker(event('GatewayLost', { reason: 'x'.repeat(400_000) }))))
      const { bus, kept, mostUnanswered } = createBus()
      await relayed(bus)
      expect([kept.length, mostUnanswered()]).to.deep.equal([12, 3])
    })
  })

  describe('when something fails', () => {
    /** Each event comes for the first time only after the one before it; none is left out. */
    const checkNoGap = (positions: readonly string[], all: readonly string[]): void => {
      expect([...new Set(positions)]).to.deep.equal(all)
    }
    const failure = fc.constantFrom('at once' as const, 'later' as const, 'kept, but the answer is lost' as const)

    it('publishes every event at least once and none before the one before it, whichever calls fail, however often it is started anew', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), failure), { maxLength: 12 }),
          fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 3 }),
          async (failures, restartsAfter) => {
            memory = createMemory()
            append(...history, ...history.slice(2))
            const all = commitsOf([...history, ...history.slice(2)]).flatMap(({ position, json }) =>
              (JSON.parse(json).events as unknown[]).map((_, number) => `${position}.${number}`),
            )
            const failing = new Map(failures)
            const { bus, positions } = createBus((call) => failing.get(call))
            for (const count of restartsAfter) {
              const relay = relayTo(bus)
              await relay.start()
              await until('some are published', () => positions().length >= Math.min(count, all.length))
              await relay.stop()
            }
            const last = await relayed(bus)
            await last.stop()
            checkNoGap(positions(), all)
            expect(pointer()).to.include({ position: 10, hash: memory.commits[9]!.hash })
          },
        ),
        { numRuns: 60 },
      )).timeout(30_000)

    it('publishes again what a relay that died between publication and pointer had published', async () => {
      append(...history)
      const first = createBus((call) => (call === 8 ? 'later' : undefined))
      const dies: Documents = { ...memoryDocuments(memory), write: () => new Promise(() => undefined) }
      const dead = createRelay({
        ...{ journal: memoryJournal(memory), documents: dies, bus: first.bus, topics: readTopics(), mode: 'paper', log: silent },
        clock: createMachineTime().clock,
      })
      await dead.start()
      await until('some are published', () => first.positions().length === 7)
      expect(pointer()).to.equal(undefined)
      const second = createBus()
      await relayed(second.bus)
      expect(second.positions()).to.deep.equal(historyPositions)
    })

    it('waits longer and longer for a bus or a store that is away, then goes on', async () => {
      append(...history)
      const waits: number[] = []
      const impatient = hasty()
      const clock: RelayOptions['clock'] = {
        ...impatient,
        after: (milliseconds, run) => {
          waits.push(milliseconds)
          return impatient.after(milliseconds, run)
        },
      }
      const { bus, positions } = createBus((call) => (call <= 3 ? 'at once' : undefined))
      const warned: string[] = []
      const log = { ...silent, warn: (_: object, text: string) => void warned.push(text) }
      const real = memoryDocuments(memory)
      let asked = 0
      const checkpoint: Documents['checkpoint'] = async (name) => {
        if (++asked <= 2) throw new Error('no store')
        return real.checkpoint(name)
      }
      await relayed(bus, { clock, log, documents: { ...real, checkpoint } })
      expect(waits.slice(0, 5)).to.deep.equal([50, 100, 200, 400, 800])
      expect(warned).to.deep.equal(Array(5).fill('the store or the bus failed; trying again'))
      expect(positions()).to.deep.equal(historyPositions)
    })

    it('does not hold up a stop by its back-off, and tells who waits', async () => {
      append(...history)
      const time = createMachineTime()
      const relay = relayTo({ publish: async () => Promise.reject(new Error('away')) }, { clock: time.clock })
      await relay.start()
      const waiting = problemOf(relay.caughtUp(6))
      await until('it waits', () => time.waiting() === 1)
      await relay.stop()
      expect(await waiting).to.equal('the relay has stopped')
      expect(await problemOf(relay.caughtUp(6))).to.equal('the relay has stopped')
      expect(pointer()).to.equal(undefined)
    })

    it('stops at a commit that cannot be read, with everything before it published', async () => {
      append(...history)
      memory.commits[3] = { ...memory.commits[3]!, json: '{' }
      const errors: string[] = []
      const { bus, positions } = createBus()
      const relay = relayTo(bus, { log: { ...silent, error: (_, text) => void errors.push(text) } })
      await relay.start()
      expect(await problemOf(relay.caughtUp(6))).to.match(/^the events of position 4 cannot be published: /)
      await relay.stop()
      expect([relay.failure()?.message, relay.position(), pointer()?.position]).to.deep.equal([errors[0], 3, 3])
      expect(positions()).to.deep.equal(['1.0', '2.0', '3.0'])
    })

    it('stops at a gap, at a journal that was cut off, and at another journal', async () => {
      append(...history)
      const { bus } = createBus()
      await (await relayed(bus)).stop()
      const whole: StoredCommit[] = [...memory.commits]
      const failureOf = async (): Promise<string> => {
        const relay = relayTo(bus)
        await relay.start()
        return problemOf(relay.caughtUp(99))
      }
      memory.commits.splice(5)
      expect(await failureOf()).to.equal(
        'the events of position 6 cannot be published: they were published before, but the journal ends earlier',
      )
      memory.commits.splice(0, 5, ...whole)
      memory.checkpoints.set('relay', { position: 4, hash: 'f'.repeat(64), version: 9 })
      expect(await failureOf()).to.match(/^the events of position 4 cannot be published: those of another journal were published: f+, not /)
      memory.checkpoints.clear()
      memory.commits.splice(3, 1)
      expect(await failureOf()).to.equal('the events of position 4 cannot be published: the journal has no such commit')
    })
  })

  describe('its pointer', () => {
    /** Documents that remember when the pointer was moved, and to where. */
    const watched = (time: ReturnType<typeof createMachineTime>) => {
      const real = memoryDocuments(memory)
      const moves: [number, number][] = []
      const write: Documents['write'] = async (name, writes, next, expected) => {
        expect([name, writes]).to.deep.equal(['relay', []])
        moves.push([time.clock.monotonic() - 5_000, next.position])
        return real.write(name, writes, next, expected)
      }
      return { documents: { ...real, write }, moves }
    }

    it('moves at most once a second, and at the stop', async () => {
      const time = createMachineTime()
      const { documents, moves } = watched(time)
      append(lost(1))
      const { bus } = createBus()
      const relay = await relayed(bus, { clock: time.clock, documents })
      await until('it has moved', () => moves.length === 1)
      for (let number = 2; number <= 41; number++) {
        append(lost(number))
        await relay.caughtUp(number)
        await until('it waits for the second to pass', () => time.waiting() === 1)
        time.advance(100)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await until('it has moved again', () => moves.length === 5)
      expect(moves.map(([when]) => when)).to.deep.equal([0, 1_000, 2_000, 3_000, 4_000])
      append(lost(42))
      await relay.caughtUp(42)
      expect(moves).to.have.length(5)
      await relay.stop()
      expect(moves[5]).to.deep.equal([4_000, 42])
      expect(pointer()).to.include({ position: 42 })
    })

    it('moves while one burst after the other leaves no time to rest', async () => {
      const time = createMachineTime()
      const { documents, moves } = watched(time)
      memory.commits.push(...commitsOf(Array.from({ length: 1_000 }, (_, number) => lost(number))))
      const { bus } = createBus()
      const publish: typeof bus.publish = async (...message) => {
        time.advance(5)
        return bus.publish(...message)
      }
      await relayed({ publish }, { clock: time.clock, documents })
      const times = moves.map(([when]) => when)
      expect(times.length).to.be.within(4, 6)
      for (const [number, when] of times.slice(1).entries()) expect(when - times[number]!).to.be.at.least(1_000)
    })

    it('is not written where nothing was published', async () => {
      append(...history)
      const { bus, kept } = createBus()
      await (await relayed(bus)).stop()
      const { version } = pointer()!
      const relay = await relayed(bus)
      await relay.stop()
      expect([pointer()!.version, kept.length]).to.deep.equal([version, historyPositions.length])
    })

    it('begins with nothing on an empty journal', async () => {
      const { bus, positions } = createBus()
      const relay = await relayed(bus)
      await relay.stop()
      expect([pointer(), positions(), relay.position()]).to.deep.equal([undefined, [], 0])
    })
  })

  describe('beside another one', () => {
    it('publishes at least once all the same, and the pointer reaches the head', async () => {
      append(...history.slice(0, 2))
      const [first, second] = [createBus(), createBus()]
      const two = [relayTo(first.bus), relayTo(second.bus)]
      for (const relay of two) await relay.start()
      for (const told of [...history.slice(2), ...history.slice(2), ...history.slice(2)]) {
        append(told)
        await Promise.race(two.map((relay) => relay.caughtUp(memory.commits.length)))
      }
      for (const relay of two) await relay.caughtUp(memory.commits.length)
      await until('the pointer reaches the head', () => pointer()?.position === memory.commits.length)
      const all = memory.commits.flatMap(({ position, json }) =>
        (JSON.parse(json).events as unknown[]).map((_, number) => `${position}.${number}`),
      )
      expect(new Set([...first.positions(), ...second.positions()])).to.deep.equal(new Set(all))
      expect(two.map((relay) => relay.failure())).to.deep.equal([undefined, undefined])
    })

    it('that is further, goes on behind it', async () => {
      append(...history)
      const time = createMachineTime()
      const [slow, quick] = [createBus(), createBus()]
      const real = memoryJournal(memory)
      let visible = 7
      const journal: Journal = { ...real, read: (from, to = visible) => real.read(from, to) }
      const behind = await relayed(slow.bus, { clock: time.clock, journal })
      await until('its pointer stands', () => pointer()?.position === 6)
      append(lost(7))
      await behind.caughtUp(7)
      append(lost(8))
      await (await relayed(quick.bus)).stop()
      expect(pointer()?.position).to.equal(8)
      time.advance(1_000)
      await until('it heard of the other', () => behind.position() === 8)
      visible = 9
      append(lost(9))
      await behind.caughtUp(9)
      await behind.stop()
      expect(slow.positions()).to.deep.equal([...historyPositions, '7.0', '9.0'])
      expect(quick.positions()).to.deep.equal(['7.0', '8.0'])
      expect(pointer()).to.include({ position: 9 })
    })

    it('that moved the pointer meanwhile, moves it all the same at its stop', async () => {
      append(...history)
      const time = createMachineTime()
      const relay = await relayed(createBus().bus, { clock: time.clock })
      await until('its pointer stands', () => pointer()?.position === 6)
      append(lost(7), lost(8))
      await relay.caughtUp(8)
      memory.checkpoints.set('relay', { position: 7, hash: memory.commits[6]!.hash, version: 9 })
      await relay.stop()
      expect(pointer()).to.deep.equal({ position: 8, hash: memory.commits[7]!.hash, version: 10 })
    })
  })

  describe('the topic of the events', () => {
    const topicsWith = (change: (topics: Record<string, unknown>) => void): Topics => {
      const { topics, subscriptions } = structuredClone(readTopics())
      change(topics as Record<string, unknown>)
      return { topics, subscriptions, schedules: [] }
    }

    it('is the one of that kind', () => {
      expect(eventTopicOf(readTopics(), 'live')).to.equal('live-events')
      expect(() =>
        eventTopicOf(
          topicsWith((topics) => delete topics['{mode}-events']),
          'paper',
        ),
      ).to.throw('topics.yaml has no topic of kind event')
      const two = topicsWith((topics) => {
        topics['{mode}-more'] = topics['{mode}-events']
      })
      expect(() => createRelay({ topics: two, mode: 'paper' } as RelayOptions)).to.throw(
        'topics.yaml has several topics of kind event ({mode}-events, {mode}-more): events have one order',
      )
    })

    it('is read where a subscription is on it', () => {
      const topics = readTopics()
      const reads = (topic: string) =>
        eventsAreRead({ ...topics, subscriptions: { '{mode}-reader': { ...Object.values(topics.subscriptions)[0]!, topic } } })
      expect([reads('{mode}-events'), reads('{mode}-commands')]).to.deep.equal([true, false])
    })
  })
})
