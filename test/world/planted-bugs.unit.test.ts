import { expect } from 'chai'
import { type Invariant, invariants } from './invariants.ts'
import { liveThrough } from './live.ts'
import { plantedBugs } from './planted-bugs.ts'
import { seedsOfTheStandardRun } from './standard-run.ts'

describe('a bug planted in the world is caught', function () {
  this.timeout(300_000)

  for (const { name, caughtBy, plant } of plantedBugs)
    it(`an engine that ${name}: ${caughtBy}`, async () => {
      const seen = new Set<Invariant>()
      for (const seed of seedsOfTheStandardRun()) {
        const { violations } = await liveThrough(seed, { patches: plant() })
        for (const { invariant } of violations) seen.add(invariant)
        if (seen.has(caughtBy)) return
      }
      expect.fail(`not caught by "${caughtBy}" in the standard run; seen: ${[...seen].join(', ') || 'nothing'}`)
    })

  it('every invariant is shown to bite', () => {
    expect(new Set(plantedBugs.map(({ caughtBy }) => caughtBy))).to.have.all.keys(...invariants)
  })
})
