/** Messages that were given up, as an admin handles them over HTTP, on a bus in the test's hand. */
import { expect } from 'chai'
import type { DeadLetter } from '../../../domain/ports/bus.ts'
import { type ServerInHand, startServer } from './server-in-hand.ts'

const at = '2026-11-20T15:00:00.000Z'
const [engine, urgent] = ['paper-commands-engine', 'paper-urgent-engine']
const letter = (more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...{ id: 'm1', data: '{}', attributes: { type: 'reconcile' }, publishedAt: at, subscription: engine },
  ...{ attempts: 3, reason: 'not ready', deadAt: at, ...more },
})

describe('dead letters over HTTP', () => {
  let world: ServerInHand
  beforeEach(async () => {
    world = await startServer()
  })
  afterEach(() => world.server.stop())
  const list = (query = '') => world.ask({ method: 'GET', url: `/dead-letters${query}` })
  const handle = (what: 'republish' | 'discard', body?: object, id = 'm1') => world.ask({ url: `/dead-letters/${id}/${what}`, body })

  it('are listed as the bus has them, of one subscription when asked', async () => {
    world.letters.push(letter(), letter({ id: 'm2', subscription: urgent }))
    expect((await list()).json()).to.deep.equal(world.letters)
    expect((await list(`?subscription=${urgent}`)).json()).to.deep.equal([world.letters[1]])
  })

  it('are refused in words where the address or the body is not what it must be', async () => {
    world.letters.push(letter())
    const wrong = [
      await list('?subscription=paper-nobody'),
      await list('?subscriptions=paper-urgent-engine'),
      await handle('republish', { dryRun: true }),
      await handle('republish', { data: '{}' }),
      await handle('discard', { data: {} }),
      await world.ask({ url: '/dead-letters/m1/discard?subscription=x' }),
    ]
    for (const answer of wrong) expect([answer.statusCode, answer.json().code], answer.body).to.deep.equal([400, 'REQUEST_INVALID'])
    expect(world.letters).to.have.length(1)
    expect(world.published).to.deep.equal([])
  })

  it('are published again under the id of their command, as asked by whoever says so now, and are gone then', async () => {
    world.letters.push(
      letter({ data: '{"freshMinutes":5}', attributes: { type: 'allocation', actor: 'tom', digest: 'd', publishedAt: at } }),
    )
    const answer = await handle('republish')
    expect([answer.statusCode, answer.headers['location']]).to.deep.equal([202, '/commands/m1'])
    expect(answer.json()).to.deep.equal({ letter: 'm1', id: 'm1', type: 'allocation', topic: 'paper-commands', message: 'm1' })
    const attributes = { type: 'allocation', actor: 'local', digest: 'd', id: 'm1' }
    expect(world.published).to.deep.equal([{ topic: 'paper-commands', data: '{"freshMinutes":5}', attributes }])
    expect((await world.ask({ method: 'GET', url: '/commands/m1' })).json()).to.include({
      id: 'm1',
      status: 'published',
      type: 'allocation',
    })
    const again = await handle('republish')
    expect([again.statusCode, again.json().code, world.published.length]).to.deep.equal([404, 'NOTHING_HERE', 1])
    expect(world.lines.find(({ text }) => text.includes('m1 is published again'))!.fields).to.include({ actor: 'local', askedBy: 'tom' })
  })

  it('whose body would be refused stay, until another body is given, to which no digest of the first belongs', async () => {
    world.letters.push(letter({ data: '{"dryRun":1}', attributes: { type: 'allocation', digest: 'd' } }))
    const refused = await handle('republish')
    expect([refused.statusCode, refused.json().code]).to.deep.equal([409, 'LETTER_UNFIT'])
    expect(refused.json().text).to.match(/m1 would be refused: .*dryRun.*\(another body can be given as \{"data": \{…\}\}\)/)
    expect([world.letters.length, world.published.length]).to.deep.equal([1, 0])
    expect((await handle('republish', { data: { dryRun: true } })).statusCode).to.equal(202)
    expect(world.published[0]).to.deep.include({ data: '{"dryRun":true}', attributes: { type: 'allocation', id: 'm1', actor: 'local' } })
  })

  it('that several subscriptions gave up are named by one of them', async () => {
    world.letters.push(letter(), letter({ subscription: urgent, attributes: { type: 'halt' } }))
    for (const what of ['republish', 'discard'] as const) {
      const refused = await handle(what)
      expect([refused.statusCode, refused.json().code]).to.deep.equal([409, 'LETTER_AMBIGUOUS'])
      expect(refused.json().text).to.contain(`choose one of ${engine}, ${urgent}, as {"subscription": …} in the body`)
    }
    expect((await handle('republish', { subscription: urgent })).json()).to.include({ type: 'halt', topic: 'paper-urgent' })
    expect(world.letters.map(({ subscription }) => subscription)).to.deep.equal([engine])
  })

  it('are let go of for good, and shown a last time', async () => {
    world.letters.push(letter())
    const [kept] = world.letters
    const answer = await handle('discard')
    expect([answer.statusCode, answer.json()]).to.deep.equal([200, kept])
    expect(world.letters).to.deep.equal([])
    expect((await handle('discard')).statusCode).to.equal(404)
    expect(world.published).to.deep.equal([])
  })

  it('stay where they are when they cannot be published now', async () => {
    world.letters.push(letter())
    world.onPublish(() => {
      throw new Error('Pub/Sub refuses the topic')
    })
    const answer = await handle('republish')
    expect([answer.statusCode, answer.json().code]).to.deep.equal([503, 'STORE_UNAVAILABLE'])
    expect(answer.json().text).to.contain('Pub/Sub refuses the topic')
    expect(world.letters).to.have.length(1)
  })

  it('do not show what looks like a secret', async () => {
    const token = 'token=s3cr3t-s3cr3t'
    world.letters.push(letter({ data: `{"reason":"?${token}"}`, reason: `no: ?${token}` }))
    for (const body of [(await list()).body, (await handle('discard')).body, JSON.stringify(world.lines)])
      expect(body).to.not.contain('s3cr3t')
  })
})
