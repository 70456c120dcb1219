/** Single position: how much may be in one instrument, for one strategy and for the account. */
import { add, type Decimal, larger, multiply, negate, sign, subtract, sum } from '../decimal.ts'
import { type Clip, isAdding, type Limits, scaleTo } from './clip.ts'
import { type Position, signedKept, total, valueAdded, valueKept, worthOf } from './positions.ts'

/** Of one strategy: each of its positions by itself. */
export const limitOwnNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
  const limit = multiply(base, singleName)
  for (const position of all.filter(isAdding)) {
    const kept = valueKept(position) ?? '0'
    scaleTo(subtract(limit, kept), [position], (_, left) => clip(position, left, 'LIMIT_SINGLE_NAME', { level, limit, held: kept }))
  }
}

/**
 * On the net of all books in the instrument, each way by itself: only what is added on that side can be too much. What nobody decides
 * about counts by the end of it that makes the net larger, since its orders may fill or not.
 */
export const limitNettedNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
  const limit = multiply(base, singleName)
  const tooMuch = (here: readonly Position[], side: 1 | -1, offsetting: boolean): { excess: Decimal; kept: Decimal } => {
    const towards = (position: Position, quantity: Decimal): Decimal => {
      const value = worthOf(position, quantity) ?? '0'
      return sign(quantity) === side ? value : negate(value)
    }
    const ends = (position: Position) => position.between ?? [signedKept(position), signedKept(position)]
    const kept = sum(
      here.map((position) =>
        ends(position)
          .map((end) => towards(position, end))
          .reduce(larger),
      ),
    )
    const own = total(
      here.filter((position) => position.side === side),
      valueAdded,
    )
    const other = offsetting
      ? total(
          here.filter((position) => position.side === -side),
          valueAdded,
        )
      : '0'
    return { excess: subtract(subtract(add(kept, own), other), limit), kept }
  }
  const clipSide = (here: readonly Position[], side: 1 | -1, offsetting: boolean): void => {
    const { excess, kept } = tooMuch(here, side, offsetting)
    const adding = here.filter((position) => isAdding(position) && position.side === side)
    if (sign(excess) <= 0 || adding.length === 0) return
    const room = subtract(total(adding, valueAdded), excess)
    scaleTo(room, adding, (position, left) => clip(position, left, 'LIMIT_SINGLE_NAME', { level, limit, held: kept }))
  }
  for (const conId of new Set(all.filter(isAdding).map((position) => position.conId))) {
    const here = all.filter((position) => position.conId === conId)
    for (const side of sides) clipSide(here, side, true)
    // Clipping the one side took an offset from the other: then neither offsets the other any more.
    const stillTooMuch = sides.some((side) => sign(tooMuch(here, side, true).excess) > 0)
    if (stillTooMuch) for (const side of sides) clipSide(here, side, false)
  }
}
const sides = [1, -1] as const
