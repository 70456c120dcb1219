/** What every lease must do: one holder at a time, an epoch that only grows. */
import { expect } from 'chai'
import type { Lease, LeaseView } from '../../domain/ports/lease.ts'

export type LeaseWorld = {
  lease: Lease & LeaseView
  /** The same lease through a connection of its own. */
  another(): Promise<Lease & LeaseView>
  /** The time to live to test with, in milliseconds. */
  ttlMs: number
  /** Lets so much of the store's time go by. */
  pass(milliseconds: number): Promise<void>
  close(): Promise<void>
}

export const leaseContract = (name: string, open: () => Promise<LeaseWorld>): void => {
  describe(`the lease on ${name}`, () => {
    let world: LeaseWorld
    let lease: Lease & LeaseView
    let rival: Lease & LeaseView
    beforeEach(async () => {
      world = await open()
      lease = world.lease
      rival = await world.another()
    })
    afterEach(() => world.close())
    const take = async (own: Lease, holder: string): Promise<number> => {
      const answer = await own.acquire(holder, world.ttlMs)
      if (!('epoch' in answer)) throw new Error(`held for ${answer.heldFor} ms`)
      return answer.epoch
    }

    it('is taken by the first, who is told epoch 1', async () => {
      expect(await lease.acquire('first', world.ttlMs)).to.deep.equal({ epoch: 1 })
    })

    it('is refused to another while it is held, who learns for how long', async () => {
      await take(lease, 'first')
      const answer = await rival.acquire('second', world.ttlMs)
      expect(answer).to.have.all.keys('heldFor')
      expect((answer as { heldFor: number }).heldFor).to.be.within(1, world.ttlMs)
    })

    it('falls to another when it has expired', async () => {
      const epoch = await take(lease, 'first')
      await world.pass(world.ttlMs + 1)
      expect(await take(rival, 'second')).to.equal(epoch + 1)
    })

    it('is held on by renewing', async () => {
      const epoch = await take(lease, 'first')
      for (let round = 0; round < 3; round++) {
        await world.pass(world.ttlMs * 0.6)
        expect(await lease.renew(epoch, world.ttlMs)).to.equal(true)
      }
      expect(await rival.acquire('second', world.ttlMs)).to.have.all.keys('heldFor')
    })

    it('can be renewed after it has expired, as long as nobody took it', async () => {
      const epoch = await take(lease, 'first')
      await world.pass(world.ttlMs + 1)
      expect(await lease.renew(epoch, world.ttlMs)).to.equal(true)
      expect(await rival.acquire('second', world.ttlMs)).to.have.all.keys('heldFor')
    })

    it('cannot be renewed after it was lost', async () => {
      const epoch = await take(lease, 'first')
      await world.pass(world.ttlMs + 1)
      const next = await take(rival, 'second')
      expect(await lease.renew(epoch, world.ttlMs)).to.equal(false)
      expect(await rival.renew(next, world.ttlMs)).to.equal(true)
    })

    it('goes to one of two who come at once', async () => {
      const answers = await Promise.all([lease.acquire('first', world.ttlMs), rival.acquire('second', world.ttlMs)])
      expect(answers.filter((answer) => 'epoch' in answer)).to.deep.equal([{ epoch: 1 }])
    })

    it('is taken anew by its own holder, under a higher epoch that ends the old one', async () => {
      const epoch = await take(lease, 'first')
      expect(await take(rival, 'first')).to.equal(epoch + 1)
      expect(await lease.renew(epoch, world.ttlMs)).to.equal(false)
    })

    it('is free at once when it was given back, and the epoch still grows', async () => {
      const epoch = await take(lease, 'first')
      await lease.release(epoch)
      expect(await lease.renew(epoch, world.ttlMs)).to.equal(false)
      expect(await take(rival, 'second')).to.equal(epoch + 1)
    })

    it('gives an epoch above the one that was seen elsewhere, whatever the store remembers', async () => {
      expect(await lease.acquire('first', world.ttlMs, 7)).to.deep.equal({ epoch: 8 })
      await lease.release(8)
      expect(await rival.acquire('second', world.ttlMs, 3)).to.deep.equal({ epoch: 9 })
    })

    it('shows who has it to whoever only looks', async () => {
      expect(await rival.current()).to.equal(undefined)
      const epoch = await take(lease, 'first')
      const seen = await rival.current()
      expect(seen?.epoch).to.equal(epoch)
      expect(seen?.heldFor).to.be.within(1, world.ttlMs)
      await world.pass(world.ttlMs + 1)
      expect(await rival.current()).to.equal(undefined)
      await take(rival, 'second')
      await rival.release(epoch + 1)
      expect(await lease.current()).to.equal(undefined)
    })

    it('is not given back by one who has lost it', async () => {
      const epoch = await take(lease, 'first')
      await world.pass(world.ttlMs + 1)
      const next = await take(rival, 'second')
      await lease.release(epoch)
      expect(await rival.renew(next, world.ttlMs)).to.equal(true)
      expect(await lease.acquire('first', world.ttlMs)).to.have.all.keys('heldFor')
    })
  })
}
