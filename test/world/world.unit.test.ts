import { expect } from 'chai'
import { type Action, type History, setUp } from './history.ts'
import { knownNights } from './known-nights.ts'
import { liveThrough, liveThroughHistory, newYork } from './live.ts'
import { shorten } from './shrink.ts'
import { parts, seedsOfPart, seedsOfTheStandardRun } from './standard-run.ts'

describe('the world', function () {
  this.timeout(180_000)

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

  it('ends, and says why, when an engine never starts', async () => {
    const { violations } = await liveThroughHistory(
      'never',
      { start: newYork('2026-03-10', '11:00'), actions: setUp },
      { patches: { lease: (lease) => ({ ...lease, acquire: () => Promise.reject(new Error('nobody gets this lease')) }) } },
    )
    expect(violations.filter(({ invariant }) => invariant === 'nothing waits for ever').map(({ text }) => text)).to.include(
      'the engine does not start any more: nobody gets this lease',
    )
  })

  for (const { seed, failed } of knownNights)
    it(`keeps every promise in the night ${seed}, in which ${failed}`, async () => {
      expect((await liveThrough(seed)).violations).to.deep.equal([])
    })
})

describe('a history that fails', () => {
  const wait = (milliseconds: number): Action => ({ do: 'wait', milliseconds })
  const history: History = { start: 0, actions: Array.from({ length: 20 }, (_, index) => wait(index)) }
  const has = ({ actions }: History, milliseconds: number): boolean =>
    actions.some((action) => action.do === 'wait' && action.milliseconds === milliseconds)

  it('is cut down to what it fails of', async () => {
    const short = await shorten(history, async (shorter) => has(shorter, 3) && has(shorter, 17))
    expect(short.actions).to.deep.equal([wait(3), wait(17)])
  })

  it('stays as it is where nothing can be left out', async () => {
    expect(await shorten(history, async () => false)).to.deep.equal(history)
  })
})

describe('the standard run', () => {
  it('is at least two thousand histories, each in one part', () => {
    const inParts = Array.from({ length: parts }, (_, index) => seedsOfPart(index + 1, {})).flat()
    expect(inParts).to.have.length.of.at.least(2_000)
    expect(inParts).to.have.members(seedsOfTheStandardRun())
  })
})
