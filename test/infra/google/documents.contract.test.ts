import { Firestore, Timestamp } from '@google-cloud/firestore'
import { expect } from 'chai'
import { type Document, type DocumentWrite, type Json, Unstorable } from '../../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { sizeOf } from '../../../infra/google/document-values.ts'
import { startFirestoreEmulator } from '../../../infra/google/emulators.ts'
import { all } from '../../contract/commits.ts'
import { documentsContract } from '../../contract/documents.contract.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { type Connected, connections } from './connected.ts'

const hash = 'a'.repeat(64)
const first = { position: 1, hash }

describe('on Google', () => {
  const emulators = usesEmulators()
  documentsContract('Google Firestore', async () => {
    const store = emulators.store()
    const { open, close } = connections()
    return { documents: open(store).documents, another: async () => open(store).documents, close }
  })

  describe('documents on Google Firestore, beyond the contract', () => {
    const { open, close } = connections()
    let connected: Connected
    let store: ReturnType<typeof emulators.store>
    let proxy: TcpProxy | undefined
    beforeEach(() => {
      store = emulators.store()
      connected = open(store)
    })
    afterEach(async () => {
      proxy?.setMode('pass') // a client closes only when its calls have ended
      await close()
      await proxy?.close()
      proxy = undefined
    })
    const write = (...writes: DocumentWrite[]) => connected.documents.write('views', writes, first, undefined)
    const errorOf = (promise: Promise<unknown>): Promise<Error> =>
      promise.then(
        () => new Error('it succeeded'),
        (error: unknown) => error as Error,
      )
    const nothingIsThere = async (): Promise<void> => {
      expect(await connected.documents.checkpoint('views')).to.equal(undefined)
      expect(await all(connected.documents.all())).to.deep.equal([])
    }
    const through = async (deadlineMs: number): Promise<Connected & { proxy: TcpProxy }> => {
      proxy = await startTcpProxy(emulators.hosts().firestore)
      return { ...open(store, { host: proxy.host, deadlineMs }), proxy }
    }

    describe('are not', () => {
      it('what others keep in the same database', async () => {
        const theirs = [
          'journals/paper/commits/000000000001',
          'journals/paper/lease/current',
          'customers/1',
          'commands/c1/notes/1',
          'config/else',
          'positions/live',
          'strategies/dummy/intent/older',
        ]
        for (const path of theirs) await connected.firestore.doc(path).set({ theirs: true })
        await write({ kind: 'set', path: 'status/paper', data: {} })
        expect((await all(connected.documents.all())).map(({ path }) => path)).to.deep.equal(['status/paper'])
      })

      it('to be written outside of what views own', async () => {
        for (const path of ['journals/paper/commits/000000000001', 'status/live', 'executions/x/notes/1', 'customers/1'])
          expect((await errorOf(write({ kind: 'set', path, data: {} }))).message).to.include(`"${path}" is no document of a view`)
        await nothingIsThere()
      })
    })

    describe('hold what Firestore can hold, and refuse the rest before anything is sent', () => {
      const refused: [string, Document, RegExp][] = [
        ['a list in a list', { orders: [{ fills: [[1]] }] }, /status\/paper: its field orders\.0\.fills\.0 is a list directly in a list/],
        ['a reserved name', { map: { __x__: 1 } }, /its field map\.__x__ has a name that is empty, reserved/],
        ['an empty name', { map: { '': 1 } }, /has a name that is empty/],
        ['a value that is missing', { map: { gone: undefined as unknown as Json } }, /its field map\.gone is undefined/],
        ['a number that is none', { ratio: Number.NaN }, /its field ratio is NaN/],
        ['half a character', { text: '\ud83d' }, /its field text is no text/],
        ['more than a megabyte', { text: 'x'.repeat(2 ** 20) }, /status\/paper: it takes \d+ bytes, of 1048576 at most/],
      ]
      for (const [what, data, problem] of refused)
        it(`refuse ${what}, by name`, async () => {
          const error = await errorOf(write({ kind: 'set', path: 'config/paper', data: {} }, { kind: 'set', path: 'status/paper', data }))
          expect(error).to.be.instanceOf(Unstorable)
          expect(error.message).to.match(problem)
          expect((error as Unstorable).path).to.equal('status/paper')
          await nothingIsThere()
        })

      it('refuse maps that are too deep, as the store would', async () => {
        const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) })
        expect((await errorOf(write({ kind: 'set', path: 'status/paper', data: { a: deep(20) } }))).message).to.match(
          /deeper than 20 levels/,
        )
        expect((await write({ kind: 'set', path: 'status/paper', data: { a: deep(19) } })).answer).to.equal('written')
      })

      it('take a document of exactly a megabyte', async () => {
        const dataOf = (bytes: number): Document => ({ one: 'x'.repeat(2 ** 19), two: 'x'.repeat(bytes) })
        const room = 2 ** 20 - sizeOf('status/paper', dataOf(0)).bytes
        expect((await errorOf(write({ kind: 'set', path: 'status/paper', data: dataOf(room + 1) }))).message).to.match(
          /takes 1048577 bytes/,
        )
        expect((await write({ kind: 'set', path: 'status/paper', data: dataOf(room) })).answer).to.equal('written')
        // What a merge adds up to is known to the server alone.
        const checkpoint = await connected.documents.checkpoint('views')
        const more: DocumentWrite = { kind: 'merge', path: 'status/paper', data: { three: 'x'.repeat(99) } }
        const error = await errorOf(connected.documents.write('views', [more], first, checkpoint))
        expect(error).to.be.instanceOf(Unstorable)
        expect(await connected.documents.checkpoint('views')).to.deep.equal(checkpoint)
      })

      it('refuse a batch of more than Firestore takes, which would hang', async () => {
        const many = Array.from(
          { length: 12 },
          (_, number): DocumentWrite => ({
            kind: 'set',
            path: `activity/${number}`,
            data: { text: 'x'.repeat(900_000) },
          }),
        )
        expect((await errorOf(write(...many))).message).to.match(/a batch of 12 documents takes up to \d+ bytes/)
        await nothingIsThere()
        expect((await write(...many.slice(0, 3))).answer).to.equal('written')
      })
    })

    it('show what somebody put there by hand as what it is', async () => {
      const reference = connected.firestore.doc('status/paper')
      await connected.firestore.doc('status/live').set({
        at: Timestamp.fromMillis(Date.parse('2026-11-20T21:00:00.000Z')),
        of: reference,
        raw: Buffer.from('hi'),
        none: Number.NaN,
      })
      expect(await connected.documents.get('status/live')).to.deep.equal({
        at: { timestamp: '2026-11-20T21:00:00.000Z', nanoseconds: 0 },
        of: { reference: 'status/paper' },
        raw: { bytes: 'aGk=' },
        none: { number: 'NaN' },
      })
    })

    it('say that a checkpoint is none of ours when somebody overwrote it', async () => {
      await connected.firestore.doc('checkpoints/views').set({ position: 'seven' })
      expect((await errorOf(connected.documents.checkpoint('views'))).message).to.match(/^checkpoints\/views is no checkpoint of ours: /)
    })

    it('are written over pages and listed over pages', async () => {
      let checkpoint = await connected.documents.checkpoint('views')
      const paths = Array.from({ length: 450 }, (_, number) => `activity/${String(number).padStart(12, '0')}`)
      const written = await connected.documents.write(
        'views',
        paths.map((path) => ({ kind: 'set', path, data: {} })),
        first,
        checkpoint,
      )
      if (written.answer === 'written') checkpoint = written.checkpoint
      expect((await connected.documents.list('activity')).map(({ path }) => path)).to.deep.equal(paths)
      expect(await connected.documents.checkpoint('views')).to.deep.equal(checkpoint)
    })

    describe('on a bad line', () => {
      it('know their own batch when its answer was lost and the client repeated it', async () => {
        const { documents, proxy } = await through(10_000)
        const begun = await documents.write('views', [], first, undefined)
        if (begun.answer !== 'written') throw new Error('somebody else was there')
        proxy.setMode('resetOnAnswer')
        const again = await documents.write(
          'views',
          [{ kind: 'set', path: 'status/paper', data: { by: 'us' } }],
          { position: 2, hash },
          begun.checkpoint,
        )
        expect(proxy.bytes().lost).to.be.greaterThan(0)
        expect(again).to.deep.equal({ answer: 'written', checkpoint: await connected.documents.checkpoint('views') })
        expect(await connected.documents.get('status/paper')).to.deep.equal({ by: 'us' })
      })

      it('do not take a rival for themselves, though he wrote the very same', async () => {
        const rival = open(store).documents
        const same = () => [{ kind: 'set' as const, path: 'status/paper', data: { by: 'both' } }]
        const begun = await rival.write('views', same(), first, undefined)
        expect(begun.answer).to.equal('written')
        expect(await write(...same())).to.deep.equal({ answer: 'moved' })
      })

      it('end in time when the answer never comes, though the batch is there', async () => {
        const { documents, proxy } = await through(700)
        const begun = await documents.write('views', [], first, undefined)
        if (begun.answer !== 'written') throw new Error('somebody else was there')
        proxy.setMode('swallowAnswers')
        const before = performance.now()
        const error = await errorOf(
          documents.write('views', [{ kind: 'set', path: 'status/paper', data: {} }], { position: 2, hash }, begun.checkpoint),
        )
        expect(error).to.be.instanceOf(StoreUnavailable)
        expect(error.message).to.equal('writing the documents up to position 2: Firestore did not answer within 0.7 s')
        expect(performance.now() - before).to.be.lessThan(3_000)
        await until('it is there', async () => (await connected.documents.checkpoint('views'))?.position === 2)
        expect(await connected.documents.write('views', [], { position: 3, hash }, begun.checkpoint)).to.deep.equal({ answer: 'moved' })
      })

      it('end in time when nobody is there, whatever is asked', async () => {
        const { documents, proxy } = await through(500)
        proxy.setMode('refuse')
        const asked = [
          documents.get('status/paper'),
          documents.list('activity'),
          documents.checkpoint('views'),
          all(documents.all()),
          documents.write('views', [], first, undefined),
        ]
        for (const error of await Promise.all(asked.map(errorOf))) expect(error).to.be.instanceOf(StoreUnavailable)
      })

      it('tell who watches of what he missed while the line was down', async () => {
        const { documents, proxy } = await through(2_000)
        await write({ kind: 'set', path: 'status/paper', data: { a: 1 } })
        let [one, other] = [0, 0]
        documents.watch('status/paper', () => {
          one += 1
        })
        documents.watch('status/paper', () => {
          other += 1
        })
        await until('both are told at the start', () => one > 0 && other > 0)
        proxy.setMode('refuse')
        await connected.firestore.doc('status/paper').set({ a: 2 })
        const [before, beforeOther] = [one, other]
        proxy.setMode('pass')
        await until('both are told again', () => one > before && other > beforeOther, 60_000)
      })
    })

    it('share one stream among all who watch a document', async () => {
      let streams = 0
      const { firestore, documents } = connected
      const doc = firestore.doc.bind(firestore)
      Object.defineProperty(firestore, 'doc', {
        value: (path: string) => {
          streams += 1
          return doc(path)
        },
      })
      expect(firestore).to.be.instanceOf(Firestore)
      let told = 0
      const stops = Array.from({ length: 50 }, () =>
        documents.watch('status/paper', () => {
          told += 1
        }),
      )
      await until('all are told', () => told >= 50)
      expect(streams).to.equal(1)
      for (const stop of stops) stop()
      documents.watch('status/paper', () => {
        told += 1
      })
      expect(streams).to.equal(2)
    })

    it('tell who watches across a restart of the server, which forgets everything', async () => {
      const emulator = await startFirestoreEmulator()
      const port = Number(emulator.host.split(':')[1])
      const here = open(store, { host: emulator.host })
      let restarted: typeof emulator | undefined
      try {
        let told = 0
        here.documents.watch('status/paper', () => {
          told += 1
        })
        await until('he is told at the start', () => told > 0)
        await emulator.end()
        restarted = await startFirestoreEmulator(port)
        const before = told
        const written = await open(store, { host: restarted.host }).documents.write(
          'views',
          [{ kind: 'set', path: 'status/paper', data: {} }],
          first,
          undefined,
        )
        expect(written.answer).to.equal('written')
        await until('he is told of what is there now', () => told > before, 70_000)
        expect(await here.documents.get('status/paper')).to.deep.equal({})
      } finally {
        await close()
        await (restarted ?? emulator).end()
      }
    }).timeout(180_000)
  })
})
