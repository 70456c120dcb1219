import { expect } from 'chai'
import { allFaults, type Fault } from './faults.ts'
import { liveThrough } from './live.ts'
import { seedsOfTheStandardRun } from './standard-run.ts'

const rerun = (seed: string): string => `WORLD_SEED=${seed} npx mocha test/world/world.unit.test.ts`

/** The failing night again, told from its beginning. */
const storyOf = async (seed: string): Promise<string> => {
  const { world, violations } = await liveThrough(seed, { story: true })
  return [...world.story, ...violations.map(({ invariant, text }) => `VIOLATED: ${invariant}: ${text}`), rerun(seed)].join('\n')
}

describe('the world', function () {
  this.timeout(300_000)

  it('keeps every promise, whatever happens in the night', async () => {
    const faults = new Map<Fault, number>()
    const points = new Map<string, number>()
    let orders = 0
    const seeds = seedsOfTheStandardRun()
    for (const seed of seeds) {
      const { world, violations } = await liveThrough(seed)
      if (violations.length > 0) {
        console.error(await storyOf(seed))
        expect.fail(`${violations[0]!.invariant}: ${violations[0]!.text}\n${rerun(seed)}`)
      }
      orders += world.broker.receipts.length
      for (const [fault, count] of world.faults.counts) faults.set(fault, (faults.get(fault) ?? 0) + count)
      for (const [point, count] of world.crashes) points.set(point, (points.get(point) ?? 0) + count)
    }
    if (seeds.length < 100) return
    // A fault that never happened, or a step at which nothing ever ended, would prove nothing.
    expect(allFaults.filter((fault) => !faults.has(fault))).to.deep.equal([])
    for (const point of ['broker.place', 'broker.snapshot', 'journal.append', 'documents.write', 'bus.ack'])
      for (const side of ['before', 'done']) expect(points.get(`${point}, ${side}`), `crashes at ${point}, ${side}`).to.be.greaterThan(0)
    expect(orders).to.be.greaterThan(seeds.length)
  })

  it('lives through the same seed in the same way', async () => {
    const [first, second] = [await liveThrough('twice', { story: true }), await liveThrough('twice', { story: true })]
    expect(first.world.story).to.deep.equal(second.world.story)
    expect(first.world.memory.commits.at(-1)!.hash).to.equal(second.world.memory.commits.at(-1)!.hash)
    expect(first.world.story.length).to.be.greaterThan(20)
  })

  it('says the same of the same seed, whether it is told or not', async () => {
    const [told, silent] = [await liveThrough('told', { story: true }), await liveThrough('told')]
    expect(silent.world.story).to.deep.equal([])
    expect(silent.world.memory.commits.at(-1)!.hash).to.equal(told.world.memory.commits.at(-1)!.hash)
  })
})
