import { expect } from 'chai'
import fc from 'fast-check'
import { exponentialAverage, lastCross, macd, usualSpans } from '../../../domain/indicators/macd.ts'

const closes = fc.array(fc.double({ min: 1, max: 1000, noNaN: true }), { minLength: 1, maxLength: 80 })

describe('exponential average', () => {
  it('begins with the first value and then weighs the newest by 2 ÷ (span + 1)', () => {
    // span 3: α = 1/2; 10 → (20 + 10)/2 → (40 + 15)/2 → (8 + 27.5)/2
    expect(exponentialAverage([10, 20, 40, 8], 3)).to.deep.equal([10, 15, 27.5, 17.75])
    // span 4: α = 2/5
    expect(exponentialAverage([1, 2, 3], 4)).to.deep.equal([1, 0.4 * 2 + 0.6, 0.4 * 3 + 0.6 * (0.4 * 2 + 0.6)])
  })

  it('is the weighted sum that its definition says', () => {
    fc.assert(
      fc.property(closes, fc.integer({ min: 1, max: 40 }), (values, span) => {
        const rest = 1 - 2 / (span + 1)
        const last = values.length - 1
        const sum = values.reduce((total, value, at) => total + value * rest ** (last - at) * (at === 0 ? 1 : 1 - rest), 0)
        expect(exponentialAverage(values, span).at(-1)).to.be.closeTo(sum, 1e-9 * 1000)
      }),
    )
  })

  it('follows the values themselves with a span of 1, and stays within their range with any', () => {
    fc.assert(
      fc.property(closes, fc.integer({ min: 1, max: 40 }), (values, span) => {
        expect(exponentialAverage(values, 1)).to.deep.equal(values)
        for (const average of exponentialAverage(values, span))
          expect(average).to.be.within(Math.min(...values) - 1e-9, Math.max(...values) + 1e-9)
      }),
    )
  })

  it('has nothing to say of no values and refuses a span under 1', () => {
    expect(exponentialAverage([], 9)).to.deep.equal([])
    expect(() => exponentialAverage([1], 0)).to.throw('span must be at least 1')
    expect(() => exponentialAverage([1], Number.NaN)).to.throw('span must be at least 1')
  })
})

describe('MACD', () => {
  it('is the fast minus the slow average, its own average, and their difference', () => {
    // fast 1: 8 16 4; slow 3: 8 12 8; line 0 4 −4; signal (span 3) 0 2 −1
    expect(macd([8, 16, 4], { fast: 1, slow: 3, signal: 3 })).to.deep.equal({ line: [0, 4, -4], signal: [0, 2, -1], histogram: [0, 2, -3] })
  })

  it('does not change when all prices are higher by the same amount, and grows with their scale', () => {
    fc.assert(
      fc.property(closes, (values) => {
        const { histogram } = macd(values, usualSpans)
        const shifted = macd(
          values.map((value) => value + 500),
          usualSpans,
        ).histogram
        const doubled = macd(
          values.map((value) => value * 2),
          usualSpans,
        ).histogram
        histogram.forEach((value, at) => {
          expect(shifted[at]).to.be.closeTo(value, 1e-8)
          expect(doubled[at]).to.be.closeTo(2 * value, 1e-8)
        })
      }),
    )
  })

  it('of the past does not change when a new close comes', () => {
    fc.assert(
      fc.property(closes, (values) => {
        expect(macd(values, usualSpans).line.slice(0, -1)).to.deep.equal(macd(values.slice(0, -1), usualSpans).line)
      }),
    )
  })
})

describe('the last cross', () => {
  const of = (...histogram: number[]) => lastCross({ line: [], signal: [], histogram })

  it('is golden upwards and a death cross downwards, also from the line itself', () => {
    expect([of(-1, 1), of(0, 1), of(1, -1), of(0, -1)]).to.deep.equal(['golden', 'golden', 'death', 'death'])
  })

  it('is none while the side stays, when it only touches, and with fewer than two values', () => {
    expect([of(1, 2), of(-1, -2), of(1, 0), of(-1, 0), of(0, 0), of(1), of()]).to.deep.equal(new Array(7).fill('none'))
  })

  it('was not the last one when it lies further back', () => {
    expect(of(-1, 1, 2)).to.equal('none')
  })
})
