import { expect } from 'chai'
import { usesEmulators } from '../../emulators.ts'
import { type SchedulerServer, startSchedulerServer } from '../google/scheduler-server.ts'
import { ibt } from './ibt.ts'

/** Lines of our own: Google's clients may warn about the machine they run on. */
const said = (errors: string) => errors.split('\n').filter((line) => line !== '' && !/^\(.*(Warning|trace-warnings)/.test(line))

describe('ibt topics', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let scheduler: SchedulerServer
  let variables: Record<string, string>
  let project: string
  beforeEach(async () => {
    scheduler = await startSchedulerServer()
    const store = emulators.store()
    project = store.project
    variables = {
      GOOGLE_CLOUD_PROJECT: project,
      PUBSUB_EMULATOR_HOST: emulators.hosts().pubsub,
      FIRESTORE_EMULATOR_HOST: emulators.hosts().firestore,
      CLOUD_SCHEDULER_EMULATOR_HOST: scheduler.host,
      GCP_REGION: 'europe-west1',
    }
  })
  afterEach(() => scheduler.close())
  const topics = (args: string[], more: Record<string, string> = {}) => ibt(['topics', ...args], { ...variables, ...more })
  const job = (name: string) => scheduler.jobs.get(`projects/${project}/locations/europe-west1/jobs/${name}`)!

  it('shows the difference, makes it so, and has nothing to do after that', async () => {
    const before = await topics(['plan'])
    expect(before.code).to.equal(0)
    expect(before.out)
      .to.contain('+ subscription paper-commands-engine\n    topic: paper-commands\n')
      .and.to.match(/\n15 to create\n$/)
    expect(said(before.errors)).to.deep.equal([`project ${project}, paper, jobs in europe-west1`])
    expect((await topics(['check'])).code, 'check of an empty project').to.equal(1)
    const made = await topics(['apply'])
    expect([made.code, made.out]).to.deep.equal([0, '15 created\n'])
    expect(said(made.errors).slice(1)).to.include.members(['created: topic paper-commands', 'created: job paper-orchestrator-1600'])
    for (const verb of ['apply', 'plan', 'check']) {
      const { code, out } = await topics([verb])
      expect([code, out], verb).to.deep.equal([0, 'nothing to do\n'])
    }
  })

  it('check fails on drift and prints it, for people and as JSON', async () => {
    await topics(['apply'])
    job('paper-orchestrator-1600').schedule = '0 9 * * *'
    const { code, out, errors } = await topics(['check'])
    expect(code).to.equal(1)
    expect(out).to.equal('~ job paper-orchestrator-1600\n    schedule: 0 9 * * * → 5 16 * * 1-5\n1 to change\n')
    expect(said(errors).at(-1)).to.equal(`ibt: project ${project} is not as topics.yaml says: 1 to change`)
    const json = JSON.parse((await topics(['plan', '--json'])).out) as { actions: { action: string; changes: object[] }[] }
    expect(json).to.deep.include({ mode: 'paper', project, location: 'europe-west1' })
    expect(json.actions.map(({ action, changes }) => ({ action, changes }))).to.deep.equal([
      { action: 'change', changes: [{ field: 'schedule', from: '0 9 * * *', to: '5 16 * * 1-5' }] },
    ])
  })

  it('deletes what is too much only when told to, and says what', async () => {
    await topics(['apply'])
    const extra = { ...job('paper-orchestrator-1300'), name: `projects/${project}/locations/europe-west1/jobs/paper-weekly` }
    scheduler.jobs.set(extra.name, extra)
    const careful = await topics(['apply'])
    expect([careful.code, careful.out]).to.deep.equal([0, '1 left\n'])
    const pruned = await topics(['apply', '--prune'])
    expect([pruned.code, pruned.out, said(pruned.errors).at(-1)]).to.deep.equal([0, '1 deleted\n', 'deleted: job paper-weekly'])
    expect([...scheduler.jobs.keys()]).to.have.length(7)
  })

  it('names what could not be done, in its last line, and fails', async () => {
    scheduler.failNext('CreateJob', 7, 'The principal lacks cloudscheduler.jobs.create')
    const { code, out, errors } = await topics(['apply'])
    expect([code, out]).to.deep.equal([1, '14 created\n'])
    expect(said(errors).at(-1)).to.match(/^ibt: 1 of 15 could not be done: job paper-risk-check: The principal lacks .* apply again$/)
  })

  it('keeps the modes apart', async () => {
    await topics(['apply'], { TRADING_MODE: 'live' })
    expect((await topics(['check'], { TRADING_MODE: 'live' })).code).to.equal(0)
    expect((await topics(['plan'])).out).to.match(/\n15 to create\n$/)
  })

  it('leaves the jobs out beside emulators alone, and says so', async () => {
    const { code, out, errors } = await topics(['apply'], { CLOUD_SCHEDULER_EMULATOR_HOST: '', GCP_REGION: '' })
    expect([code, out]).to.deep.equal([0, '8 created\n'])
    expect(errors).to.contain('Cloud Scheduler has no emulator, so its jobs are left out')
    expect(scheduler.calls).to.deep.equal([])
  })

  it('says in one line what is missing or wrong', async () => {
    const wrong: [Record<string, string>, RegExp][] = [
      [{ STORE: 'embedded' }, /^ibt: STORE: the embedded store reads topics\.yaml by itself/],
      [{ GCP_REGION: '' }, /^ibt: GCP_REGION: the jobs of topics\.yaml need a region/],
      [{ GCP_REGION: 'Europe' }, /^ibt: GCP_REGION: must be a region such as europe-west1/],
      [{ CLOUD_SCHEDULER_EMULATOR_HOST: 'here' }, /^ibt: CLOUD_SCHEDULER_EMULATOR_HOST: must be host:port/],
    ]
    for (const [more, line] of wrong) {
      const { code, out, errors } = await topics(['plan'], more)
      expect([code, out, errors.trimEnd().split('\n').length], errors).to.deep.equal([1, '', 1])
      expect(errors).to.match(line)
    }
    const unknown = await topics(['aply'])
    expect([unknown.code, unknown.out]).to.deep.equal([1, ''])
    expect(unknown.errors).to.contain("unknown command 'aply'")
  })

  it('gives up on a service that does not answer, in one line that names the project', async () => {
    await scheduler.close()
    const { code, out, errors } = await topics(['check'])
    expect([code, out]).to.deep.equal([1, ''])
    expect(said(errors).at(-1)).to.match(new RegExp(`^ibt: project ${project} cannot be read: .+`))
  })

  it('says in one line that there are no credentials', async () => {
    const nowhere = { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json', METADATA_SERVER_DETECTION: 'none' }
    const real = { PUBSUB_EMULATOR_HOST: '', FIRESTORE_EMULATOR_HOST: '', CLOUD_SCHEDULER_EMULATOR_HOST: '' }
    const { code, out, errors } = await topics(['plan'], { ...real, ...nowhere })
    expect([code, out]).to.deep.equal([1, ''])
    expect(said(errors)).to.have.length(2)
    expect(said(errors)[1]).to.match(/cannot be read: .*GOOGLE_APPLICATION_CREDENTIALS/)
  })

  it('explains itself', async () => {
    for (const args of [[], ['plan'], ['apply'], ['check']]) {
      const { code, out } = await ibt(['topics', ...args, '--help'])
      expect(code, args.join()).to.equal(0)
      expect(out).to.contain('npx ibt topics')
    }
  })
})
