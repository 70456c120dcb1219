/**
 * Pub/Sub and Firestore out of reach for a while, in the middle of a run: commands wait, nothing is lost or doubled, and an engine that
 * cannot renew its lease hands over nothing.
 */
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import { openConnection } from '../../infra/google/connection.ts'
import { storePath } from '../../infra/store.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { eventTopicOf } from '../../projections/event-messages.ts'
import { until } from '../contract/until.ts'
import { usesEmulators } from '../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts'
import { shortLease } from './takeover-times.ts'
import { openTakeoverWorld, patience, type TakeoverWorld } from './takeover-world.ts'

/** Certainly past the lease, by whoever's time. */
const outageMs = 2.5 * shortLease.ttlMs
const lasting = async (milliseconds: number): Promise<void> => {
  const end = performance.now() + milliseconds
  await until(`${milliseconds} ms have passed`, () => performance.now() > end, milliseconds + patience)
}

describe('Pub/Sub and Firestore out of reach', function () {
  this.timeout(240_000)
  const emulators = usesEmulators()
  let store: ReturnType<typeof emulators.store>
  let world: TakeoverWorld
  let [pubsub, firestore]: TcpProxy[] = []
  const by = () => ({ pubsub: pubsub!.host, firestore: firestore!.host })
  const setMode = (...given: Parameters<TcpProxy['setMode']>) => {
    for (const line of [pubsub!, firestore!]) line.setMode(...given)
  }
  beforeEach(async () => {
    const hosts = emulators.hosts()
    ;[pubsub, firestore] = [await startTcpProxy(hosts.pubsub), await startTcpProxy(hosts.firestore)]
    store = emulators.store()
    world = await openTakeoverWorld({ kind: 'google', ...store })
  })
  afterEach(async () => {
    await world.close()
    await Promise.all([pubsub!.close(), firestore!.close()])
  })
  const run = () => world.publish('orchestrator', 'once', { strategies: ['trend'] })

  it('while commands are published: they wait, and are decided in the end', async () => {
    await world.beginTrading({ by: by() })
    const { position } = await world.ledger()
    setMode('refuse')
    await world.publish('configure', 'later', { changes: { freshMinutes: 7 } })
    await run()
    await lasting(outageMs)
    expect(await world.ledger()).to.include({ position })
    expect(await world.received()).to.deep.equal({})

    setMode('pass')
    expect([await world.outcome('once'), await world.outcome('later')]).to.deep.equal(['completed', 'completed'])
    expect(await world.received()).to.satisfy((sent: object) => Object.keys(sent).length === 1)
    expect(await world.events('EngineStarted'), 'nobody took its lease: it carried on').to.have.length(1)
    await world.expectWhole('once')
  })

  for (const [moment, said] of Object.entries({
    'before its decision is remembered': 'PipelineStarted',
    'with a decision to order': '"OrderPlanned"',
    'with the first report of an order': '"OrderPlaced"',
    'with a fill': '"FillReceived"',
    'with its end': '"PipelineEnded"',
  }))
    for (const [how, mode] of [
      ['the commit is lost', 'refuse'],
      ['the commit arrives and its answer is lost', 'swallowAnswers'],
    ] as const) {
      // Each takes long; a commit that is lost is tried at every moment only with OUTAGE=all.
      if (mode === 'refuse' && said !== '"OrderPlanned"' && process.env['OUTAGE'] !== 'all') continue
      it(`in the middle of a run, ${moment}, and ${how}: it goes on from there`, async () => {
        const engine = await world.beginTrading({ by: by() })
        firestore!.setMode(mode, said)
        await run()
        await until('the line is broken', () => firestore!.mode() === mode, patience)
        pubsub!.setMode('refuse')
        await engine.said('the lease could not be renewed')
        await lasting(outageMs)
        const there = (await world.commits()).some(({ events }) => events.some(({ type }) => said.includes(type)))
        expect(there, 'the commit is in the journal').to.equal(mode === 'swallowAnswers')
        if (said === '"OrderPlanned"') expect(await world.received(), 'without a lease nothing is handed over').to.deep.equal({})

        setMode('pass')
        const outcome = await world.outcome('once')
        const [order] = Object.values((await world.ledger()).orders)
        if (order?.how === 'withdrawn') expect([outcome, await world.received()]).to.deep.equal(['failed', {}])
        else expect([outcome, await world.received()]).to.deep.equal(['completed', { [order!.orderRef]: 1 }])
        expect(await world.events('EngineStarted')).to.have.length(1)
        await world.expectWhole('once')
      })
    }

  it('for one of two engines, which is cut off with its gateway: the other takes over, and the first places nothing', async () => {
    const first = await world.beginTrading({ by: by() })
    const second = await world.beginWaiting()
    setMode('refuse')
    await run()
    await world.tookOver(2)
    await second.said('no connection: client id 17')
    await lasting(outageMs)
    expect(first.running()).to.equal(true)
    expect(await world.received()).to.deep.equal({})

    setMode('pass')
    const { code, words } = await first.ended()
    expect([code, words]).to.deep.equal([1, 'ibt: another engine took the lease'])
    await second.said('the gateway is ready')
    expect(await world.outcome('once')).to.equal('completed')
    await world.expectWhole('once')
  })

  it('for all of two engines: one of them carries on, the other waits', async () => {
    const both = [await world.beginTrading({ by: by() }), await world.beginWaiting({ by: by() })]
    setMode('refuse')
    await run()
    await lasting(3 * outageMs)
    setMode('pass')
    expect(await world.outcome('once')).to.equal('completed')
    await world.expectWhole('once')
    const { epoch } = await world.ledger()
    await until('the one that was replaced has ended', () => both[0]!.running() === (epoch === 1), patience)
    expect(both[1]!.running(), 'who waits does not give up').to.equal(true)
  })

  it('the events are all on their topic, each at least once and first in its order', async () => {
    const heard: string[] = []
    const direct = openConnection(store)
    const topic = direct.pubsub.topic(eventTopicOf(readTopics(), 'paper'))
    const [reader] = await topic.createSubscription('from-outside', { enableMessageOrdering: true })
    reader.on('message', (message) => {
      heard.push(message.attributes['position']!)
      message.ack()
    })
    await world.beginTrading({ by: by() })
    await run()
    for (const mode of ['refuse', 'pass', 'swallowAnswers', 'pass'] as const) {
      pubsub!.setMode(mode)
      await lasting(1_000)
    }
    expect(await world.outcome('once')).to.equal('completed')
    const written = (await world.commits()).flatMap(({ position, events }) => events.map((_, index) => `${position}.${index}`))
    await until(`all is on ${topic.name}`, () => new Set(heard).size >= written.length, patience)
    expect([...new Set(heard)]).to.deep.equal(written)
    await reader.close()
    await direct.close()
  })
})

