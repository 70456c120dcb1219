import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { fastify, type InjectOptions } from 'fastify'
import { refuse } from '../../../domain/errors.ts'
import { type AccessOptions, registerAccess } from '../../../infra/http/access.ts'
import type { Identity } from '../../../infra/http/identity.ts'
import { atLeast, isRole, roleForCommand, roleForIntent, roles } from '../../../infra/http/roles.ts'

type Line = { fields: Record<string, unknown>; text: string }

/** Reads tokens such as `anna:admin`; everything else is forged. */
const named: Identity = {
  identify: async (authorization) => {
    const [, actor, role] = /^Bearer (\w+):(\w+)$/.exec(authorization ?? '') ?? []
    if (authorization === undefined) return refuse('TOKEN_MISSING')
    return actor !== undefined && isRole(role) ? { actor, role } : refuse('TOKEN_SIGNATURE')
  },
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('the door of the HTTP server', function () {
  this.timeout(180_000)
  const doors: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of doors.splice(0)) await close()
  })

  const door = async (options: Partial<AccessOptions> = {}, server: object = {}) => {
    const lines: Line[] = []
    const say = (fields: object, text: string) => void lines.push({ fields: fields as Line['fields'], text })
    const app = fastify({ ...server, genReqId: () => 'asked-1' })
    await registerAccess(app, { corsOrigins: [], requestsPerMinute: 1_000, log: { info: say, warn: say }, ...options })
    const reached: string[] = []
    const handler = async ({ caller, url }: { caller: object; url: string }) => {
      reached.push(url)
      return caller
    }
    app.get('/open', { config: { role: 'open' } }, handler)
    app.get('/read', { config: { role: 'viewer' } }, handler)
    app.post('/trade', { config: { role: 'trader' } }, handler)
    app.post('/change', { config: { role: 'admin' } }, handler)
    app.get('/forgotten', handler)
    app.get('/docs', handler)
    app.get('/docs/static/:file', handler)
    app.get('/docsandmore', handler)
    doors.push(() => app.close())
    const ask = async (method: 'GET' | 'POST' | 'OPTIONS', url: string, headers: Record<string, string> = {}, more: InjectOptions = {}) => {
      const { statusCode, headers: answered, body } = await app.inject({ method, url, headers: { host: 'localhost', ...headers }, ...more })
      const json = answered['content-type']?.toString().startsWith('application/json') ? (JSON.parse(body) as Record<string, unknown>) : {}
      return { status: statusCode, code: json['code'], json, headers: answered }
    }
    return { app, ask, lines, reached }
  }

  describe('with an issuer', () => {
    it('lets each role do what it may, and all that the ones before it may', async () => {
      const { ask } = await door({ verifier: named })
      const allowed = async (role: string) => {
        const asked = [
          ask('GET', '/read', bearer(`a:${role}`)),
          ask('POST', '/trade', bearer(`a:${role}`)),
          ask('POST', '/change', bearer(`a:${role}`)),
        ]
        return (await Promise.all(asked)).map(({ status }) => status)
      }
      expect(await allowed('viewer')).to.deep.equal([200, 403, 403])
      expect(await allowed('trader')).to.deep.equal([200, 200, 403])
      expect(await allowed('admin')).to.deep.equal([200, 200, 200])
    })

    it('says who asks', async () => {
      const { ask } = await door({ verifier: named })
      expect((await ask('POST', '/trade', bearer('anna:trader'))).json).to.deep.equal({ actor: 'anna', role: 'trader' })
    })

    it('refuses by name, says how to sign, and never reaches the route', async () => {
      const { ask, reached } = await door({ verifier: named })
      const [nobody, forged, low] = await Promise.all([
        ask('POST', '/trade'),
        ask('POST', '/trade', bearer('forged')),
        ask('POST', '/trade', bearer('eve:viewer')),
      ])
      expect([nobody.status, nobody.code, nobody.headers['www-authenticate']]).to.deep.equal([401, 'TOKEN_MISSING', 'Bearer'])
      expect([forged.status, forged.code]).to.deep.equal([401, 'TOKEN_SIGNATURE'])
      expect(forged.headers['www-authenticate']).to.equal('Bearer error="invalid_token"')
      expect([low.status, low.code, low.json['text']]).to.deep.equal([
        ...[403, 'ROLE_TOO_LOW'],
        'the role of the caller does not allow this: it needs trader, eve is viewer',
      ])
      expect(reached).to.deep.equal([])
    })

    it('writes down who was refused what, without what he sent', async () => {
      const { ask, lines } = await door({ verifier: named })
      await ask('POST', '/trade?token=abc', bearer('forged'))
      await ask('POST', '/change', bearer('tom:trader'))
      expect(lines.map(({ fields }) => fields)).to.deep.equal([
        { correlationId: 'asked-1', code: 'TOKEN_SIGNATURE', method: 'POST', path: '/trade', address: '127.0.0.1', actor: 'anonymous' },
        { correlationId: 'asked-1', code: 'ROLE_TOO_LOW', method: 'POST', path: '/change', address: '127.0.0.1', actor: 'tom' },
      ])
    })

    it('opens what is open, and the documentation; a route that names no role is for admins', async () => {
      const { ask } = await door({ verifier: named })
      for (const path of ['/open', '/docs', '/docs?x', '/docs/static/a.js']) expect((await ask('GET', path)).status, path).to.equal(200)
      for (const path of ['/forgotten', '/docsandmore']) {
        expect((await ask('GET', path)).status, path).to.equal(401)
        expect((await ask('GET', path, bearer('tom:trader'))).status, path).to.equal(403)
        expect((await ask('GET', path, bearer('anna:admin'))).status, path).to.equal(200)
      }
    })

    it('says that there is no such route only to those who may read', async () => {
      const { ask } = await door({ verifier: named })
      expect((await ask('GET', '/nowhere')).status).to.equal(401)
      expect((await ask('GET', '/docs/../read')).status).to.equal(401)
      expect((await ask('GET', '/nowhere', bearer('v:viewer'))).status).to.equal(404)
    })

    it('cares neither for the name of the host nor for the origin: a token is nothing that a browser adds by itself', async () => {
      const { ask } = await door({ verifier: named })
      const headers = { ...bearer('tom:trader'), host: 'trading.example.org', origin: 'https://evil.example.org' }
      const answer = await ask('POST', '/trade', headers, { remoteAddress: '203.0.113.9' })
      expect(answer.status).to.equal(200)
      expect(answer.headers['access-control-allow-origin']).to.equal(undefined)
    })
  })

  describe('how often', () => {
    it('counts each caller by himself, and strangers by their address', async () => {
      const { ask } = await door({ verifier: named, requestsPerMinute: 3 })
      const many = async (headers: Record<string, string>, remoteAddress = '203.0.113.9') => {
        const codes: unknown[] = []
        for (let times = 0; times < 4; times++) codes.push((await ask('GET', '/read', headers, { remoteAddress })).status)
        return codes
      }
      expect(await many(bearer('anna:viewer'))).to.deep.equal([200, 200, 200, 429])
      expect(await many(bearer('bert:viewer'))).to.deep.equal([200, 200, 200, 429])
      expect(await many(bearer('forged'))).to.deep.equal([401, 401, 401, 429])
      expect(await many(bearer('carl:viewer'))).to.deep.equal([200, 200, 200, 429])
      expect(await many({}, '203.0.113.10')).to.deep.equal([401, 401, 401, 429])
    })

    it('says when to come again', async () => {
      const { ask } = await door({ verifier: named, requestsPerMinute: 1 })
      await ask('GET', '/read', bearer('a:viewer'))
      const { status, code, headers } = await ask('GET', '/read', bearer('a:viewer'))
      expect([status, code]).to.deep.equal([429, 'TOO_MANY_REQUESTS'])
      expect(Number(headers['retry-after'])).to.be.within(1, 60)
    })

    it('does not take a caller for an address of the same name', async () => {
      const { ask } = await door({ verifier: named, requestsPerMinute: 1 })
      await ask('GET', '/open')
      expect((await ask('GET', '/read', bearer('anonymous:viewer'))).status).to.equal(200)
    })
  })

  describe('without an issuer', () => {
    it('says so at the start, and takes everybody on this machine for an admin', async () => {
      const { ask, lines } = await door()
      expect(lines[0]!.text).to.match(/AUTH_AUDIENCE.*only this machine/)
      for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST'])
        expect((await ask('POST', '/change', { host })).json).to.deep.equal({ actor: 'local', role: 'admin' })
    })

    it('refuses a name that was rebound to this machine, and who comes from another one', async () => {
      const { ask, reached } = await door()
      for (const host of ['evil.example.org', 'localhost.evil.example.org', '127.0.0.1.evil.example.org', '192.0.2.1', '0.0.0.0'])
        expect((await ask('POST', '/change', { host })).code, host).to.equal('FOREIGN_HOST')
      expect((await ask('POST', '/change', {}, { remoteAddress: '192.0.2.1' })).code).to.equal('FOREIGN_HOST')
      expect(reached).to.deep.equal([])
    })

    it('refuses what a page of another origin sends, with effect or without', async () => {
      const { ask, reached } = await door()
      for (const origin of ['https://evil.example.org', 'null', 'http://localhost:3000', 'https://localhost'])
        expect((await ask('POST', '/change', { origin })).code, origin).to.equal('FOREIGN_ORIGIN')
      for (const site of ['cross-site', 'same-site'])
        expect((await ask('GET', '/read', { 'sec-fetch-site': site })).code, site).to.equal('FOREIGN_ORIGIN')
      expect(reached).to.deep.equal([])
    })

    it('takes its own pages, what is typed by hand, and origins that are allowed', async () => {
      const { ask } = await door({ corsOrigins: ['http://localhost:3000'] })
      for (const headers of [
        { origin: 'http://localhost' },
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none' },
        { origin: 'http://localhost:3000' },
      ])
        expect((await ask('POST', '/change', headers as Record<string, string>)).status).to.equal(200)
    })

    it('answers open routes whoever asks', async () => {
      const { ask } = await door()
      expect((await ask('GET', '/open', { host: 'evil.example.org' })).status).to.equal(200)
    })
  })

  describe('pages of other origins', () => {
    const page = 'https://desk.example.org'
    const preflight = { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }

    it('may ask when they are named, and are asked who they are all the same', async () => {
      const { ask } = await door({ verifier: named, corsOrigins: [page] })
      const { status, headers } = await ask('OPTIONS', '/trade', preflight)
      expect([status, headers['access-control-allow-origin']]).to.deep.equal([204, page])
      expect(headers['access-control-allow-headers']).to.contain('idempotency-key')
      expect(headers['access-control-allow-credentials']).to.equal(undefined)
      expect((await ask('POST', '/trade', { origin: page })).status).to.equal(401)
      const answer = await ask('POST', '/trade', { origin: page, ...bearer('tom:trader') })
      expect([answer.status, answer.headers['access-control-allow-origin']]).to.deep.equal([200, page])
      expect(answer.headers['access-control-expose-headers']).to.contain('location')
    })

    it('are told nothing when they are not', async () => {
      for (const corsOrigins of [[], [page]]) {
        const { ask } = await door({ verifier: named, corsOrigins })
        const { headers } = await ask('OPTIONS', '/trade', { ...preflight, origin: 'https://evil.example.org' })
        expect(headers['access-control-allow-origin']).to.equal(undefined)
      }
    })
  })

  it('sends security headers with every answer, a refusal too', async () => {
    const { ask } = await door({ verifier: named })
    for (const { headers } of [await ask('GET', '/open'), await ask('POST', '/trade')]) {
      expect(headers['x-content-type-options']).to.equal('nosniff')
      expect(headers['strict-transport-security']).to.be.a('string')
      expect(headers['content-security-policy'])
        .to.contain("script-src 'self'")
        .and.to.contain("frame-ancestors 'none'")
        .and.to.not.contain('upgrade-insecure-requests')
      expect(headers['x-powered-by']).to.equal(undefined)
    }
  })

  it('lets nobody on the way keep what is not open', async () => {
    const { ask } = await door({ verifier: named })
    expect((await ask('GET', '/read', bearer('v:viewer'))).headers['cache-control']).to.equal('no-store')
    expect((await ask('GET', '/open')).headers['cache-control']).to.equal(undefined)
  })

  it('takes no body that is larger than a command may be', async () => {
    const { ask, reached } = await door()
    const payload = { reason: 'x'.repeat(70_000) }
    expect((await ask('POST', '/change', {}, { payload })).status).to.equal(413)
    expect(reached).to.deep.equal([])
    expect((await ask('POST', '/change', {}, { payload: { reason: 'x'.repeat(60_000) } })).status).to.equal(200)
  })

  it('gives up on a request that does not end, and on a route that does not answer, unless it is patient', async () => {
    const { app } = await door({}, { http: { connectionsCheckingInterval: 50 } })
    const times: Record<string, unknown> = {}
    app.addHook('onRoute', ({ url, handlerTimeout, bodyLimit }) => {
      times[url] = [handlerTimeout, bodyLimit]
    })
    app.get('/waits', { config: { role: 'open', patient: true } }, async () => 'waited')
    app.get('/answers', { config: { role: 'open' } }, async () => 'answered')
    expect(times).to.deep.equal({ '/waits': [undefined, 65_536], '/answers': [60_000, 65_536] })
    expect(app.server.requestTimeout).to.equal(15_000)
    app.server.requestTimeout = 200
    app.server.headersTimeout = 100
    await app.listen({ host: '127.0.0.1', port: 0 })
    const socket = connect((app.server.address() as { port: number }).port, '127.0.0.1')
    let heard = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text
    })
    socket.write('POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    await once(socket, 'close')
    expect(heard).to.match(/^HTTP\/1\.1 408 /)
  })
})

describe('the roles', () => {
  it('are each above the one before', () => {
    expect(roles.map((role) => roles.filter((needed) => atLeast(role, needed)).length)).to.deep.equal([1, 2, 3])
  })

  it('let traders trade and halt, and only admins change what all stand on', () => {
    for (const intent of ['orchestrator', 'allocation', 'reconcile', 'halt', 'close-all', 'cancel-order', 'spymacdvixy'])
      expect(roleForIntent(intent), intent).to.equal('trader')
    for (const intent of ['configure', 'resume', 'resolve-order', 'explain']) expect(roleForIntent(intent), intent).to.equal('admin')
    expect(roleForIntent('summary')).to.equal('viewer')
  })

  it('let a trader look at the risk, and only an admin count its peaks anew', () => {
    for (const body of [{}, { resetPeaks: false }, null, 7]) expect(roleForCommand('risk-check', body)).to.equal('trader')
    expect(roleForCommand('risk-check', { resetPeaks: true, reason: 'new money' })).to.equal('admin')
    expect(roleForCommand('summary', { resetPeaks: true })).to.equal('viewer')
  })
})
