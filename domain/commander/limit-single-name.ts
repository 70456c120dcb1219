/** Single position: how much may be in one instrument, for one strategy and for the account. */
import { multiply, subtract } from '../decimal.ts'
import { type Clip, isAdding, type Limits, scaleTo } from './clip.ts'
import { clipNet, isNetAbove, saying } from './netted.ts'
import { type Position, valueKept } from './positions.ts'

/** Of one strategy: each of its positions by itself. */
export const limitOwnNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
  const limit = multiply(base, singleName)
  for (const position of all.filter(isAdding)) {
    const kept = valueKept(position) ?? '0'
    scaleTo(subtract(limit, kept), [position], (_, left) => clip(position, left, 'LIMIT_SINGLE_NAME', { level, limit, held: kept }))
  }
}

const byInstrument = (all: readonly Position[]): Position[][] =>
  [...new Set(all.filter(isAdding).map(({ conId }) => conId))].map((conId) => all.filter((position) => position.conId === conId))

/** Of the account: on the net of all books in the instrument, each way by itself. */
export const limitNettedNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
  const limit = multiply(base, singleName)
  for (const here of byInstrument(all)) {
    clipNet(here, limit, true, saying(clip, 'LIMIT_SINGLE_NAME', level, limit))
    // Clipping the one side took an offset from the other: then neither offsets the other any more.
    if (isNetAbove(here, limit)) clipNet(here, limit, false, saying(clip, 'LIMIT_SINGLE_NAME', level, limit))
  }
}

export const isAboveNettedNames = (all: readonly Position[], { base, singleName }: Limits): boolean =>
  byInstrument(all).some((here) => isNetAbove(here, multiply(base, singleName)))
