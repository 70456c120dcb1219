/** A message that the engine gave up, in the hands of people with roles: who may look at it, ask again, let go of it; on each store. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { DeadLetter } from '../../../domain/ports/bus.ts'
import { until } from '../../contract/until.ts'
import { type Rig, startRig } from '../../rig.ts'
import { onEachStore } from '../../stores.ts'
import { inSeconds, type Signer, signerWith, tokenOf } from './issuer.ts'

onEachStore('dead letters over HTTP', (store) => {
  let folder: string
  let rig: Rig
  let signer: Signer
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ibt-letters-'))
    signer = await signerWith('k1', 'ES256')
    const keys = join(folder, 'keys.json')
    writeFileSync(keys, JSON.stringify({ keys: [signer.publicJwk] }))
    const identity = { audience: ['ibt'], own: { issuer: 'https://issuer.example.org', keys, roleClaim: 'role' } }
    rig = await startRig({ store: store(), names: ['Trend'], access: { identity, corsOrigins: [], requestsPerMinute: 1_000 } })
    await rig.driver.connected()
    for (const attributes of [{ type: 'reconcile' }, { type: 'reconcile', actor: 'tom' }] as Record<string, string>[])
      await rig.composed.bus.publish('paper-commands', { data: '{"half": ', attributes })
    await until('both are given up', async () => (await rig.composed.bus.deadLetters()).length === 2, 30_000)
  })
  after(async () => {
    await rig?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const ask = async <T = Record<string, unknown>>(role: string | undefined, method: 'GET' | 'POST', path: string, body?: object) => {
    const token =
      role && (await tokenOf(signer, { iss: 'https://issuer.example.org', aud: 'ibt', sub: `a-${role}`, role, exp: inSeconds(300) }))
    const response = await fetch(`http://127.0.0.1:${rig.composed.httpPort()}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, location: response.headers.get('location'), body: (await response.json()) as T }
  }
  const letters = async () => (await ask<DeadLetter[]>('admin', 'GET', '/dead-letters')).body

  it('are for admins: a viewer, a trader and a stranger neither see nor touch them', async () => {
    const [{ id }] = (await letters()) as [DeadLetter, DeadLetter]
    const requests = [
      ['GET', '/dead-letters'],
      ['POST', `/dead-letters/${id}/republish`],
      ['POST', `/dead-letters/${id}/discard`],
    ] as const
    for (const [method, path] of requests) {
      for (const role of ['viewer', 'trader']) {
        const { status, body } = await ask(role, method, path)
        expect([status, body['code']], `${role} ${path}`).to.deep.equal([403, 'ROLE_TOO_LOW'])
      }
      expect((await ask(undefined, method, path)).status).to.equal(401)
    }
    expect(await letters()).to.have.length(2)
  })

  it('are shown with their reason, and one is asked for again with a body that can be read, by who did that', async () => {
    const [first, second] = (await letters()) as [DeadLetter, DeadLetter]
    for (const letter of [first, second])
      expect(letter).to.deep.include({ data: '{"half": ', subscription: 'paper-commands-engine', reason: 'the body is not JSON' })
    const tomsLetter = [first, second].find(({ attributes }) => attributes['actor'] === 'tom')!
    const unfit = await ask('admin', 'POST', `/dead-letters/${tomsLetter.id}/republish`)
    expect([unfit.status, unfit.body['code']]).to.deep.equal([409, 'LETTER_UNFIT'])

    const { status, location, body } = await ask('admin', 'POST', `/dead-letters/${tomsLetter.id}/republish`, { data: {} })
    expect([status, location, body['id']]).to.deep.equal([202, `/commands/${tomsLetter.id}`, tomsLetter.id])
    await rig.driver.settled()
    const done = await ask('viewer', 'GET', location!)
    expect(done.body).to.include({ id: tomsLetter.id, type: 'reconcile', status: 'completed', actor: 'a-admin' })
    expect((await letters()).map(({ id }) => id)).to.not.include(tomsLetter.id)
  })

  it('are let go of, and then there is none', async () => {
    const [{ id }] = (await letters()) as [DeadLetter]
    expect((await ask<DeadLetter>('admin', 'POST', `/dead-letters/${id}/discard`)).body).to.include({ id, reason: 'the body is not JSON' })
    expect(await letters()).to.deep.equal([])
    const gone = await ask('admin', 'POST', `/dead-letters/${id}/discard`)
    expect([gone.status, gone.body['code']]).to.deep.equal([404, 'NOTHING_HERE'])
  })
})
