import { expect } from 'chai'
import type { Schedule, Topics } from '../../../../domain/topics.ts'
import { plan } from '../../../../infra/google/topics/plan.ts'
import { summaryOf, textOf } from '../../../../infra/google/topics/report.ts'
import type { Found, Resource } from '../../../../infra/google/topics/resources.ts'
import { wanted } from '../../../../infra/google/topics/wanted.ts'
import { readTopics } from '../../../../infra/topics-file.ts'

const shipped = readTopics()
const place = { mode: 'paper', location: 'europe-west1' }
const all = wanted(shipped, place)
const named = <K extends Resource['kind']>(kind: K, name: string, from: readonly Resource[] = all) =>
  from.find((resource) => resource.kind === kind && resource.name === name) as Extract<Resource, { kind: K }>
const asFound = (resources: readonly Resource[]): Found[] => resources.map((resource) => ({ ...structuredClone(resource), ours: true }))
/** The project as the file wants it, but for some fields of one resource. */
const drifted = (kind: Resource['kind'], name: string, fields: object): Found[] =>
  asFound(all).map((found) =>
    found.kind === kind && found.name === name ? ({ ...found, fields: { ...found.fields, ...fields } } as Found) : found,
  )
const engine = ['subscription', 'paper-commands-engine'] as const

describe('what topics.yaml asks of a project', () => {
  it('is its topics, its subscriptions and its jobs, in the order in which they can be made', () => {
    expect(all.map(({ kind, name }) => `${kind} ${name}`)).to.deep.equal([
      'topic paper-commands',
      'topic paper-urgent',
      'topic paper-events',
      'topic paper-dead-letters',
      'subscription paper-commands-engine',
      'subscription paper-urgent-engine',
      'subscription paper-dead-letters-kept',
      'subscription paper-dead-letters-alerts',
      'job paper-risk-check',
      'job paper-trade-reconciliation-1300',
      'job paper-trade-reconciliation-1600',
      'job paper-eod-check-1300',
      'job paper-eod-check-1600',
      'job paper-orchestrator-1300',
      'job paper-orchestrator-1600',
    ])
  })

  it('keeps messages as long as the file says, and subscriptions for ever', () => {
    expect(named('topic', 'paper-dead-letters').fields).to.deep.equal({ retention: 31 * 86_400 })
    expect(named(...engine).fields).to.deep.equal({
      topic: 'paper-commands',
      delivery: 'pull',
      filter: '',
      ordering: false,
      detached: false,
      ackDeadline: 10,
      minimumBackOff: 1,
      maximumBackOff: 60,
      deadLetterTopic: 'paper-dead-letters',
      attempts: 100,
      exactlyOnce: false,
      expiration: null,
      retention: 7 * 86_400,
    })
    expect(named('subscription', 'paper-dead-letters-kept').fields).to.include({ retention: 31 * 86_400, deadLetterTopic: null })
  })

  it('has one job for each possible close, both of the one job of the file, without an id', () => {
    const [early, usual] = [named('job', 'paper-orchestrator-1300'), named('job', 'paper-orchestrator-1600')]
    expect(early.fields).to.deep.equal({
      target: 'topic paper-commands',
      schedule: '5 13 * * 1-5',
      timeZone: 'America/New_York',
      attributes: '{"job":"orchestrator","source":"scheduler","type":"orchestrator"}',
      body: '{}',
      retries: 3,
      retriedFor: 300,
      minimumBackOff: 5,
      maximumBackOff: 30,
      state: 'enabled',
    })
    expect(usual.fields).to.deep.equal({ ...early.fields, schedule: '5 16 * * 1-5' })
  })

  it('has one job for a cron, with its body in canonical form, tried for no longer than half of its validFor', () => {
    const schedule: Schedule = {
      ...{ job: 'morning', when: { kind: 'cron', expression: '*/30 9-15 * * 1-5' } },
      ...{ timeZone: 'America/New_York', calendar: 'NYSE' },
      command: { type: 'brief', body: { z: 1, a: [true] } },
    }
    const commands = {
      kind: 'command',
      retention: 600_000,
      messages: { strategy: { validFor: 60_000 }, brief: { validFor: 120_000 } },
    } as const
    const topics: Topics = { topics: { '{mode}-commands': commands }, subscriptions: {}, schedules: [schedule] }
    const [, job, ...others] = wanted(topics, { ...place, mode: 'live' })
    expect([job?.name, others]).to.deep.equal(['live-morning', []])
    expect(job?.fields).to.include({
      schedule: '*/30 9-15 * * 1-5',
      body: '{"a":[true],"z":1}',
      retriedFor: 60,
      target: 'topic live-commands',
    })
  })

  it('has no jobs without a place for them, and shorter memories on the emulator', () => {
    const emulated = wanted(shipped, { mode: 'paper', emulated: true })
    expect(emulated.filter(({ kind }) => kind === 'job')).to.deep.equal([])
    expect(named('subscription', 'paper-dead-letters-kept', emulated).fields.retention).to.equal(7 * 86_400)
  })
})

