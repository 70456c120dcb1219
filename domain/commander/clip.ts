/** What the limits have in common: each looks at all positions, and clips only what targets add. */
import { compare, type Decimal, isZero, larger, proportion } from '../decimal.ts'
import type { NoteCode } from './notes.ts'
import { type Position, stepOf, total, valueAdded } from './positions.ts'

/** Of one strategy or of the account. `base`: the money that the fractions are of. */
export type Limits = {
  level: 'strategy' | 'account'
  base: Decimal
  gross: Decimal
  net: Decimal
  singleName: Decimal
  positions: number
}
/** Leaves `left` of what is added to the position, and says why. */
export type Clip = (position: Position, left: Decimal, code: NoteCode, numbers: Record<string, string>) => void

export const isAdding = ({ added }: Position): boolean => !isZero(added)

/** The additions are scaled by one common factor to `room`, in base currency. */
export const scaleTo = (room: Decimal, adding: readonly Position[], clip: (position: Position, left: Decimal) => void): void => {
  const asked = total(adding, valueAdded)
  if (compare(asked, room) <= 0) return
  const available = larger(room, '0')
  for (const position of adding) clip(position, proportion(position.added, available, asked, stepOf(position)))
}
