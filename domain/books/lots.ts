/**
 * Tax lots of one book in one instrument, and what closing them brought. Pure arithmetic over plain data.
 * Cost and proceeds are quantity × price, signed like the quantity, without the contract's multiplier; each is rounded once, to 1e-8, where it
 * enters, and split without a rest after that: what is realised and what the open lots cost always add up to what was paid.
 */
import { absolute, add, compare, type Decimal, divide, isZero, multiply, negate, proportion, sign, subtract, sum } from '../decimal.ts'

/** Which lot is closed first. `highestCost`: the one that leaves the least profit, so of a short position the one sold lowest. */
export type LotMethod = 'fifo' | 'lifo' | 'highestCost'

/**
 * `quantity` is signed: − is a short lot, its cost what was received for it. `rate`: base units for one of the currency, as used for its cost in
 * base. Null is not known, and never 0 or 1. `opened`: ISO.
 */
export type Lot = { quantity: Decimal; cost: Decimal | null; costInBase: Decimal | null; rate: Decimal | null; opened: string }

/**
 * `realized`: of all lots closed so far whose profit is known, in the instrument's currency and in base currency.
 * `unknown`, `unknownInBase`: how many closings are missing in them, since a price or a rate is not known.
 */
export type Inventory = { lots: Lot[]; realized: Decimal; realizedInBase: Decimal; unknown: number; unknownInBase: number }

/** `price` in the instrument's currency, `rate` in base units for one of it. */
export type Deal = { quantity: Decimal; price: Decimal | null; rate: Decimal | null; time: string }

const smallest = '0.00000001'

export const emptyInventory = (): Inventory => ({ lots: [], realized: '0', realizedInBase: '0', unknown: 0, unknownInBase: 0 })

export const quantityOf = ({ lots }: { readonly lots: readonly Lot[] }): Decimal => sum(lots.map(({ quantity }) => quantity))

/** What the open lots cost; null where one of them is not known. */
export const costOf = ({ lots }: { readonly lots: readonly Lot[] }, figure: 'cost' | 'costInBase'): Decimal | null => {
  let total: Decimal = '0'
  for (const lot of lots) {
    const cost = lot[figure]
    if (cost === null) return null
    total = add(total, cost)
  }
  return total
}

/** In base currency; what is not known stays so. */
export const inBase = (amount: Decimal | null, rate: Decimal | null): Decimal | null =>
  amount === null || rate === null ? null : rate === '1' ? amount : multiply(amount, rate)

const isDearer = (left: Lot, right: Lot): boolean => {
  if (left.cost === null || right.cost === null) return left.cost !== null
  return compare(divide(left.cost, absolute(left.quantity)), divide(right.cost, absolute(right.quantity))) > 0
}

const nextToClose = (lots: readonly Lot[], method: LotMethod): number => {
  if (method === 'fifo') return 0
  if (method === 'lifo') return lots.length - 1
  let dearest = 0
  for (let index = 1; index < lots.length; index++) if (isDearer(lots[index]!, lots[dearest]!)) dearest = index
  return dearest
}

const realize = (inventory: Inventory, cost: Decimal | null, value: Decimal | null): void => {
  if (cost === null || value === null) inventory.unknown++
  else inventory.realized = subtract(inventory.realized, add(cost, value))
}
const realizeInBase = (inventory: Inventory, cost: Decimal | null, value: Decimal | null): void => {
  if (cost === null || value === null) inventory.unknownInBase++
  else inventory.realizedInBase = subtract(inventory.realizedInBase, add(cost, value))
}

const part = (amount: Decimal | null, quantity: Decimal, of: Decimal): Decimal | null =>
  amount === null ? null : proportion(amount, quantity, of, smallest)
const without = (amount: Decimal | null, taken: Decimal | null): Decimal | null =>
  amount === null || taken === null ? null : subtract(amount, taken)

