/** What `/docs` says is what the server does. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect } from 'chai'
import fc from 'fast-check'
import { fastify } from 'fastify'
import { decode } from '../../../domain/decode.ts'
import { handlersFor, intents } from '../../../handlers/handlers.ts'
import { schemaOf } from '../../../infra/http/schema.ts'
import { likely, spoilt } from './body-arbitrary.ts'
import { type ServerInHand, startServer } from './server-in-hand.ts'

type Described = {
  openapi: string
  paths: Record<
    string,
    Record<
      string,
      { requestBody?: { required: boolean; content: Record<string, { schema: object }> }; responses: object; security?: object }
    >
  >
  components: { schemas: object }
}

const hasBareRefinement = (codec: unknown): boolean => {
  const { _tag, limits, type, types, required, optional } = codec as Record<string, unknown>
  const parts = [
    ...Object.values(required ?? {}),
    ...Object.values(optional ?? {}),
    ...((types as unknown[]) ?? []),
    ...(type === undefined ? [] : [type]),
  ]
  return (_tag === 'RefinementType' && limits === undefined) || parts.some(hasBareRefinement)
}

describe('the description of the HTTP interface', () => {
  let world: ServerInHand
  let described: Described
  before(async () => {
    world = await startServer()
    described = (await world.ask({ method: 'GET', url: '/docs/json' })).json()
  })
  after(() => world.server.stop())

  it('is valid OpenAPI 3.1', async () => {
    expect(described.openapi).to.equal('3.1.0')
    const result = await new Validator().validate(described as never)
    expect(result).to.deep.equal({ valid: true })
  })

  it('names every intent, every strategy and every view, each once, with its answers', () => {
    const posts = [...Object.keys(intents), 'trend'].map((type) => `/${type}`)
    const probes = ['/healthz', '/readyz', '/ready']
    const letters = ['/dead-letters', '/dead-letters/{id}/republish', '/dead-letters/{id}/discard']
    const gets = ['/commands/{id}', '/strategies', '/strategies/{id}', '/documents/{path}', '/events', '/metrics', ...probes]
    expect(Object.keys(described.paths)).to.have.members([...posts, ...gets, ...letters])
    for (const path of posts)
      expect(Object.keys(described.paths[path]!['post']!.responses), path).to.include.members([
        '200',
        '202',
        '400',
        '409',
        '413',
        '415',
        '422',
        '500',
        '503',
      ])
    expect(Object.keys(described.paths['/reconcile']!)).to.have.members(['get', 'post'])
  })

  it('is a page to read, without a line of anybody else’s', async () => {
    const page = await world.ask({ method: 'GET', url: '/docs/' })
    expect([page.statusCode, page.body.includes('swagger-ui')]).to.deep.equal([200, true])
    expect(page.body).not.to.match(/https?:\/\/(?!localhost)/)
  })

  it('leaves no field of any intent without words', () => {
    const bare: string[] = []
    const look = (schema: Record<string, unknown>, path: string): void => {
      const known = ['type', 'anyOf', 'allOf', 'const', 'enum', '$ref']
      if (!known.some((keyword) => keyword in schema)) bare.push(path)
      for (const [name, field] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>))
        look(field, `${path}.${name}`)
    }
    for (const [type, { body }] of Object.entries(intents)) look(schemaOf(body) as Record<string, unknown>, type)
    expect(bare).to.deep.equal([])
  })

  /** Where a codec demands more than a schema can say, only its name says it. */
  const saysMoreInWords = new Set(Object.keys(intents).filter((type) => hasBareRefinement(intents[type]!.body)))

  it('takes the bodies that the codecs take, and no others', async () => {
    const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } } })
    const bodies = Object.fromEntries(Object.entries(intents).map(([type, { body }]) => [type, body]))
    for (const [type, body] of Object.entries(bodies)) app.post(`/${type}`, { schema: { body: schemaOf(body) } }, async () => 'taken')
    const requests = fc
      .constantFrom(...Object.entries(bodies))
      .chain(([type, codec]) => fc.tuple(fc.constant(type), fc.oneof(likely(codec), spoilt(codec))))
    let taken = 0
    await fc.assert(
      fc.asyncProperty(requests, async ([type, wish]) => {
        const payload = JSON.stringify(wish)
        if (payload.includes('"__proto__"')) return
        const { statusCode } = await app.inject({
          method: 'POST',
          url: `/${type}`,
          headers: { 'content-type': 'application/json' },
          payload,
        })
        const decoded = decode(handlersFor({}).published(type)!.handler.body, JSON.parse(payload))
        const about = `${type} ${payload} ${decoded.ok ? '' : decoded.problem}`
        if (decoded.ok || !saysMoreInWords.has(type)) expect(statusCode === 200, about).to.equal(decoded.ok)
        if (decoded.ok) taken++
      }),
      { numRuns: 2_000 },
    )
    expect(taken).to.be.greaterThan(500)
    await app.close()
  })
})
