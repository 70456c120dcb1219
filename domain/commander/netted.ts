/** What positions come to when long and short offset each other. */
import { add, type Decimal, larger, negate, sign, subtract, sum } from '../decimal.ts'
import { type Clip, isAdding, scaleTo } from './clip.ts'
import { type Position, signedKept, total, valueAdded, worthOf } from './positions.ts'

export const sides = [1, -1] as const
type Side = (typeof sides)[number]

/**
 * The net on one side, in base currency; less than 0 when the other side outweighs it. What nobody decides about counts by the end of it
 * that makes the net larger, since its orders may fill or not. `kept`: without what targets add.
 */
const netOn = (here: readonly Position[], side: Side, offsetting: boolean): { net: Decimal; kept: Decimal } => {
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
  const addedOn = (wanted: number) =>
    total(
      here.filter((position) => position.side === wanted),
      valueAdded,
    )
  return { net: subtract(add(kept, addedOn(side)), offsetting ? addedOn(-side) : '0'), kept }
}

/** Whether anything is added on a side on which the net is above the limit. */
export const isNetAbove = (here: readonly Position[], limit: Decimal): boolean =>
  sides.some(
    (side) =>
      here.some((position) => isAdding(position) && position.side === side) && sign(subtract(netOn(here, side, true).net, limit)) > 0,
  )

type Said = (position: Position, left: Decimal, held: Decimal) => void

/** Scales what is added on each side, so that the net keeps within the limit; `offsetting`: what is added on the other side counts against it. */
export const clipNet = (here: readonly Position[], limit: Decimal, offsetting: boolean, clip: Said): void => {
  for (const side of sides) {
    const { net, kept } = netOn(here, side, offsetting)
    const excess = subtract(net, limit)
    const adding = here.filter((position) => isAdding(position) && position.side === side)
    if (sign(excess) <= 0 || adding.length === 0) continue
    scaleTo(subtract(total(adding, valueAdded), excess), adding, (position, left) => clip(position, left, kept))
  }
}

/** For a rule of that code and level. */
export const saying =
  (clip: Clip, code: 'LIMIT_NET' | 'LIMIT_SINGLE_NAME', level: string, limit: Decimal): Said =>
  (position, left, held) =>
    clip(position, left, code, { level, limit, held })