/** In place. Closes lots of the other direction, and opens one with what is left: a deal that crosses zero does both. */
export const applyDeal = (inventory: Inventory, { quantity, price, rate, time }: Deal, method: LotMethod): void => {
  const { lots } = inventory
  let left = quantity
  let value = price === null ? null : multiply(quantity, price)
  let valueInBase = inBase(value, rate)
  const direction = sign(quantity)
  while (lots.length > 0 && left !== '0' && sign(lots[0]!.quantity) === -direction) {
    const index = nextToClose(lots, method)
    const lot = lots[index]!
    const after = add(lot.quantity, left)
    if (sign(after) !== -direction) {
      // The whole lot goes, for its part of the deal.
      const closing = negate(lot.quantity)
      const [forLot, forLotInBase] = isZero(after) ? [value, valueInBase] : [part(value, closing, left), part(valueInBase, closing, left)]
      realize(inventory, lot.cost, forLot)
      realizeInBase(inventory, lot.costInBase, forLotInBase)
      value = without(value, forLot)
      valueInBase = without(valueInBase, forLotInBase)
      left = after
      lots.splice(index, 1)
    } else {
      const closed = negate(left)
      const [cost, costInBase] = [part(lot.cost, closed, lot.quantity), part(lot.costInBase, closed, lot.quantity)]
      realize(inventory, cost, value)
      realizeInBase(inventory, costInBase, valueInBase)
      lot.quantity = after
      lot.cost = without(lot.cost, cost)
      lot.costInBase = without(lot.costInBase, costInBase)
      left = '0'
    }
  }
  if (left !== '0') lots.push({ quantity: left, cost: value, costInBase: valueInBase, rate, opened: time })
}

/** New units for old ones: `{ units: '3', for: '2' }` is a three for two split. */
export type Ratio = { readonly units: Decimal; readonly for: Decimal }

const merged = (lot: Lot, other: Lot): Lot => ({
  ...lot,
  cost: lot.cost === null || other.cost === null ? null : add(lot.cost, other.cost),
  costInBase: lot.costInBase === null || other.costInBase === null ? null : add(lot.costInBase, other.costInBase),
})

/** Quantities that are the old ones times the ratio, the last one less what was lost in rounding; undefined if that is not possible. */
const multiplied = (lots: readonly Lot[], quantity: Decimal, ratio: Ratio): Decimal[] | undefined => {
  const exact = lots.map((lot) => proportion(lot.quantity, ratio.units, ratio.for, smallest))
  const last = subtract(quantity, sum(exact.slice(0, -1)))
  return sign(last) === sign(quantity) ? [...exact.slice(0, -1), last] : undefined
}

/** What was paid for a fraction of a unit, as for any deal. */
type InLieu = Pick<Deal, 'price' | 'rate'>

/**
 * In place: a corporate action makes `quantity` of what is held. Lots keep their dates and their total cost. What is lost in rounding was paid
 * in cash: with `inLieu` it is sold at that price, and its profit is realised; else no report tells of it, and it keeps its cost here.
 * A holding that disappears or turns around without a price has closed at an unknown one.
 */
export const applyCorporateAction = (
  inventory: Inventory,
  quantity: Decimal,
  time: string,
  ratio: Ratio | null,
  inLieu: InLieu = { price: null, rate: null },
): void => {
  const held = quantityOf(inventory)
  const exact = ratio === null ? quantity : proportion(held, ratio.units, ratio.for, smallest)
  if (inLieu.price !== null && !isZero(exact) && compare(exact, quantity) !== 0) {
    applyCorporateAction(inventory, exact, time, ratio)
    applyDeal(inventory, { quantity: subtract(quantity, exact), ...inLieu, time }, 'fifo')
    return
  }
  if (isZero(held) || sign(held) !== sign(quantity)) {
    applyDeal(inventory, { quantity: subtract(quantity, held), price: null, rate: null, time }, 'fifo')
    return
  }
  const proportions = () => multiplied(inventory.lots, quantity, { units: absolute(quantity), for: absolute(held) })
  const quantities = (ratio === null ? undefined : multiplied(inventory.lots, quantity, ratio)) ?? proportions()!
  const lots: Lot[] = []
  inventory.lots.forEach((lot, index) => {
    // So small that nothing is left of it: its cost goes to its neighbour.
    const before = lots.at(-1)
    if (before !== undefined && isZero(before.quantity)) lots[lots.length - 1] = { ...merged(lot, before), quantity: quantities[index]! }
    else if (before !== undefined && isZero(quantities[index]!)) lots[lots.length - 1] = merged(before, lot)
    else lots.push({ ...lot, quantity: quantities[index]! })
  })
  inventory.lots = lots
}
