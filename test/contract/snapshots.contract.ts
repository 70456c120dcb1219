/** What every store of snapshots must do. */
import { expect } from 'chai'
import type { Snapshot, Snapshots } from '../../domain/ports/snapshots.ts'

export type SnapshotsWorld = {
  snapshots: Snapshots
  /** The same through a connection of its own. */
  another(): Promise<Snapshots>
  /** Changes one character of what is kept at a position, past the port. */
  damage(position: number): Promise<void>
  /** Positions of which anything at all is kept, ascending. */
  kept(): Promise<number[]>
  close(): Promise<void>
}

const snapshotAt = (position: number, more: Partial<Snapshot> = {}): Snapshot => ({
  ...{ version: 'v1', position, hash: String(position).repeat(3), json: `{"position":${position},"note":"Zürich “7” 🙂 \u2028"}` },
  ...more,
})

export const snapshotsContract = (name: string, open: () => Promise<SnapshotsWorld>): void => {
  describe(`snapshots on ${name}`, () => {
    let world: SnapshotsWorld
    let snapshots: Snapshots
    beforeEach(async () => {
      world = await open()
      snapshots = world.snapshots
    })
    afterEach(() => world.close())

    it('are none at first', async () => {
      expect(await snapshots.latest('v1')).to.equal(undefined)
      expect(await world.kept()).to.deep.equal([])
    })

    it('come back to the byte, for whoever asks', async () => {
      await snapshots.save(snapshotAt(7))
      expect(await snapshots.latest('v1')).to.deep.equal(snapshotAt(7))
      expect(await (await world.another()).latest('v1')).to.deep.equal(snapshotAt(7))
    })

    it('come by the highest position that is not past the one asked for', async () => {
      for (const position of [9, 1000, 50]) await snapshots.save(snapshotAt(position))
      const found = async (atMost?: number) => (await snapshots.latest('v1', atMost))?.position
      expect([await found(), await found(1000), await found(999), await found(50), await found(10), await found(8)]).to.deep.equal([
        ...[1000, 1000, 50, 50, 9],
        undefined,
      ])
    })

    it('of another version are not there', async () => {
      await snapshots.save(snapshotAt(5))
      await snapshots.save(snapshotAt(9, { version: 'v2' }))
      expect(await snapshots.latest('v1')).to.deep.equal(snapshotAt(5))
      expect((await snapshots.latest('v2'))?.position).to.equal(9)
      expect(await snapshots.latest('v3')).to.equal(undefined)
    })

    it('at a position that is taken: the same one stays, one of another journal or version comes in beside or in its place', async () => {
      await snapshots.save(snapshotAt(5))
      await snapshots.save(snapshotAt(5, { json: '{"written":"later"}' }))
      expect(await snapshots.latest('v1')).to.deep.equal(snapshotAt(5))
      const replaced = snapshotAt(5, { hash: 'another journal', json: '{"position":5}' })
      await snapshots.save(replaced)
      expect(await snapshots.latest('v1')).to.deep.equal(replaced)
      const newer = snapshotAt(5, { version: 'v2' })
      await snapshots.save(newer)
      expect(await snapshots.latest('v2')).to.deep.equal(newer)
    })

    it('stay for the last three that were saved, whatever their positions', async () => {
      for (const position of [900, 1, 2, 3]) await snapshots.save(snapshotAt(position))
      expect(await world.kept()).to.deep.equal([1, 2, 3])
      await snapshots.save(snapshotAt(4))
      expect(await world.kept()).to.deep.equal([2, 3, 4])
      expect((await snapshots.latest('v1'))?.position).to.equal(4)
    })

    it('that cannot be read whole are passed over', async () => {
      await snapshots.save(snapshotAt(5))
      await snapshots.save(snapshotAt(6))
      await world.damage(6)
      expect(await snapshots.latest('v1')).to.deep.equal(snapshotAt(5))
      await world.damage(5)
      expect(await snapshots.latest('v1')).to.equal(undefined)
    })

    it('may be larger than any document', async () => {
      const large = snapshotAt(8, { json: JSON.stringify({ text: 'ü🙂x'.repeat(300_000) }) })
      expect(Buffer.byteLength(large.json)).to.be.greaterThan(2_000_000)
      await snapshots.save(large)
      const found = await snapshots.latest('v1')
      expect(found?.json === large.json).to.equal(true)
    })
  })
}
