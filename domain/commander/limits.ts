/**
 * Rule 4: how much of it do the limits leave? First the strategy's own, then the account's: single name, number of positions, gross.
 * A limit stops only what a target adds to what is held or on its way; a reduction is never clipped. What is held counts first.
 *
 * The single names come before the gross sum, so that room which no name may take is shared out among the others. On the account's side
 * the single name comes last instead: it looks at the net of all books, which shrinking one side can only enlarge.
 */
import { settingOf, strategySettingOf } from '../configuration.ts'
import { add, compare, type Decimal, decimal, isZero, larger, multiply, negate, proportion, sign, subtract, sum } from '../decimal.ts'
import type { Note } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import type { Market } from './market.ts'
import type { Grounds } from './may-we.ts'
import { type NoteCode, note } from './notes.ts'
import { type Position, positionsOf, signedKept, stepOf, total, valueAdded, valueKept, worthOf } from './positions.ts'
import type { Verdict } from './signals.ts'
import type { Line } from './size.ts'

type Limits = { level: 'strategy' | 'account'; base: Decimal; gross: Decimal; singleName: Decimal; positions: number }
type Clip = (position: Position, left: Decimal, code: NoteCode, numbers: Record<string, string>) => void

/** The additions are scaled by one common factor to `room`, in base currency. */
const scaleTo = (room: Decimal, adding: readonly Position[], clip: (position: Position, left: Decimal) => void): void => {
  const asked = total(adding, valueAdded)
  if (compare(asked, room) <= 0) return
  const available = larger(room, '0')
  for (const position of adding) clip(position, proportion(position.added, available, asked, stepOf(position)))
}

const limitGross = (all: readonly Position[], { level, base, gross }: Limits, clip: Clip): void => {
  const limit = multiply(base, gross)
  const kept = total(all, valueKept)
  scaleTo(subtract(limit, kept), all.filter(isAdding), (position, left) =>
    clip(position, left, 'LIMIT_GROSS', { level, limit, held: kept }),
  )
}

const isAdding = ({ added }: Position): boolean => !isZero(added)

/** Those that are held count first; of new ones the largest come first. */
const limitPositions = (all: readonly Position[], { level, positions: limit }: Limits, clip: Clip): void => {
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

const limitOwnNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
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
const limitNettedNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
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

/** One application of all limits. What each left of an addition is in `added` then. */
const applyOnce = (all: readonly Position[], ofStrategies: ReadonlyMap<string, Limits>, ofAccount: Limits, clip: Clip): void => {
  for (const [strategy, limits] of ofStrategies) {
    const own = all.filter((position) => position.strategy === strategy)
    if (!own.some(isAdding)) continue
    limitOwnNames(own, limits, clip)
    limitPositions(own, limits, clip)
    limitGross(own, limits, clip)
  }
  limitPositions(all, ofAccount, clip)
  limitGross(all, ofAccount, clip)
  limitNettedNames(all, ofAccount, clip)
}

const limitsOf = (ledger: Readonly<Ledger>, verdicts: readonly Verdict[], { netLiquidation }: Grounds) => {
  const { configuration } = ledger
  const ofStrategies = new Map<string, Limits>()
  for (const { strategy, factor } of verdicts)
    ofStrategies.set(strategy, {
      level: 'strategy',
      base: multiply(netLiquidation, factor),
      gross: decimal(strategySettingOf(configuration, strategy, 'limits.gross')),
      singleName: decimal(strategySettingOf(configuration, strategy, 'limits.singleName')),
      positions: strategySettingOf(configuration, strategy, 'limits.positions'),
    })
  const ofAccount: Limits = {
    level: 'account',
    base: netLiquidation,
    gross: decimal(settingOf(configuration, 'limits.gross')),
    singleName: decimal(settingOf(configuration, 'limits.singleName')),
    positions: settingOf(configuration, 'limits.positions'),
  }
  return { ofStrategies, ofAccount }
}

/** What rounding to the size step leaves is offered again, so often at most; it is nearly always done after the second time. */
const mostPasses = 100

/** The lines with the targets that the limits leave, and a note for each that they changed. */
export const limit = (
  ledger: Readonly<Ledger>,
  lines: readonly Line[],
  verdicts: readonly Verdict[],
  grounds: Grounds,
  market: Market,
): { lines: Line[]; notes: Note[] } => {
  const all = positionsOf(ledger, lines, market)
  const wanted = new Map(all.map((position) => [position, add(position.kept, position.added)]))
  const reasons = new Map<Position, { code: NoteCode; numbers: Record<string, string> }[]>()
  const refuse = (position: Position, code: NoteCode, numbers: Record<string, string> = {}): void => {
    position.added = '0'
    reasons.set(position, [{ code, numbers }])
  }

  const unvalued = all.find((position) => !isZero(position.kept) && valueKept(position) === undefined)
  for (const position of all.filter(isAdding)) {
    const { problem } = position.view
    if (problem !== undefined) refuse(position, problem)
    else if (unvalued !== undefined) refuse(position, 'MARKET_PRICE_MISSING', { unvalued: String(unvalued.conId) })
  }

  const { ofStrategies, ofAccount } = limitsOf(ledger, verdicts, grounds)
  // Again on its own result until it gives the same: a later decision on what was ordered then finds nothing more to add.
  for (let pass = 0; pass < mostPasses && all.some(isAdding); pass++) {
    const clipped = new Set<Position>()
    applyOnce(all, ofStrategies, ofAccount, (position, left, code, numbers) => {
      clipped.add(position)
      position.added = left
      const known = reasons.get(position) ?? []
      const isNew = !known.some((reason) => reason.code === code && reason.numbers['level'] === numbers['level'])
      if (isNew) reasons.set(position, [...known, { code, numbers }])
    })
    if (clipped.size === 0 || !all.some(isAdding)) {
      keep(all)
      break
    }
    keep(all)
    for (const position of clipped) position.added = subtract(wanted.get(position)!, position.kept)
  }

  const targets = new Map<Line, Decimal>()
  for (const { line, side, kept, view } of all)
    if (line !== undefined && !line.held && view.blocked === undefined) targets.set(line, side < 0 ? negate(kept) : kept)
  const notes = [...reasons].flatMap(([position, found]) => {
    const { line, strategy, conId } = position
    if (line === undefined || position.kept === wanted.get(position)) return []
    const allowed = targets.get(line) ?? line.target
    return found.map(({ code, numbers }) => note(code, { strategy, conId, numbers: { wanted: line.wanted, allowed, ...numbers } }))
  })
  return { lines: lines.map((line) => ({ ...line, target: targets.get(line) ?? line.target })), notes }
}

/** What was left of an addition belongs to what is kept from here on. */
const keep = (all: readonly Position[]): void => {
  for (const position of all) {
    position.kept = add(position.kept, position.added)
    position.added = '0'
  }
}
