/** Net exposure: long less short, either way. What makes it smaller is never stopped. */
import { multiply } from '../decimal.ts'
import type { Clip, Limits } from './clip.ts'
import { clipNet, isNetAbove, saying } from './netted.ts'
import type { Position } from './positions.ts'

/** @param strictly clipping elsewhere took an offset away: then what is added on the one side no longer counts against the other */
export const limitNet = (all: readonly Position[], { level, base, net }: Limits, clip: Clip, strictly = false): void => {
  const limit = multiply(base, net)
  clipNet(all, limit, !strictly, saying(clip, 'LIMIT_NET', level, limit))
}

export const isAboveNet = (all: readonly Position[], { base, net }: Limits): boolean => isNetAbove(all, multiply(base, net))
