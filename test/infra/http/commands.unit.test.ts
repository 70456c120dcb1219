import { request as httpRequest } from 'node:http'
import { expect } from 'chai'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { intents } from '../../../handlers/handlers.ts'
import { until } from '../../contract/until.ts'
import { ended, type Published, type ServerInHand, startServer } from './server-in-hand.ts'

const idOf = ({ attributes }: Published): string => attributes['id']!

describe('commands over HTTP', () => {
  let world: ServerInHand
  beforeEach(async () => {
    world = await startServer()
  })
  afterEach(() => world.server.stop())
  /** An engine that decides at once. */
  const decides = (more: Parameters<typeof ended>[0] = {}) =>
    world.onPublish((message) => world.became(idOf(message), ended({ digest: message.attributes['digest']!, ...more })))

  it('are answered with their result once they are done', async () => {
    decides({ result: { changed: true } })
    const answer = await world.ask({ url: '/halt', body: { reason: 'the news' }, headers: { 'x-request-id': 'r-77' } })
    const [message] = world.published
    expect(answer.statusCode).to.equal(200)
    expect(answer.json()).to.include({ id: idOf(message!), type: 'halt', status: 'completed' })
    expect(answer.headers).to.include({ 'x-request-id': 'r-77', location: `/commands/${idOf(message!)}` })
    expect(message).to.deep.include({ topic: 'paper-urgent', data: '{"reason":"the news"}' })
    expect(message!.attributes).to.include({ type: 'halt', source: 'http', actor: 'local', correlationId: 'r-77' })
  })

  it('are answered 202 with the place to look when they take longer, and go on', async () => {
    const answer = await world.ask({ url: '/orchestrator', headers: { prefer: 'wait=0' } })
    expect([answer.statusCode, answer.json().status]).to.deep.equal([202, 'published'])
    expect(answer.json().text).to.equal(`nobody waited for it, as asked: GET ${answer.headers['location']} says what became of it`)
    expect(answer.headers['preference-applied']).to.equal('respond-async')
    const place = String(answer.headers['location'])
    expect((await world.ask({ method: 'GET', url: place })).json().text).to.match(/is an engine running/)
    expect((await world.ask({ method: 'GET', url: place })).json()).to.include({ type: 'orchestrator', status: 'published' })
    await world.became(place.split('/')[2]!, ended({ type: 'orchestrator', status: 'accepted' }))
    expect((await world.ask({ method: 'GET', url: place })).json()).to.include({ status: 'accepted' })
    const waiting = world.ask({ method: 'GET', url: place, headers: { prefer: 'wait=30' } })
    await world.became(place.split('/')[2]!, ended({ type: 'orchestrator' }))
    expect((await waiting).json()).to.include({ status: 'completed' })
  })

  it('are described at /docs, as whoever asks for the bare address is told', async () => {
    const answer = await world.ask({ method: 'GET', url: '/' })
    expect([answer.statusCode, answer.json().code]).to.deep.equal([404, 'NOTHING_HERE'])
    expect(answer.json().text).to.match(/\/docs$/)
  })

  it('say 202 of a pipeline that is under way, with the steps it has taken', async () => {
    world.onPublish((message) =>
      world.became(idOf(message), ended({ status: 'accepted', digest: message.attributes['digest']!, steps: [{ id: 's' }] })),
    )
    const answer = await world.ask({ url: '/allocation', headers: { prefer: 'wait=1' } })
    expect([answer.statusCode, answer.json().status, answer.json().steps]).to.deep.equal([202, 'accepted', [{ id: 's' }]])
    expect(answer.headers['preference-applied']).to.equal('wait=1')
  })

  it('that are refused or fail say so by code, text and status', async () => {
    decides({ status: 'refused', code: 'HALTED', text: 'trading is halted' })
    const refused = await world.ask({ url: '/allocation' })
    expect([refused.statusCode, refused.json().code, refused.json().text]).to.deep.equal([409, 'HALTED', 'trading is halted'])
    decides({ status: 'failed', code: 'BARS_STALE', text: 'no bar since Friday' })
    const failed = await world.ask({ url: '/trend' })
    expect([failed.statusCode, failed.json().status, failed.json().code]).to.deep.equal([200, 'failed', 'BARS_STALE'])
    decides({ status: 'failed', code: 'UNEXPECTED', text: 'x is undefined' })
    expect((await world.ask({ url: '/trend' })).statusCode).to.equal(500)
  })

  it('each have a route, by the table of intents and by the strategies that were found; aliases, underscores and capitals too', async () => {
    const required: Record<string, object> = {
      configure: { changes: { freshMinutes: 7 } },
      'cancel-order': { orderRef: 'r' },
      'resolve-order': { orderRef: 'r', as: 'lost', reason: 'seen' },
      explain: { instrument: 'SPY', quantity: '1', as: 'manual' },
      'collect-market-data': { instrument: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' } },
    }
    for (const type of [...Object.keys(intents), 'trend'])
      for (const name of [type, type.replaceAll('-', '_').toUpperCase()]) {
        const answer = await world.ask({ url: `/${name}`, body: required[type] ?? {}, headers: { prefer: 'wait=0' } })
        if (answer.statusCode === 400) expect(answer.json().code, name).to.equal('BODY_INVALID')
        else expect([answer.statusCode, answer.json().type], name).to.deep.equal([202, type])
      }
    const alias = await world.ask({ url: '/The_Trend', headers: { prefer: 'wait=0' } })
    expect([alias.statusCode, alias.json().type]).to.deep.equal([202, 'trend'])
    for (const type of ['reconcile', 'summary'].filter((type) => type in intents)) {
      const got = await world.ask({ method: 'GET', url: `/${type}`, headers: { prefer: 'wait=0' } })
      expect([got.statusCode, got.json().type]).to.deep.equal([202, type])
    }
  })

  it('that nobody understands are 404, and asked in another way 405', async () => {
    const unknown = await world.ask({ url: '/frobnicate', body: {} })
    expect([unknown.statusCode, unknown.json().code]).to.deep.equal([404, 'COMMAND_UNKNOWN'])
    expect(unknown.json().text).to.include('orchestrator').and.include('trend')
    const inner = await world.ask({ url: '/allocation-round', body: {} })
    expect(inner.statusCode).to.equal(404)
    const got = await world.ask({ method: 'GET', url: '/allocation' })
    expect([got.statusCode, got.json().code, got.headers['allow']]).to.deep.equal([405, 'METHOD_NOT_ALLOWED', 'POST'])
    expect((await world.ask({ method: 'HEAD', url: '/reconcile' })).statusCode).to.be.within(404, 405)
    expect(world.published).to.deep.equal([])
  })

  const malformed: [string, Parameters<ServerInHand['ask']>[0], number, RegExp][] = [
    ['a misspelt field', { url: '/allocation', body: { dryrun: true } }, 400, /BODY_INVALID.*dryrun/],
    ['a field of another kind', { url: '/allocation', body: { strategies: 'trend' } }, 400, /BODY_INVALID.*strategies/],
    ['a number that cannot be', { url: '/allocation', body: { freshMinutes: 0 } }, 400, /freshMinutes.*minutes from 1 to 1440/],
    [
      'a setting that there is not',
      { url: '/configure', body: { changes: { nothing: 1 } } },
      400,
      /BODY_INVALID.*nothing.* is not a setting/,
    ],
    [
      'a setting out of its range',
      { url: '/configure', body: { changes: { 'exposure.overall': 99 } } },
      400,
      /BODY_INVALID.*exposure.overall/,
    ],
    [
      'allocations of more than there is',
      { url: '/configure', body: { changes: { 'strategies.a.allocation': 0.6, 'strategies.b.allocation': 0.5 } } },
      400,
      /BODY_INVALID.*sum to 1.1/,
    ],
    [
      'order properties that do not go together',
      { url: '/allocation', body: { orderProperties: { type: 'MOC', timeInForce: 'GTC' } } },
      400,
      /BODY_INVALID.*MOC/,
    ],
    ['nobody to close', { url: '/close-all', body: { strategies: [] } }, 400, /BODY_INVALID.*strategies/],
    ['an explanation of nothing', { url: '/explain', body: { instrument: 'SPY', as: 'manual' } }, 400, /BODY_INVALID.*quantity/],
    ['what is required left out', { url: '/configure', body: {} }, 400, /BODY_INVALID.*changes/],
    ['a list instead of an object', { url: '/halt', body: [] }, 400, /BODY_INVALID.*must be a JSON object/],
    ['null', { url: '/halt', raw: 'null' }, 400, /BODY_INVALID/],
    ['half a JSON', { url: '/halt', raw: '{"reason":"x"' }, 400, /JSON_INVALID/],
    ['a poisoned prototype', { url: '/halt', raw: '{"__proto__":{"reason":"x"}}' }, 400, /JSON_INVALID|BODY_INVALID/],
    ['text that is not Unicode', { url: '/halt', raw: '{"reason":"\\ud800"}' }, 400, /REQUEST_INVALID|BODY_INVALID/],
    [
      'a form',
      { url: '/halt', raw: 'reason=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      /MEDIA_UNSUPPORTED/,
    ],
    ['plain text', { url: '/halt', raw: '{}', headers: { 'content-type': 'text/plain' } }, 415, /MEDIA_UNSUPPORTED/],
    ['more than 64 kB', { url: '/halt', body: { reason: 'x'.repeat(66_000) } }, 413, /BODY_TOO_LARGE/],
    ['numbers that grow beyond it when they are written out', { url: '/configure', raw: grown() }, 413, /BODY_TOO_LARGE/],
    ['what belongs in the body in the address', { url: '/allocation?dryRun=true' }, 400, /REQUEST_INVALID.*dryRun/],
    ['a GET with a body', { method: 'GET', url: '/reconcile', body: {} }, 400, /a GET takes no body/],
    ['a key of nothing', { url: '/halt', headers: { 'idempotency-key': ' ' } }, 400, /Idempotency-Key/],
    ['an address that is none', { url: '/%zz' }, 400, /REQUEST_INVALID/],
  ]
  for (const [what, request, status, says] of malformed)
    it(`with ${what} are ${status} and reach no topic`, async () => {
      const answer = await world.ask(request)
      expect(answer.statusCode, answer.body).to.equal(status)
      expect(answer.body).to.match(says)
      expect(Object.keys(answer.json())).to.have.members(['code', 'text'])
      expect(world.published).to.deep.equal([])
    })

  it('with an empty body have all their defaults, as curl without data sends them', async () => {
    decides()
    expect((await world.ask({ url: '/halt' })).statusCode).to.equal(200)
    expect((await world.ask({ url: '/halt', raw: '', headers: { 'content-type': 'application/json' } })).statusCode).to.equal(200)
    expect(world.published.map(({ data }) => data)).to.deep.equal(['{}', '{}'])
  })

  it('asked again under the same key are the same command and its answer, as a client that gave up and asked again expects', async () => {
    const headers = { 'idempotency-key': 'monday' }
    const gaveUp = await world.ask({ url: '/orchestrator', headers: { ...headers, prefer: 'wait=0' } })
    const again = world.ask({ url: '/orchestrator', body: {}, headers })
    const id = gaveUp.json().id as string
    await until('both are published', () => world.published.length === 2)
    expect(new Set(world.published.map(idOf))).to.deep.equal(new Set([id])) // the engine decides an id once
    await world.became(id, ended({ type: 'orchestrator', digest: world.published[0]!.attributes['digest']! }))
    expect([(await again).statusCode, (await again).json().id]).to.deep.equal([200, id])
    const third = await world.ask({ url: '/orchestrator', headers })
    expect(third.json()).to.deep.equal((await again).json())
    expect(world.published).to.have.length(2) // what is known to be decided is not published any more
    const other = await world.ask({ url: '/orchestrator', headers: { 'idempotency-key': 'tuesday', prefer: 'wait=0' } })
    expect(other.json().id).not.to.equal(id)
  })

  it('of another body or type under the same key are 422, before and after the first was decided', async () => {
    const headers = { 'idempotency-key': 'k', prefer: 'wait=0' }
    const first = await world.ask({ url: '/halt', body: { reason: 'a' }, headers })
    const isReused = async (url: string, body: object) => {
      const answer = await world.ask({ url, body, headers })
      expect([answer.statusCode, answer.json().code]).to.deep.equal([422, 'KEY_REUSED'])
    }
    await isReused('/halt', { reason: 'b' })
    await isReused('/resume', { reason: 'a' })
    await world.became(first.json().id, ended({ digest: world.published[0]!.attributes['digest']! }))
    await isReused('/halt', { reason: 'b' })
    expect(world.published).to.have.length(1)
  })

  it('of another body that came to another server under the same key learn it from what was decided', async () => {
    world.onPublish((message) => world.became(idOf(message), ended({ digest: 'of what the other server published' })))
    const answer = await world.ask({ url: '/halt', headers: { 'idempotency-key': 'k' } })
    expect([answer.statusCode, answer.json().code]).to.deep.equal([422, 'KEY_REUSED'])
  })

  it('that could not be published are 503, and may be asked again under their key', async () => {
    world.onPublish(() => {
      throw new Error('the bus is away')
    })
    const headers = { 'idempotency-key': 'k' }
    const failed = await world.ask({ url: '/halt', headers })
    expect([failed.statusCode, failed.json().code]).to.deep.equal([503, 'STORE_UNAVAILABLE'])
    decides()
    expect((await world.ask({ url: '/halt', headers })).statusCode).to.equal(200)
  })

  it('that are published while the store cannot be read are 202, not an error that asks for a second one', async () => {
    const { get } = world.documents
    world.documents.get = async () => {
      throw new StoreUnavailable('away')
    }
    const answer = await world.ask({ url: '/halt' })
    expect([answer.statusCode, answer.json().status]).to.deep.equal([202, 'published'])
    world.documents.get = get
  })

  it('leave nobody waiting when the server stops', async () => {
    const waiting = world.ask({ url: '/orchestrator' })
    await until('it is published', () => world.published.length === 1)
    await world.server.stop()
    expect((await waiting).statusCode).to.equal(202)
  })

  it('go on when their caller goes away, and nothing watches for him any more', async () => {
    const port = await world.server.listen(0)
    const caller = httpRequest({ port, host: '127.0.0.1', path: '/orchestrator', method: 'POST' })
    caller.on('error', () => undefined)
    caller.end()
    const watchers = () => world.memory.listeners.get(`commands/${idOf(world.published[0]!)}`)?.size ?? 0
    await until('somebody waits', () => world.published.length === 1 && watchers() === 1)
    caller.destroy()
    await until('nobody waits any more', () => watchers() === 0)
  })
})

/** Few bytes that become many: 1e20 is written out with 21 digits. */
function grown(): string {
  const changes = Array.from({ length: 4_000 }, (_, number) => `"c${number}":1e20`)
  return `{"changes":{${changes.join(',')}}}`
}
