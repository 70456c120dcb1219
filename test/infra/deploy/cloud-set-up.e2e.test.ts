import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { cloudWorld, secrets, variables, worldsOfATest } from './cloud-world.ts'

const steps = ['apis', 'registry', 'accounts', 'secrets', 'database', 'topics', 'buckets', 'roles', 'base', 'triggers', 'deploy', 'invoker']

describe('the set-up of a project', function () {
  this.timeout(180_000)
  const world = worldsOfATest()

  it('goes through every step in its order, and finds nothing to create the second time', async () => {
    const project = world()
    const first = await project.run('set-up.sh')
    expect(first.code, first.errors).to.equal(0)
    expect(first.errors.match(/── \S+/g)).to.deep.equal(steps.map((step) => `── ${step}`))
    expect(first.errors).to.match(/^paper trading in the project my-trading-1: SHAPE=run, GATEWAY=gateway, FIRESTORE_DATABASE=paper\n/)
    const after = project.state()
    for (const name of ['secrets--ib-paper-userid', 'version-of-ib-paper-password', 'firestore-databases--paper', 'backup-weekly'])
      expect(after).to.have.property(name)
    expect(after['overrides']!.trimEnd().split('\n')).to.have.length(18)

    expect(project.ibt()).to.deep.equal(['google paper my-trading-1 us-east1 paper: topics apply'])

    project.forget()
    const second = await project.run('set-up.sh')
    expect(second.code, second.errors).to.equal(0)
    expect(project.state()).to.deep.equal(after)
    const created = project.calls().filter((call) => call.includes('create') && !call.includes('identity'))
    expect(created).to.deep.equal([])
    expect(project.calls().some((call) => call[0] === 'secrets' && call.includes('add'))).to.equal(false)
  })

  it('prints in a dry run what it would run, runs none of it, and what is printed does the same', async () => {
    const [real, printed] = [world(), world()]
    const dry = await printed.run('set-up.sh', ['--dry-run'])
    expect(dry.code, dry.errors).to.equal(0)
    expect(printed.calls()).to.deep.equal([])
    expect(dry.out.match(/^# \S+$/gm)).to.deep.equal(steps.map((step) => `# ${step}`))
    const script = join(printed.path, 'printed.sh')
    writeFileSync(script, `set -e\n${dry.out}`)
    const [one, other] = [await real.run('set-up.sh'), await printed.run(script)]
    expect([one.code, other.code], `${one.errors}${other.errors}`).to.deep.equal([0, 0])
    const here = (state: Record<string, string>) => JSON.parse(JSON.stringify(state).replaceAll(printed.path, real.path))
    expect(here(printed.state())).to.deep.equal(real.state())
    const plain = (calls: string[][]) => calls.map((call) => call.join(' ').replaceAll(printed.path, real.path))
    expect(new Set(plain(printed.calls()))).to.include.all.keys(
      ...plain(real.calls()).filter((call) => !call.startsWith('secrets versions list')),
    )
  })

  it('names a variable that is missing before anything runs', async () => {
    const project = world()
    for (const name of Object.keys(variables)) {
      const { code, out, errors } = await project.run('set-up.sh', [], { [name]: '' })
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors).to.match(new RegExp(`^set-up.sh: ${name}: is not set`))
    }
    const live = await project.run('set-up.sh', [], { TRADING_MODE: 'live', SHAPE: 'vm' })
    expect(live.errors).to.match(/^set-up.sh: (GCP_ZONE|IB_ACCOUNT): is not set/)
    expect(project.calls()).to.deep.equal([])
  })

  it('refuses what does not go together', async () => {
    const project = world()
    for (const [given, named] of [
      [{ TRADING_MODE: 'demo' }, 'TRADING_MODE'],
      [{ TRADING_MODE: 'live' }, 'SHAPE'],
      [{ TRADING_MODE: 'live', SHAPE: 'vm', GATEWAY: 'simulator' }, 'GATEWAY'],
      [{ GATEWAY: 'simulator', FIRESTORE_DATABASE: 'paper' }, 'FIRESTORE_DATABASE'],
    ] as const) {
      const { code, errors } = await project.run('set-up.sh', [], given)
      expect([code, errors.startsWith(`set-up.sh: ${named}: `)], errors).to.deep.equal([1, true])
    }
    const step = await project.run('set-up.sh', ['--only', 'nonsense'])
    expect(step.errors).to.contain('there is no step "nonsense"')
    expect((await project.run('set-up.sh', ['--what'])).errors).to.contain('"--what" is no argument')
    expect(project.calls()).to.deep.equal([])
  })

  it('says what is missing after an argument', async () => {
    const project = world()
    for (const [script, argument, says] of [
      ['set-up.sh', '--vars', 'the name of a file is missing'],
      ['tear-down.sh', '--vars', 'the name of a file is missing'],
      ['set-up.sh', '--only', 'the name of a step is missing'],
      ['set-up.sh', '--skip', 'the name of a step is missing'],
    ] as const) {
      const { code, errors } = await project.run(script, ['--dry-run', argument])
      expect([code, errors.startsWith(`${script}: ${argument}: ${says}`)], errors).to.deep.equal([1, true])
    }
    expect(project.calls()).to.deep.equal([])
  })

  it('stops at the step that fails with its name, its command and what to do, and goes on from there', async () => {
    const project = world()
    const { code, errors } = await project.run('set-up.sh', [], { FAIL_AT: ' firestore databases create ' })
    expect(code).to.equal(1)
    expect(errors).to.match(/step "database" failed at: gcloud firestore databases create --database=paper/)
    expect(errors).to.contain('what to do: the location of a database never changes').and.to.contain('--only database')
    expect(project.calls().some((call) => call[0] === 'pubsub')).to.equal(false)
    const again = await project.run('set-up.sh')
    expect(again.code, again.errors).to.equal(0)
  })

  it('keeps what is simulated out of the journal of paper trading', async () => {
    const project = world()
    const first = await project.run('set-up.sh', ['--skip', 'triggers'], { GATEWAY: 'simulator', IB_GATEWAY_SHA256: '', IBC_SHA256: '' })
    expect(first.code, first.errors).to.equal(0)
    expect(project.ibt()).to.deep.equal(['google paper my-trading-1 us-east1 simulator: topics apply'])
    const databases = () => Object.keys(project.state()).filter((name) => name.startsWith('firestore-databases--'))
    expect(databases()).to.deep.equal(['firestore-databases--simulator'])
    const ofDatabase = () =>
      project
        .state()
        ['bindings']!.split('\n')
        .filter((line) => line.includes('datastore'))
    expect(ofDatabase()).to.have.length(2)
    for (const line of ofDatabase()) expect(line).to.contain('databases/simulator"')
    const submit = project.calls().find((call) => call[1] === 'submit')!
    expect(submit.find((word) => word.startsWith('--substitutions='))).to.contain(';_FIRESTORE_DATABASE=simulator;')
    // The gateway comes afterwards, into a journal that has no account yet.
    const then = await project.run('set-up.sh', ['--only', 'database', '--only', 'topics'])
    expect(then.code, then.errors).to.equal(0)
    expect(project.ibt().at(-1)).to.contain('us-east1 paper: topics apply')
    expect(databases()).to.have.members(['firestore-databases--paper', 'firestore-databases--simulator'])
  })

  it('goes no further where ibt cannot make the topics', async () => {
    const project = world()
    const { code, errors } = await project.run('set-up.sh', ['--only', 'topics', '--only', 'buckets'], { IBT_FAILS: '1' })
    expect(code).to.equal(1)
    expect(errors)
      .to.contain('step "topics" failed at: env STORE=google')
      .and.to.contain('what to do: run gcloud auth application-default login')
    expect(project.state()).to.deep.equal({})
  })

  it('creates nothing where it may not look', async () => {
    const project = world()
    const { code, errors } = await project.run('set-up.sh', [], { FAIL_AT: ' artifacts repositories describe ' })
    expect(code).to.equal(1)
    expect(errors)
      .to.contain('it was told to fail here')
      .and.to.contain('step "registry" failed at: gcloud artifacts repositories describe')
    expect(project.calls().at(-1)!.slice(0, 3)).to.deep.equal(['artifacts', 'repositories', 'describe'])
  })

  it('does one step alone, or all but one', async () => {
    const project = world()
    expect((await project.run('set-up.sh', ['--only', 'registry'], { REPO_OWNER: '' })).code).to.equal(0)
    expect(Object.keys(project.state())).to.deep.equal(['artifacts-repositories--ib-trading'])
    const { errors } = await project.run('set-up.sh', ['--skip', 'triggers', '--dry-run'], { REPO_OWNER: '' })
    expect(errors).to.contain('── deploy').and.not.to.contain('── triggers')
  })

  it('takes secrets from files or the keyboard, and no command line, output or log holds them', async () => {
    const [files, keyboard] = [world(), world()]
    const none = { IB_USER_FILE: '', IB_PASSWORD_FILE: '' }
    const runs = [
      await files.run('set-up.sh'),
      await keyboard.run('set-up.sh', ['--only', 'secrets'], none, `${secrets.user}\n${secrets.password}\n`),
      await keyboard.run('set-up.sh', ['--only', 'secrets', '--rotate'], none, `${secrets.user}\n${secrets.password}\n`),
    ]
    for (const { code, errors } of runs) expect(code, errors).to.equal(0)
    expect(keyboard.calls().filter((call) => call.join(' ').startsWith('secrets versions add'))).to.have.length(4)
    const seen = JSON.stringify([runs, files.calls(), keyboard.calls()])
    expect(seen).not.to.contain(secrets.user)
    expect(seen).not.to.contain(JSON.stringify(secrets.password).slice(1, -1))
    // Rotated one at a time: who says nothing keeps what there is.
    keyboard.forget()
    const one = await keyboard.run('set-up.sh', ['--only', 'secrets', '--rotate'], none, `\n${secrets.password}\n`)
    expect(one.code, one.errors).to.equal(0)
    const added = keyboard.calls().filter((call) => call.join(' ').startsWith('secrets versions add'))
    expect(added.map((call) => call[3])).to.deep.equal(['ib-paper-password'])
    const nothing = await world().run('set-up.sh', ['--only', 'secrets'], none)
    expect([nothing.code, nothing.errors]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('nothing was given for the user name'),
    )
  })

  it('gives nobody a role that is not in roles.txt, and no runtime account one over Cloud Run or all of the project', async () => {
    const project = world()
    await project.run('set-up.sh')
    const bindings = project.state()['bindings']!.trimEnd().split('\n')
    expect(bindings.filter((line) => /roles\/(owner|editor|run\.admin)/.test(line))).to.deep.equal([])
    const runtime = bindings.filter((line) => /member=serviceAccount:ib-paper-(engine|api)@/.test(line))
    expect(
      runtime.filter((line) => /run\.|iam\.|secretmanager\.admin|datastore\.owner/.test(line.replace(/gserviceaccount\.com|\.iam\./g, ''))),
    ).to.deep.equal([])
    const ofProject = runtime.filter((line) => line.startsWith('projects '))
    for (const line of ofProject) expect(line).to.match(/logging\.logWriter|databases\/paper/)
  })

  it('creates the machine for live trading: with its disk, its address, no HTTP from outside, and the cloud-init as its user data', async () => {
    const project = world()
    const live = { TRADING_MODE: 'live', SHAPE: 'vm', GCP_ZONE: 'us-east1-b', IB_ACCOUNT: 'U1234567' }
    const first = await project.run('set-up.sh', ['--only', 'deploy'], live)
    expect(first.code, first.errors).to.equal(0)
    const create = project.calls().find((call) => call.slice(0, 3).join(' ') === 'compute instances create')!
    expect(create).to.include.members(['ib-live', '--address=ib-live', '--deletion-protection', '--zone=us-east1-b'])
    const rules = project.calls().filter((call) => call.slice(0, 3).join(' ') === 'compute firewall-rules create')
    expect(rules).to.have.length(2)
    const [allow, deny] = rules as [string[], string[]]
    const tag = create.find((word) => word.startsWith('--tags='))!.slice('--tags='.length)
    const priorityOf = (rule: string[]): number => Number(rule.find((word) => word.startsWith('--priority='))!.split('=')[1])
    expect(allow).to.include.members(['--direction=INGRESS', '--allow=tcp:22', '--source-ranges=35.235.240.0/20', `--target-tags=${tag}`])
    expect(deny).to.include.members([
      '--direction=INGRESS',
      '--action=DENY',
      '--rules=all',
      '--source-ranges=0.0.0.0/0',
      `--target-tags=${tag}`,
    ])
    // The smaller one counts; what the network "default" allows by itself has 65534.
    expect(priorityOf(allow)).to.be.lessThan(priorityOf(deny))
    expect(priorityOf(deny)).to.be.lessThan(65_534)
    const order = project.calls().map((call) => call.slice(0, 3).join(' '))
    expect(order.lastIndexOf('compute firewall-rules create')).to.be.lessThan(order.indexOf('compute instances create'))
    const submit = project.calls().find((call) => call[1] === 'submit')!
    expect(submit.find((word) => word.startsWith('--substitutions=')))
      .to.contain('_ROLL_OUT=no')
      .and.to.contain('_IB_ACCOUNT=U1234567')
    const again = await project.run('set-up.sh', ['--only', 'deploy'], live)
    expect(again.code, again.errors).to.equal(0)
    expect(project.calls().at(-1)!.slice(0, 3)).to.deep.equal(['compute', 'instances', 'add-metadata'])
  })
})

describe('the machine of one trading mode', function () {
  this.timeout(180_000)
  const project = cloudWorld()
  after(project.remove)

  it('keeps its firewall when that of the other mode is taken away', async () => {
    const vm = { SHAPE: 'vm', GCP_ZONE: 'us-east1-b' }
    const live = { ...vm, TRADING_MODE: 'live', IB_ACCOUNT: 'U1234567' }
    for (const mode of [vm, live]) {
      const { code, errors } = await project.run('set-up.sh', ['--only', 'deploy'], mode)
      expect(code, errors).to.equal(0)
    }
    const rules = () => Object.keys(project.state()).filter((name) => name.startsWith('compute-firewall-rules--'))
    const ofLive = ['compute-firewall-rules--ib-live-nobody-else', 'compute-firewall-rules--ib-live-ssh-through-iap']
    expect(rules()).to.have.length(4).and.to.include.members(ofLive)
    const gone = await project.run('tear-down.sh', [], vm, `${variables.PROJECT_ID}\n`)
    expect(gone.code, gone.errors).to.equal(0)
    expect(rules()).to.have.members(ofLive)
    expect(project.state()).to.include.keys('compute-instances--ib-live').and.not.to.include.keys('compute-instances--ib-paper')
    const both = await project.run('tear-down.sh', ['--with-shared'], live, `${variables.PROJECT_ID}\n`)
    expect(both.code, both.errors).to.equal(0)
    expect(rules()).to.deep.equal([])
  })
})

describe('the way back to an earlier image', function () {
  this.timeout(180_000)
  const project = cloudWorld()
  after(project.remove)
  const earlier = `us-east1-docker.pkg.dev/my-trading-1/ib-trading/application@sha256:${'7'.repeat(64)}`

  it('builds nothing, and rolls out that image', async () => {
    const { code, out, errors } = await project.run('set-up.sh', ['--only', 'deploy', '--dry-run'], { APPLICATION_IMAGE: earlier })
    expect(code, errors).to.equal(0)
    expect(out).not.to.contain('builds submit')
    expect(out).to.match(new RegExp(`^env APPLICATION_IMAGE=${earlier} "BASE_IMAGE=\\$BASE_IMAGE" bash \\S+/roll-out\\.sh$`, 'm'))
    const tagged = await project.run('set-up.sh', ['--only', 'deploy'], { APPLICATION_IMAGE: earlier.replace(/@.*/, ':latest') })
    expect([tagged.code, tagged.errors.startsWith('set-up.sh: APPLICATION_IMAGE: must be named by its digest')]).to.deep.equal([1, true])
    expect(project.calls()).to.deep.equal([])
  })

  it('gives it to the machine', async () => {
    const live = { TRADING_MODE: 'live', SHAPE: 'vm', GCP_ZONE: 'us-east1-b', IB_ACCOUNT: 'U1234567', APPLICATION_IMAGE: earlier }
    const { code, errors } = await project.run('set-up.sh', ['--only', 'deploy'], live)
    expect(code, errors).to.equal(0)
    expect(project.calls().filter((call) => call.includes('submit'))).to.deep.equal([])
    expect(readFileSync(project.file('cloud-init.yaml'), 'utf8')).to.contain(`docker pull --quiet ${earlier}`)
  })
})

describe('the tear-down', function () {
  this.timeout(180_000)
  const project = cloudWorld()
  before(async () => {
    const made = await project.run('set-up.sh')
    expect(made.code, made.errors).to.equal(0)
  })
  after(project.remove)

  it('asks for the id of the project, and does nothing for another answer', async () => {
    const kept = project.state()
    for (const answer of ['', 'yes\n', 'my-trading-2\n']) {
      const { code, errors } = await project.run('tear-down.sh', [], {}, answer)
      expect(code).to.equal(1)
      expect(errors).to.contain('nothing was done')
    }
    expect(project.state()).to.deep.equal(kept)
  })

  it('does not say that nothing is left where it may not look', async () => {
    const { code, errors } = await project.run('tear-down.sh', [], { FAIL_AT: ' worker-pools describe ' }, `${variables.PROJECT_ID}\n`)
    expect([code, errors.includes('step "what runs" failed at: gcloud beta run worker-pools describe')], errors).to.deep.equal([1, true])
    expect(errors).not.to.contain('done')
  })

  it('prints in a dry run what it would delete, and asks nothing', async () => {
    project.forget()
    const { code, out, errors } = await project.run('tear-down.sh', ['--dry-run', '--with-data', '--with-shared'])
    expect(code, errors).to.equal(0)
    expect(project.calls()).to.deep.equal([])
    for (const name of [
      'worker-pools delete',
      'topics delete paper-commands',
      'databases delete',
      'rm --recursive gs://my-trading-1-ib-paper-bars',
    ])
      expect(out).to.contain(name)
  })

  it('leaves journal and bars where they are not named, then takes all of it, and may be run again', async () => {
    const some = await project.run('tear-down.sh', [], {}, `${variables.PROJECT_ID}\n`)
    expect(some.code, some.errors).to.equal(0)
    expect(project.state())
      .to.include.keys('firestore-databases--paper', 'artifacts-repositories--ib-trading')
      .and.not.to.have.any.keys('secrets--ib-paper-userid')
    const all = () => project.run('tear-down.sh', ['--with-data', '--with-shared'], {}, `${variables.PROJECT_ID}\n`)
    const [first, second] = [await all(), await all()]
    expect([first.code, second.code], first.errors + second.errors).to.deep.equal([0, 0])
    const left = Object.keys(project.state()).filter((name) => name.includes('--'))
    expect(left).to.deep.equal([])
    rmSync(join(project.path, 'user'))
  })
})
