/** What every bus must do. Nothing here relies on order, on a filter, or on how long a back-off lasts. */
import { expect } from 'chai'
import type { Bus, Delivery } from '../../domain/ports/bus.ts'
import type { Topics } from '../../domain/topics.ts'
import { until } from './until.ts'

const attempts = 5

/** Two readers of the commands, and a home for dead letters. */
export const contractTopics = (ackDeadline: number): Topics => {
  const reader = {
    topic: '{mode}-commands',
    ackDeadline,
    retry: { minimumBackOff: 1_000, maximumBackOff: 5_000 },
    exactlyOnce: false,
    ordering: false,
  }
  return {
    topics: {
      '{mode}-commands': {
        kind: 'command',
        retention: 600_000,
        messages: { strategy: { validFor: 60_000 }, reconcile: { validFor: 60_000 } },
      },
      '{mode}-dead-letters': { kind: 'deadLetter', retention: 600_000 },
    },
    subscriptions: {
      '{mode}-commands-engine': { ...reader, handler: 'engine', deadLetter: { topic: '{mode}-dead-letters', attempts } },
      '{mode}-dead-letters-kept': { ...reader, topic: '{mode}-dead-letters', handler: 'none' },
      '{mode}-dead-letters-alerts': { ...reader, topic: '{mode}-dead-letters', handler: 'alerts' },
      '{mode}-commands-audit': { ...reader, handler: 'audit', deadLetter: { topic: '{mode}-dead-letters', attempts } },
    },
    schedules: [],
  }
}

export type BusWorld = {
  /** A bus with `contractTopics`, mode `paper`, on which nothing was published yet. */
  bus: Bus
  /** The same bus through a connection of its own. */
  another(): Promise<Bus>
  ackDeadlineMs: number
  /** Brings on what waits for a back-off; called again and again. */
  passBackOff(): Promise<void>
  close(): Promise<void>
}

const topic = 'paper-commands'
const engine = 'paper-commands-engine'
const audit = 'paper-commands-audit'

