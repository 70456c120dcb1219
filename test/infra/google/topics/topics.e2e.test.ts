/** topics.yaml against Google's Pub/Sub emulator and a server that speaks Cloud Scheduler's protocol, by the genuine clients. */
import type { PubSub } from '@google-cloud/pubsub'
import type { CloudSchedulerClient } from '@google-cloud/scheduler'
import { expect } from 'chai'
import { type Connection, type GoogleStore, openConnection } from '../../../../infra/google/connection.ts'
import { apply } from '../../../../infra/google/topics/apply.ts'
import { ensureTopics } from '../../../../infra/google/topics/ensure.ts'
import { type Action, plan } from '../../../../infra/google/topics/plan.ts'
import { openProject } from '../../../../infra/google/topics/project.ts'
import { openScheduler } from '../../../../infra/google/topics/scheduler.ts'
import { readTopics } from '../../../../infra/topics-file.ts'
import { usesEmulators } from '../../../emulators.ts'
import { type SchedulerServer, startSchedulerServer } from '../scheduler-server.ts'

describe('topics.yaml and a Google project', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  const location = 'europe-west1'
  const topics = readTopics()
  let scheduler: SchedulerServer
  let store: GoogleStore
  let connection: Connection
  let pubsub: PubSub
  let jobs: CloudSchedulerClient
  const parent = () => `projects/${store.project}/locations/${location}`
  const jobPath = (name: string) => `${parent()}/jobs/${name}`

  beforeEach(async () => {
    scheduler = await startSchedulerServer({ longestPage: 2 })
    store = emulators.store()
    connection = openConnection(store)
    pubsub = connection.pubsub
    jobs = openScheduler({ project: store.project, location, emulator: scheduler.host })
  })
  afterEach(async () => {
    await Promise.all([connection.close(), jobs.close()])
    await scheduler.close()
  })

  /** As one call of `ibt topics`: its own clients, opened and closed. */
  const planned = async (mode: 'paper' | 'live' = 'paper', from = topics): Promise<Action[]> => {
    const project = openProject({ mode, store: { kind: 'google', ...store }, scheduler: { location, emulator: scheduler.host } }, from)
    try {
      return plan(project.wanted, await project.resources.find())
    } finally {
      await project.close()
    }
  }
  const applied = async ({ prune = false, mode = 'paper' as 'paper' | 'live', from = topics } = {}) => {
    const said: string[] = []
    const project = openProject({ mode, store: { kind: 'google', ...store }, scheduler: { location, emulator: scheduler.host } }, from)
    try {
      const actions = plan(project.wanted, await project.resources.find())
      return { ...(await apply(actions, project.resources, { prune, say: (line) => said.push(line) })), said }
    } finally {
      await project.close()
    }
  }
  const brief = (actions: Action[]) =>
    actions.map((step) => {
      const changes = 'changes' in step ? step.changes.map(({ field, from, to }) => `${field} ${from} → ${to}`) : []
      return [step.action, step.resource.kind, step.resource.name, ...changes].join(' ')
    })

  it('are made one by the first apply; the second changes nothing', async () => {
    const everything = await planned()
    expect(new Set(everything.map(({ action }) => action))).to.deep.equal(new Set(['create']))
    expect(await applied()).to.include({ created: everything.length, changed: 0 })
    expect(await planned()).to.deep.equal([])
    scheduler.calls.length = 0
    expect(await applied({ prune: true })).to.include({ created: 0, changed: 0, deleted: 0 })
    expect([...new Set(scheduler.calls)]).to.deep.equal(['ListJobs'])
  })

  it('leaves on Pub/Sub what the file says, marked as ours', async () => {
    await applied()
    const [subscription] = await pubsub.subscription('paper-commands-engine').getMetadata()
    expect(subscription).to.deep.include({
      topic: pubsub.topic('paper-commands').name,
      ackDeadlineSeconds: 10,
      enableMessageOrdering: false,
      enableExactlyOnceDelivery: false,
      expirationPolicy: { ttl: null },
      labels: { 'managed-by': 'ib-trading', 'trading-mode': 'paper' },
      deadLetterPolicy: { deadLetterTopic: pubsub.topic('paper-dead-letters').name, maxDeliveryAttempts: 100 },
    })
    expect(Number(subscription.retryPolicy?.maximumBackoff?.seconds)).to.equal(60)
    const [topic] = await pubsub.topic('paper-dead-letters').getMetadata()
    expect([Number(topic.messageRetentionDuration?.seconds), topic.labels?.['managed-by']]).to.deep.equal([31 * 86_400, 'ib-trading'])
  })

  it('leaves at Cloud Scheduler one job a possible close, which publishes what the engine takes for its command', async () => {
    await applied()
    const [found] = await jobs.listJobs({ parent: parent() })
    expect(found.map(({ name }) => name)).to.have.length(7)
    const daily = found.filter(({ name }) => name!.includes('orchestrator'))
    expect(daily.map(({ name, schedule, timeZone, state }) => [name, schedule, timeZone, state])).to.deep.equal([
      [jobPath('paper-orchestrator-1300'), '5 13 * * 1-5', 'America/New_York', 'ENABLED'],
      [jobPath('paper-orchestrator-1600'), '5 16 * * 1-5', 'America/New_York', 'ENABLED'],
    ])
    const target = daily[0]!.pubsubTarget!
    expect(target.topicName).to.equal(pubsub.topic('paper-commands').name)
    expect(target.attributes).to.deep.equal({ type: 'orchestrator', job: 'orchestrator', source: 'scheduler' })
    expect(String(target.data)).to.equal('{}')
    const { retryCount, maxRetryDuration } = daily[0]!.retryConfig!
    expect([retryCount, Number(maxRetryDuration?.seconds)]).to.deep.equal([3, 300])
  })

  it('brings back what was changed by hand in Pub/Sub', async () => {
    await applied()
    await pubsub.topic('paper-events').setMetadata({ messageRetentionDuration: { seconds: 3_600 } })
    await pubsub.subscription('paper-urgent-engine').setMetadata({
      ...{ ackDeadlineSeconds: 99, messageRetentionDuration: 3_600, enableExactlyOnceDelivery: true, retryPolicy: null },
      deadLetterPolicy: { deadLetterTopic: pubsub.topic('paper-events').name, maxDeliveryAttempts: 7 },
    })
    await pubsub.subscription('paper-dead-letters-kept').setMetadata({ pushConfig: { pushEndpoint: 'http://127.0.0.1:9/' } })
    await pubsub.subscription('paper-commands-engine').delete()
    expect(brief(await planned())).to.deep.equal([
      'change topic paper-events retention 3600 → 604800',
      'create subscription paper-commands-engine',
      'change subscription paper-urgent-engine ackDeadline 99 → 10 minimumBackOff null → 1 maximumBackOff null → 10 ' +
        'deadLetterTopic paper-events → paper-dead-letters attempts 7 → 100 exactlyOnce true → false retention 3600 → 604800',
      'change subscription paper-dead-letters-kept delivery push to http://127.0.0.1:9/ → pull',
    ])
    expect(await applied()).to.deep.include({ created: 1, changed: 3, failures: [] })
    expect(await planned()).to.deep.equal([])
  })

  it('brings back what was changed by hand at Cloud Scheduler', async () => {
    await applied()
    const [early, usual] = ['paper-orchestrator-1300', 'paper-orchestrator-1600'].map(jobPath) as [string, string]
    await jobs.updateJob({ job: { name: early, schedule: '0 9 * * *' }, updateMask: { paths: ['schedule'] } })
    await jobs.pauseJob({ name: early })
    const [{ pubsubTarget }] = await jobs.getJob({ name: usual })
    await jobs.updateJob({
      job: { name: usual, pubsubTarget: { ...pubsubTarget, data: Buffer.from('{"dryRun": true}') }, timeZone: 'Etc/UTC' },
      updateMask: { paths: ['pubsub_target', 'time_zone'] },
    })
    expect(brief(await planned())).to.deep.equal([
      'change job paper-orchestrator-1300 schedule 0 9 * * * → 5 13 * * 1-5 state paused → enabled',
      'change job paper-orchestrator-1600 timeZone Etc/UTC → America/New_York body {"dryRun":true} → {}',
    ])
    expect(await applied()).to.deep.include({ changed: 2, failures: [] })
    expect(await planned()).to.deep.equal([])
    expect(scheduler.jobs.get(early)).to.include({ state: 'ENABLED', schedule: '5 13 * * 1-5' })
  })

  it('mends a job whose last update failed, and names one that the service disabled', async () => {
    await applied()
    scheduler.jobs.get(jobPath('paper-orchestrator-1300'))!.state = 'UPDATE_FAILED'
    scheduler.jobs.get(jobPath('paper-orchestrator-1600'))!.state = 'DISABLED'
    const { changed, failures } = await applied()
    expect([changed, failures.length]).to.deep.equal([1, 1])
    expect(failures[0]).to.match(/^job paper-orchestrator-1600: state cannot be changed in place: .*look into its log/)
    expect(brief(await planned())).to.deep.equal(['cannotChange job paper-orchestrator-1600 state disabled → enabled'])
  })

  it('takes a body that is written otherwise but says the same for the same', async () => {
    await applied()
    const job = scheduler.jobs.get(jobPath('paper-orchestrator-1300'))!
    job.pubsub_target!.data = Buffer.from(' { } ')
    expect(await planned()).to.deep.equal([])
  })

  it('does not pretend to change what Google fixes at creation', async () => {
    await pubsub.createTopic('paper-urgent')
    await pubsub.createSubscription('paper-urgent', 'paper-commands-engine', { enableMessageOrdering: true, expirationPolicy: {} })
    const { failures } = await applied()
    expect(failures).to.have.length(2)
    expect(failures.join()).to.match(/topic cannot be changed in place.*ordering cannot be changed in place/)
    const again = await planned()
    expect(brief(again)).to.deep.equal([
      'cannotChange subscription paper-commands-engine topic paper-urgent → paper-commands',
      'cannotChange subscription paper-commands-engine ordering true → false',
    ])
  })

  it('tells when a topic was deleted under its subscription', async () => {
    await applied()
    await pubsub.topic('paper-urgent').delete()
    expect(brief(await planned())).to.deep.equal([
      'create topic paper-urgent',
      'cannotChange subscription paper-urgent-engine topic _deleted-topic_ → paper-urgent',
    ])
  })

  it('goes on after a failure, names it, and has the rest to do the next time', async () => {
    scheduler.failNext('CreateJob', 7, 'The principal lacks cloudscheduler.jobs.create')
    const everything = await planned()
    const { created, failures } = await applied()
    expect(created).to.equal(everything.length - 1)
    expect(failures).to.deep.equal(['job paper-risk-check: The principal lacks cloudscheduler.jobs.create'])
    expect(brief(await planned())).to.deep.equal(['create job paper-risk-check'])
    expect(await applied()).to.include({ created: 1 })
  })

  it('is rid with prune of what is ours and too much, and of nothing else', async () => {
    const more = {
      topics: { ...topics.topics, '{mode}-old': { kind: 'deadLetter', retention: 600_000 } as const },
      subscriptions: {
        ...topics.subscriptions,
        '{mode}-old-kept': { ...topics.subscriptions['{mode}-dead-letters-kept']!, topic: '{mode}-old' },
      },
      schedules: [
        ...topics.schedules,
        { ...topics.schedules[0]!, job: 'weekly', when: { kind: 'cron', expression: '0 9 * * 1' } as const },
      ],
    }
    await applied({ from: more })
    await applied({ mode: 'live' })
    await pubsub.createTopic('paper-trail')
    await pubsub.createSubscription('paper-events', 'paper-analytics')
    const foreign = { name: jobPath('paper-backup'), schedule: '0 1 * * *', httpTarget: { uri: 'https://example.com/' } }
    await jobs.createJob({ parent: parent(), job: foreign })
    const tooMuch = ['extra job paper-weekly', 'extra subscription paper-old-kept', 'extra topic paper-old']
    expect(brief(await planned())).to.deep.equal(tooMuch)
    expect(await applied()).to.include({ deleted: 0, left: 3 })
    expect(brief(await planned())).to.deep.equal(tooMuch)
    expect(await applied({ prune: true })).to.include({ deleted: 3, left: 0 })
    expect([await planned(), await planned('live')]).to.deep.equal([[], []])
    const [[names], [subscriptions], [left]] = await Promise.all([
      pubsub.getTopics(),
      pubsub.getSubscriptions(),
      jobs.listJobs({ parent: parent() }),
    ])
    expect(names.map(({ name }) => name.split('/').at(-1)))
      .to.include('paper-trail')
      .and.not.include('paper-old')
    expect(subscriptions.map(({ name }) => name.split('/').at(-1)))
      .to.include('paper-analytics')
      .and.not.include('paper-old-kept')
    expect(left.map(({ name }) => name))
      .to.include(jobPath('paper-backup'))
      .and.have.length(15)
  })

  describe('with nothing but emulators', () => {
    const ensure = () => ensureTopics({ pubsub, topics, mode: 'paper', project: store.project })

    it('gets its topics and subscriptions at the start of each process, of several at once too', async () => {
      await Promise.all([ensure(), ensure(), ensure()])
      await ensure()
      const left = brief(await planned())
      expect(left).to.have.length(7).and.to.include.members(['create job paper-risk-check', 'create job paper-orchestrator-1600'])
      expect(left.every((line) => line.startsWith('create job '))).to.equal(true)
    })

    it('asks once for each when all is there, and changes nothing', async () => {
      await ensure()
      await pubsub.subscription('paper-urgent-engine').setMetadata({ ackDeadlineSeconds: 60 })
      const asked: string[] = []
      const request = pubsub.request.bind(pubsub)
      pubsub.request = ((config: { method: string }, ...rest: unknown[]) => {
        asked.push(config.method)
        return (request as (...all: unknown[]) => unknown)(config, ...rest)
      }) as typeof pubsub.request
      await ensure()
      expect(asked.sort()).to.deep.equal(['listSubscriptions', 'listTopics'])
      const [{ ackDeadlineSeconds }] = await pubsub.subscription('paper-urgent-engine').getMetadata()
      expect(ackDeadlineSeconds).to.equal(60)
    })
  })
})
