import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { expect } from 'chai'
import { holderIsGone, holderName } from '../../../infra/embedded/holder.ts'
import { openLease } from '../../../infra/embedded/lease.ts'
import { storeWorld } from './world.ts'

describe('the holder of the lease', () => {
  const dead = () => `${hostname()}/${spawnSync(process.execPath, ['-e', '0']).pid}/x`

  it('is gone when its process on this machine is gone, and only then', () => {
    expect(holderIsGone(holderName())).to.equal(false)
    expect(holderIsGone(dead())).to.equal(true)
    expect(holderIsGone('elsewhere/1/x'), 'of another machine nobody knows').to.equal(false)
    expect(holderIsGone('nonsense')).to.equal(false)
  })

  it('that was killed does not keep the next one waiting', async () => {
    const world = storeWorld()
    try {
      const lease = openLease(world.open(), Date.now, holderIsGone)
      expect(await lease.acquire(dead(), 45_000)).to.deep.equal({ epoch: 1 })
      expect(await lease.acquire(holderName(), 45_000)).to.deep.equal({ epoch: 2 })
      expect(await lease.acquire('elsewhere/1/x', 45_000)).to.have.property('heldFor')
    } finally {
      await world.close()
    }
  })
})
