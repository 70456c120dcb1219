/**
 * Rule 4: how much of it do the limits leave? First the strategy's own, then the account's: single name, number of positions, gross, net.
 * A limit stops only what a target adds to what is held or on its way; a reduction is never clipped. What is held counts first.
 *
 * The single names come before the gross sum, so that room which no name may take is shared out among the others. On the account's side
 * the single name comes after it: it looks at the net of all books, which shrinking one side can only enlarge. So do the nets of everything,
 * which come last and are looked at again.
 */
import { settingOf, strategySettingOf } from '../configuration.ts'
import { add, type Decimal, decimal, isZero, multiply, negate, subtract } from '../decimal.ts'
import type { Note } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import { type Clip, isAdding, type Limits } from './clip.ts'
import { drawdownNumbers, drawdownStops } from './limit-drawdown.ts'
import { limitGross } from './limit-gross.ts'
import { isAboveNet, limitNet } from './limit-net.ts'
import { limitPositions } from './limit-positions.ts'
import { isAboveNettedNames, limitNettedNames, limitOwnNames } from './limit-single-name.ts'
import type { Market } from './market.ts'
import type { Grounds } from './may-we.ts'
import { type NoteCode, note } from './notes.ts'
import { type Position, positionsOf, valueKept } from './positions.ts'
import type { Verdict } from './signals.ts'
import type { Line } from './size.ts'
import { closedWindow } from './trading-window.ts'

/** One application of all limits. What each left of an addition is in `added` then. */
const applyOnce = (all: readonly Position[], ofStrategies: ReadonlyMap<string, Limits>, ofAccount: Limits, clip: Clip): void => {
  for (const [strategy, limits] of ofStrategies) {
    const own = all.filter((position) => position.strategy === strategy)
    if (!own.some(isAdding)) continue
    limitOwnNames(own, limits, clip)
    limitPositions(own, limits, clip)
    limitGross(own, limits, clip)
    limitNet(own, limits, clip)
  }
  limitPositions(all, ofAccount, clip)
  limitGross(all, ofAccount, clip)
  limitNettedNames(all, ofAccount, clip)
  limitNet(all, ofAccount, clip)
  settleNets(all, ofStrategies, ofAccount, clip)
}

/** Each clip may have taken from another net what offset it. Whoever was clipped strictly keeps within its limit whatever is clipped after. */
const settleNets = (all: readonly Position[], ofStrategies: ReadonlyMap<string, Limits>, ofAccount: Limits, clip: Clip): void => {
  const nets = [...ofStrategies].map(([strategy, limits]) => [all.filter((position) => position.strategy === strategy), limits] as const)
  const everything = [...nets, [all, ofAccount] as const]
  for (let look = 0; look <= everything.length + 1; look++) {
    const above = everything.filter(([positions, limits]) => isAboveNet(positions, limits))
    const names = isAboveNettedNames(all, ofAccount)
    if (above.length === 0 && !names) return
    for (const [positions, limits] of above) limitNet(positions, limits, clip, true)
    if (names) limitNettedNames(all, ofAccount, clip)
  }
}

const limitsOf = (ledger: Readonly<Ledger>, verdicts: readonly Verdict[], { netLiquidation }: Grounds) => {
  const { configuration } = ledger
  const ofStrategies = new Map<string, Limits>()
  for (const { strategy, factor } of verdicts)
    ofStrategies.set(strategy, {
      level: 'strategy',
      base: multiply(netLiquidation, factor),
      gross: decimal(strategySettingOf(configuration, strategy, 'limits.gross')),
      net: decimal(strategySettingOf(configuration, strategy, 'limits.net')),
      singleName: decimal(strategySettingOf(configuration, strategy, 'limits.singleName')),
      positions: strategySettingOf(configuration, strategy, 'limits.positions'),
    })
  const ofAccount: Limits = {
    level: 'account',
    base: netLiquidation,
    gross: decimal(settingOf(configuration, 'limits.gross')),
    net: decimal(settingOf(configuration, 'limits.net')),
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
  now: number,
): { lines: Line[]; notes: Note[] } => {
  const all = positionsOf(ledger, lines, market)
  const wanted = new Map(all.map((position) => [position, add(position.kept, position.added)]))
  const reasons = new Map<Position, { code: NoteCode; numbers: Record<string, string> }[]>()
  const refuse = (position: Position, code: NoteCode, numbers: Record<string, string> = {}): void => {
    position.added = '0'
    reasons.set(position, [{ code, numbers }])
  }

  const unvalued = all.find((position) => !isZero(position.kept) && valueKept(position) === undefined)
  const stoppedBy = drawdownStops(ledger)
  for (const position of all.filter(isAdding)) {
    const { problem } = position.view
    const lost = stoppedBy(position.strategy)
    const window = closedWindow(ledger.configuration, position.strategy, now)
    if (problem !== undefined) refuse(position, problem)
    else if (window !== undefined) refuse(position, 'OUTSIDE_WINDOW', { window })
    else if (unvalued !== undefined) refuse(position, 'MARKET_PRICE_MISSING', { unvalued: String(unvalued.conId) })
    else if (lost !== undefined) refuse(position, 'LIMIT_DRAWDOWN', drawdownNumbers(lost))
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
