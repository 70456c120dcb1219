import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Delivery } from '../../../domain/ports/bus.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import type { Topics } from '../../../domain/topics.ts'
import { simulatedClock } from '../../../infra/clock.ts'
import { type BusOptions, openBus } from '../../../infra/google/bus.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import { contractTopics } from '../../contract/bus.contract.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { createTopics, shortestAckDeadlineMs } from './bus-world.ts'

const start = Date.parse('2020-03-16T20:05:00.000Z')
const [commands, events, engine, kept] = ['paper-commands', 'paper-events', 'paper-commands-engine', 'paper-dead-letters-kept']

/** Those of the contract, and events in order. */
const plain = contractTopics(shortestAckDeadlineMs)
const topics: Topics = {
  ...plain,
  topics: { ...plain.topics, '{mode}-events': { kind: 'event', retention: 600_000, orderingKey: '{mode}', messages: ['OrderPlanned'] } },
  subscriptions: {
    ...plain.subscriptions,
    '{mode}-events-reader': {
      ...{ topic: '{mode}-events', handler: 'reader', ackDeadline: shortestAckDeadlineMs },
      ...{ retry: { minimumBackOff: 1_000, maximumBackOff: 5_000 }, exactlyOnce: false, ordering: true },
    },
  },
}

describe('the bus on Google Pub/Sub, beyond the contract', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let store: GoogleStore
  let clock: ReturnType<typeof simulatedClock>
  let closing: (() => Promise<unknown>)[]
  beforeEach(() => {
    store = emulators.store()
    clock = simulatedClock(start)
    closing = []
  })
  afterEach(async () => {
    for (const close of closing.reverse()) await close()
  })

  const connect = (through?: TcpProxy) => {
    const hosts = emulators.hosts()
    const { pubsub, close } = openConnection({ ...store, emulators: through === undefined ? hosts : { ...hosts, pubsub: through.host } })
    closing.push(close)
    return pubsub
  }
  const open = (options: Partial<BusOptions> = {}) => openBus({ pubsub: connect(), topics, mode: 'paper', clock, ...options })
  const create = (what = topics) => createTopics(connect(), what)
  const read = (bus: ReturnType<typeof open>, subscription = engine) => {
    const deliveries: Delivery[] = []
    const { close } = bus.subscribe(subscription, (delivery) => deliveries.push(delivery))
    closing.push(close)
    return { deliveries, close, has: (count: number) => until(`${subscription} has ${count}`, () => deliveries.length >= count, 30_000) }
  }
  /** The emulator may go on giving messages to a stream whose reader is gone; among many readers somebody living soon gets it. */
  const readByMany = (bus: ReturnType<typeof open>) => {
    const readers = Array.from({ length: 8 }, () => read(bus))
    const deliveries = () => readers.flatMap((reader) => reader.deliveries)
    return { deliveries, has: (count: number) => until(`they have ${count}`, () => deliveries().length >= count, 50_000) }
  }
  const publishTo = (bus: ReturnType<typeof open>, data = '{}', topic = commands) =>
    bus.publish(topic, { data, attributes: { type: 'reconcile' } })
  const failure = (attempt: Promise<unknown>): Promise<Error> =>
    attempt.then(
      () => expect.fail('it did not fail'),
      (error: Error) => error,
    )
  const proxy = async () => {
    const line = await startTcpProxy(emulators.hosts().pubsub)
    closing.push(line.close)
    return line
  }
  const pass = async (milliseconds: number) => {
    const end = performance.now() + milliseconds
    await until(`${milliseconds} ms are over`, () => performance.now() > end, milliseconds + 1_000)
  }

  describe('back-off', () => {
    it('is by market time, longer than an ack deadline too, and nobody else gets the message meanwhile', async () => {
      await create()
      const bus = open()
      const [{ deliveries, has }, other] = [read(bus), read(open())]
      await other.close()
      const id = await publishTo(bus)
      await has(1)
      const elsewhere = read(open())
      await deliveries[0]!.nack('not ready')
      expect(await bus.nextDueAt()).to.equal(start + 1_000)
      await pass(shortestAckDeadlineMs * 1.3)
      await clock.moveTo(start + 999)
      expect([deliveries.length, elsewhere.deliveries.length]).to.deep.equal([1, 0])
      await clock.moveTo(start + 1_000)
      await has(2)
      expect(deliveries[1]).to.deep.include({ id, attempt: 2 })
      await deliveries[1]!.nack('not ready')
      expect(await bus.nextDueAt()).to.equal(start + 3_000)
      await clock.moveTo(start + 3_000)
      await has(3)
      await deliveries[2]!.ack()
      expect(await bus.nextDueAt()).to.equal(undefined)
    })

    it('ends with its reader: what waited goes to another at once', async () => {
      await create()
      const bus = open()
      const { deliveries, has, close } = read(bus)
      const id = await publishTo(bus)
      await has(1)
      await deliveries[0]!.nack('not ready')
      await close()
      expect(await bus.nextDueAt()).to.equal(undefined)
      const next = read(open())
      await next.has(1)
      expect(next.deliveries[0]!.id).to.equal(id)
      await clock.moveTo(start + 60_000)
      expect(deliveries).to.have.length(1)
      await next.deliveries[0]!.ack()
    })
  })

  describe('closing', () => {
    it('lets what is in hand be ended for a moment', async () => {
      await create()
      const bus = open()
      const { deliveries, has, close } = read(bus)
      await publishTo(bus, 'last')
      await has(1)
      const closed = close()
      await deliveries[0]!.ack()
      await closed
      const next = read(bus)
      await publishTo(bus, 'next')
      await next.has(1)
      expect(next.deliveries.map(({ data }) => data)).to.deep.equal(['next'])
      await next.deliveries[0]!.ack()
    })
  })

  describe('another process', () => {
    const begin = () => {
      const { pubsub, firestore } = emulators.hosts()
      const script = fileURLToPath(new URL('./bus-child.ts', import.meta.url))
      const child: ChildProcess = spawn(process.execPath, [script, store.project, pubsub, firestore], { stdio: ['pipe', 'pipe', 'ignore'] })
      const lines: string[] = []
      createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
      const ended = once(child, 'close')
      closing.push(async () => {
        child.kill('SIGKILL')
        await ended
      })
      return { child, lines, said: (count: number) => until(`it says ${count} lines`, () => lines.length >= count, 60_000) }
    }

    it('that is killed leaves what it had in hand to others, after the ack deadline', async () => {
      await create()
      const bus = open()
      const { child, said } = begin()
      const id = await publishTo(bus)
      await said(1)
      child.kill('SIGKILL')
      const { deliveries, has } = readByMany(bus)
      await has(1)
      expect(deliveries()[0]!.id).to.equal(id)
      expect(deliveries()[0]!.attempt).to.be.at.least(2)
      await deliveries()[0]!.ack()
    })

    it('that froze loses it too, and its late acknowledgement does no harm', async () => {
      await create()
      const bus = open()
      const { child, lines, said } = begin()
      const id = await publishTo(bus)
      await said(1)
      child.kill('SIGSTOP')
      const { deliveries, has } = readByMany(bus)
      await has(1)
      expect(deliveries()[0]!.id).to.equal(id)
      child.kill('SIGCONT')
      child.stdin!.write('acknowledge\n')
      await until('it has acknowledged', () => lines.includes('acknowledged'), 60_000)
      await deliveries()[0]!.ack()
      await pass(500)
      expect(deliveries()).to.have.length(1)
    })
  })

  describe('dead letters', () => {
    it('of the server: those whose readers died too often, without a reason of ours', async () => {
      await create()
      const pubsub = connect()
      const bus = open()
      const id = await bus.publish(commands, { data: 'deadly', attributes: { type: 'reconcile', id: 'my-id' } })
      let attempts = 0
      const careless = pubsub.subscription(engine)
      careless.on('message', (message) => {
        attempts += 1
        message.nack()
      })
      closing.push(() => careless.close())
      await until('the server has given it up', async () => (await bus.deadLetters()).length === 1, 40_000)
      const [letter] = await bus.deadLetters(engine)
      expect(letter).to.deep.include({
        ...{ data: 'deadly', attributes: { type: 'reconcile', id: 'my-id' }, subscription: engine },
        ...{ attempts: 5, reason: 'was never acknowledged' },
      })
      expect(attempts).to.be.at.least(5)
      expect(Date.parse(letter!.publishedAt)).to.be.at.most(Date.parse(letter!.deadAt))
      expect(letter!.id).to.match(/^\d+$/)
      expect(id).to.match(/^\d+$/)
      expect(await bus.discard(letter!)).to.equal(true)
      expect(await bus.deadLetters()).to.deep.equal([])
    })

    it('keep what is longest: a hundred attributes and a reason beyond measure', async () => {
      await create()
      const bus = open()
      const { deliveries, has } = read(bus)
      const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`name${100 + number}`, 'é'.repeat(500)]))
      await bus.publish(commands, { data: 'ü'.repeat(50_000), attributes })
      await has(1)
      await deliveries[0]!.deadLetter(`${'ÿ'.repeat(5_000)} is no command`)
      const [letter] = await bus.deadLetters()
      expect(letter!.data).to.equal('ü'.repeat(50_000))
      expect(Object.keys(letter!.attributes)).to.have.length(99)
      expect(letter!.reason).to.match(/^ÿ{200,}…$/)
    })

    it('buried twice are shown once, and let go of together', async () => {
      await create()
      const [pubsub, bus] = [connect(), open()]
      const burial = { id: '7', subscription: engine, attempts: 3, reason: 'no use', publishedAt: '2020-03-16T20:00:00.000Z' }
      for (const deadAt of ['2020-03-16T20:04:00.000Z', '2020-03-16T20:04:10.000Z']) {
        const attributes = { type: 'reconcile', deadLetter: JSON.stringify({ ...burial, deadAt }) }
        await pubsub.topic('paper-dead-letters').publishMessage({ data: Buffer.from('{}'), attributes })
      }
      await pubsub.topic('paper-dead-letters').publishMessage({ data: Buffer.from('by hand'), attributes: { deadLetter: 'no JSON' } })
      const ofEngine = await bus.deadLetters(engine)
      expect(ofEngine.map(({ deadAt, ...letter }) => letter)).to.deep.equal([{ ...burial, data: '{}', attributes: { type: 'reconcile' } }])
      expect((await bus.deadLetters()).map(({ data, subscription }) => [data, subscription])).to.deep.include(['by hand', 'unknown'])
      expect(await bus.discard({ id: '7', subscription: engine })).to.equal(true)
      expect((await bus.deadLetters()).map(({ data }) => data)).to.deep.equal(['by hand'])
    })

    it('that cannot be kept now are tried again: nothing is let go of before', async () => {
      await create()
      const [pubsub, warnings] = [connect(), [] as string[]]
      const bus = open({ warn: (_, text) => warnings.push(text) })
      await pubsub.topic('paper-dead-letters').delete()
      const { close } = bus.subscribe(engine, ({ nack }) => void nack('not ready'))
      closing.push(close)
      await publishTo(bus, 'kept')
      const next = async () => {
        const due = await bus.nextDueAt()
        if (due !== undefined) await clock.moveTo(due)
      }
      await until('it could not be given up', () => next().then(() => warnings.length > 0), 30_000)
      expect(warnings[0]).to.contain('the project').and.contain('"paper-dead-letters"').and.contain('ibt topics apply')
      await until('it waits again', async () => (await bus.nextDueAt()) !== undefined)
      await pubsub.createTopic('paper-dead-letters')
      await pubsub.createSubscription('paper-dead-letters', 'paper-kept-anew')
      const anew = topics.subscriptions['{mode}-dead-letters-kept']!
      const looker = open({ topics: { ...topics, subscriptions: { '{mode}-kept-anew': anew } } })
      await until('it is given up', () => next().then(async () => (await looker.deadLetters()).length === 1), 30_000)
    })

    it('cannot be listed where nothing keeps them, and not without Pub/Sub: that is no empty list', async () => {
      const bus = open()
      expect((await failure(bus.deadLetters())).message).to.match(
        new RegExp(`^the project ${store.project} has not the subscription "${kept}": create it with ibt topics apply$`),
      )
      const { '{mode}-dead-letters-kept': _, ...others } = topics.subscriptions
      expect((await failure(open({ topics: { ...topics, subscriptions: others } }).deadLetters())).message).to.contain(
        '"paper-dead-letters"',
      )
    })
  })

  describe('what is not there', () => {
    it('is named, with what to do', async () => {
      const errors: Error[] = []
      const bus = open({ onError: (error) => errors.push(error) })
      expect((await failure(publishTo(bus))).message).to.equal(
        `the project ${store.project} has not the topic "paper-commands": create it with ibt topics apply`,
      )
      read(bus)
      await until('the reader hears of it', () => errors.length > 0, 60_000)
      expect(errors.map(({ message }) => message)).to.deep.equal([
        `the project ${store.project} has not the subscription "paper-commands-engine": create it with ibt topics apply`,
      ])
    })

    it('stops a reader also when it is taken away while he reads', async () => {
      await create()
      const errors: Error[] = []
      const bus = open({ onError: (error) => errors.push(error) })
      const { deliveries, has } = read(bus)
      await publishTo(bus)
      await has(1)
      await deliveries[0]!.ack()
      await connect().subscription(engine).delete()
      await until('the reader hears of it', () => errors.length > 0, 40_000)
      expect(errors[0]!.message).to.contain('"paper-commands-engine": create it with ibt topics apply')
    })
  })

  describe('an exactly-once subscription', () => {
    const rules = { ...topics.subscriptions['{mode}-commands-engine']!, exactlyOnce: true }
    const once = { ...topics, subscriptions: { ...topics.subscriptions, '{mode}-commands-engine': rules } }

    it('is done with what was acknowledged', async () => {
      await create(once)
      const bus = open({ topics: once, warn: (_, text) => expect.fail(text) })
      const { deliveries, has } = read(bus)
      await publishTo(bus, 'a')
      await has(1)
      await deliveries[0]!.ack()
      await deliveries[0]!.ack()
      await publishTo(bus, 'b')
      await has(2)
      await deliveries[1]!.nack('not ready')
      await clock.moveTo(start + 1_000)
      await has(3)
      expect(deliveries.map(({ data, attempt }) => [data, attempt])).to.deep.equal([
        ['a', 1],
        ['b', 1],
        ['b', 2],
      ])
      await deliveries[2]!.ack()
    })
  })

  describe('events', () => {
    it('arrive in the order of their publication', async () => {
      await create()
      const bus = open()
      const { deliveries, has } = read(bus, 'paper-events-reader')
      const wanted = Array.from({ length: 100 }, (_, number) => `event ${number}`)
      await Promise.all(wanted.map((text) => publishTo(bus, text, events)))
      await has(100)
      expect(deliveries.map(({ data }) => data)).to.deep.equal(wanted)
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
    })

    it('carry the ordering key of topics.yaml, and commands none', async () => {
      await create()
      const [bus, pubsub] = [open(), connect()]
      const keys: [string, string | undefined][] = []
      for (const name of ['paper-events-reader', engine]) {
        const subscription = pubsub.subscription(name)
        subscription.on('message', (message) => {
          keys.push([name, message.orderingKey])
          message.ack()
        })
        closing.push(() => subscription.close())
      }
      await Promise.all([publishTo(bus, 'event', events), publishTo(bus, 'command')])
      await until('both are here', () => keys.length === 2)
      expect(Object.fromEntries(keys)).to.deep.equal({ 'paper-events-reader': 'paper', [engine]: '' })
    })

    it('can be published again in the very moment in which one is refused', async () => {
      await create()
      const bus = open()
      const refused = bus.publish(events, { data: '', attributes: {} })
      const again = refused.then(
        () => expect.fail('it was not refused'),
        (error: Error) => publishTo(bus, 'right', events).then(() => error.message),
      )
      expect(await again).to.match(/^Pub\/Sub refuses the topic "paper-events": [^\n]+$/)
    })

    it('can be published again right after one failed', async () => {
      await create()
      const line = await proxy()
      const bus = open({ pubsub: connect(line), publishWithinMs: 1_500 })
      const { deliveries, has } = read(open(), 'paper-events-reader')
      await publishTo(bus, 'before', events)
      line.setMode('refuse')
      const failed = [failure(publishTo(bus, 'lost', events)), failure(publishTo(bus, 'lost too', events))]
      for (const error of await Promise.all(failed)) expect(error).to.be.instanceOf(StoreUnavailable)
      line.setMode('pass')
      await until(
        'it is published again',
        () =>
          publishTo(bus, 'after', events).then(
            () => true,
            () => false,
          ),
        20_000,
      )
      await has(2)
      expect([deliveries[0]!.data, deliveries.at(-1)!.data]).to.deep.equal(['before', 'after'])
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
    })
  })

  describe('Pub/Sub out of reach', () => {
    for (const mode of ['refuse', 'swallowAnswers'] as const)
      it(`(${mode}) fails a publication in one line, within its deadline`, async () => {
        await create()
        const line = await proxy()
        const bus = open({ pubsub: connect(line), publishWithinMs: 1_500 })
        await publishTo(bus)
        line.setMode(mode)
        const began = performance.now()
        const error = await failure(publishTo(bus))
        expect(performance.now() - began).to.be.below(4_000)
        expect(error).to.be.instanceOf(StoreUnavailable)
        expect(error.message).to.match(/^Pub\/Sub cannot be reached for the topic "paper-commands": [^\n]+$/)
        expect(error.message).to.have.length.below(400)
      })

    for (const mode of ['refuse', 'swallowAnswers'] as const)
      it(`(${mode}) is said to whoever asks whether it can be reached, in time and each time anew`, async () => {
        await create()
        const line = await proxy()
        const bus = open({ pubsub: connect(line) })
        await bus.reachable()
        line.setMode(mode)
        const began = performance.now()
        const error = await failure(bus.reachable())
        expect(performance.now() - began).to.be.below(4_000)
        expect(error).to.be.instanceOf(StoreUnavailable)
        expect(error.message).to.match(
          /^Pub\/Sub cannot be reached for the topic "paper-commands": [^\n]*(UNAVAILABLE|DEADLINE_EXCEEDED)[^\n]*$/,
        )
        line.setMode('pass')
        await until(
          'it is reached again',
          () =>
            bus.reachable().then(
              () => true,
              () => false,
            ),
          20_000,
        )
      })

    it('does not get later what was said to have failed', async () => {
      await create()
      const line = await proxy()
      const bus = open({ pubsub: connect(line), publishWithinMs: 1_500 })
      const { deliveries } = read(open())
      await publishTo(bus, 'before')
      line.setMode('refuse')
      await Promise.all(Array.from({ length: 20 }, () => failure(publishTo(bus, 'failed'))))
      line.setMode('pass')
      await until(
        'it can be published again',
        () =>
          publishTo(bus, 'after').then(
            () => true,
            () => false,
          ),
        20_000,
      )
      await pass(5_000)
      expect(deliveries.map(({ data }) => data)).to.deep.equal(['before', 'after'])
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
    })

    it('fails a publication in time also where the client never gets to the line', async () => {
      const pubsub = Object.assign(connect(), { getClientConfig: () => new Promise<never>(() => {}) })
      const error = await failure(publishTo(open({ pubsub, publishWithinMs: 500 })))
      expect(error).to.be.instanceOf(StoreUnavailable)
      expect(error.message).to.equal('Pub/Sub cannot be reached for the topic "paper-commands": no answer within 500 ms')
    })

    it('is waited for by who reads, who carries on', async () => {
      await create()
      const [line, errors] = [await proxy(), [] as Error[]]
      const bus = open({ pubsub: connect(line), onError: (error) => errors.push(error) })
      const { deliveries, has } = read(bus)
      await publishTo(open(), 'before')
      await has(1)
      line.setMode('refuse')
      await pass(2_000)
      line.setMode('pass')
      const publisher = open()
      await until('what is published arrives again', () => publishTo(publisher, 'after').then(() => deliveries.length > 1), 30_000)
      expect(errors).to.deep.equal([])
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
    })

    it('is waited for by who begins to read', async () => {
      await create()
      const [line, errors] = [await proxy(), [] as Error[]]
      line.setMode('refuse')
      const { has, deliveries } = read(open({ pubsub: connect(line), onError: (error) => errors.push(error) }))
      await publishTo(open(), 'early')
      await pass(1_000)
      line.setMode('pass')
      await has(1)
      expect(errors).to.deep.equal([])
      await deliveries[0]!.ack()
    })
  })

  it('cannot be reached where the topics are missing, or where the account may not publish there', async () => {
    expect((await failure(open().reachable())).message).to.match(/has not the topic "paper-commands": create it with ibt topics apply$/)
    await create()
    const denied = Object.assign(new Error('7 PERMISSION_DENIED: User not authorized to perform this action.'), { code: 7 })
    const pubsub = Object.assign(connect(), { request: (_: unknown, answered: (error: Error) => void) => answered(denied) })
    const error = await failure(open({ pubsub }).reachable())
    expect(error).not.to.be.instanceOf(StoreUnavailable)
    expect(error.message).to.match(/^Pub\/Sub refuses the topic "paper-commands": 7 PERMISSION_DENIED/)
  })

  it('is idle when what it published has arrived and ended, and nothing is due', async () => {
    await create()
    const bus = open()
    const audit = bus.subscribe('paper-commands-audit', ({ ack }) => void ack())
    closing.push(audit.close)
    const { deliveries, has } = read(bus)
    expect(await bus.idle()).to.equal(true)
    for (let round = 0; round < 20; round++) {
      const published = publishTo(bus)
      expect(await bus.idle()).to.equal(false)
      await published
      expect(await bus.idle()).to.equal(false)
      await has(round + 1)
      expect(await bus.idle()).to.equal(false)
      await deliveries[round]!.ack()
      await until('it is idle', () => bus.idle())
    }
    await publishTo(bus)
    await has(21)
    await deliveries[20]!.nack('not ready')
    await until('the other reader has it', () => bus.idle())
    clock.setNow(start + 1_000)
    expect(await bus.idle()).to.equal(false)
    await clock.moveTo(start + 1_000)
    await has(22)
    await deliveries[21]!.ack()
    expect(await bus.idle()).to.equal(true)
  })

  it('is idle again when the reader closes for whom a message was on its way', async () => {
    await create()
    const bus = open()
    const { close } = read(bus)
    await publishTo(bus)
    await close()
    expect(await bus.idle()).to.equal(true)
  })

  it('takes a publish time that is none from nobody, and believes none of the future', async () => {
    await create()
    const bus = open()
    const error = await failure(bus.publish(commands, { data: '{}', attributes: { type: 'reconcile', publishedAt: 'yesterday' } }))
    expect(error.message).to.equal('the attribute publishedAt is not an ISO time: "yesterday"')
    const { deliveries, has } = read(bus)
    for (const publishedAt of ['yesterday', '2999-01-01T00:00:00.000Z'])
      await connect()
        .topic(commands)
        .publishMessage({ data: Buffer.from('{}'), attributes: { type: 'reconcile', publishedAt } })
    await has(2)
    for (const delivery of deliveries) {
      expect(Math.abs(Date.parse(delivery.publishedAt) - Date.now())).to.be.below(60_000)
      await delivery.ack()
    }
  })
})
