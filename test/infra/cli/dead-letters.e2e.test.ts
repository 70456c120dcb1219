import { join } from 'node:path'
import { expect } from 'chai'
import { type Commit, genesisHash } from '../../../domain/commit.ts'
import type { DeadLetter, Delivery } from '../../../domain/ports/bus.ts'
import { simulatedClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/embedded/bus.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { ibt, temporaryFolder } from './ibt.ts'

const [commands, engine, urgent] = ['paper-commands', 'paper-commands-engine', 'paper-urgent-engine']
/** A Monday, five minutes after the close. */
const published = '2026-11-16T21:05:00.000Z'

describe('ibt dead-letters', function () {
  this.timeout(180_000)
  let folder: ReturnType<typeof temporaryFolder>
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(() => folder.remove())
  const run = (...args: string[]) => ibt(['dead-letters', ...args], { DATA_DIR: folder.path, USER: 'ann' })

  const withStore = async <T>(use: (store: ReturnType<typeof openStore>, bus: ReturnType<typeof openBus>) => Promise<T>): Promise<T> => {
    const store = openStore(join(folder.path, 'paper.sqlite'))
    try {
      return await use(store, openBus({ store, topics: readTopics(), mode: 'paper', clock: simulatedClock(Date.parse(published)) }))
    } finally {
      store.close()
    }
  }
  /** Takes what is waiting for a subscription, and does this with it. */
  const take = (subscription: string, count: number, end: (delivery: Delivery) => Promise<void>): Promise<Delivery[]> =>
    withStore(async (_, bus) => {
      const deliveries: Delivery[] = []
      const { close } = bus.subscribe(subscription, (delivery) => deliveries.push(delivery))
      await until(`${count} messages are here`, () => deliveries.length >= count)
      for (const delivery of deliveries) await end(delivery)
      await close()
      return deliveries
    })
  const bury = async (...messages: { data?: string; attributes: Record<string, string>; reason?: string }[]): Promise<DeadLetter[]> => {
    await withStore(async (_, bus) => {
      for (const { data = '{}', attributes } of messages) await bus.publish(commands, { data, attributes })
    })
    const reasons = messages.map(({ reason = 'not ready' }) => reason)
    await take(engine, messages.length, (delivery) => delivery.deadLetter(reasons.shift()!))
    return withStore((_, bus) => bus.deadLetters())
  }
  const waiting = (count: number) => take(engine, count, (delivery) => delivery.ack())
  const left = () => withStore((_, bus) => bus.deadLetters())

  it('prints a line of JSON for each, with or without the word list, of one subscription when asked', async () => {
    const letters = await bury(
      { attributes: { type: 'reconcile' }, reason: 'not ready' },
      { data: '{', attributes: { type: 'reconcile' }, reason: 'no JSON' },
    )
    const [all, listed, some, none] = await Promise.all([
      run(),
      run('list'),
      run('--subscription', engine),
      run('list', '--subscription', urgent),
    ])
    expect(all).to.deep.equal({ code: 0, out: letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''), errors: '' })
    expect(JSON.parse(all.out.split('\n')[1]!)).to.deep.include({
      id: 'm2',
      data: '{',
      reason: 'no JSON',
      subscription: engine,
      attempts: 1,
    })
    expect([listed, some]).to.deep.equal([all, all])
    expect(none).to.deep.equal({ code: 0, out: '', errors: '' })
  })

  it('republish publishes it again under the id that the engine would have taken, as asked now, and lets go of it', async () => {
    await bury({
      data: '{"dryRun":true}',
      attributes: { type: 'allocation', source: 'http', correlationId: 'k1', publishedAt: '2026-11-16T20:00:00.000Z' },
    })
    const { code, out, errors } = await run('republish', 'm1')
    expect([code, errors]).to.deep.equal([0, ''])
    expect(JSON.parse(out)).to.deep.equal({ letter: 'm1', id: 'm1', type: 'allocation', topic: commands, message: 'm2' })
    const [message] = await waiting(1)
    expect(message).to.deep.include({ id: 'm2', data: '{"dryRun":true}' })
    expect(message!.attributes).to.deep.equal({ type: 'allocation', id: 'm1', source: 'http', correlationId: 'k1' })
    expect(Math.abs(Date.parse(message!.publishedAt) - Date.now())).to.be.below(60_000)
    expect(await left()).to.deep.equal([])
  })

  it('republish keeps an id that the message brought, and names the slot of a job that brought none', async () => {
    await bury({ attributes: { type: 'reconcile', id: 'mine' } }, { attributes: { type: 'orchestrator', job: 'orchestrator' } })
    expect((await run('republish', '--all')).code).to.equal(0)
    expect((await waiting(2)).map(({ attributes }) => attributes)).to.deep.equal([
      { type: 'reconcile', id: 'mine' },
      { type: 'orchestrator', job: 'orchestrator', id: 'orchestrator@2026-11-16T21:05:00Z' },
    ])
  })

  it('republish leaves what could only die again, or be refused, where it is, and says why', async () => {
    await bury(
      { attributes: {} },
      { attributes: { type: 'frobnicate' } },
      { attributes: { type: 'reconcile', id: 'no id' } },
      { data: '{', attributes: { type: 'reconcile' } },
      { data: '{"dryRun":1}', attributes: { type: 'allocation' } },
      { attributes: { type: 'reconcile', id: 'good' } },
    )
    const one = await run('republish', 'm4')
    expect(one).to.deep.equal({
      ...{ code: 1, out: '' },
      errors:
        'ibt: m4 would only be given up again: the body is not JSON (a body can be put right with --data; all else by a new ibt publish)\n',
    })
    const all = await run('republish', '--all')
    expect([
      all.code,
      all.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).letter),
    ]).to.deep.equal([1, ['m6']])
    const lines = all.errors.trimEnd().split('\n')
    expect(lines).to.have.length(6)
    const wanted = [
      /^ibt: m1 .*"type" is missing/,
      /^ibt: m2 .*no command "frobnicate"/,
      /^ibt: m3 .*"no id"/,
      /^ibt: m4 .*not JSON/,
      /^ibt: m5 .*dryRun/,
    ]
    for (const [place, pattern] of wanted.entries()) expect(lines[place]).to.match(pattern)
    expect(lines[5]).to.equal('ibt: 5 of 6 dead letters are left where they are')
    expect((await left()).map(({ id }) => id)).to.deep.equal(['m1', 'm2', 'm3', 'm4', 'm5'])
    expect((await waiting(1)).map(({ attributes }) => attributes['id'])).to.deep.equal(['good'])
  })

  it('republish takes another body, which must be one', async () => {
    await bury({ data: '{', attributes: { type: 'allocation' } })
    const wrong = await run('republish', 'm1', '--data', '{"dryRun":1}')
    expect([wrong.code, wrong.out]).to.deep.equal([1, ''])
    expect(wrong.errors).to.match(/^ibt: m1 would be refused: [^\n]*dryRun[^\n]+\n$/)
    expect((await run('republish', 'm1', '--data', '{"dryRun":true}')).code).to.equal(0)
    expect((await waiting(1))[0]).to.deep.include({ data: '{"dryRun":true}', attributes: { type: 'allocation', id: 'm1' } })
  })

  it('republish does not ask for what was decided already', async () => {
    await bury({ attributes: { type: 'reconcile', id: 'done' } })
    const cause: Commit['cause'] = { kind: 'command', id: 'done', type: 'reconcile', publishedAt: published, source: 'cli' }
    const commit: Commit = { position: 1, epoch: 1, recordedAt: published, cause, events: [], previousHash: genesisHash }
    await withStore((store) => openJournal(store).append(commit))
    const { code, errors } = await run('republish', 'm1')
    expect([code, errors]).to.deep.equal([1, 'ibt: m1 asks for done, which was decided at position 1 already: discard it\n'])
    expect(await left()).to.have.length(1)
  })

  it('discard lets go of one for good, and prints it a last time', async () => {
    const [first, second] = await bury({ attributes: { type: 'reconcile' } }, { attributes: { type: 'reconcile' } })
    expect(await run('discard', 'm1')).to.deep.equal({ code: 0, out: `${JSON.stringify(first)}\n`, errors: '' })
    expect(await left()).to.deep.equal([second])
    expect(await run('discard', 'm1')).to.deep.equal({
      ...{ code: 1, out: '', errors: 'ibt: there is no dead letter m1; ibt dead-letters lists them by id\n' },
    })
  })

  it('names an argument that is wrong', async () => {
    await bury({ attributes: { type: 'reconcile' } })
    const [neither, both, many, nobody, word] = await Promise.all([
      run('republish'),
      run('republish', 'm1', '--all'),
      run('republish', '--all', '--data', '{}'),
      run('discard'),
      run('resurrect'),
    ])
    for (const answer of [neither, both, many, nobody, word]) expect([answer.code, answer.out]).to.deep.equal([1, ''])
    expect([neither.errors, both.errors]).to.deep.equal(Array(2).fill('ibt: either the ID of a letter or --all must be given\n'))
    expect(many.errors).to.equal('ibt: --data: is the body of one command; name the letter by its ID\n')
    expect(nobody.errors).to.contain("missing required argument 'id'")
    expect(word.errors).to.contain('resurrect')
    expect(await left()).to.have.length(1)
  })

  it('shows what each word does, with an example', async () => {
    for (const word of ['list', 'republish', 'discard']) {
      const { code, out } = await run(word, '--help')
      expect([code, out.includes(`ibt dead-letters ${word}`)]).to.deep.equal([0, true])
    }
    expect((await run('republish', '--help')).out).to.contain('validFor begins anew')
  })
})
