import { expect } from 'chai'
import type { Snapshots } from '../../../domain/ports/snapshots.ts'
import { openSnapshots } from '../../../infra/google/snapshots.ts'
import { snapshotsContract } from '../../contract/snapshots.contract.ts'
import { usesEmulators } from '../../emulators.ts'
import { googleClients } from './clients.ts'

const id = (position: number): string => String(position).padStart(12, '0')

describe("on Google's emulator", () => {
  const { store } = usesEmulators()
  const openWorld = () => {
    const clients = googleClients(store())
    const { firestore } = clients.connect()
    const heads = firestore.collection('journals').doc('paper').collection('snapshots')
    const parts = (position: number) => heads.doc(id(position)).collection('parts')
    const open = () => openSnapshots({ firestore: clients.connect().firestore, mode: 'paper' })
    return { clients, heads, parts, open }
  }

  snapshotsContract('Google Firestore', async () => {
    const { clients, heads, parts, open } = openWorld()
    return {
      snapshots: open(),
      another: async () => open(),
      damage: async (position) => {
        const part = parts(position).doc('0')
        const bytes = Buffer.from((await part.get()).data()!['bytes'] as Uint8Array)
        bytes[1] = 'P'.charCodeAt(0)
        await part.set({ bytes })
      },
      kept: async () => (await heads.listDocuments()).map((head) => Number(head.id)),
      close: clients.close,
    }
  })

  describe('snapshots on Google Firestore, beyond the contract', () => {
    let world: ReturnType<typeof openWorld>
    let snapshots: Snapshots
    beforeEach(() => {
      world = openWorld()
      snapshots = world.open()
    })
    afterEach(() => world.clients.close())
    const large = (position: number) => ({
      version: 'v1',
      position,
      hash: `h${position}`,
      json: JSON.stringify(`${position}ü🙂`.repeat(300_000)),
    })
    const small = (position: number) => ({ version: 'v1', position, hash: `h${position}`, json: `{"position":${position}}` })

    it('are in parts that a document holds, cut wherever the bytes are full', async () => {
      await snapshots.save(large(5))
      const sizes = (await world.parts(5).get()).docs.map((part) => (part.data()['bytes'] as Uint8Array).length)
      expect(sizes.slice(0, -1)).to.deep.equal([900_000, 900_000])
      expect(sizes.at(-1)).to.be.within(1, 900_000)
      expect((await snapshots.latest('v1'))?.json === large(5).json).to.equal(true)
    })

    it('that were only half written are never seen, and go with the next', async () => {
      await snapshots.save(small(3))
      await world
        .parts(7)
        .doc('0')
        .set({ bytes: Buffer.from('{"half":') })
      expect(await snapshots.latest('v1')).to.deep.equal(small(3))
      await snapshots.save(small(9))
      expect((await world.heads.listDocuments()).map((head) => head.id)).to.deep.equal([id(3), id(9)])
    })

    it('of which a part is gone, or whose head is none, are passed over', async () => {
      await snapshots.save(small(3))
      await snapshots.save(large(5))
      await world.parts(5).doc('1').delete()
      await world.heads.doc(id(8)).set({ position: 8, version: 'v1' })
      expect(await snapshots.latest('v1')).to.deep.equal(small(3))
    })

    it('leave nothing of themselves behind', async () => {
      await snapshots.save(large(1))
      for (const position of [2, 3, 4]) await snapshots.save(small(position))
      expect(await world.parts(1).listDocuments()).to.deep.equal([])
      expect((await world.heads.listDocuments()).map((head) => head.id)).to.deep.equal([2, 3, 4].map(id))
    })

    it('say that Firestore cannot be reached, in time', async () => {
      const abandonment = new AbortController()
      abandonment.abort()
      const { firestore } = world.clients.connect()
      const abandoned = openSnapshots({ firestore, mode: 'paper', abandoned: abandonment.signal })
      const problem = await abandoned.latest('v1').then(
        () => 'none',
        (error: Error) => `${error.name}: ${error.message}`,
      )
      expect(problem).to.equal('StoreUnavailable: listing the snapshots: given up before Firestore answered')
    })
  })
})
