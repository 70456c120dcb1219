/** Who gets which role, and loses it when the variables no longer want it; and how the engine comes to know whom it has to tell. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { variables, type World, worldsOfATest } from './cloud-world.ts'

describe('the roles in a project', function () {
  this.timeout(180_000)
  const world = worldsOfATest()
  const settled = async (project: World, more: Record<string, string>, steps = ['secrets', 'roles']): Promise<void> => {
    const { code, errors } = await project.run(
      'set-up.sh',
      steps.flatMap((step) => ['--only', step]),
      more,
    )
    expect(code, errors).to.equal(0)
  }
  const bindings = (project: World, ...words: string[]): string[] =>
    (project.state()['bindings'] ?? '').split('\n').filter((line) => line !== '' && words.every((word) => line.includes(word)))
  const live = { TRADING_MODE: 'live', SHAPE: 'vm', GCP_ZONE: 'us-east1-b', IB_ACCOUNT: 'U1234567' }
  const record = (line: string): string => line.replace(/ --role=\S+/, '')

  it('let the live engine look at the record on paper, where it is, and nobody else; the tear-down takes that away', async () => {
    const project = world()
    await settled(project, {})
    expect(bindings(project, 'paper-record')).to.deep.equal([])
    await settled(project, live)
    await settled(project, live)
    const member = `--member=serviceAccount:ib-live-engine@${variables.PROJECT_ID}.iam.gserviceaccount.com`
    const reads = (place: string, database: string): string =>
      `projects add-iam-policy-binding ${place} ${member} --role=roles/datastore.viewer --condition=expression=resource.name=="projects/${place}/databases/${database}",title=paper-record`
    expect(bindings(project, 'paper-record')).to.deep.equal([reads('my-trading-1', 'paper')])
    // A database that was restored takes its place.
    await settled(project, { ...live, PAPER_JOURNAL: 'project:my-trading-1/paper-2' })
    expect(bindings(project, 'paper-record')).to.deep.equal([reads('my-trading-1', 'paper-2')])
    const dry = await project.run('tear-down.sh', ['--dry-run'], live)
    expect(dry.out).to.contain('title=paper-record')
    const gone = await project.run('tear-down.sh', [], live, `${variables.PROJECT_ID}\n`)
    expect(gone.code, gone.errors).to.equal(0)
    expect(bindings(project, 'ib-live').filter((line) => line.startsWith('projects '))).to.deep.equal([])
    expect(bindings(project, 'ib-paper-engine', 'databases/paper"').map(record)).to.have.length(1)
  })

  it('let it look into another project too, and into none where the record is a file', async () => {
    const [other, file] = [world(), world()]
    await settled(other, { ...live, PAPER_JOURNAL: 'project:my-paper-7/paper' })
    expect(bindings(other, 'paper-record').map((line) => line.split(' ')[2])).to.deep.equal(['my-paper-7'])
    await settled(file, { ...live, PAPER_JOURNAL: '/data/paper.sqlite' })
    expect(bindings(file, 'paper-record')).to.deep.equal([])
  })

  it('go with what the engine needed before: from the simulator to the gateway, and back; what a dry run prints does the same', async () => {
    const [project, printed] = [world(), world()]
    const simulator = { GATEWAY: 'simulator' }
    const databases = (here: World) =>
      bindings(here, 'title=only-paper')
        .map((line) => /databases\/(\w+)/.exec(line)![1])
        .sort()
    const secretsOf = (here: World) => bindings(here, 'secretAccessor').map((line) => line.split(' ')[2])
    const [toSimulator, toGateway] = [{ ...simulator, ALERT_MAIL_TO: '' }, { GATEWAY: 'gateway' }]
    for (const [more, wanted] of [
      [toSimulator, [['simulator', 'simulator'], []]],
      [
        toGateway,
        [
          ['paper', 'paper'],
          ['ib-paper-userid', 'ib-paper-password'],
        ],
      ],
      [toSimulator, [['simulator', 'simulator'], []]],
    ] as const) {
      await settled(project, more)
      expect([databases(project), secretsOf(project)]).to.deep.equal(wanted)
      const { out } = await printed.run('set-up.sh', ['--dry-run', '--only', 'secrets', '--only', 'roles'], more)
      writeFileSync(join(printed.path, 'printed.sh'), `set -e\n${out}`)
      const ran = await printed.run(join(printed.path, 'printed.sh'))
      expect(ran.code, ran.errors).to.equal(0)
      expect([databases(printed), secretsOf(printed)]).to.deep.equal(wanted)
    }
    expect(project.state()).to.include.keys('secrets--ib-paper-userid')
  })

  it('ask nobody for a login at IB where the simulator is', async () => {
    const project = world()
    const nothing = { GATEWAY: 'simulator', IB_USER_FILE: '', IB_PASSWORD_FILE: '' }
    await settled(project, nothing)
    expect(Object.keys(project.state()).filter((name) => name.startsWith('secrets--'))).to.deep.equal([])
  })

  it('let the engine alone read where alerts go, when it is to tell anybody; those are asked for and nowhere shown', async () => {
    const project = world()
    const webhook = 'https://hooks.example.org/wxyzzy'
    const smtp = 'smtp://ib:secret-wxyzzy@smtp.example.org:587'
    writeFileSync(join(project.path, 'smtp'), `${smtp}\n`) // as an editor leaves it
    const mailed = { ALERT_MAIL_TO: 'anna@example.org,ben@example.org', ALERT_SMTP_URL_FILE: join(project.path, 'smtp') }
    const both = await project.run(
      'set-up.sh',
      ['--only', 'secrets', '--only', 'roles'],
      { ...mailed, ALERT_WEBHOOK: 'yes' },
      `${webhook}\n`,
    )
    expect(both.code, both.errors).to.equal(0)
    const readers = () =>
      bindings(project, '-alert-')
        .map((line) => `${line.split(' ')[2]} ${/serviceAccount:([\w-]+)/.exec(line)![1]}`)
        .sort()
    expect(readers()).to.deep.equal(['ib-paper-alert-smtp ib-paper-engine', 'ib-paper-alert-webhook ib-paper-engine'])
    const kept = ['webhook', 'smtp'].map((name) => Number(project.state()[`version-of-ib-paper-alert-${name}`]))
    expect(kept, 'bytes').to.deep.equal([webhook.length, smtp.length])
    await settled(project, mailed)
    expect(readers()).to.deep.equal(['ib-paper-alert-smtp ib-paper-engine'])
    expect(JSON.stringify([both, project.calls(), project.state()])).to.not.contain('wxyzzy')
    const submitted = await project.run('set-up.sh', ['--only', 'deploy'], { ...mailed, ALERT_WEBHOOK: 'yes' })
    expect(submitted.code, submitted.errors).to.equal(0)
    expect(
      project
        .calls()
        .at(-1)!
        .find((word) => word.startsWith('--substitutions=')),
    )
      .to.contain(';_ALERT_WEBHOOK=yes;')
      .and.to.contain(`;_ALERT_MAIL_TO=${mailed.ALERT_MAIL_TO};`)
    const wrong = await project.run('set-up.sh', ['--only', 'secrets'], { ALERT_WEBHOOK: webhook })
    expect([wrong.code, wrong.errors]).to.deep.equal([1, 'set-up.sh: ALERT_WEBHOOK: must be yes or no; the address itself is asked for\n'])
    const gone = await project.run('tear-down.sh', [], {}, `${variables.PROJECT_ID}\n`)
    expect(gone.code, gone.errors).to.equal(0)
    expect(Object.keys(project.state()).filter((name) => name.startsWith('secrets--'))).to.deep.equal([])
  })
})