export const busContract = (name: string, open: () => Promise<BusWorld>): void => {
  describe(`the bus on ${name}`, () => {
    let world: BusWorld
    let bus: Bus
    let closing: (() => Promise<void>)[]
    beforeEach(async () => {
      world = await open()
      bus = world.bus
      closing = []
    })
    afterEach(async () => {
      for (const close of closing) await close()
      await world.close()
    })
    const patience = () => world.ackDeadlineMs * 2 + 10_000
    /** Collects what a subscription gets. */
    const reader = (subscription = engine, from = bus) => {
      const deliveries: Delivery[] = []
      const { close } = from.subscribe(subscription, (delivery) => deliveries.push(delivery))
      closing.push(close)
      return {
        deliveries,
        close,
        has: (count: number) => until(`${subscription} has ${count}`, () => deliveries.length >= count, patience()),
      }
    }
    const publish = (data: string, attributes: Record<string, string> = { type: 'reconcile' }) => bus.publish(topic, { data, attributes })
    const texts = (deliveries: readonly Delivery[]) => deliveries.map(({ data }) => data).sort()
    const afterBackOff = (what: string, holds: () => boolean | Promise<boolean>) =>
      until(
        what,
        async () => {
          await world.passBackOff()
          return holds()
        },
        patience(),
      )
    /** Sends back whatever comes until the dead letters have it. */
    const exhaust = async (reason: (attempt: number) => string): Promise<void> => {
      const { close } = bus.subscribe(engine, ({ attempt, nack }) => void nack(reason(attempt)))
      closing.push(close)
      await afterBackOff('the message is dead', async () => (await bus.deadLetters(engine)).length > 0)
    }

    it('hands a message with its attributes to every subscription', async () => {
      const [first, second] = [reader(engine), reader(audit)]
      const id = await publish('{"dryRun":true}', { type: 'allocation', correlationId: 'k1' })
      await Promise.all([first.has(1), second.has(1)])
      for (const delivery of [first.deliveries[0]!, second.deliveries[0]!]) {
        expect(delivery).to.deep.include({
          id,
          data: '{"dryRun":true}',
          attributes: { type: 'allocation', correlationId: 'k1' },
          attempt: 1,
        })
        expect(new Date(delivery.publishedAt).toISOString()).to.equal(delivery.publishedAt)
      }
      await Promise.all([first.deliveries[0]!.ack(), second.deliveries[0]!.ack()])
    })

    it('takes the publish time from the message where it says one', async () => {
      const { deliveries, has } = reader()
      await publish('{}', { type: 'reconcile', publishedAt: '2020-03-16T20:05:00.000Z' })
      await has(1)
      expect(deliveries[0]!.publishedAt).to.equal('2020-03-16T20:05:00.000Z')
      await deliveries[0]!.ack()
    })

    it('keeps what was published before anybody read', async () => {
      await publish('early')
      const { deliveries, has } = reader(engine, await world.another())
      await has(1)
      expect(texts(deliveries)).to.deep.equal(['early'])
      await deliveries[0]!.ack()
    })

    it('reaches a reader elsewhere', async () => {
      const { deliveries, has } = reader(engine, await world.another())
      await publish('there')
      await has(1)
      expect(texts(deliveries)).to.deep.equal(['there'])
      await deliveries[0]!.ack()
    })

    it('is done with what was acknowledged', async () => {
      const first = reader()
      await publish('once')
      await first.has(1)
      await first.deliveries[0]!.ack()
      await first.close()
      const second = reader()
      await publish('next')
      await second.has(1)
      expect(texts(second.deliveries)).to.deep.equal(['next'])
      await second.deliveries[0]!.ack()
    })

    it('hands over everything at once, however little was ended', async () => {
      const { deliveries, has } = reader()
      const wanted = Array.from({ length: 200 }, (_, number) => `message ${number}`)
      for (const text of wanted) await publish(text)
      await has(200)
      expect(texts(deliveries)).to.deep.equal([...wanted].sort())
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
    })

    it('brings a message that was sent back again, as another attempt', async () => {
      const { deliveries, has } = reader()
      const id = await publish('again')
      await has(1)
      await deliveries[0]!.nack('not ready')
      await afterBackOff('it comes again', () => deliveries.length === 2)
      expect(deliveries[1]).to.deep.include({ id, data: 'again', attempt: 2 })
      await deliveries[1]!.ack()
    })

    it('gives a message up after its attempts, with the last reason', async () => {
      const id = await publish('poison')
      await exhaust((attempt) => `not ready ${attempt}`)
      const [letter, ...more] = await bus.deadLetters(engine)
      expect(letter).to.deep.include({
        id,
        data: 'poison',
        attributes: { type: 'reconcile' },
        subscription: engine,
        attempts,
        reason: `not ready ${attempts}`,
      })
      expect(more).to.deep.equal([])
    })

    it('gives a message up at once when told so, for that subscription alone', async () => {
      const [first, second] = [reader(engine), reader(audit)]
      const id = await publish('no JSON')
      await Promise.all([first.has(1), second.has(1)])
      await first.deliveries[0]!.deadLetter('the body is no JSON')
      const [letter] = await bus.deadLetters()
      expect(letter).to.deep.include({ id, data: 'no JSON', subscription: engine, attempts: 1, reason: 'the body is no JSON' })
      expect(await bus.deadLetters(audit)).to.deep.equal([])
      await second.deliveries[0]!.ack()
    })

    it('shows all that is dead each time, until one is let go of, which is gone for good', async () => {
      const [first, second] = [reader(engine), reader(audit)]
      const ids = [await publish('a'), await publish('b'), await publish('c')]
      await Promise.all([first.has(3), second.has(3)])
      for (const delivery of first.deliveries) await delivery.deadLetter('no use')
      for (const delivery of second.deliveries) await (delivery.data === 'b' ? delivery.deadLetter('no use') : delivery.ack())
      const shown = async () => (await bus.deadLetters()).map(({ subscription, data }) => `${subscription} ${data}`).sort()
      const all = [`${audit} b`, `${engine} a`, `${engine} b`, `${engine} c`]
      expect(await shown()).to.deep.equal(all)
      expect(await shown()).to.deep.equal(all)
      expect(await bus.discard({ id: ids[1]!, subscription: engine })).to.equal(true)
      expect(await shown()).to.deep.equal(all.filter((letter) => letter !== `${engine} b`))
      expect(await bus.discard({ id: ids[1]!, subscription: engine })).to.equal(false)
      expect(await bus.discard({ id: 'never published', subscription: engine })).to.equal(false)
      expect(await (await world.another()).discard({ id: ids[0]!, subscription: engine })).to.equal(true)
      expect(await shown()).to.deep.equal([`${audit} b`, `${engine} c`])
    })

    it('tells whoever wants to hear of dead letters, of each until he has heard it, and keeps them', async () => {
      const { deliveries, has } = reader()
      await publish('early')
      await has(1)
      await deliveries[0]!.deadLetter('no use')
      const heard: string[] = []
      let busy = true
      const listening = bus.onDeadLetter(async ({ data, reason }) => {
        if (busy) throw new Error('not now')
        heard.push(`${data}: ${reason}`)
      })
      closing.push(() => listening.close())
      busy = false
      await publish('late')
      await has(2)
      await deliveries[1]!.deadLetter('no use either')
      await until('both are heard of', () => new Set(heard).size === 2, 40_000)
      expect([...new Set(heard)].sort()).to.deep.equal(['early: no use', 'late: no use either'])
      expect(await bus.deadLetters(engine)).to.have.length(2)
    })

    it('lets the first end of a delivery count', async () => {
      const { deliveries, has } = reader()
      await publish('first')
      await has(1)
      await deliveries[0]!.ack()
      await deliveries[0]!.nack('too late')
      await deliveries[0]!.deadLetter('too late')
      await world.passBackOff()
      await publish('second')
      await has(2)
      expect(texts(deliveries)).to.deep.equal(['first', 'second'])
      expect(await bus.deadLetters()).to.deep.equal([])
      await deliveries[1]!.ack()
    })

    it('brings what a lost reader had in hand again, whose late word changes nothing', async () => {
      const lost = reader()
      const id = await publish('lost')
      await lost.has(1)
      await lost.close()
      const { deliveries, has } = reader(engine, await world.another())
      await has(1)
      expect(deliveries[0]).to.deep.include({ id, data: 'lost', attempt: 2 })
      await lost.deliveries[0]!.deadLetter('late')
      expect(await bus.deadLetters()).to.deep.equal([])
      await deliveries[0]!.ack()
    })

    it('leaves a slow reader what he works on', async () => {
      const slow = reader()
      await publish('slow')
      await slow.has(1)
      const other = reader(engine, await world.another())
      const end = performance.now() + world.ackDeadlineMs * 2.5
      await until('twice the deadline is over', () => performance.now() > end, world.ackDeadlineMs * 3)
      expect([slow.deliveries.length, other.deliveries.length]).to.deep.equal([1, 0])
      await slow.deliveries[0]!.ack()
      await slow.close()
      await publish('proof')
      await other.has(1)
      expect(texts(other.deliveries)).to.deep.equal(['proof'])
      await other.deliveries[0]!.ack()
    })

    it('shares the messages of one subscription among its readers', async () => {
      const [first, second] = [reader(), reader(engine, await world.another())]
      const wanted = Array.from({ length: 40 }, (_, number) => `message ${number}`)
      for (const text of wanted) await publish(text)
      // On a machine that stands still for as long as the deadline one may come again, to whoever is awake.
      const both = () => [...first.deliveries, ...second.deliveries].filter(({ attempt }) => attempt === 1)
      await until('both together have all', () => both().length >= 40, patience())
      expect(texts(both())).to.deep.equal([...wanted].sort())
      await Promise.all(both().map((delivery) => delivery.ack()))
    })

    it('says that it can be reached, and publishes nothing by that', async () => {
      const { deliveries, has } = reader()
      await Promise.all([bus.reachable(), (await world.another()).reachable()])
      await bus.reachable()
      await publish('proof')
      await has(1)
      expect(texts(deliveries)).to.deep.equal(['proof'])
      await deliveries[0]!.ack()
    })

    it('names a topic or subscription that it does not know', async () => {
      const unknown = await bus.publish('paper-news', { data: '{}', attributes: {} }).catch((error: unknown) => (error as Error).message)
      expect(unknown).to.match(/paper-news/)
      expect(() => bus.subscribe('paper-nobody', () => undefined)).to.throw(/paper-nobody/)
    })
  })
}
