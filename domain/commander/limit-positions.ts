/** Number of positions: how many instruments are held at once. */
import { compare, isZero } from '../decimal.ts'
import { type Clip, isAdding, type Limits } from './clip.ts'
import { type Position, total, valueAdded } from './positions.ts'

/** Those that are held count first; of new ones the largest come first. */
export const limitPositions = (all: readonly Position[], { level, positions: limit }: Limits, clip: Clip): void => {
  const kept = new Set(all.filter((position) => !isZero(position.kept)).map(({ conId }) => conId))
  const opening = new Map<number, Position[]>()
  for (const position of all.filter(isAdding))
    if (!kept.has(position.conId)) opening.set(position.conId, [...(opening.get(position.conId) ?? []), position])
  const bySize = [...opening].sort(
    ([one, left], [other, right]) => compare(total(right, valueAdded), total(left, valueAdded)) || one - other,
  )
  const numbers = { level, limit: String(limit), held: String(kept.size) }
  for (const [, refused] of bySize.slice(Math.max(0, Math.floor(limit) - kept.size)))
    for (const position of refused) clip(position, '0', 'LIMIT_POSITIONS', numbers)
}
