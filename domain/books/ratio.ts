/** The ratios of splits: written "new:old", recognised in a difference, and applied to what each holder has. */
import {
  absolute,
  add,
  compare,
  type Decimal,
  divide,
  isZero,
  multiply,
  negate,
  proportion,
  sign,
  subtract,
  sum,
  towardsZero,
} from '../decimal.ts'
import type { Ratio } from './lots.ts'

/** "2:1" gives two for one, "1:10" is a reverse split. Whole numbers from 1 to 10,000 that differ; undefined for any other text. */
export const ratioOf = (text: string): Ratio | undefined => {
  const [, units, old] = /^([1-9]\d{0,3}|10000):([1-9]\d{0,3}|10000)$/.exec(text) ?? []
  return units === undefined || old === undefined || units === old ? undefined : { units, for: old }
}

const several = ['2', '3', '4', '5', '6', '7', '8', '9', '10', '15', '20', '25', '30', '40', '50', '100']
/** In the order in which they are tried: the plainest explanation first. */
const usual: readonly Ratio[] = [
  ...several.flatMap((units) => [
    { units, for: '1' },
    { units: '1', for: units },
  ]),
  ...[
    ['3', '2'],
    ['4', '3'],
    ['5', '4'],
    ['5', '2'],
    ['5', '3'],
    ['6', '5'],
    ['7', '2'],
  ].map(([units, old]) => ({ units: units!, for: old! })),
]

/** Fractions that the broker paid in cash: less than one step for each holder. */
const isRounded = (exact: Decimal, reported: Decimal, holders: number, step: Decimal): boolean =>
  compare(absolute(reported), absolute(exact)) < 0 &&
  compare(absolute(subtract(exact, reported)), multiply(step, String(holders))) < 0 &&
  // With as little left as was lost, anything would be a ratio of anything.
  compare(absolute(reported), multiply(step, String(4 * holders))) >= 0

/**
 * The ratio of a split that makes `reported` of `expected`; undefined where none of the usual ones does. One without a rest goes before one
 * that leaves fractions.
 */
export const splitBetween = (expected: Decimal, reported: Decimal, holders: number, step: Decimal): string | undefined => {
  if (isZero(expected) || sign(expected) !== sign(reported)) return undefined
  const exact = (ratio: Ratio) => proportion(expected, ratio.units, ratio.for, '0.00000001')
  const found =
    usual.find((ratio) => compare(multiply(expected, ratio.units), multiply(reported, ratio.for)) === 0) ??
    usual.find((ratio) => isRounded(exact(ratio), reported, holders, step))
  return found && `${found.units}:${found.for}`
}

type Held = { holder: string; quantity: Decimal }

/**
 * What each holder has after a split, so that all together have `reported`: each the whole steps of his proportion, and those who lost most by
 * that the steps that are left. Undefined when the ratio does not make `reported`, not even with a step for each holder.
 */
export const afterSplit = (held: readonly Held[], ratio: Ratio, reported: Decimal, step: Decimal): Held[] | undefined => {
  const shares = held.map(({ holder, quantity }) => {
    const exact = proportion(quantity, ratio.units, ratio.for, '0.00000001')
    return { holder, exact, quantity: towardsZero(exact, step) }
  })
  const rest = subtract(reported, sum(shares.map(({ quantity }) => quantity)))
  const direction = sign(rest)
  const pieces = Math.ceil(Number(divide(absolute(rest), step)))
  if (pieces > shares.length) return undefined
  const lost = ({ exact, quantity }: { exact: Decimal; quantity: Decimal }): Decimal =>
    direction < 0 ? subtract(quantity, exact) : subtract(exact, quantity)
  const byLoss = [...shares.keys()].sort((left, right) => compare(lost(shares[right]!), lost(shares[left]!)) || left - right)
  let left = absolute(rest)
  for (const index of byLoss.slice(0, pieces)) {
    const piece = compare(left, step) < 0 ? left : step
    shares[index]!.quantity = add(shares[index]!.quantity, direction < 0 ? negate(piece) : piece)
    left = subtract(left, piece)
  }
  return shares.map(({ holder, quantity }) => ({ holder, quantity }))
}
