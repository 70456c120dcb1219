import { expect } from 'chai'
import { apply, problemOf } from '../../../../infra/google/topics/apply.ts'
import { plan } from '../../../../infra/google/topics/plan.ts'
import type { Found, Resource } from '../../../../infra/google/topics/resources.ts'
import { wanted } from '../../../../infra/google/topics/wanted.ts'
import { readTopics } from '../../../../infra/topics-file.ts'

const all = wanted(readTopics(), { mode: 'paper', location: 'europe-west1' })
const asFound = (resource: Resource): Found => ({ ...resource, ours: true })

/** A project in memory; `refuses` names what it does not do. */
const project = (found: Found[], refuses: string[] = []) => {
  const done: string[] = []
  const said: string[] = []
  const act = (what: string, { kind, name }: Resource) => {
    if (refuses.includes(`${what} ${kind} ${name}`)) throw new Error('7 PERMISSION_DENIED: not yours : Previous errors : [{…}]')
    done.push(`${what} ${kind} ${name}`)
  }
  const run = (prune = false) =>
    apply(
      plan(all, found),
      {
        create: async (resource) => act('create', resource),
        change: async (resource, fields) => act(`change ${fields.join('+')}`, resource),
        remove: async (resource) => act('remove', resource),
      },
      { prune, say: (line) => said.push(line) },
    )
  return { run, done, said }
}

describe('apply', () => {
  it('makes topics first, then subscriptions, then jobs, and says each', async () => {
    const { run, done, said } = project([])
    expect(await run()).to.deep.equal({ created: all.length, changed: 0, deleted: 0, left: 0, failures: [] })
    expect(done).to.deep.equal(all.map(({ kind, name }) => `create ${kind} ${name}`))
    expect(said).to.deep.equal(all.map(({ kind, name }) => `created: ${kind} ${name}`))
  })

  it('does nothing where nothing differs', async () => {
    const { run, done } = project(all.map(asFound))
    expect(await run(true)).to.deep.equal({ created: 0, changed: 0, deleted: 0, left: 0, failures: [] })
    expect(done).to.deep.equal([])
  })

  it('sets only the fields that differ', async () => {
    const found = all
      .map(asFound)
      .map((each) =>
        each.name === 'paper-commands-engine' ? ({ ...each, fields: { ...each.fields, ackDeadline: 20, attempts: 7 } } as Found) : each,
      )
    const { run, done } = project(found)
    expect(await run()).to.include({ changed: 1 })
    expect(done).to.deep.equal(['change ackDeadline+attempts subscription paper-commands-engine'])
  })

  it('names what failed, leaves out what needs it, and does the rest', async () => {
    const { run, done, said } = project([], ['create topic paper-urgent'])
    const { failures, created } = await run()
    expect(failures).to.deep.equal([
      'topic paper-urgent: 7 PERMISSION_DENIED: not yours',
      'subscription paper-urgent-engine: its topic paper-urgent could not be created',
    ])
    expect(created).to.equal(all.length - 2)
    expect(done).to.include('create job paper-orchestrator-1600').and.not.include('create subscription paper-urgent-engine')
    expect(said).to.include('failed: topic paper-urgent: 7 PERMISSION_DENIED: not yours')
  })

  it('counts as failed what cannot be changed in place', async () => {
    const found = all
      .map(asFound)
      .map((each) => (each.name === 'paper-commands-engine' ? ({ ...each, fields: { ...each.fields, ordering: true } } as Found) : each))
    const { run, done } = project(found)
    const { failures } = await run(true)
    expect(failures).to.have.length(1)
    expect(failures[0]).to.match(
      /^subscription paper-commands-engine: ordering cannot be changed in place: .*delete the subscription by hand/,
    )
    expect(done).to.deep.equal([])
  })

  const old = (kind: 'topic' | 'subscription', name: string, fields: object = {}): Found => {
    const like = all.find((resource) => resource.kind === kind)!
    return { ...like, name, ours: true, fields: { ...like.fields, ...fields } } as Found
  }
  const withOld = [...all.map(asFound), old('topic', 'paper-old'), old('subscription', 'paper-old-engine', { topic: 'paper-old' })]

  it('deletes nothing unless told to, and then readers first', async () => {
    const careful = project(withOld)
    expect(await careful.run()).to.include({ deleted: 0, left: 2 })
    expect(careful.done).to.deep.equal([])
    expect(careful.said).to.include('left: topic paper-old is not in topics.yaml; deleted only with --prune')
    const pruning = project(withOld)
    expect(await pruning.run(true)).to.include({ deleted: 2, left: 0 })
    expect(pruning.said).to.deep.equal(['deleted: subscription paper-old-engine', 'deleted: topic paper-old'])
  })

  it('keeps a topic whose subscription could not be deleted, or that others read', async () => {
    const failing = project(withOld, ['remove subscription paper-old-engine'])
    expect((await failing.run(true)).failures).to.have.length(2)
    expect(failing.done).to.deep.equal([])
    const shared = project([
      ...all.map(asFound),
      old('topic', 'paper-old'),
      { ...old('subscription', 'x', { topic: 'paper-old' }), ours: false },
    ])
    expect(await shared.run(true)).to.include({ deleted: 0, left: 1 })
    expect(shared.said).to.deep.equal(['left: topic paper-old is not in topics.yaml; still read by x'])
  })

  it('says the error of a client in one line', () => {
    expect(problemOf(new Error('4 DEADLINE: a\nb'))).to.equal('4 DEADLINE: a')
    expect(problemOf(Object.assign(new Error('x'), { details: 'Topic not found' }))).to.equal('Topic not found')
  })
})
