/**
 * Exact decimals as plain text: `"12"`, `"-0.5"`, never an exponent, never `-0`, at most 8 digits after the point.
 * Text, because it survives JSON, canonical hashing and every store unchanged. Whole numbers take a fast path:
 * they are what the replay of a journal of shares consists of.
 */
import Big from 'big.js'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

export type Decimal = string

const places = 8
const shape = /^-?(0|[1-9]\d*)(\.\d{0,7}[1-9])?$/

/** A short whole number, the most frequent text of all, is recognised by its digits; the rest by the pattern. */
const isCanonical = (text: string): boolean => {
  if (text.length <= 15) {
    let at = text.charCodeAt(0) === 45 ? 1 : 0
    const leading = text.charCodeAt(at)
    if (leading > 48 && leading <= 57) {
      while (++at < text.length) {
        const digit = text.charCodeAt(at)
        if (digit < 48 || digit > 57) break
      }
      if (at === text.length) return true
    }
  }
  return shape.test(text) && text !== '-0'
}

const exact = (value: Big): Decimal => {
  const text = value.round(places, Big.roundHalfEven).toFixed()
  return text === '-0' ? '0' : text
}

/** So short a text is told apart by a double, so what reads as a whole number is one: no fraction was rounded away. */
const longestExact = 16
const areWhole = (left: Decimal, right: Decimal, first: number, second: number): boolean =>
  left.length <= longestExact && right.length <= longestExact && Number.isSafeInteger(first) && Number.isSafeInteger(second)

/** Canonical decimal text; anything else fails with the value in the message. */
export const DecimalText = new t.Type<Decimal, Decimal, unknown>(
  'Decimal',
  (input): input is Decimal => typeof input === 'string' && isCanonical(input),
  (input, context) =>
    typeof input === 'string' && isCanonical(input)
      ? E.right(input)
      : t.failure(input, context, `${JSON.stringify(input)} is not an exact decimal such as "12.5"`),
  t.identity,
)

