import { expect } from 'chai'
import fc from 'fast-check'
import {
  absolute,
  add,
  compare,
  type Decimal,
  DecimalText,
  decimal,
  divide,
  downTo,
  isZero,
  larger,
  multiply,
  negate,
  proportion,
  sign,
  smaller,
  subtract,
  sum,
  toNumber,
  towardsZero,
  upTo,
} from '../../domain/decimal.ts'

// The other way to calculate: whole numbers of 1e-8.
const unit = 100_000_000n
const textOf = (units: bigint): Decimal => {
  const magnitude = units < 0n ? -units : units
  const fraction = (magnitude % unit).toString().padStart(8, '0').replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${magnitude / unit}${fraction === '' ? '' : `.${fraction}`}`
}
/** Half to even, as the broker's statements round. */
const rounded = (numerator: bigint, denominator: bigint): bigint => {
  const negative = numerator < 0n !== denominator < 0n
  const [top, bottom] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator]
  const floor = top / bottom
  const twice = (top % bottom) * 2n
  const up = twice > bottom || (twice === bottom && floor % 2n === 1n)
  const magnitude = up ? floor + 1n : floor
  return negative ? -magnitude : magnitude
}

/** Shares, money with cents, tiny fractions and sums that no double holds exactly. */
const units = fc.oneof(
  fc.bigInt({ min: -1_000_000n, max: 1_000_000n }).map((shares) => shares * unit),
  fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map((cents) => cents * 1_000_000n),
  fc.bigInt({ min: -(10n ** 10n), max: 10n ** 10n }),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.bigInt({ min: -2n, max: 2n }))
    .map(([whole, little]) => whole * unit + little),
)
const positiveUnits = fc.bigInt({ min: 1n, max: 10n ** 14n })

describe('decimal', () => {
  it('adds, subtracts and compares exactly, however large and however small', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        expect(add(textOf(left), textOf(right))).to.equal(textOf(left + right))
        expect(subtract(textOf(left), textOf(right))).to.equal(textOf(left - right))
        expect(compare(textOf(left), textOf(right))).to.equal(left < right ? -1 : left > right ? 1 : 0)
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps a hundred-millionth beside a billion', () => {
    expect(add('1000000000.00000001', '1')).to.equal('1000000001.00000001')
    expect(compare('1000000000.00000001', '1000000000')).to.equal(1)
    expect(add('9007199254740991', '2')).to.equal('9007199254740993')
  })

  it('multiplies to the nearest hundred-millionth, halves to the even one', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        expect(multiply(textOf(left), textOf(right))).to.equal(textOf(rounded(left * right, unit)))
      }),
      { numRuns: 1000 },
    )
    expect(multiply('0.00000001', '0.5')).to.equal('0')
    expect(multiply('0.00000003', '0.5')).to.equal('0.00000002')
  })

  it('divides to the nearest hundred-millionth', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), positiveUnits, (left, right) => {
        expect(divide(textOf(left), textOf(right))).to.equal(textOf(rounded(left * unit, right)))
      }),
      { numRuns: 1000 },
    )
    expect(() => divide('1', '0')).to.throw()
  })

  it('rounds to steps: towards zero, down and up', () => {
    const floor = (value: bigint, step: bigint): bigint => (value - (((value % step) + step) % step)) as bigint
    fc.assert(
      fc.property(units, positiveUnits, (value, step) => {
        expect(towardsZero(textOf(value), textOf(step))).to.equal(textOf((value / step) * step))
        expect(downTo(textOf(value), textOf(step))).to.equal(textOf(floor(value, step)))
        expect(upTo(textOf(value), textOf(step))).to.equal(textOf(-floor(-value, step)))
      }),
      { numRuns: 1000 },
    )
    expect([downTo('-0.005', '0.01'), upTo('-0.005', '0.01'), towardsZero('-0.005', '0.01')]).to.deep.equal(['-0.01', '0', '0'])
  })

  it('takes a proportion in one go: a third of three is one', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }),
        positiveUnits,
        positiveUnits,
        fc.constantFrom(unit, unit / 100n, unit * 100n),
        (value, part, whole, step) => {
          const steps = (value * part) / (whole * step)
          expect(proportion(textOf(value), textOf(part), textOf(whole), textOf(step))).to.equal(textOf(steps * step))
        },
      ),
      { numRuns: 1000 },
    )
    const cents = fc.bigInt({ min: -500_000n, max: 500_000n }).map((amount) => amount * 1_000_000n)
    const shares = fc.bigInt({ min: 1n, max: 900n }).map((amount) => amount * unit)
    fc.assert(
      fc.property(cents, shares, shares, fc.constantFrom(1n, unit / 100n, unit, unit * 100n), (value, part, whole, step) => {
        const steps = (value * part) / (whole * step)
        expect(proportion(textOf(value), textOf(part), textOf(whole), textOf(step))).to.equal(textOf(steps * step))
      }),
      { numRuns: 1000 },
    )
    expect(proportion('3', '1', '3', '1')).to.equal('1')
    expect(proportion('100', '0.7', '0.9', '1')).to.equal('77')
    expect(() => proportion('1', '1', '0', '1')).to.throw()
  })

  it('never writes a minus before zero, an exponent or a zero at the end', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        const [one, other] = [textOf(left), textOf(right)]
        for (const result of [
          add(one, other),
          subtract(one, one),
          multiply(one, other),
          multiply(one, '0'),
          negate(one),
          towardsZero(one, '1000000'),
        ])
          expect(DecimalText.is(result), result).to.equal(true)
      }),
    )
    expect(negate('0')).to.equal('0')
    expect(decimal(-0)).to.equal('0')
    expect(decimal(-1e-12)).to.equal('0')
  })

  it('reads the broker’s floating numbers to a hundred-millionth', () => {
    expect(decimal(0.1 + 0.2)).to.equal('0.3')
    expect(decimal(1e21)).to.equal('1000000000000000000000')
    expect(decimal('12.50')).to.equal('12.5')
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => decimal(wrong)).to.throw(RangeError)
    fc.assert(fc.property(units, (value) => DecimalText.is(decimal(toNumber(textOf(value))))))
  })

  it('knows sign, magnitude, order and sum', () => {
    expect(['-3', '0', '0.5'].map(sign)).to.deep.equal([-1, 0, 1])
    expect(absolute('-3.5')).to.equal('3.5')
    expect([smaller('-3', '2'), larger('-3', '2')]).to.deep.equal(['-3', '2'])
    expect([isZero('0'), isZero('0.00000001')]).to.deep.equal([true, false])
    expect(sum([])).to.equal('0')
    expect(sum(['0.1', '0.2', '-0.3'])).to.equal('0')
  })

  it('accepts one text for one number, and names what is none', () => {
    for (const right of ['0', '-1', '12.5', '0.00000001', '-0.1', '123456789012345678901.12345678'])
      expect(DecimalText.is(right), right).to.equal(true)
    for (const wrong of ['-0', '01', '1.', '.5', '1.50', '1e5', '+1', '', ' 1', '1.123456789', 'NaN', 5, null])
      expect(DecimalText.is(wrong), String(wrong)).to.equal(false)
    const decoded = DecimalText.decode('1.50')
    expect(JSON.stringify(decoded)).to.contain('is not an exact decimal')
  })
})
