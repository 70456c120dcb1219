/** One part of the standard run as a test; each part is a file of its own, so that two run at a time. */
import { expect } from 'chai'
import { allFaults, type Fault } from './faults.ts'
import { liveThrough } from './live.ts'
import { addTally, emptyTally, rerun, storyOf, tallyOf } from './nights.ts'
import { seedsOfPart } from './standard-run.ts'

/** Few nights need not have met everything. */
const enough = 300
/** Too rare to be asked of one part. */
const rare: readonly Fault[] = ['an append finds its command decided before']
/** The ends that matter most; `npm run world` demands all of them of its thousands. */
const tellingEnds = ['broker.place', 'broker.snapshot', 'journal.append', 'documents.write', 'bus.ack', 'bus.publish', 'lease.acquire']

export const keepsEveryPromise = (part: number): void => {
  describe(`the world, part ${part} of the standard run`, function () {
    this.timeout(600_000) // a minute on a machine that has nothing else to do

    it('keeps every promise, whatever happens in the night', async () => {
      const tally = emptyTally()
      const seeds = seedsOfPart(part)
      for (const seed of seeds) {
        const { world, violations } = await liveThrough(seed)
        if (violations.length > 0) {
          console.error(await storyOf(seed))
          expect.fail(`${violations[0]!.invariant}: ${violations[0]!.text}\n${rerun(seed)}`)
        }
        addTally(tally, tallyOf(world))
      }
      if (seeds.length < enough) return
      // A fault that never happened, or a step at which nothing ever ended, would prove nothing.
      expect(allFaults.filter((fault) => !tally.faults[fault] && !rare.includes(fault))).to.deep.equal([])
      const sides = tellingEnds.flatMap((point) => [`${point}, before`, `${point}, done`])
      expect(sides.filter((side) => !tally.crashes[side])).to.deep.equal([])
      expect(tally.orders).to.be.greaterThan(seeds.length)
    })
  })
}