describe('a file that is kept locked for longer than the lease', function () {
  this.timeout(180_000)
  /** SQLite itself waits for five seconds, then says that the file is busy; a lease that was got in this way is five seconds old. */
  const lease = { ttlMs: 7_000, renewalMs: 600, marginMs: 300 }
  const lockedMs = 9_000
  let world: TakeoverWorld
  beforeEach(async () => {
    world = await openTakeoverWorld({ kind: 'embedded' })
  })
  afterEach(() => world.close())
  const run = () => world.publish('orchestrator', 'once', { strategies: ['trend'] })
  const begin = async () => [await world.beginTrading({ lease }), await world.beginWaiting({ lease })] as const

  it('by an engine frozen in the middle of its append: nobody decides, and when it is killed the other does', async () => {
    const [first, second] = await begin()
    await first.freeze({ inside: '"OrderPlanned"' })
    await run()
    await first.frozen()
    await lasting(lockedMs)
    expect([second.running(), (await world.ledger()).epoch, await world.received()]).to.deep.equal([true, 1, {}])
    await first.kill()
    expect(await world.outcome('once')).to.equal('completed')
    const [order, ...others] = await world.events('OrderPlanned')
    expect([order!.commit.epoch, others], 'what was half appended is not there').to.deep.equal([2, []])
    await world.expectWhole('once')
  })

  it('by an engine frozen in the middle of its append: woken, it hands nothing over unless its lease is certain again', async () => {
    const [first] = await begin()
    await first.freeze({ inside: '"OrderPlanned"' })
    await run()
    await first.frozen()
    await lasting(lockedMs)
    first.wake()
    const outcome = await world.outcome('once')
    const [order] = Object.values((await world.ledger()).orders)
    expect(order!.how ?? order!.status, 'its own word, or that of the other engine when that was faster').to.be.oneOf([
      'withdrawn',
      'unresolved',
    ])
    expect([outcome, await world.received()]).to.deep.equal(['failed', {}])
    await world.expectWhole('once')
  })

  it('by a stranger: one of two engines carries on, the other waits', async () => {
    const both = await begin()
    const stranger = new DatabaseSync(storePath({ dataDirectory: world.folder, mode: 'paper' }))
    stranger.exec('BEGIN IMMEDIATE')
    await lasting(lockedMs)
    expect(await world.received()).to.deep.equal({})
    stranger.exec('ROLLBACK')
    stranger.close()
    await run()
    expect(await world.outcome('once')).to.equal('completed')
    await world.expectWhole('once')
    const { epoch } = await world.ledger()
    await until('the one that was replaced has ended', () => both[0].running() === (epoch === 1), patience)
    expect(both[1].running(), 'who waits does not give up').to.equal(true)
  })
})
