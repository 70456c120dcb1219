/**
 * Rule 4: how much of it do the limits leave? First the strategy's own, then the account's: single name, number of positions, gross.
 * A limit stops only what a target adds to what is held or on its way; a reduction is never clipped. What is held counts first.
 *
 * The single names come before the gross sum, so that room which no name may take is shared out among the others. On the account's side
 * the single name comes last instead: it looks at the net of all books, which shrinking one side can only enlarge.
 */
import { settingOf, strategySettingOf } from '../configuration.ts'
import {
  absolute,
  add,
  compare,
  type Decimal,
  decimal,
  isZero,
  larger,
  multiply,
  negate,
  proportion,
  sign,
  smaller,
  subtract,
  sum,
} from '../decimal.ts'
import type { Note } from '../events.ts'
import { type Ledger, openOrders } from '../ledger.ts'
import { inFlightOf } from '../order.ts'
import type { InstrumentView, Market } from './market.ts'
import type { Grounds } from './may-we.ts'
import { type NoteCode, note } from './notes.ts'
import type { Verdict } from './signals.ts'
import type { Line } from './size.ts'

/** One strategy in one instrument, on one side of zero. All quantities are absolute; `side` is their sign. */
type Position = {
  strategy: string
  conId: number
  side: -1 | 0 | 1
  view: InstrumentView
  book: Decimal
  /** What stays of what is held or on its way. */
  kept: Decimal
  /** What the target adds to it, and what the limits leave of that. */
  added: Decimal
  line: Line | undefined
}

const held = (strategy: string, book: Decimal, inFlight: Decimal, view: InstrumentView, line?: Line): Position => {
  const expected = add(book, inFlight)
  return {
    ...{ strategy, conId: view.conId, view, book, line, added: '0' },
    side: sign(book) || sign(expected),
    kept: larger(absolute(book), absolute(expected)),
  }
}

/** Measured against book and flight together: an order that was allowed once is not asked for again. */
const decided = (line: Line, view: InstrumentView): Position => {
  if (line.held || view.blocked !== undefined) return held(line.strategy, line.book, line.inFlight, view, line)
  const expected = add(line.book, line.inFlight)
  const wanted = absolute(line.wanted)
  const kept = sign(expected) === sign(line.wanted) ? smaller(wanted, absolute(expected)) : '0'
  return {
    ...{ strategy: line.strategy, conId: line.conId, view, book: line.book, line, kept },
    side: sign(line.wanted),
    added: subtract(wanted, kept),
  }
}

/** Everything that counts: the lines of this decision, and the books and orders of all strategies that it leaves alone. */
const positionsOf = (ledger: Readonly<Ledger>, lines: readonly Line[], market: Market): Position[] => {
  const named = new Set(lines.map(({ strategy, conId }) => `${strategy} ${conId}`))
  const others = new Map<string, Position>()
  const include = (strategy: string, conId: number): void => {
    const key = `${strategy} ${conId}`
    if (named.has(key) || others.has(key)) return
    const inFlight = sum(openOrders(ledger).flatMap((order) => (order.conId === conId ? [inFlightOf(order, strategy)] : [])))
    others.set(key, held(strategy, ledger.books[strategy]?.[conId] ?? '0', inFlight, market(conId)))
  }
  for (const strategy in ledger.books) for (const conId in ledger.books[strategy]) include(strategy, Number(conId))
  for (const order of openOrders(ledger)) for (const { strategy } of order.shares) include(strategy, order.conId)
  return [...lines.map((line) => decided(line, market(line.conId))), ...others.values()]
}

/** In base currency; undefined when there is no price to tell it by. Of what is kept, the book counts at its price, the rest at the reference. */
const valueKept = ({ kept, book, side, view }: Position): Decimal | undefined => {
  const ofBook = sign(book) === side ? smaller(kept, absolute(book)) : '0'
  const rest = subtract(kept, ofBook)
  const [bookValue, restValue] = [view.heldValue, view.unitValue ?? view.heldValue]
  if ((!isZero(ofBook) && bookValue === undefined) || (!isZero(rest) && restValue === undefined)) return undefined
  return add(multiply(ofBook, bookValue ?? '0'), multiply(rest, restValue ?? '0'))
}

const valueAdded = ({ added, view }: Position): Decimal => multiply(added, view.unitValue ?? '0')
const stepOf = ({ view }: Position): Decimal => view.instrument?.sizeStep ?? '1'
const total = (positions: readonly Position[], value: (position: Position) => Decimal | undefined): Decimal =>
  sum(positions.map((position) => value(position) ?? '0'))

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

/** On the net of all books in the instrument: only what is added on the side of the net can be too much. */
const limitNettedNames = (all: readonly Position[], { level, base, singleName }: Limits, clip: Clip): void => {
  const limit = multiply(base, singleName)
  for (const conId of new Set(all.filter(isAdding).map((position) => position.conId))) {
    const here = all.filter((position) => position.conId === conId)
    const signed = (value: (position: Position) => Decimal | undefined) =>
      sum(here.map((position) => (position.side < 0 ? negate(value(position) ?? '0') : (value(position) ?? '0'))))
    const kept = signed(valueKept)
    const net = add(kept, signed(valueAdded))
    const adding = here.filter((position) => isAdding(position) && position.side === sign(net))
    const excess = subtract(absolute(net), limit)
    if (sign(excess) <= 0) continue
    const room = subtract(total(adding, valueAdded), excess)
    scaleTo(room, adding, (position, left) => clip(position, left, 'LIMIT_SINGLE_NAME', { level, limit, held: kept }))
  }
}

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
