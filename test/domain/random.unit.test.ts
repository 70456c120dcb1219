import { expect } from 'chai'
import fc from 'fast-check'
import { randomFrom } from '../../domain/random.ts'

const take = (text: string, count: number): number[] => {
  const random = randomFrom(text)
  return Array.from({ length: count }, () => random())
}

describe('seeded random numbers', () => {
  it('are the same for the same text, on any machine', () => {
    expect(take('abc', 3)).to.deep.equal([0.04212190397083759, 0.1345411182846874, 0.2704832321032882])
  })

  it('lie in [0, 1) and differ between texts', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const numbers = take(one, 20)
        for (const number of numbers) expect(number >= 0 && number < 1).to.equal(true)
        if (one !== other) expect(take(other, 20)).to.not.deep.equal(numbers)
      }),
    )
  })

  it('fill the tenths of the interval evenly, also as first numbers of many texts', () => {
    const evenly = (numbers: number[]): void => {
      const counts = new Array<number>(10).fill(0)
      for (const number of numbers) counts[Math.floor(number * 10)]! += 1
      for (const count of counts) expect(count / numbers.length).to.be.closeTo(0.1, 0.012)
    }
    evenly(take('one long run', 20_000))
    evenly(Array.from({ length: 20_000 }, (_, number) => randomFrom(`command-${number}`)()))
  })
})
