/** What every store of documents must do. */
import { expect } from 'chai'
import { type Checkpoint, type Documents, type DocumentWrite, Unstorable } from '../../domain/ports/documents.ts'
import { all } from './commits.ts'
import { until } from './until.ts'

export type DocumentsWorld = {
  documents: Documents
  /** The same documents through a connection of its own. */
  another(): Promise<Documents>
  close(): Promise<void>
}

const hash = (letter: string) => letter.repeat(64)

export const documentsContract = (name: string, open: () => Promise<DocumentsWorld>): void => {
  describe(`documents on ${name}`, () => {
    let world: DocumentsWorld
    let documents: Documents
    let checkpoint: Checkpoint | undefined
    beforeEach(async () => {
      world = await open()
      documents = world.documents
      checkpoint = undefined
    })
    afterEach(() => world.close())
    /** Writes as the one projector there is. */
    const write = async (...writes: DocumentWrite[]): Promise<void> => {
      const position = (checkpoint?.position ?? 0) + 1
      const written = await documents.write('orders', writes, { position, hash: hash('a') }, checkpoint)
      if (written.answer !== 'written') throw new Error('the checkpoint moved')
      checkpoint = written.checkpoint
    }
    const failure = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => 'succeeded',
        (error: unknown) => (error as Error).message,
      )

    it('begin empty', async () => {
      expect(await documents.get('status/paper')).to.equal(undefined)
      expect(await documents.list('status')).to.deep.equal([])
      expect(await all(documents.all())).to.deep.equal([])
      expect(await documents.checkpoint('orders')).to.equal(undefined)
    })

    it('keep what JSON can say', async () => {
      const data = { text: 'Zürich 🙂', number: -0.25, yes: true, nothing: null, list: [1, { a: 'b' }], map: { deep: { deeper: [] } } }
      await write({ kind: 'set', path: 'status/paper', data })
      expect(await documents.get('status/paper')).to.deep.equal(data)
      expect(await (await world.another()).get('status/paper')).to.deep.equal(data)
    })

    it('keep notices beside what views write: no view wrote them, so no rebuild sees them', async () => {
      await write(
        { kind: 'set', path: 'notices/halt-3.0', data: { title: 'halted' } },
        { kind: 'set', path: 'status/paper', data: { a: 1 } },
      )
      expect(await documents.list('notices')).to.deep.equal([{ path: 'notices/halt-3.0', data: { title: 'halted' } }])
      expect((await all(documents.all())).map(({ path }) => path)).to.deep.equal(['status/paper'])
    })

    it('refuse what has no form in JSON, before anything is written: no attempt will ever store it', async () => {
      const odd = write(
        { kind: 'set', path: 'status/paper', data: { good: 1 } },
        { kind: 'set', path: 'activity/1', data: { bad: Number.NaN } },
      )
      expect(await odd.catch((error: unknown) => error)).to.be.instanceOf(Unstorable)
      expect(await documents.get('status/paper')).to.equal(undefined)
    })

    it('set the whole document', async () => {
      await write({ kind: 'set', path: 'status/paper', data: { a: 1, b: 2 } })
      await write({ kind: 'set', path: 'status/paper', data: { b: 3 } })
      expect(await documents.get('status/paper')).to.deep.equal({ b: 3 })
    })

    it('merge top-level fields, each replaced whole, and create what is missing', async () => {
      await write({ kind: 'set', path: 'status/paper', data: { a: 1, map: { x: 1, y: 2 } } })
      await write(
        { kind: 'merge', path: 'status/paper', data: { map: { z: 3 }, b: 2 } },
        { kind: 'merge', path: 'config/paper', data: { c: 3 } },
      )
      expect(await documents.get('status/paper')).to.deep.equal({ a: 1, b: 2, map: { z: 3 } })
      expect(await documents.get('config/paper')).to.deep.equal({ c: 3 })
    })

    it('delete, also what is not there', async () => {
      await write({ kind: 'set', path: 'status/paper', data: { a: 1 } })
      await write({ kind: 'delete', path: 'status/paper' }, { kind: 'delete', path: 'config/paper' })
      expect(await documents.get('status/paper')).to.equal(undefined)
      expect(await all(documents.all())).to.deep.equal([])
    })

    it('apply the writes of a batch in their order', async () => {
      await write(
        { kind: 'set', path: 'status/paper', data: { a: 1 } },
        { kind: 'merge', path: 'status/paper', data: { b: 2 } },
        { kind: 'set', path: 'config/paper', data: { a: 1 } },
        { kind: 'delete', path: 'config/paper' },
      )
      expect(await documents.get('status/paper')).to.deep.equal({ a: 1, b: 2 })
      expect(await documents.get('config/paper')).to.equal(undefined)
    })

    it('list what is directly in a collection, by id', async () => {
      await write(
        { kind: 'set', path: 'positions/paper', data: { at: 'top' } },
        { kind: 'set', path: 'positions/paper/openOrders/r2', data: { order: 2 } },
        { kind: 'set', path: 'positions/paper/openOrders/r1', data: { order: 1 } },
        { kind: 'set', path: 'positions/paper/holdings/r3', data: { order: 3 } },
      )
      expect(await documents.list('positions/paper/openOrders')).to.deep.equal([
        { path: 'positions/paper/openOrders/r1', data: { order: 1 } },
        { path: 'positions/paper/openOrders/r2', data: { order: 2 } },
      ])
      expect(await documents.list('positions')).to.deep.equal([{ path: 'positions/paper', data: { at: 'top' } }])
    })

    it('list a page, by where it begins and how long it is', async () => {
      await write(...['a', 'b', 'c', 'd'].map((id) => ({ kind: 'set' as const, path: `commands/${id}`, data: { id } })))
      const idsOf = async (page: Parameters<Documents['list']>[1], collection = 'commands') =>
        (await documents.list(collection, page)).map(({ path }) => path.split('/').at(-1))
      expect(await idsOf({ limit: 2 })).to.deep.equal(['a', 'b'])
      expect(await idsOf({ limit: 2, after: 'b' })).to.deep.equal(['c', 'd'])
      expect(await idsOf({ after: 'bb' }), 'behind an id that there is not').to.deep.equal(['c', 'd'])
      expect(await idsOf({ limit: 9, after: 'c' })).to.deep.equal(['d'])
      expect(await idsOf({ limit: 2, after: 'd' })).to.deep.equal([])
      expect([await idsOf({ limit: 5 }, 'checkpoints'), await idsOf({ after: 'orders' }, 'checkpoints')]).to.deep.equal([['orders'], []])
    })

    it('go through all in order, however many, without the checkpoints', async () => {
      const paths = Array.from({ length: 600 }, (_, number) => `activity/${String(number).padStart(12, '0')}`)
      for (const part of [paths.slice(300), paths.slice(0, 300)])
        await write(...part.map((path) => ({ kind: 'set' as const, path, data: { path } })))
      expect((await all(documents.all())).map(({ path }) => path)).to.deep.equal(paths)
    })

    it('go through all in the order of their paths, where ids and slashes mix', async () => {
      const paths = ['strategies/a', 'strategies/a-b', 'strategies/a-b/intent/latest', 'strategies/a.b', 'strategies/a/intent/dryRun']
      const others = ['activity/1', 'config/common', 'positions/paper', 'positions/paper/holdings/a', 'positions/paper/portfolio/latest']
      const lone = 'strategies/gone/intent/latest'
      const wanted = [...others, ...paths, lone]
      await write(...wanted.toReversed().map((path) => ({ kind: 'set' as const, path, data: {} })))
      expect((await all(documents.all())).map(({ path }) => path)).to.deep.equal(wanted)
    })

    it('keep numbers as they are', async () => {
      const data = { quarter: -0.25, one: 1.0, least: 1e-8, most: 2 ** 53 - 1, large: 1.7e300, third: 1 / 3, list: [0, -1, 0.1] }
      await write({ kind: 'set', path: 'status/paper', data })
      expect(await documents.get('status/paper')).to.deep.equal(data)
    })

    it('merge fields whose names hold dots, and a map at a time', async () => {
      await write({ kind: 'set', path: 'config/common', data: { 'strategies.dummy.allocation': { x: 1 }, strategies: { dummy: 1 } } })
      await write({ kind: 'merge', path: 'config/common', data: { 'strategies.dummy.allocation': { y: 2 }, 'a b/`c`': [1] } })
      expect(await documents.get('config/common')).to.deep.equal({
        'strategies.dummy.allocation': { y: 2 },
        strategies: { dummy: 1 },
        'a b/`c`': [1],
      })
    })

    it('create by an empty merge, and leave alone what is there', async () => {
      await write({ kind: 'set', path: 'status/paper', data: { a: 1 } })
      await write({ kind: 'merge', path: 'status/paper', data: {} }, { kind: 'merge', path: 'config/paper', data: {} })
      expect(await documents.get('status/paper')).to.deep.equal({ a: 1 })
      expect(await documents.get('config/paper')).to.deep.equal({})
    })

    it('move the checkpoint together with the batch, and show it as a document', async () => {
      await write({ kind: 'set', path: 'status/paper', data: { a: 1 } })
      expect(await documents.checkpoint('orders')).to.deep.equal(checkpoint)
      expect(checkpoint).to.deep.include({ position: 1, hash: hash('a') })
      expect(await documents.get('checkpoints/orders')).to.deep.include({ position: 1, hash: hash('a') })
      expect((await documents.list('checkpoints')).map(({ path }) => path)).to.deep.equal(['checkpoints/orders'])
      await write()
      expect(await documents.checkpoint('orders')).to.deep.include({ position: 2 })
    })

    it('write nothing for the second of two projectors', async () => {
      const rival = await world.another()
      await write()
      const stale = await rival.checkpoint('orders')
      await write({ kind: 'set', path: 'status/paper', data: { by: 'first' } })
      const late = await rival.write(
        'orders',
        [{ kind: 'set', path: 'status/paper', data: { by: 'second' } }],
        { position: 2, hash: hash('b') },
        stale,
      )
      expect(late).to.deep.equal({ answer: 'moved' })
      expect(await documents.get('status/paper')).to.deep.equal({ by: 'first' })
      expect(await documents.checkpoint('orders')).to.deep.equal(checkpoint)
    })

    it('let one of two projectors begin', async () => {
      const rival = await world.another()
      const begin = (own: Documents, by: string) =>
        own.write('orders', [{ kind: 'set', path: `commands/${by}`, data: { by } }], { position: 1, hash: hash('a') }, undefined)
      const answers = await Promise.all([begin(documents, 'first'), begin(rival, 'second')])
      expect(answers.map(({ answer }) => answer).sort()).to.deep.equal(['moved', 'written'])
      expect(await documents.list('commands')).to.have.length(1)
    })

    it('notice a checkpoint that moved and came back to the same position', async () => {
      await write()
      const first = checkpoint!
      const again = await documents.write('orders', [], { position: first.position, hash: first.hash }, first)
      expect(again.answer).to.equal('written')
      expect(await documents.write('orders', [], { position: 2, hash: hash('b') }, first)).to.deep.equal({ answer: 'moved' })
    })

    it('keep the checkpoints of projections apart', async () => {
      await write()
      const other = await documents.write('status', [], { position: 7, hash: hash('c') }, undefined)
      expect(other.answer).to.equal('written')
      expect(await documents.checkpoint('orders')).to.deep.include({ position: 1 })
    })

    it('refuse paths that are none, and write nothing then', async () => {
      for (const path of ['status', 'status/paper/more', 'status//paper/x', '/status', 'status/..', '']) {
        expect(await failure(documents.get(path))).to.match(/is not a document path/)
        const batch = write({ kind: 'set', path: 'status/paper', data: { a: 1 } }, { kind: 'set', path, data: { a: 1 } })
        expect(await failure(batch)).to.match(/is not a document path/)
      }
      for (const path of ['status/paper', 'a//b', '']) expect(await failure(documents.list(path))).to.match(/is not a collection/)
      expect(await documents.get('status/paper')).to.equal(undefined)
      expect(await documents.checkpoint('orders')).to.equal(undefined)
    })

    it('let no view write a checkpoint', async () => {
      const batch = write({ kind: 'set', path: 'checkpoints/orders', data: { position: 9 } })
      expect(await failure(batch)).to.match(/is a checkpoint/)
    })

    it('tell who watches, here and elsewhere, and no more once he left', async () => {
      let [here, there] = [0, 0]
      const stopHere = documents.watch('status/paper', () => {
        here += 1
      })
      const stopThere = (await world.another()).watch('status/paper', () => {
        there += 1
      })
      await write({ kind: 'set', path: 'status/paper', data: { a: 1 } })
      await until('both were told', () => here > 0 && there > 0)
      stopHere()
      const before = here
      await write({ kind: 'set', path: 'status/paper', data: { a: 2 } })
      const toldThere = there
      await until('the other was told again', () => there > toldThere || there > 1)
      stopThere()
      expect(here).to.equal(before)
    })
  })
}
