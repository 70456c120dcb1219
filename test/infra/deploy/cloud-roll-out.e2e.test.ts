import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import type { HttpContext } from '../../../infra/http/context.ts'
import { createHealth } from '../../../infra/http/health.ts'
import { cloud, cloudWorld, deed, stepOf, type World } from './cloud-world.ts'
import { needs } from './images-tools.ts'

const image = (name: string, number: number) =>
  `us-east1-docker.pkg.dev/my-trading-1/ib-trading/${name}@sha256:${String(number).repeat(64)}`
const of = (number: number) => ({ APPLICATION_IMAGE: image('application', number), BASE_IMAGE: image('base', number) })
const settings = {
  ...{ TRADING_MODE: 'paper', GATEWAY: 'gateway', FIRESTORE_DATABASE: 'paper', SECRET_NAME: 'ib-paper', REPO_NAME: 'ib-trading' },
  ...{ LOOK_EVERY: '0.05', LEASE_SECONDS: '30', READY_SECONDS: '30' },
}

/** For what never comes. */
const soon = { LEASE_SECONDS: '1', READY_SECONDS: '1' }

/** A project with an API that answers as the real one does: its engine holds the lease while it runs, and a while longer. */
type Cloud = World & {
  rollOut(number: number, more?: Record<string, string>): ReturnType<World['run']>
  /** What runs: the numbers of the images, and how many engines. */
  runs(): { api: string | undefined; engine: string | undefined; engines: string | undefined }
  /** How often it still says that the lease is held once no engine runs. */
  lingers: number
  /** So often it cannot say in time, once no engine runs. */
  unseen: number
  /** These images never become ready, or only their gateway does not. */
  broken: Set<number>
  withoutGateway: Set<number>
  asked: { path: string | undefined; token: string | undefined; engines: string | undefined }[]
  whenAsked(): void
}