describe('the plan', () => {
  it('is empty when all is as the file says, and in an empty project creates all', () => {
    expect(plan(all, asFound(all))).to.deep.equal([])
    expect(textOf([])).to.equal('nothing to do')
    expect(plan(all, [])).to.deep.equal(all.map((resource) => ({ action: 'create', resource })))
  })

  const changeable: [kind: Resource['kind'], name: string, field: string, from: string | number | boolean | null, text: string][] = [
    ['topic', 'paper-events', 'retention', null, 'retention: none → 7 d'],
    [...engine, 'ackDeadline', 90, 'ack deadline: 90 s → 10 s'],
    [...engine, 'minimumBackOff', null, 'minimum back off: none → 1 s'],
    [...engine, 'maximumBackOff', 600, 'maximum back off: 10 min → 1 min'],
    [...engine, 'deadLetterTopic', null, 'dead letter topic: none → paper-dead-letters'],
    [...engine, 'attempts', 5, 'attempts: 5 → 100'],
    [...engine, 'exactlyOnce', true, 'exactly once: true → false'],
    [...engine, 'expiration', 2_678_400, 'expiration: 31 d → never'],
    [...engine, 'retention', 3_600, 'retention: 1 h → 7 d'],
    [...engine, 'delivery', 'push to https://x', 'delivery: push to https://x → pull'],
    ['job', 'paper-orchestrator-1600', 'schedule', '0 9 * * *', 'schedule: 0 9 * * * → 5 16 * * 1-5'],
    ['job', 'paper-orchestrator-1600', 'timeZone', 'Etc/UTC', 'time zone: Etc/UTC → America/New_York'],
    ['job', 'paper-orchestrator-1600', 'body', '{"dryRun":true}', 'body: {"dryRun":true} → {}'],
    ['job', 'paper-orchestrator-1600', 'target', 'topic paper-urgent', 'target: topic paper-urgent → topic paper-commands'],
    ['job', 'paper-orchestrator-1600', 'state', 'paused', 'state: paused → enabled'],
    ['job', 'paper-orchestrator-1600', 'state', 'update failed', 'state: update failed → enabled'],
  ]
  for (const [kind, name, field, from, text] of changeable)
    it(`changes the ${field} of a ${kind} from ${from} in place, and says from what to what`, () => {
      const actions = plan(all, drifted(kind, name, { [field]: from }))
      expect(actions.map(({ action, resource }) => [action, resource.name])).to.deep.equal([['change', name]])
      expect(textOf(actions)).to.equal(`~ ${kind} ${name}\n    ${text}\n1 to change`)
    })

  const fixed: [kind: Resource['kind'], name: string, field: string, from: string | boolean, why: RegExp][] = [
    [...engine, 'topic', 'paper-urgent', /stays with its topic: delete the subscription by hand/],
    [...engine, 'topic', '_deleted-topic_', /its topic was deleted/],
    [...engine, 'ordering', true, /fixed when a subscription is created/],
    [...engine, 'filter', 'attributes.a="b"', /a filter is fixed/],
    [...engine, 'detached', true, /gets no messages any more/],
    [...engine, 'delivery', 'export to BigQuery', /cannot be made to pull/],
    ['job', 'paper-orchestrator-1300', 'target', 'HTTP https://x', /delete the job by hand/],
    ['job', 'paper-orchestrator-1300', 'state', 'disabled', /because of an error/],
  ]
  for (const [kind, name, field, from, why] of fixed)
    it(`says that the ${field} of a ${kind} cannot be changed from ${from}, and what to do`, () => {
      const [action, ...others] = plan(all, drifted(kind, name, { [field]: from }))
      expect(others).to.deep.equal([])
      expect(action).to.have.property('action', 'cannotChange')
      expect(action).to.have.property('why').that.matches(why)
      expect(textOf([action!])).to.contain(`! ${kind} ${name} cannot be changed in place`)
    })

  it('changes nothing else of a job that would have to be made anew', () => {
    const found = drifted('job', 'paper-orchestrator-1300', { target: 'HTTP https://x', attributes: '{}', schedule: '0 9 * * *' })
    expect(plan(all, found).map(({ action }) => action)).to.deep.equal(['cannotChange'])
  })

  it('changes what can be changed beside what cannot', () => {
    const actions = plan(all, drifted(...engine, { ordering: true, ackDeadline: 20 }))
    expect(actions.map(({ action }) => action)).to.deep.equal(['change', 'cannotChange'])
    expect(summaryOf(actions)).to.equal('1 to change, 1 that cannot be changed in place')
  })

  const extra = (kind: Resource['kind'], name: string, ours: boolean, fields: object = {}): Found => {
    const like = all.find((resource) => resource.kind === kind)!
    return { ...like, name, ours, fields: { ...like.fields, ...fields } } as Found
  }

  it('names what is ours and too much, readers before what they read, and says nothing of others', () => {
    const found = [
      ...asFound(all),
      extra('topic', 'paper-old', true),
      extra('subscription', 'paper-old-engine', true, { topic: 'paper-old' }),
      extra('job', 'paper-weekly', true),
      extra('topic', 'paper-trail', false),
      extra('topic', 'live-commands', false),
    ]
    const actions = plan(all, found)
    expect(actions.map(({ action, resource }) => `${action} ${resource.kind} ${resource.name}`)).to.deep.equal([
      'extra job paper-weekly',
      'extra subscription paper-old-engine',
      'extra topic paper-old',
    ])
    expect(actions.filter((action) => 'kept' in action)).to.deep.equal([])
  })

  it('keeps a topic that others still read', () => {
    const found = [...asFound(all), extra('topic', 'paper-old', true), extra('subscription', 'analytics', false, { topic: 'paper-old' })]
    expect(plan(all, found).map((action) => 'kept' in action && action.kept)).to.deep.equal(['still read by analytics'])
  })
})
