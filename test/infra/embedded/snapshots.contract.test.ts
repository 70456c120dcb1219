import { expect } from 'chai'
import { openSnapshots } from '../../../infra/embedded/snapshots.ts'
import { snapshotsContract } from '../../contract/snapshots.contract.ts'
import { storeWorld } from './world.ts'

snapshotsContract('SQLite', async () => {
  const world = storeWorld()
  const store = world.open()
  return {
    snapshots: openSnapshots(store),
    another: async () => openSnapshots(world.open()),
    damage: async (position) => {
      store.database.prepare("UPDATE snapshots SET json = replace(json, 'note', 'nota') WHERE position = ?").run(position)
    },
    kept: async () =>
      (store.database.prepare('SELECT position FROM snapshots ORDER BY position').all() as { position: number }[]).map(
        ({ position }) => position,
      ),
    close: world.close,
  }
})

describe('snapshots on SQLite, beyond the contract', () => {
  it('begin in a file of a program that knew none', async () => {
    const world = storeWorld()
    const before = world.open()
    before.database.exec('DROP TABLE snapshots')
    before.close()
    const snapshots = openSnapshots(world.open())
    expect(await snapshots.latest('v1')).to.equal(undefined)
    await snapshots.save({ version: 'v1', position: 1, hash: 'h', json: '{}' })
    expect((await snapshots.latest('v1'))?.position).to.equal(1)
    await world.close()
  })
})
