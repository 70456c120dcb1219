import { expect } from 'chai'
import type { Delivery } from '../../../domain/ports/bus.ts'
import { simulatedClock, systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/embedded/bus.ts'
import { busContract, contractTopics } from '../../contract/bus.contract.ts'
import { until } from '../../contract/until.ts'
import { startChild } from './processes.ts'
import { storeWorld } from './world.ts'

const ackDeadlineMs = 500
const topics = contractTopics(ackDeadlineMs)
const start = Date.parse('2020-03-16T20:05:00.000Z')
const [topic, engine] = ['paper-commands', 'paper-commands-engine']

busContract('SQLite', async () => {
  const world = storeWorld()
  const clock = simulatedClock(start)
  const open = () => openBus({ store: world.open(), topics, mode: 'paper', clock })
  const bus = open()
  return {
    bus,
    another: async () => open(),
    ackDeadlineMs,
    passBackOff: async () => {
      const due = await bus.nextDueAt()
      if (due !== undefined) await clock.moveTo(due)
    },
    close: world.close,
  }
})

describe('the bus on SQLite, beyond the contract', () => {
  let world: ReturnType<typeof storeWorld>
  let clock: ReturnType<typeof simulatedClock>
  let closing: (() => Promise<void>)[]
  beforeEach(() => {
    world = storeWorld()
    clock = simulatedClock(start)
    closing = []
  })
  afterEach(async () => {
    for (const close of closing) await close()
    await world.close()
  })
  const open = (store = world.open()) => openBus({ store, topics, mode: 'paper', clock })
  const publishTo = (bus: ReturnType<typeof open>, data = '{}') => bus.publish(topic, { data, attributes: { type: 'reconcile' } })
  const read = (bus: ReturnType<typeof open>, subscription = engine) => {
    const deliveries: Delivery[] = []
    const { close } = bus.subscribe(subscription, (delivery) => deliveries.push(delivery))
    closing.push(close)
    return { deliveries, close }
  }
  const readBoth = (bus: ReturnType<typeof open>) => {
    closing.push(bus.subscribe('paper-commands-audit', ({ ack }) => void ack()).close)
    return read(bus)
  }

  it('counts messages, and never gives a number twice', async () => {
    const bus = open()
    const { deliveries } = readBoth(bus)
    expect(await publishTo(bus)).to.equal('m1')
    expect(await publishTo(bus)).to.equal('m2')
    await until('both arrived', () => deliveries.length === 2)
    await Promise.all(deliveries.map((delivery) => delivery.ack()))
    await until('nothing is left', () => bus.idle())
    expect(await publishTo(open())).to.equal('m3')
  })

  it('stamps market time on messages that do not say when they were published', async () => {
    const bus = open()
    const { deliveries } = read(bus)
    await publishTo(bus)
    await until('it arrived', () => deliveries.length === 1)
    expect(deliveries[0]!.publishedAt).to.equal('2020-03-16T20:05:00.000Z')
  })

  it('takes a publish time of the past, and none of the future', async () => {
    const bus = open()
    const { deliveries } = read(bus)
    const publishedAt = (time: string) => bus.publish(topic, { data: '{}', attributes: { type: 'reconcile', publishedAt: time } })
    await publishedAt('2020-03-16T19:00:00.000Z')
    await publishedAt('2030-01-01T00:00:00.000Z')
    await until('both arrived', () => deliveries.length === 2)
    expect(deliveries.map((delivery) => delivery.publishedAt)).to.deep.equal(['2020-03-16T19:00:00.000Z', '2020-03-16T20:05:00.000Z'])
  })

  it('refuses a publish time that is none', async () => {
    const attempt = open().publish(topic, { data: '{}', attributes: { type: 'reconcile', publishedAt: 'yesterday' } })
    expect(await attempt.catch((error: unknown) => (error as Error).message)).to.equal(
      'the attribute publishedAt is not an ISO time: "yesterday"',
    )
  })

  it('hands over before anybody could look, where it was published here', async () => {
    const bus = open()
    const { deliveries } = read(bus)
    await publishTo(bus)
    await new Promise((resolve) => setImmediate(resolve))
    expect(deliveries).to.have.length(1)
  })

  it('backs off by market time: 1 s, 2 s, 4 s, then 5 s at most', async () => {
    const bus = open()
    const seen: number[] = []
    closing.push(bus.subscribe('paper-commands-audit', ({ ack }) => void ack()).close)
    const { close } = bus.subscribe(engine, (delivery) => {
      seen.push(clock.now() - start)
      void delivery.nack('not ready')
    })
    closing.push(close)
    await publishTo(bus)
    await until('the first attempt', () => bus.idle())
    expect(await bus.nextDueAt()).to.equal(start + 1_000)
    await clock.moveTo(start + 999)
    expect(seen).to.deep.equal([0])
    for (let due = await bus.nextDueAt(); due !== undefined; due = await bus.nextDueAt()) {
      await clock.moveTo(due)
      await until('it was sent back', () => bus.idle())
    }
    expect(seen).to.deep.equal([0, 1_000, 3_000, 7_000, 12_000])
    expect((await bus.deadLetters()).map(({ deadAt }) => deadAt)).to.deep.equal(['2020-03-16T20:05:12.000Z'])
  })

  it('is idle when nothing is due or in hand', async () => {
    const bus = open()
    const { deliveries } = readBoth(bus)
    expect([await bus.idle(), await bus.nextDueAt()]).to.deep.equal([true, undefined])
    await publishTo(bus)
    expect(await bus.idle()).to.equal(false)
    await until('it arrived', () => deliveries.length === 1)
    expect(await bus.idle()).to.equal(false)
    await deliveries[0]!.nack('not ready')
    expect([await bus.idle(), await bus.nextDueAt()]).to.deep.equal([true, start + 1_000])
    await clock.moveTo(start + 1_000)
    expect(await bus.idle()).to.equal(false)
    await until('it arrived again', () => deliveries.length === 2)
    await deliveries[1]!.ack()
    expect([await bus.idle(), await bus.nextDueAt()]).to.deep.equal([true, undefined])
  })

  it('counts the attempts of readers that died, and gives up in the end', async () => {
    const bus = open()
    await publishTo(bus, 'deadly')
    for (let attempt = 1; attempt <= 5; attempt++) {
      const { deliveries, close } = read(bus)
      await until(`attempt ${attempt}`, () => deliveries.length === 1)
      expect(deliveries[0]!.attempt).to.equal(attempt)
      await close()
    }
    const { deliveries } = read(bus)
    await until('it is dead', async () => (await bus.deadLetters()).length === 1)
    expect((await bus.deadLetters())[0]).to.deep.include({ data: 'deadly', attempts: 5, reason: 'was never acknowledged' })
    expect(deliveries).to.deep.equal([])
  })

  it('lets an acknowledgement count that comes late but before anybody else has the message', async () => {
    const bus = open()
    const { deliveries, close } = readBoth(bus)
    await publishTo(bus)
    await until('it arrived', () => deliveries.length === 1)
    await close()
    await deliveries[0]!.ack()
    await until('nothing is left', () => bus.idle())
  })

  it('keeps a message that was published by a process killed right after', async () => {
    const child = startChild('publish', world.path, 'last words')
    await child.said(1)
    await child.kill()
    const { deliveries } = read(open())
    await until('it arrived', () => deliveries.length === 1)
    expect(deliveries[0]).to.deep.include({ id: child.lines[0], data: 'last words', attempt: 1 })
  })

  it('brings again what a process killed between delivery and acknowledgement had in hand', async () => {
    const bus = open()
    const ids = [await publishTo(bus, 'a'), await publishTo(bus, 'b')]
    const child = startChild('hold', world.path)
    await child.said(2)
    expect(child.lines).to.deep.equal(ids)
    await child.kill()
    const { deliveries } = read(bus)
    await until('both come again', () => deliveries.length === 2)
    expect(deliveries.map(({ id, attempt }) => ({ id, attempt }))).to.deep.equal(ids.map((id) => ({ id, attempt: 2 })))
  })

  it('hears of what another process publishes, in tenths of a second', async () => {
    const bus = openBus({ store: world.open(), topics, mode: 'paper', clock: systemClock })
    const { deliveries } = read(bus)
    const child = startChild('publish', world.path, 'from elsewhere')
    await child.said(1)
    await until('it arrived', () => deliveries.length === 1)
    await child.kill()
    expect(deliveries[0]!.data).to.equal('from elsewhere')
  })

  it('cannot be reached when its file is closed, or has lost its table', async () => {
    const [closed, emptied] = [world.open(), world.open()]
    const why = (bus: ReturnType<typeof open>) =>
      bus.reachable().then(
        () => 'reached',
        (error: Error) => error.message,
      )
    const buses = [open(closed), open(emptied)] as const
    closed.close()
    expect(await why(buses[0])).to.equal('statement has been finalized')
    expect(await why(buses[1])).to.equal('reached')
    emptied.database.exec('DROP TABLE messages')
    expect(await why(buses[1])).to.equal('no such table: messages')
  })

  it('drops what is published where nobody reads', async () => {
    const store = world.open()
    const lonely = openBus({ store, topics: { ...topics, subscriptions: {} }, mode: 'paper', clock })
    expect(await lonely.publish(topic, { data: '{}', attributes: {} })).to.equal('m1')
    expect(store.database.prepare('SELECT count(*) AS messages FROM messages').get()).to.deep.include({ messages: 0 })
  })

  it('lists dead letters and neither publishes nor delivers them', async () => {
    const kept = { ...topics.subscriptions['{mode}-commands-audit']!, topic: '{mode}-dead-letters' }
    const bus = openBus({ store: world.open(), topics: { ...topics, subscriptions: { '{mode}-kept': kept } }, mode: 'paper', clock })
    const refused = await bus
      .publish('paper-dead-letters', { data: '{}', attributes: {} })
      .catch((error: unknown) => (error as Error).message)
    expect(refused).to.equal('"paper-dead-letters" takes dead letters only')
    expect(() => bus.subscribe('paper-kept', () => undefined)).to.throw('"paper-kept" keeps dead letters')
  })
})
