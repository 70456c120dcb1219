/** One request, followed from HTTP through its command, its events and its orders to the lines of the log; and who may make it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { UnsecuredJWT } from 'jose'
import { messagesOf } from '../../../projections/event-messages.ts'
import { type Rig, startRig } from '../../rig.ts'
import { inSeconds, type Signer, signerWith, tokenOf } from './issuer.ts'

type Line = { level: string; fields: Record<string, unknown>; text: string }

describe('a request over HTTP', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'ibt-request-'))
  const keys = join(folder, 'keys.json')
  const lines: Line[] = []
  const say = (level: string) => (fields: object, text: string) => void lines.push({ level, fields: fields as Line['fields'], text })
  let rig: Rig
  let signer: Signer

  const tokenFor = (sub: string, role: string, more: object = {}) =>
    tokenOf(signer, { iss: 'https://issuer.example.org', aud: 'ibt', sub, role, exp: inSeconds(300), ...more })
  const post = async (path: string, body: object, token: string | undefined, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${rig.composed.httpPort()}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        ...{ 'content-type': 'application/json', prefer: 'wait=0', ...headers },
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    })
    const answer = (await response.json()) as Record<string, unknown>
    await rig.driver.settled()
    return { status: response.status, code: answer['code'], id: response.headers.get('location')?.split('/').at(-1) }
  }
  const published = async () => {
    const found: { type: string; attributes: Record<string, string> }[] = []
    for await (const stored of rig.composed.journal.read(1))
      for (const { attributes } of messagesOf(stored)) found.push({ type: attributes['type']!, attributes })
    return found
  }

  before(async () => {
    signer = await signerWith('k1', 'ES256')
    writeFileSync(keys, JSON.stringify({ keys: [signer.publicJwk] }))
    const identity = { audience: ['ibt'], own: { issuer: 'https://issuer.example.org', keys, roleClaim: 'role' } }
    rig = await startRig({
      access: { identity, corsOrigins: [], requestsPerMinute: 1_000 },
      log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    })
    await rig.driver.connected()
  })
  after(async () => {
    await rig?.stop()
    rmSync(folder, { recursive: true })
  })

  it('that nobody signed, or whose role is too low, leaves no trace on any topic and in no journal', async () => {
    const { position } = await rig.composed.journal.head()
    const expired = await tokenFor('anna', 'admin', { exp: inSeconds(-300) })
    const forged = (await tokenFor('anna', 'admin')).replace(/\.[^.]+$/, `.${'A'.repeat(86)}`)
    const claims = { iss: 'https://issuer.example.org', aud: 'ibt', sub: 'anna', role: 'admin', exp: inSeconds(300) }
    const unsigned = new UnsecuredJWT(claims).encode()
    const refused: [token: string | undefined, status: number, code: string][] = [
      [undefined, 401, 'TOKEN_MISSING'],
      [expired, 401, 'TOKEN_EXPIRED'],
      [forged, 401, 'TOKEN_SIGNATURE'],
      [unsigned, 401, 'TOKEN_ALGORITHM'],
      [await tokenFor('anna', 'admin', { aud: 'somebody else' }), 401, 'TOKEN_AUDIENCE'],
      [await tokenFor('anna', 'admin', { iss: 'https://evil.example.org' }), 401, 'TOKEN_ISSUER'],
      [await tokenFor('anna', 'admin', { nbf: inSeconds(300) }), 401, 'TOKEN_NOT_YET_VALID'],
      [await tokenFor('eve', 'viewer'), 403, 'ROLE_TOO_LOW'],
      [await tokenFor('tom', 'trader'), 403, 'ROLE_TOO_LOW'],
      [await tokenFor('eve', 'root'), 403, 'CALLER_UNKNOWN'],
    ]
    for (const [token, status, code] of refused)
      expect(await post('/resume', { reason: 'mine' }, token)).to.deep.include({ status, code, id: undefined })
    const lifted = await post('/risk-check', { resetPeaks: true, reason: 'mine' }, await tokenFor('tom', 'trader'))
    expect(lifted).to.deep.include({ status: 403, code: 'ROLE_TOO_LOW', id: undefined })
    expect((await rig.composed.journal.head()).position).to.equal(position)
    expect(await rig.composed.bus.deadLetters()).to.deep.equal([])
  })

  it('is named in the command, in each of its events, in its orders and their fills, and in every line about them', async () => {
    const admin = await tokenFor('anna', 'admin')
    const changes = { 'strategies.trend.allocation': 0.5, 'strategies.trend.parameters.wants': '100' }
    await post('/configure', { changes }, admin, { 'x-request-id': 'setup-1' })
    await post('/resume', {}, admin, { 'x-request-id': 'setup-2' })
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const asked = await post('/orchestrator', { strategies: ['trend'] }, await tokenFor('tom', 'trader'), {
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    })
    expect(asked.status).to.equal(202)

    expect(await rig.composed.documents.get(`commands/${asked.id}`)).to.deep.include({
      status: 'completed',
      actor: 'tom',
      correlationId: trace,
    })
    const types = (await published()).flatMap(({ type, attributes }) => (attributes['correlationId'] === trace ? [type] : []))
    expect(types).to.include.members([
      ...['PipelineStarted', 'SignalGenerated', 'PositionReconciled', 'AllocationDecided', 'OrderPlanned'],
      ...['OrderPlaced', 'FillReceived', 'OrderClosed', 'PipelineEnded'],
    ])
    const [order] = Object.values(rig.composed.engine.ledger.orders)
    expect(order).to.include({ symbol: 'SPY', status: 'closed', correlationId: trace })

    const said = lines.filter(({ fields }) => fields['correlationId'] === trace)
    expect(said.filter(({ fields }) => 'command' in fields).every(({ fields }) => fields['actor'] === 'tom')).to.equal(true)
    expect(said.map(({ text }) => text)).to.include.members(['orchestrator decided: PipelineStarted', 'order of 100 SPY planned'])
    const aboutOrder = said.filter(({ fields }) => fields['orderRef'] === order!.orderRef).map(({ fields }) => fields['event'])
    expect(aboutOrder).to.include.members(['OrderPlanned', 'OrderPlaced', 'FillReceived', 'OrderClosed'])
  })

  it('is told apart from another one: what has an id of its own keeps it', async () => {
    const correlations = (await published()).flatMap(({ type, attributes }) =>
      type === 'ConfigurationChanged' || type === 'TradingResumed' ? [attributes['correlationId']] : [],
    )
    expect(correlations).to.deep.equal(['setup-1', 'setup-2'])
  })

  it('leaves its token nowhere', async () => {
    const token = await tokenFor('tom', 'trader')
    await post('/reconcile', {}, token)
    await post('/reconcile?access_token=s3cr3t-s3cr3t', { token }, token)
    const commits = JSON.stringify(await rig.commits())
    for (const part of ['eyJ', 's3cr3t', token.split('.')[2]!]) {
      expect(commits).to.not.contain(part)
      expect(JSON.stringify(lines)).to.not.contain(part)
    }
  })
})
