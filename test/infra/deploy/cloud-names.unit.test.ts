/** Whatever one file names, another one makes: accounts, secrets, topics, subscriptions, buckets, images, variables, files. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { variables as known } from '../../../infra/environment.ts'
import { wanted } from '../../../infra/google/topics/wanted.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { buildOf, cloud, cloudWorld, rendered, root, variables } from './cloud-world.ts'

type Mode = 'paper' | 'live'
type Named = { kind: string; name: string }
const key = ({ kind, name }: Named): string => `${kind} ${name}`
const deploy = join(root, 'infra/deploy')
const textOf = (...path: string[]): string => readFileSync(join(deploy, ...path), 'utf8')
const project = variables.PROJECT_ID
const alerts = { ALERT_WEBHOOK: 'yes', ALERT_MAIL_TO: 'anna@example.org,ben@example.org', ALERT_MAIL_FROM: 'ib@example.org' }
const shapes: Record<Mode, Record<string, string>> = {
  paper: alerts,
  live: { ...alerts, TRADING_MODE: 'live', SHAPE: 'vm', GCP_ZONE: 'us-east1-b', IB_ACCOUNT: 'U1234567' },
}

// ── What is made ──

const patterns: Record<string, RegExp> = {
  account: /gcloud iam service-accounts create (\S+)/g,
  secret: /gcloud secrets create (\S+)/g,
  bucket: /gcloud storage buckets create gs:\/\/(\S+)/g,
  topic: /gcloud pubsub topics create (\S+)/g,
  database: /gcloud firestore databases create --database=(\S+)/g,
  repository: /gcloud artifacts repositories create (\S+)/g,
  disk: /gcloud compute disks create (\S+)/g,
  api: /\b([a-z]+)\.googleapis\.com/g,
}

/** As the set-up says in a dry run, and as topics.yaml has it for `ibt topics apply`; images are those that the builds push. */
const madeFor = async (mode: Mode): Promise<Set<string>> => {
  const world = cloudWorld()
  const { code, out, errors } = await world.run('set-up.sh', ['--dry-run'], shapes[mode])
  world.remove()
  expect(code, errors).to.equal(0)
  const printed = Object.entries(patterns).flatMap(([kind, pattern]) =>
    [...out.matchAll(pattern)].map(([, name]) => ({ kind, name: name! })),
  )
  const topics = wanted(readTopics(), { mode, location: variables.GCP_REGION })
  const pushed = ['application', 'base'].flatMap((name) =>
    JSON.stringify(buildOf(name))
      .match(/(?<=\$\{_REPO_NAME\}\/)(?:application|base)(?=[:"])/g)!
      .map((image) => ({ kind: 'image', name: image })),
  )
  const agents = ['pubsub-agent', 'scheduler-agent'].map((name) => ({ kind: 'agent', name }))
  return new Set([...printed, ...topics, ...pushed, ...agents].map(key))
}

// ── What is named ──

type Role = { who: string; role: string; on: string; which: string }
const rolesIn = (text: string, mode: Mode): Role[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [who, role, on, which] = line.replaceAll('{mode}', mode).split(/\s+/) as [string, string, string, string]
      return { who, role, on, which }
    })

const apiOf: Record<string, string> = { datastore: 'firestore', iam: 'iam', secretmanager: 'secretmanager' }
const accountName = (who: string, mode: Mode): string => (who === 'build' ? 'ib-build' : `ib-${mode}-${who}`)
const inRoles = (text: string, mode: Mode): Named[] =>
  rolesIn(text, mode).flatMap(({ who, role, on, which }) => {
    const service = role.slice('roles/'.length).split('.')[0]!
    const places: Record<string, Named[]> = {
      secret: [{ kind: 'secret', name: `ib-${mode}-${which}` }],
      bucket: [{ kind: 'bucket', name: which === 'builds' ? `${project}-ib-builds` : `${project}-ib-${mode}-${which}` }],
      account: [{ kind: 'account', name: accountName(which, mode) }],
      repository: [{ kind: 'repository', name: 'ib-trading' }],
      project: [],
      // Of live trading: made by the set-up for paper trading.
      ...(which === 'paper-journal' ? { database: [{ kind: 'database', name: mode }] } : {}),
    }
    return [
      who.endsWith('-agent') ? { kind: 'agent', name: who } : { kind: 'account', name: accountName(who, mode) },
      { kind: 'api', name: apiOf[service] ?? service },
      ...(places[on] ?? [{ kind: on, name: which }]),
    ]
  })

/** In a manifest of Cloud Run, or in the cloud-init. */
const inFile = (text: string): Named[] => {
  const found = (kind: string, pattern: RegExp): Named[] => [...text.matchAll(pattern)].map(([, name]) => ({ kind, name: name! }))
  return [
    ...found('account', /serviceAccountName: "?([\w-]+)@/g),
    ...found('secret', /secretName: "?([\w-]+)/g),
    ...found('secret', /secretKeyRef: \{name: "([\w-]+)"/g),
    ...found('secret', /^ +(?:file|variable) ([\w-]+) /gm),
    ...found('bucket', /gs:\/\/([\w-]+)/g),
    ...found('image', /-docker\.pkg\.dev\/my-trading-1\/ib-trading\/(\w+)@/g),
    ...found('database', /FIRESTORE_DATABASE(?:=|, value: )"?([\w-]+)/g),
    ...found('disk', /by-id\/google-([\w-]+)/g),
  ]
}

const dangling = (made: Set<string>, named: readonly Named[]): string[] => [...new Set(named.map(key))].filter((each) => !made.has(each))

const manifests = ['api.yaml', 'engine-with-gateway.yaml', 'engine-with-simulator.yaml']
const live = { ...shapes.live, FIRESTORE_DATABASE: 'live', SECRET_NAME: 'ib-live', BASE_IMAGE: undefined }
const cloudInit = () => {
  const { BASE_IMAGE: _, ...rest } = live
  return rendered(join(deploy, 'vm/cloud-init.yaml'), rest)
}

describe('the names in the files of the deployment', function () {
  this.timeout(180_000)
  const made = {} as Record<Mode, Set<string>>
  before(async () => {
    for (const mode of ['paper', 'live'] as const) made[mode] = await madeFor(mode)
  })

  it('of roles.txt are made by the set-up, by topics.yaml or by Google', () => {
    for (const mode of ['paper', 'live'] as const) {
      const named = inRoles(textOf('cloud/roles.txt'), mode)
      expect(named.length).to.be.greaterThan(60)
      expect(dangling(made[mode], named)).to.deep.equal([])
    }
  })

  it('of the manifests and of the cloud-init are made too', async () => {
    for (const manifest of manifests) {
      const named = inFile(await rendered(join(cloud, manifest), alerts))
      if (manifest !== 'api.yaml')
        expect(named.map(key)).to.include.members(['secret ib-paper-alert-webhook', 'secret ib-paper-alert-smtp'])
      expect(named.map(({ kind }) => kind)).to.include.members(['account', 'image', 'database'])
      expect(dangling(made.paper, named), manifest).to.deep.equal([])
    }
    const named = inFile(await cloudInit())
    expect(named.map(({ kind }) => kind)).to.include.members(['secret', 'image', 'database', 'disk'])
    expect(dangling(made.live, named)).to.deep.equal([])
  })

  it('would be caught where nothing makes them', async () => {
    const roles = textOf('cloud/roles.txt')
    const plant = (from: string, to: string): string[] => {
      expect(roles).to.contain(from)
      return dangling(made.paper, inRoles(roles.replace(from, to), 'paper'))
    }
    expect(plant('topic        {mode}-events', 'topic        {mode}-facts')).to.deep.equal(['topic paper-facts'])
    expect(plant('{mode}-urgent-engine', '{mode}-urgent-motor')).to.deep.equal(['subscription paper-urgent-motor'])
    expect(plant('secret       userid', 'secret       user')).to.deep.equal(['secret ib-paper-user'])
    expect(plant('secret       alert-smtp', 'secret       alert-mail')).to.deep.equal(['secret ib-paper-alert-mail'])
    expect(plant('account      api', 'account      door')).to.deep.equal(['account ib-paper-door'])
    expect(plant('bucket       bars', 'bucket       bar')).to.deep.equal([`bucket ${project}-ib-paper-bar`])
    expect(plant('roles/datastore.viewer', 'roles/bigtable.reader')).to.deep.equal(['api bigtable'])
    const manifest = await rendered(join(cloud, 'engine-with-gateway.yaml'), alerts)
    const spoiled = manifest
      .replace('ib-paper-password', 'ib-password')
      .replace('ib-paper-alert-smtp', 'ib-smtp')
      .replace('ib-trading/base@', 'ib-trading/gateway@')
    expect(dangling(made.paper, inFile(spoiled))).to.have.members(['secret ib-password', 'secret ib-smtp', 'image gateway'])
  })

  it('of variables are those that the programs read', async () => {
    const start = textOf('images/base/start.sh')
    const simulator = textOf('images/application/simulator.ts')
    const reads: Record<string, (name: string) => boolean> = {
      engine: (name) => name in known,
      api: (name) => name in known,
      gateway: (name) => new RegExp(`\\b${name}\\b`).test(start),
      simulator: (name) => simulator.includes(`'${name}'`),
    }
    type Container = { name: string; env: { name: string }[] }
    for (const manifest of manifests) {
      const { spec } = parse(await rendered(join(cloud, manifest), alerts)) as { spec: { template: { spec: { containers: Container[] } } } }
      for (const { name: container, env } of spec.template.spec.containers)
        for (const { name } of env) expect(reads[container]!(name), `${manifest}: ${container} reads no ${name}`).to.equal(true)
    }
    expect(['gateway', 'engine'].map((name) => reads[name]!('IB_PASWORD'))).to.deep.equal([false, false])
    const step = buildOf('application').steps.find(({ id }) => id === 'roll-out')!
    const needed = /^need (.*)$/m.exec(textOf('cloud/roll-out.sh'))![1]!.split(' ')
    const given = [...step.env!.map((line) => line.split('=')[0]!), 'APPLICATION_IMAGE']
    expect(given).to.include.members(needed)
  })

  it('of alerts in the environment reach the engine wherever it runs, when they are set; and only then', async () => {
    const settings = Object.keys(known).filter((name) => name.startsWith('ALERT_'))
    expect(settings.length).to.be.greaterThan(3)
    const files = ['cloud/engine-with-gateway.yaml', 'cloud/engine-with-simulator.yaml', 'vm/cloud-init.yaml']
    for (const file of files) {
      const [told, untold] = await Promise.all([rendered(join(deploy, file), alerts), rendered(join(deploy, file))])
      for (const name of settings) expect(told, `${file}: ${name}`).to.match(new RegExp(`\\b${name}\\b`))
      expect(untold, file).to.not.contain('ALERT_')
      for (const name of settings.filter((each) => each.endsWith('_URL')))
        expect(told, 'an address is a secret').to.not.match(new RegExp(`${name}(=|, value:)`))
    }
    const build = buildOf('application').steps.find(({ id }) => id === 'roll-out')!
    expect(build.env).to.include.members(Object.keys(alerts).map((name) => `${name}=\${_${name}}`))
    // Of the same names on one machine.
    for (const name of settings) expect(textOf('compose/docker-compose.yml')).to.contain(`${name}: "\${${name}:-}"`)
  })

  it('of files and folders are there', () => {
    const texts = readdirSync(cloud).map((name) => textOf('cloud', name))
    const paths = texts.flatMap((text) => text.match(/\binfra\/deploy\/[\w./-]*[\w]/g) ?? [])
    expect(paths.length).to.be.greaterThan(10)
    expect(
      [...new Set(paths)].filter(
        (path) => !existsSync(join(root, path)) && !/compose\/(secrets|data|gateway|bars|strategies)$$/.test(path),
      ),
    ).to.deep.equal([])
  })
})

describe('the roles', () => {
  const topics = readTopics()
  const roles = rolesIn(textOf('cloud/roles.txt'), 'paper')
  const has = (who: string, role: string, on: string, which: string): boolean =>
    roles.some(
      (each) => each.who === who && each.role === `roles/${role}` && each.on === on && each.which === which.replace('{mode}', 'paper'),
    )

  it('let each reader read its subscription, and Pub/Sub move what was given up', () => {
    for (const [name, { handler, deadLetter }] of Object.entries(topics.subscriptions)) {
      if (handler !== 'none') expect(has('engine', 'pubsub.subscriber', 'subscription', name), name).to.equal(true)
      if (deadLetter === undefined) continue
      expect(has('pubsub-agent', 'pubsub.subscriber', 'subscription', name), name).to.equal(true)
      expect(has('pubsub-agent', 'pubsub.publisher', 'topic', deadLetter.topic), deadLetter.topic).to.equal(true)
    }
  })

  it('let API, engine and scheduler publish where each of them does, and nobody else', () => {
    for (const [name, { kind }] of Object.entries(topics.topics)) {
      expect(has('engine', 'pubsub.publisher', 'topic', name), `engine: ${name}`).to.equal(true)
      expect(has('api', 'pubsub.publisher', 'topic', name), `api: ${name}`).to.equal(kind === 'command')
    }
    const targets = wanted(topics, { mode: 'paper', location: 'any' }).flatMap(({ kind, fields }) =>
      kind === 'job' ? [String(fields['target']).replace('topic ', '')] : [],
    )
    for (const topic of new Set(targets)) expect(has('scheduler-agent', 'pubsub.publisher', 'topic', topic), topic).to.equal(true)
  })

  it('let the account of the builds make the token that the roll-out asks the API with', () => {
    const asking = readdirSync(cloud).filter(
      (name) => /\.(sh|yaml)$/.test(name) && /^[^#]*print-identity-token/m.test(textOf('cloud', name)),
    )
    expect(asking).to.deep.equal(['roll-out.sh'])
    expect(
      buildOf('application')
        .steps.find(({ id }) => id === 'roll-out')!
        .args!.at(-1),
    ).to.contain('roll-out.sh')
    expect(has('build', 'iam.serviceAccountOpenIdTokenCreator', 'account', 'build')).to.equal(true)
    expect(has('build', 'run.invoker', 'project', '-')).to.equal(true)
    expect(textOf('cloud/set-up.sh')).to.contain('iamcredentials.googleapis.com')
  })

  it('are least: no admin, owner or editor; secrets for the engine alone; all of the project only where there is nothing smaller', () => {
    expect(roles.filter(({ role }) => /admin|owner|editor/i.test(role))).to.deep.equal([])
    expect(new Set(roles.filter(({ role }) => role.includes('secret')).map(({ who }) => who))).to.deep.equal(new Set(['engine']))
    // To write anything there, the database of the other mode is closed to it.
    const foreign = roles.filter(({ on, which }) => on === 'database' && which !== 'paper')
    expect(foreign.map(({ who, role, which }) => [who, role, which])).to.deep.equal([['engine', 'roles/datastore.viewer', 'paper-journal']])
    const wide = roles.filter(({ on }) => on === 'project').map(({ who, role }) => `${who} ${role}`)
    expect(wide).to.have.members([
      ...['engine', 'api', 'build'].map((who) => `${who} roles/logging.logWriter`),
      ...['build roles/run.developer', 'build roles/run.invoker'],
    ])
  })
})

describe('what a build uploads', () => {
  it('is all that git keeps', function () {
    if (!existsSync(join(root, '.git'))) {
      this.test!.title += ' (this is no clone)'
      this.skip()
    }
    const ignored = textOf('cloud/not-uploaded.gcloudignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    const arguments_ = ['ls-files', '--cached', '--ignored', ...ignored.map((line) => `--exclude=${line}`)]
    expect(execFileSync('git', arguments_, { cwd: root, encoding: 'utf8' })).to.equal('')
  })
})