/** From the broker's or a strategy's floating number, rounded to 1e-8. @throws RangeError when it is not finite */
export const decimal = (value: number | string): Decimal => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`)
  return exact(new Big(value))
}

export const toNumber = (value: Decimal): number => Number(value)

/** Ten to the power of so many decimals, exact as doubles. */
const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
const decimalsOf = (text: Decimal): number => {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}
/** Fifteen digits are told apart by doubles: below this the shortest text of a quotient by a power of ten is the decimal itself. */
const largestScaled = 1e15
/** Smaller ones are written with an exponent. */
const smallestPlain = 1e-6

const unscaled = (scaled: number, decimals: number): Decimal | undefined => {
  if (scaled === 0) return '0'
  const value = scaled / powers[decimals]!
  return Math.abs(scaled) < largestScaled && Math.abs(value) >= smallestPlain ? String(value) : undefined
}

/** Short fractions, the most frequent money, go through whole numbers of their smallest unit; undefined where that might not be exact. */
const addShort = (left: Decimal, right: Decimal): Decimal | undefined => {
  if (left.length > longestExact || right.length > longestExact) return undefined
  const decimals = Math.max(decimalsOf(left), decimalsOf(right))
  const [first, second] = [Math.round(Number(left) * powers[decimals]!), Math.round(Number(right) * powers[decimals]!)]
  if (Math.abs(first) >= largestScaled || Math.abs(second) >= largestScaled) return undefined
  return unscaled(first + second, decimals)
}
const multiplyShort = (left: Decimal, right: Decimal): Decimal | undefined => {
  if (left.length > longestExact || right.length > longestExact) return undefined
  const [ofLeft, ofRight] = [decimalsOf(left), decimalsOf(right)]
  if (ofLeft + ofRight > places) return undefined
  const [first, second] = [Math.round(Number(left) * powers[ofLeft]!), Math.round(Number(right) * powers[ofRight]!)]
  return unscaled(first * second, ofLeft + ofRight)
}

export const add = (left: Decimal, right: Decimal): Decimal => {
  const [first, second] = [Number(left), Number(right)]
  if (areWhole(left, right, first, second) && Number.isSafeInteger(first + second)) return String(first + second)
  return addShort(left, right) ?? exact(new Big(left).plus(right))
}
export const negate = (value: Decimal): Decimal => (value === '0' ? '0' : value.startsWith('-') ? value.slice(1) : `-${value}`)
export const subtract = (left: Decimal, right: Decimal): Decimal => add(left, negate(right))
export const multiply = (left: Decimal, right: Decimal): Decimal => multiplyShort(left, right) ?? exact(new Big(left).times(right))

const division = Big()
division.DP = 20
/** @throws Error on division by zero */
export const divide = (left: Decimal, right: Decimal): Decimal => exact(new division(left).div(right))

export const absolute = (value: Decimal): Decimal => (value.startsWith('-') ? value.slice(1) : value)
export const sign = (value: Decimal): -1 | 0 | 1 => (value === '0' ? 0 : value.startsWith('-') ? -1 : 1)
export const isZero = (value: Decimal): boolean => value === '0'

export const compare = (left: Decimal, right: Decimal): -1 | 0 | 1 => {
  const [first, second] = [Number(left), Number(right)]
  if (areWhole(left, right, first, second)) return first < second ? -1 : first > second ? 1 : 0
  return new Big(left).cmp(right) as -1 | 0 | 1
}
export const smaller = (left: Decimal, right: Decimal): Decimal => (compare(left, right) <= 0 ? left : right)
export const larger = (left: Decimal, right: Decimal): Decimal => (compare(left, right) >= 0 ? left : right)
export const sum = (values: readonly Decimal[]): Decimal => values.reduce(add, '0')

/** To a multiple of `step` (> 0), towards zero: an order never asks for more than was wanted. */
export const towardsZero = (value: Decimal, step: Decimal): Decimal =>
  exact(new division(value).div(step).round(0, Big.roundDown).times(step))
/** The same through whole numbers; undefined where they might not be exact. */
const proportionShort = (value: Decimal, part: Decimal, whole: Decimal, step: Decimal): Decimal | undefined => {
  if (value.length > longestExact || part.length > longestExact || whole.length > longestExact || step.length > longestExact)
    return undefined
  const [ofValue, ofPart, ofWhole, ofStep] = [decimalsOf(value), decimalsOf(part), decimalsOf(whole), decimalsOf(step)]
  const digits = ofWhole + ofStep - ofValue - ofPart
  const stepUnits = Math.round(Number(step) * powers[ofStep]!)
  const above = Math.round(Number(value) * powers[ofValue]!) * Math.round(Number(part) * powers[ofPart]!) * 10 ** Math.max(digits, 0)
  const below = Math.round(Number(whole) * powers[ofWhole]!) * stepUnits * 10 ** Math.max(-digits, 0)
  if (below === 0 || !(Math.abs(above) < largestScaled) || !(Math.abs(below) < largestScaled)) return undefined
  // Without the remainder the division leaves nothing over, so it is exact.
  return unscaled(((above - (above % below)) / below) * stepUnits, ofStep)
}

/** value × part ÷ whole, to a multiple of `step` (> 0), towards zero, without rounding in between. @throws Error when `whole` is 0 */
export const proportion = (value: Decimal, part: Decimal, whole: Decimal, step: Decimal): Decimal =>
  proportionShort(value, part, whole, step) ??
  exact(new division(value).times(part).div(new division(whole).times(step)).round(0, Big.roundDown).times(step))
/** To a multiple of `step` (> 0), downwards. */
export const downTo = (value: Decimal, step: Decimal): Decimal => {
  const near = towardsZero(value, step)
  return compare(near, value) > 0 ? subtract(near, step) : near
}
/** To a multiple of `step` (> 0), upwards. */
export const upTo = (value: Decimal, step: Decimal): Decimal => negate(downTo(negate(value), step))
