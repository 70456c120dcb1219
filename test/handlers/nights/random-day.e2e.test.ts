/**
 * Eight hours of market time in which anything may go wrong at any time, by seed, with wishes and trades by hand in between; then the faults
 * end, a person explains what is unexplained, and all must be equal.
 * `NIGHTS_DAYS` asks for more days than the standard ones, `NIGHTS_SEED` for a single one.
 */
import { expect } from 'chai'
import PQueue from 'p-queue'

import { chanceFrom } from '../../world/chance.ts'
import { dayOfFaults } from './day.ts'
import { violations } from './invariants.ts'

const standard = 2

const seeds = (): string[] => {
  const { NIGHTS_SEED: only, NIGHTS_DAYS: days } = process.env
  if (only !== undefined) return [only]
  const count = Number(days ?? standard)
  if (!Number.isInteger(count) || count < 1) throw new Error(`NIGHTS_DAYS must be a whole number above 0, not "${days}"`)
  return Array.from({ length: count }, (_, index) => String(index + 1))
}

const wrongOn = async (seed: string): Promise<string[]> => {
  const { night, happened } = await dayOfFaults(seed, { reportsTogether: chanceFrom(seed).happens(0.5) })
  try {
    const orders = (await night.told()).filter(({ type }) => type === 'OrderPlanned').length
    const wrong = [...(await violations(night)), ...(orders > 5 ? [] : [`only ${orders} orders: a day that proves nothing`])]
    return wrong.length === 0 ? [] : [...wrong, `NIGHTS_SEED=${seed} npx mocha test/handlers/nights/random-day.e2e.test.ts`, ...happened]
  } finally {
    await night.close()
  }
}

describe('eight hours in which anything goes wrong', function () {
  this.timeout(600_000)
  const atOnce = new PQueue({ concurrency: 4 })
  const days = new Map<string, Promise<string[]>>()
  before(() => {
    for (const seed of seeds()) {
      const day = atOnce.add(() => wrongOn(seed))
      day.catch(() => undefined) // told to its own test
      days.set(seed, day)
    }
  })
  for (const seed of seeds())
    it(`end equal with the seed ${seed}`, async () => {
      expect(await days.get(seed)).to.deep.equal([])
    })
})
