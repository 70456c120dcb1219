/** Random requests over HTTP's decoding: no crash, no hang, and what is malformed leaves no trace on any topic. */
import { connect } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { readEnvelope } from '../../../domain/commands.ts'
import { decode } from '../../../domain/decode.ts'
import { handlersFor, intents } from '../../../handlers/handlers.ts'
import { until } from '../../contract/until.ts'
import { wanting } from '../../rig.ts'
import { anyBytes, anyJson, likely, spoilt } from './body-arbitrary.ts'
import { fuzzSeed, requestCount } from './fuzz.ts'
import { type Published, type ServerInHand, startServer } from './server-in-hand.ts'

const handlers = handlersFor({ trend: wanting('Trend') })
const types = [...Object.keys(intents), 'trend']

const written = (body: fc.Arbitrary<unknown>): fc.Arbitrary<string> => body.map((value) => JSON.stringify(value))
const bodyOf = (type: string): fc.Arbitrary<string | Buffer> => {
  const codec = handlers.published(type)!.handler.body
  return fc.oneof({ weight: 4, arbitrary: written(likely(codec)) }, written(spoilt(codec)), anyJson, anyBytes)
}
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...types, 'CLOSE_ALL', 'the_trend', 'Halt') },
  fc.webPath().map((path) => path.slice(1)),
  fc.constantFrom('allocation-round', '', '%00', '%zz', '..%2f..%2fhalt', 'halt?dryRun=1', 'commands/x', 'documents/status/paper'),
)
const headers = fc.record(
  {
    'idempotency-key': fc.oneof(fc.constantFrom('a', 'b', 'c', '', 'x'.repeat(300)), fc.string({ maxLength: 30 }).map(encodeURIComponent)),
    'x-request-id': fc.string({ maxLength: 140 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?')),
    'content-type': fc.oneof(
      { weight: 30, arbitrary: fc.constant('application/json') },
      fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'multipart/form-data', ''),
    ),
  },
  { requiredKeys: ['content-type'] },
)
const request = name.chain((url) => {
  const type = handlers.published(url)?.type
  return fc.record({ url: fc.constant(`/${url}`), headers, raw: type === undefined ? fc.oneof(anyJson, anyBytes) : bodyOf(type) })
})

/** Those that say what is wrong, and 202: nobody is behind the bus here, so nothing is ever done. */
const honest = new Set([202, 400, 404, 405, 413, 415, 422])

/** What is wrong with an answer and with what was published for it. */
const problemOf = (status: number, body: string, published: readonly Published[]): string | undefined => {
  if (!honest.has(status)) return 'a status that says nothing'
  const answer = JSON.parse(body) as Record<string, unknown>
  if (typeof answer['text'] !== 'string') return 'no text'
  if (published.length !== (status === 202 ? 1 : 0)) return `${published.length} messages on a topic`
  for (const { data, attributes } of published) {
    const envelope = readEnvelope({ id: 'm', data, attributes, publishedAt: '2026-11-20T15:00:00.000Z' }, () => undefined)
    if (!envelope.ok) return envelope.problem
    const decoded = decode(handlers.published(envelope.value.type)!.handler.body, envelope.value.body)
    if (!decoded.ok) return decoded.problem
    if (envelope.value.id !== answer['id']) return 'another id than that of the answer'
  }
  return undefined
}

describe('random requests', function () {
  this.timeout(600_000)
  let world: ServerInHand
  before(async () => {
    world = await startServer()
  })
  after(() => world.server.stop())

  it(`are refused or become one command that can be read (${requestCount})`, async () => {
    const seen = new Map<number, number>()
    for (let done = 0; done < requestCount; done += 1_000) {
      const seed = fuzzSeed + done
      for (const wish of fc.sample(request, { numRuns: 1_000, seed })) {
        const { statusCode, body } = await world.ask({ ...wish, headers: { ...wish.headers, prefer: 'wait=0' } })
        const wrong = problemOf(statusCode, body, world.published.splice(0))
        if (wrong !== undefined) throw new Error(`${wrong}; seed ${seed}: ${JSON.stringify(wish)} → ${statusCode} ${body}`)
        seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1)
      }
      world.lines.length = 0
    }
    expect([...seen.keys()], 'each way to be answered was seen').to.include.members([202, 400, 404, 415, 422])
    expect(seen.get(202)! / requestCount).to.be.greaterThan(0.15)
  })

  it('of raw bytes on the socket end in an answer or a closed line, and the server goes on', async () => {
    const port = await world.server.listen(0)
    const beginnings = [
      '',
      'POST /halt HTTP/1.1\r\nhost: localhost\r\n',
      'POST /halt HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n',
    ]
    const lines = fc.sample(fc.tuple(fc.constantFrom(...beginnings), anyBytes), { numRuns: 300, seed: fuzzSeed })
    for (const [beginning, bytes] of lines) {
      let over = false
      const socket = connect(port, '127.0.0.1')
      socket.on('close', () => {
        over = true
      })
      socket.on('error', () => undefined)
      socket.resume().end(Buffer.concat([Buffer.from(beginning), bytes]))
      await until('the line is closed', () => over)
    }
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200)
    expect(world.published).to.deep.equal([])
  })
})
