/** Random messages at the engine's intake: each ends once, what cannot be read is a dead letter, and nothing is ever half done. */
import { expect } from 'chai'
import fc from 'fast-check'
import { readEnvelope } from '../../../domain/commands.ts'
import { fold } from '../../../domain/fold.ts'
import { initialLedger } from '../../../domain/ledger.ts'
import type { Bus, Delivery } from '../../../domain/ports/bus.ts'
import { verifyChain } from '../../../domain/verify.ts'
import { createEngine, type Engine } from '../../../handlers/engine.ts'
import { handlersFor, intents } from '../../../handlers/handlers.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { createBroker, createBus, silent } from '../../handlers/ports-in-hand.ts'
import { createMemory, type Memory, memoryJournal } from '../../memory-store.ts'
import { wanting } from '../../rig.ts'
import { anyBytes, anyJson, likely, spoilt } from './body-arbitrary.ts'
import { fuzzSeed, messageCount } from './fuzz.ts'

const strategies = { trend: wanting('Trend'), hedge: wanting('Hedge') }
const handlers = handlersFor(strategies)
const types = [...Object.keys(intents), ...Object.keys(strategies)]
const tuesday = Date.parse('2024-01-09T15:00:00.000Z')
const atOnce = 500

type Wish = { type: string; data: string; id: string | undefined; more: Record<string, string>; urgent: boolean; minutesOld: number }

const written = (body: fc.Arbitrary<unknown>): fc.Arbitrary<string> => body.map((value) => JSON.stringify(value))
const dataOf = (type: string): fc.Arbitrary<string> => {
  const codec = handlers.published(type)?.handler.body
  const noise = fc.oneof(
    anyJson,
    anyBytes.map((bytes) => bytes.toString('latin1')),
  )
  return codec === undefined ? noise : fc.oneof({ weight: 4, arbitrary: written(likely(codec)) }, written(spoilt(codec)), noise)
}
const type = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...types, 'CLOSE_ALL') },
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', 'allocation-round', 'proof', '__proto__', 'end', 'toString'),
)
const message: fc.Arbitrary<Wish> = type.chain((type) =>
  fc.record({
    type: fc.constant(type),
    data: dataOf(type),
    id: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      fc.string({ maxLength: 100 }),
      fc.nat(500).map((number) => `again-${number}`),
    ),
    more: fc.dictionary(
      fc.constantFrom('source', 'actor', 'correlationId', 'digest', 'job', 'anything'),
      fc.string({ unit: 'binary', maxLength: 300 }),
      { maxKeys: 3 },
    ),
    urgent: fc.boolean(),
    minutesOld: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -5, max: 3_000 })),
  }),
)

describe('random messages', function () {
  this.timeout(600_000)
  let memory: Memory
  let clock: SimulatedClock
  let engine: Engine
  const consumers = new Map<string, (delivery: Delivery) => void>()
  let stopped: Error | undefined

  before(async () => {
    memory = createMemory()
    clock = simulatedClock(tuesday)
    clock.setNow(tuesday)
    const bus: Bus = {
      ...createBus().bus,
      subscribe: (subscription, consume) => {
        consumers.set(subscription, consume)
        return { close: async () => undefined }
      },
    }
    const lease = { acquire: async () => ({ epoch: 1 }), renew: async () => true, release: async () => undefined }
    engine = createEngine({
      ...{ journal: memoryJournal(memory), bus, broker: createBroker().broker, lease, clock, log: silent, topics: readTopics() },
      ...{ strategies, mode: 'paper', holder: 'fuzz' },
    })
    void engine.stopped.then((reason) => {
      stopped = reason
    })
    await engine.start()
    await until('the gateway is ready', () => engine.ready())
  })
  after(() => engine.stop())

  /** Deliveries and their ends, by the id of the message. */
  const ends = new Map<string, string[]>()
  let count = 0
  const deliver = (wish: Wish): { id: string; attributes: Record<string, string>; data: string; publishedAt: string } => {
    const id = `m${++count}`
    const { data, more, minutesOld } = wish
    const attributes = { ...more, ...(wish.type === '' ? {} : { type: wish.type }), ...(wish.id === undefined ? {} : { id: wish.id }) }
    const publishedAt = new Date(clock.now() - minutesOld * 60_000).toISOString()
    ends.set(id, [])
    const end = (how: string) => async () => void ends.get(id)!.push(how)
    consumers.get(wish.urgent ? 'paper-urgent-engine' : 'paper-commands-engine')!({
      ...{ id, data, attributes, publishedAt, attempt: 1 },
      ...{ ack: end('ack'), nack: end('nack'), deadLetter: end('dead') },
    })
    return { id, attributes, data, publishedAt }
  }

  it(`end once each, in one decision, in a refusal, or as a dead letter (${messageCount})`, async () => {
    const seen = new Map<string, number>()
    for (let done = 0; done < messageCount; done += atOnce) {
      const seed = fuzzSeed + done
      const sent = fc.sample(message, { numRuns: atOnce, seed }).map(deliver)
      const about = (): string => `seed ${seed}`
      await until(`${about()}: all have ended`, () => stopped !== undefined || sent.every(({ id }) => ends.get(id)!.length > 0), 60_000)
      if (stopped !== undefined) throw new Error(`${about()}: the engine stopped: ${stopped.message}`)
      for (const { id, attributes, data, publishedAt } of sent) {
        const [how, ...others] = ends.get(id)!
        const readable = readEnvelope({ id, attributes, data, publishedAt }, () => undefined)
        const understood = readable.ok && handlers.published(readable.value.type) !== undefined
        const decided = readable.ok && memory.markers.has(readable.value.id)
        const sound = others.length === 0 && (how === 'dead') === !understood && (how !== 'ack' || decided)
        if (!sound) throw new Error(`${about()}: ${JSON.stringify({ attributes, data, how, others, understood, decided })}`)
        seen.set(how!, (seen.get(how!) ?? 0) + 1)
      }
      ends.clear()
      // Pipelines that wait for their orders come to their end, and a new day begins now and then.
      clock.setNow(clock.now() + 3_600_000)
      await clock.moveTo(clock.now())
      await until(`${about()}: nothing is under way`, () => engine.idle() || stopped !== undefined, 60_000)
    }
    expect([...seen.keys()]).to.include.members(['ack', 'dead'])
    expect(seen.get('ack')! / messageCount).to.be.greaterThan(0.4)
  })

  it('have left a journal that is whole, and gives the very state in which the engine is', async () => {
    const verified = await verifyChain(memoryJournal(memory))
    expect(verified.ok, JSON.stringify(verified)).to.equal(true)
    const again = initialLedger()
    for (const stored of memory.commits) fold(again, stored)
    expect(JSON.stringify(again)).to.equal(JSON.stringify(engine.ledger))
  })
})