describe('a roll-out', function () {
  this.timeout(180_000)
  let server: Server
  let project: Cloud
  let refused: string | undefined

  const numberIn = (file: string | undefined) => /application@sha256:(\d)/.exec(file ?? '')?.[1]
  const partsNow = (): Record<string, { ok: boolean; reason: string }> => {
    const { engine, engines } = project.runs()
    let reason = 'no engine holds the lease'
    const running = engines === '1' && !project.broken.has(Number(engine))
    const held = running || (engines !== undefined && project.lingers-- > 0)
    if (engines === '0' && project.unseen-- > 0) reason = 'no answer within 2 s'
    const part = (ok: boolean, reason: string) => ({ ok, reason: ok ? 'fine' : reason })
    return {
      ...{ store: part(true, ''), bus: part(true, ''), projections: part(true, ''), relay: part(true, '') },
      engine: part(held, reason),
      gateway: part(running && !project.withoutGateway.has(Number(engine)), 'the gateway is away'),
    }
  }

  before(function () {
    for (const tool of ['curl', 'python3']) needs(this, tool)
  })
  beforeEach(async () => {
    refused = undefined
    const world = cloudWorld()
    const runs = () => {
      const state = world.state()
      return {
        api: numberIn(state['run-services--ib-paper']),
        engine: numberIn(state['run-worker-pools--ib-paper-engine']),
        engines: world.scaling(),
      }
    }
    project = {
      ...world,
      ...{ runs, lingers: 0, unseen: 0, broken: new Set(), withoutGateway: new Set(), asked: [], whenAsked: () => undefined },
      rollOut: (number, more = {}) => {
        const { port } = server.address() as { port: number }
        return world.run('roll-out.sh', [], { ...settings, ...of(number), FAKE_ADDRESS: `http://127.0.0.1:${port}`, ...more })
      },
    }
    server = createServer((request: IncomingMessage, response) => {
      const token = request.headers['x-serverless-authorization'] as string | undefined
      project.asked.push({ path: request.url, token, engines: runs().engines })
      project.whenAsked()
      if (refused !== undefined) return void response.writeHead(403).end(refused)
      const parts = partsNow()
      const ready = Object.values(parts).every(({ ok }) => ok)
      response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify({ parts }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve))
    project.remove()
  })

  const changes = () =>
    project
      .calls()
      .filter((call) => call.includes('replace') || call.some((word) => word.startsWith('--scaling=')))
      .map((call) =>
        [...call.filter((word) => !word.startsWith('--') || word.startsWith('--scaling='))].join(' ').replaceAll(/\/\S*\//g, ''),
      )

  it('begins where nothing runs yet: API, then one engine', async () => {
    const { code, errors } = await project.rollOut(1)
    expect(code, errors).to.equal(0)
    expect(errors).to.contain('rolled out')
    expect(project.runs()).to.deep.equal({ api: '1', engine: '1', engines: '1' })
    expect(changes()).to.deep.equal(['run services replace api.yaml', 'beta run worker-pools replace engine.yaml'])
    expect(readFileSync(project.file('engine.yaml'), 'utf8')).to.not.contain('ALERT_')
  })

  it('tells the engine whom to tell, as the last step of the build is given it', async () => {
    const given = { _ALERT_WEBHOOK: 'yes', _ALERT_MAIL_TO: 'anna@example.org,ben@example.org', _USER_EMAIL_ACCOUNT: 'anna@example.org' }
    const { code, errors } = await project.rollOut(1, { ...stepOf('application', 'roll-out', given).env, ...of(1) })
    expect(code, errors).to.equal(0)
    type Variable = { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string } } }
    type Manifest = { spec: { template: { spec: { containers: { name: string; env: Variable[] }[] } } } }
    const { containers } = (parse(readFileSync(project.file('engine.yaml'), 'utf8')) as Manifest).spec.template.spec
    const told = containers.map(({ name, env }) => [name, ...env.filter((each) => each.name.startsWith('ALERT_'))])
    expect(told).to.deep.equal([
      [
        'engine',
        { name: 'ALERT_WEBHOOK_URL', valueFrom: { secretKeyRef: { name: 'ib-paper-alert-webhook', key: 'latest' } } },
        { name: 'ALERT_SMTP_URL', valueFrom: { secretKeyRef: { name: 'ib-paper-alert-smtp', key: 'latest' } } },
        { name: 'ALERT_MAIL_TO', value: 'anna@example.org,ben@example.org' },
      ],
      ['gateway'],
    ])
  })

  it('takes the count to 0, waits until the lease is free, takes it to 1, and asks /ready with a token', async () => {
    await project.rollOut(1)
    project.forget()
    project.asked = []
    project.lingers = 3
    const { code, errors } = await project.rollOut(2)
    expect(code, errors).to.equal(0)
    expect(project.runs()).to.deep.equal({ api: '2', engine: '2', engines: '1' })
    expect(changes()).to.deep.equal([
      'run services replace api.yaml',
      'beta run worker-pools update ib-paper-engine --scaling=0',
      'beta run worker-pools replace engine.yaml',
    ])
    expect(project.asked.filter(({ engines }) => engines === '0')).to.have.length(4)
    for (const { path, token } of project.asked) expect([path, token]).to.deep.equal(['/ready', 'Bearer a-token'])
  })

  it('brings back API and engine as they were when the new engine is not ready, and says what was wrong', async () => {
    await project.rollOut(1)
    project.forget()
    project.broken.add(2)
    const { code, errors } = await project.rollOut(2, { READY_SECONDS: '1' })
    expect(code).to.equal(1)
    expect(errors).to.contain('engine: no engine holds the lease').and.to.contain('step "smoke test" failed')
    expect(errors).to.contain('what ran before runs again')
    expect(project.runs()).to.deep.equal({ api: '1', engine: '1', engines: '1' })
    expect(changes().slice(3)).to.deep.equal([
      'beta run worker-pools update ib-paper-engine --scaling=0',
      'run services replace api.before.yaml',
      'beta run worker-pools replace engine.before.yaml',
    ])
  })

  it('leaves no engine running where none ran before and the first one is not ready', async () => {
    project.broken.add(1)
    const { code, errors } = await project.rollOut(1, { READY_SECONDS: '1' })
    expect(code).to.equal(1)
    expect(errors).to.contain('no engine ran before, and none runs now')
    expect(project.runs().engines).to.equal('0')
  })

  it('begins no second engine while the old one holds the lease', async () => {
    await project.rollOut(1)
    project.lingers = Number.POSITIVE_INFINITY
    project.forget()
    const { code, errors } = await project.rollOut(2, soon)
    expect(code).to.equal(1)
    expect(errors).to.contain('an engine still holds it')
    expect(project.runs()).to.deep.equal({ api: '1', engine: '1', engines: '1' })
    expect(changes()).not.to.include('beta run worker-pools replace engine.yaml')
  })

  it('takes no look at the lease that came to nothing for a free one', async () => {
    await project.rollOut(1)
    project.asked = []
    project.unseen = 3
    const late = await project.rollOut(2)
    expect(late.code, late.errors).to.equal(0)
    expect(project.asked.filter(({ engines }) => engines === '0')).to.have.length(4)
    project.unseen = Number.POSITIVE_INFINITY
    project.forget()
    const never = await project.rollOut(3, soon)
    expect([never.code, never.errors.includes('engine: no answer within 2 s')], never.errors).to.deep.equal([1, true])
    expect(changes()).not.to.include('beta run worker-pools replace engine.yaml')
    expect(project.runs()).to.deep.equal({ api: '2', engine: '2', engines: '1' })
  })

  it('knows a free lease by the words of the API', async () => {
    const clock = { now: () => 0, monotonic: () => 0, after: () => () => undefined }
    const context = { clock, lease: { current: async () => undefined }, where: { mode: 'paper' }, relayed: false }
    const { parts } = await createHealth(context as unknown as HttpContext)()
    expect(parts['engine']).to.deep.equal({ ok: false, reason: 'no engine holds the lease' })
    expect(readFileSync(join(cloud, 'roll-out.sh'), 'utf8')).to.contain(`'engine=${parts['engine']!.reason}'`)
  })

  it('brings back what ran before when Cloud Run does not take the new engine, and touches no engine when it does not take the API', async () => {
    await project.rollOut(1)
    const engine = await project.rollOut(2, { FAIL_AT: '/engine.yaml' })
    expect([engine.code, project.runs()]).to.deep.equal([1, { api: '1', engine: '1', engines: '1' }], engine.errors)
    project.forget()
    const api = await project.rollOut(2, { FAIL_AT: '/api.yaml' })
    expect([api.code, project.runs()]).to.deep.equal([1, { api: '1', engine: '1', engines: '1' }], api.errors)
    expect(changes().filter((change) => change.includes('worker-pools'))).to.deep.equal([])
  })

  it('changes nothing when it cannot see what runs now', async () => {
    await project.rollOut(1)
    project.forget()
    for (const what of ['worker-pools describe', 'services describe']) {
      const { code, errors } = await project.rollOut(2, { FAIL_AT: what })
      expect(code).to.equal(1)
      expect(errors).to.contain('it was told to fail here').and.to.contain('nothing was changed')
    }
    expect(changes()).to.deep.equal([])
    expect(project.runs()).to.deep.equal({ api: '1', engine: '1', engines: '1' })
  })

  it('says what came instead of an answer of the API', async () => {
    refused = 'Error: Forbidden'
    const { code, errors } = await project.rollOut(1, soon)
    expect([code, errors.includes('the API did not answer as it should: Error: Forbidden')], errors).to.deep.equal([1, true])
    expect(project.runs().engines).to.equal(undefined)
  })

  it('says in the words of gcloud why it got no token', async () => {
    const { code, errors } = await project.rollOut(1, { ...soon, FAIL_AT: 'print-identity-token' })
    expect([code, errors.includes('it was told to fail here')], errors).to.deep.equal([1, true])
    expect(project.asked).to.deep.equal([])
    // Where gcloud takes no audience, as a person's, it is asked without one.
    const person = await project.rollOut(1, { FAIL_AT: 'print-identity-token --audiences' })
    expect(person.code, person.errors).to.equal(0)
    expect(person.errors).not.to.contain('told to fail')
  })

  it('tries every part of the way back, and says which was not to be had', async () => {
    await project.rollOut(1)
    project.broken.add(2)
    const { code, errors } = await project.rollOut(2, { FAIL_AT: 'api.before.yaml', READY_SECONDS: '1' })
    expect(code).to.equal(1)
    expect(errors).to.contain('not everything could be brought back: look at ib-paper-engine and ib-paper now')
    expect(project.runs()).to.deep.equal({ api: '2', engine: '1', engines: '1' })
  })

  it('brings back what ran before when it is ended in the middle', async () => {
    await project.rollOut(1)
    project.broken.add(2)
    const script = join(project.path, 'in-the-middle.sh')
    writeFileSync(script, `echo $$ > ${project.path}/pid; exec bash ${cloud}/roll-out.sh`)
    let ended = false
    project.whenAsked = () => {
      if (ended || project.runs().engine !== '2') return
      ended = true
      process.kill(Number(readFileSync(join(project.path, 'pid'), 'utf8')), 'SIGTERM')
    }
    const { port } = server.address() as { port: number }
    const more = { ...settings, ...of(2), FAKE_ADDRESS: `http://127.0.0.1:${port}` }
    const { code, errors } = await project.run(script, [], more)
    expect([ended, code], errors).to.deep.equal([true, 143])
    expect(project.runs()).to.deep.equal({ api: '1', engine: '1', engines: '1' })
  })

  it('asks for the gateway too, unless it is told that IB is away', async () => {
    project.withoutGateway.add(1)
    const strict = await project.rollOut(1, { READY_SECONDS: '1' })
    expect([strict.code, strict.errors.includes('gateway: the gateway is away')]).to.deep.equal([1, true])
    const lenient = await project.rollOut(1, { SMOKE_TEST: 'engine' })
    expect(lenient.code, lenient.errors).to.equal(0)
  })

  it('refuses an image without its digest, and names a variable that is missing, before anything runs', async () => {
    const { code, errors } = await project.rollOut(1, { APPLICATION_IMAGE: 'us-east1-docker.pkg.dev/a/b/application:latest' })
    expect([code, errors.startsWith('roll-out.sh: APPLICATION_IMAGE: must be named by its digest')], errors).to.deep.equal([1, true])
    for (const name of ['PROJECT_ID', 'GCP_REGION', 'BASE_IMAGE', 'SECRET_NAME', 'USER_EMAIL_ACCOUNT'])
      expect((await project.rollOut(1, { [name]: '' })).errors).to.match(new RegExp(`^roll-out.sh: ${name}: is not set`))
    expect(project.calls()).to.deep.equal([])
  })

  it('prints in a dry run what it would run, and runs none of it', async () => {
    const { code, out, errors } = await project.run('roll-out.sh', ['--dry-run'], { ...settings, ...of(1) })
    expect(code, errors).to.equal(0)
    const order = [
      'run services replace',
      'worker-pools update ib-paper-engine --scaling=0',
      'until no engine',
      'worker-pools replace',
      '/ready says yes',
    ]
    const places = order.map((words) => out.indexOf(words, out.indexOf('run services replace')))
    expect(places, out).to.deep.equal([...places].sort((one, other) => one - other))
    expect(Math.min(...places)).to.be.greaterThan(-1)
    expect(project.calls().map(deed)).to.deep.equal([])
  })

  it('runs the simulator in the place of the gateway without its image and its secrets', async () => {
    const { code, errors } = await project.rollOut(1, { GATEWAY: 'simulator', BASE_IMAGE: '' })
    expect(code, errors).to.equal(0)
    const manifest = project.state()['run-worker-pools--ib-paper-engine']!
    expect(manifest)
      .to.contain('name: simulator')
      .and.not.to.match(/secretName|\/base@/)
  })
})
