/** Every command of gcloud that our scripts give, as they give it, before gcloud's own parser. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { printedOf, uploadedFrom, wrongCommands } from './cloud-gcloud.ts'
import { cloudWorld, root, stepOf, variables, type World } from './cloud-world.ts'
import { needs } from './images-tools.ts'

const deploy = join(root, 'infra/deploy')
const digest = `sha256:${'1'.repeat(64)}`
const images = {
  APPLICATION_IMAGE: `us-east1-docker.pkg.dev/my-trading-1/ib-trading/application@${digest}`,
  BASE_IMAGE: `us-east1-docker.pkg.dev/my-trading-1/ib-trading/base@${digest}`,
}
const all = ['--with-data', '--with-shared']

const succeeds = async (world: World, ...asked: Parameters<World['run']>): Promise<void> => {
  const { code, errors } = await world.run(...asked)
  expect(code, `${asked[0]}: ${errors}`).to.equal(0)
}
const inWorld = (world: World, name: string, text: string): string => {
  writeFileSync(join(world.path, name), text)
  return join(world.path, name)
}

const setUpForPaper = async (world: World): Promise<void> => {
  await succeeds(world, 'set-up.sh')
  await succeeds(world, 'set-up.sh', ['--only', 'database', '--only', 'triggers'])
  // From the simulator to the gateway and back, and with everything that may be taken away in between.
  const people = { ALERT_WEBHOOK: 'yes', ALERT_MAIL_TO: 'anna@example.org,ben@example.org' }
  const from = (name: string): string => inWorld(world, name, 'an address')
  const addresses = { ALERT_WEBHOOK_URL_FILE: from('webhook'), ALERT_SMTP_URL_FILE: from('smtp') }
  for (const more of [
    { GATEWAY: 'simulator', SHAPE: 'run' },
    { ...people, ...addresses },
  ])
    await succeeds(world, 'set-up.sh', ['--only', 'secrets', '--only', 'roles', '--only', 'triggers', '--only', 'deploy'], more)
  await succeeds(world, 'set-up.sh', ['--only', 'secrets', '--rotate'], { IB_USER_FILE: '', IB_PASSWORD_FILE: '' }, 'user\npassword\n')
  // What the set-up tells the build is what its last step needs.
  const submit = world.calls().find((call) => call[1] === 'submit' && call.some((word) => word.endsWith('/application.cloudbuild.yaml')))!
  const told = submit.find((word) => word.startsWith('--substitutions='))!.slice('--substitutions=^;^'.length)
  const step = stepOf('application', 'roll-out', Object.fromEntries(told.split(';').map((each) => each.split('=') as [string, string])))
  const none = Object.fromEntries(Object.keys(variables).map((name) => [name, '']))
  const script = inWorld(world, 'step.sh', `cd ${root}\n${step.script.replace(/roll-out\.sh$/m, 'roll-out.sh --dry-run')}`)
  await succeeds(world, script, [], { ...none, ...step.env })
}

/** There, with the simulator and the gateway, and the way back when the new engine does not answer. */
const rollOut = async (world: World): Promise<void> => {
  const server = createServer((_request, response) => {
    const running = { ok: world.scaling() === '1', reason: 'no engine holds the lease' }
    const fine = { ok: true, reason: 'fine' }
    const parts = { store: fine, bus: fine, projections: fine, relay: fine, engine: running, gateway: running }
    response.end(JSON.stringify({ parts }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const settings = {
    ...{ ...images, TRADING_MODE: 'paper', FIRESTORE_DATABASE: 'paper', SECRET_NAME: 'ib-paper', REPO_NAME: 'ib-trading' },
    ...{ FAKE_ADDRESS: `http://127.0.0.1:${port}`, LOOK_EVERY: '0.05' },
    ...{ ALERT_WEBHOOK: 'yes', ALERT_MAIL_TO: 'anna@example.org,ben@example.org' },
  }
  for (const GATEWAY of ['simulator', 'gateway']) await succeeds(world, 'roll-out.sh', [], { ...settings, GATEWAY })
  await new Promise((resolve) => server.close(resolve))
  const nobody = { LEASE_SECONDS: '0', READY_SECONDS: '0' }
  expect((await world.run('roll-out.sh', [], { ...settings, ...nobody, GATEWAY: 'gateway' })).code).to.equal(1)
}

const setUpForLive = async (world: World): Promise<void> => {
  const live = { TRADING_MODE: 'live', SHAPE: 'vm', GCP_ZONE: 'us-east1-b', IB_ACCOUNT: 'U1234567' }
  for (const _ of ['created', 'updated']) await succeeds(world, 'set-up.sh', ['--only', 'deploy', '--only', 'roles'], live)
  await succeeds(world, 'tear-down.sh', all, live, 'my-trading-1\n')
}

const watchAndArchive = async (world: World): Promise<void> => {
  const channel = { ALERT_CHANNEL: 'projects/my-trading-1/notificationChannels/1' }
  for (const more of [channel, channel]) await succeeds(world, join(deploy, 'observability/apply.sh'), [], more)
  await succeeds(world, join(deploy, 'archive/set-up.sh'), [], { TRADING_MODE: 'paper', BIGQUERY_LOCATION: 'europe-west1' })
}

/** The files that were gone with their script are where the fake gcloud has put them. */
const withFiles = (world: World, call: readonly string[]): string[] =>
  call.map((word) => {
    const path = /(?:^|=)(\/[^=]*\.?\w+)$/.exec(word)?.[1] ?? ''
    return path !== '' && !existsSync(path) && existsSync(world.file(path)) ? word.replace(path, world.file(path)) : word
  })

/** Two commands of one shape differ in what they name, and gcloud's parser sees no difference. */
const shapeOf = (call: readonly string[]): string =>
  call
    .map((word) => (word.startsWith('--') ? word.split('=')[0] : /^(paper|live|ib|gs:|\/|projects\/)/.test(word) ? 'NAME' : word))
    .join(' ')

describe('the commands of gcloud in all scripts', function () {
  this.timeout(240_000)
  const worlds: World[] = []
  let calls: string[][]

  before(async function () {
    needs(this, 'gcloud')
    const [paper, other] = [cloudWorld(), cloudWorld()]
    worlds.push(paper, other)
    const inPaper = async (): Promise<void> => {
      await setUpForPaper(paper)
      await rollOut(paper)
      await succeeds(paper, 'tear-down.sh', all, {}, 'my-trading-1\n')
    }
    const inOther = async (): Promise<void> => {
      await setUpForLive(other)
      await watchAndArchive(other)
    }
    await Promise.all([inPaper(), inOther()])
    calls = worlds.flatMap((world) => world.calls().map((call) => withFiles(world, call)))
  })
  after(() => {
    for (const world of worlds) world.remove()
  })

  it('are all that the files name', () => {
    const files = ['cloud', 'observability', 'archive', 'vm'].flatMap((folder) =>
      readdirSync(join(deploy, folder))
        .filter((name) => /\.(sh|yaml)$/.test(name))
        .map((name) => join(deploy, folder, name)),
    )
    const named = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => !/^\s*#|\b(echo|say) ["']/.test(line))
        .flatMap((line) => [...line.matchAll(/\bgcloud ((?:[a-z][a-z-]+ )+)/g)].map(([, words]) => words!)),
    )
    expect(named.length).to.be.greaterThan(60)
    const given = calls.map((call) => `${call.join(' ')} `)
    expect([...new Set(named)].filter((words) => !given.some((call) => call.startsWith(words)))).to.deep.equal([])
  })

  it('are taken by gcloud as they stand, and not with a wrong flag, verb or value, with one missing, or a field that there is not', () => {
    const find = (...words: string[]) => calls.find((call) => words.every((word) => call.includes(word)))!
    const manifest = find('worker-pools', 'replace').find((word) => word.endsWith('engine.yaml'))!
    const spoiled = manifest.replace('engine.yaml', 'spoiled.yaml')
    writeFileSync(spoiled, readFileSync(manifest, 'utf8').replace('serviceAccountName:', 'serviceAcount:'))
    const planted = [
      find('repositories', 'create').map((word) => word.replace('--repository-format', '--repo-format')),
      find('databases', 'update').map((word) => word.replace('--enable-pitr', '--pitr')),
      find('firewall-rules', 'create').map((word) => (word === 'create' ? 'make' : word)),
      find('schedules', 'create').map((word) => word.replace(/^--recurrence=.*/, '--recurrence=sometimes')),
      find('jobs', 'create').filter((word) => !word.startsWith('--schedule=')),
      find('worker-pools', 'replace').map((word) => word.replace(manifest, spoiled)),
    ]
    const shapes = [...new Map(calls.map((call) => [shapeOf(call), call])).values()]
    expect(shapes.length).to.be.greaterThan(80)
    const wrong = wrongCommands([...shapes, ...planted])
    const commandOf = (words: readonly string[]): string => `gcloud ${words.join(' ')}`
    expect(wrong.filter(({ command }) => !planted.map(commandOf).includes(command))).to.deep.equal([])
    expect(wrong.map(({ command }) => command)).to.deep.equal(planted.map(commandOf))
    expect(wrong.at(-1)!.says).to.contain('serviceAcount')
    expect(readFileSync(manifest, 'utf8'), 'secrets as variables were among what was read').to.contain('secretKeyRef')
  })

  it('find in a policy the roles that are to be taken away: of this member, with this title, and no others', () => {
    const engine = 'serviceAccount:ib-paper-engine@my-trading-1.iam.gserviceaccount.com'
    const of = (database: string, title = 'only-paper') => ({
      title,
      expression: `resource.name=="projects/my-trading-1/databases/${database}"`,
    })
    const role = 'roles/datastore.user'
    const bindings = [
      { role, members: ['user:anna@example.org', engine], condition: of('simulator') },
      { role, members: [engine], condition: of('paper') },
      { role, members: [engine], condition: of('other', 'by hand') },
      { role, members: [`${engine}.example.org`], condition: of('foreign') },
      { role: 'roles/logging.logWriter', members: [engine] },
    ]
    const asked = (...words: string[]) =>
      calls.find((call) => call.includes('get-iam-policy') && words.every((word) => call.join(' ').includes(word)))!
    const conditions = asked('projects', `"${engine}"`, `"${role}"`, '"only-paper"')
    expect(printedOf({ bindings }, conditions)).to.deep.equal([of('simulator').expression, of('paper').expression])
    const plain = asked('secrets', 'ib-paper-userid')
    const access = { role: 'roles/secretmanager.secretAccessor', members: ['user:anna@example.org', engine] }
    expect(printedOf({ bindings: [access] }, plain)).to.deep.equal([`user:anna@example.org ${access.role}`, `${engine} ${access.role}`])
  })

  it('upload for a build what it needs, and no secret, no data and no .git, though only a .gitignore of a folder names them', () => {
    const folder = join(worlds[0]!.path, 'sources')
    const ignored = 'infra/deploy/cloud/not-uploaded.gcloudignore'
    const needed = ['package.json', '.gitignore', 'infra/gateway-sim/data/README.md', 'infra/deploy/compose/docker-compose.yml']
    const secret = ['infra/deploy/compose/.env', 'infra/deploy/compose/secrets/ib_password', 'infra/deploy/compose/data/paper.sqlite']
    for (const path of [...needed, ...secret, '.git/config', 'node_modules/chai/package.json', 'data/paper.sqlite', 'ibt.log']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), path === '.gitignore' ? readFileSync(join(root, path), 'utf8') : 'text')
    }
    cpSync(join(root, ignored), join(folder, ignored))
    expect(uploadedFrom(folder, ignored)).to.have.members([...needed, ignored])
    expect(uploadedFrom(folder)).to.include.members(secret.slice(0, 2))
    const submits = calls.filter((call) => call[1] === 'submit')
    expect(submits).to.have.length.greaterThan(1)
    for (const submit of submits) expect(submit).to.include(`--ignore-file=${ignored}`)
  })
})
