/** Gross exposure: the sum of all absolute positions. One common factor scales all that targets add. */
import { multiply, subtract } from '../decimal.ts'
import { type Clip, isAdding, type Limits, scaleTo } from './clip.ts'
import { type Position, total, valueKept } from './positions.ts'

export const limitGross = (all: readonly Position[], { level, base, gross }: Limits, clip: Clip): void => {
  const limit = multiply(base, gross)
  const kept = total(all, valueKept)
  scaleTo(subtract(limit, kept), all.filter(isAdding), (position, left) =>
    clip(position, left, 'LIMIT_GROSS', { level, limit, held: kept }),
  )
}
