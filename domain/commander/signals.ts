/**
 * Rule 2: what does each strategy want now? Fresh targets are sized, a fresh neutral pursues what stands, and everything else holds:
 * a strategy that is silent, failed, late, disabled or gone never sells anything.
 */
import { closesHolder, closingOf } from '../closing/holders.ts'
import { configuredStrategies, strategySettingOf } from '../configuration.ts'
import { type Decimal, decimal, isZero, multiply } from '../decimal.ts'
import type { Note } from '../events.ts'
import { type Ledger, lastWord, openOrders, type Signal } from '../ledger.ts'
import { inFlightOf } from '../order.ts'
import { type NoteCode, note } from './notes.ts'
import type { AllocationFacts, AllocationRequest } from './request.ts'
import { isFreshSignal } from './signal-age.ts'
import { goesFlat } from './weekend.ts'

export type Verdict = {
  strategy: string
  allocation: Decimal
  /** Exposure × allocation: the part of net liquidation that is the strategy's capital. */
  factor: Decimal
  /** Position of the signal or failure it rests on. */
  position: number | undefined
  /** `shadow`: decided about like the others, and never sent. */
  mode: 'live' | 'shadow'
  /** Every target counts as 0 now, whatever the signal. */
  flat: boolean
} & ({ verdict: 'targets'; signal: Signal } | { verdict: 'standing' | 'held' | 'skipped' })

const hasBook = (ledger: Readonly<Ledger>, strategy: string): boolean => Object.keys(ledger.books[strategy] ?? {}).length > 0

const waitsForFills = (ledger: Readonly<Ledger>, strategy: string): boolean =>
  openOrders(ledger).some((order) => !isZero(inFlightOf(order, strategy)))

/** Whether anything is held, on its way or to be pursued for the strategy. */
export const hasStakes = (ledger: Readonly<Ledger>, strategy: string): boolean =>
  hasBook(ledger, strategy) ||
  waitsForFills(ledger, strategy) ||
  Object.values(ledger.standing[strategy] ?? {}).some(({ quantity }) => !isZero(quantity))

/** In a fixed order, so that the same state always gives the same decision. */
const considered = (ledger: Readonly<Ledger>, { strategies }: AllocationRequest, { knownStrategies }: AllocationFacts): string[] => {
  const everybody = () => [
    ...knownStrategies,
    ...Object.keys(ledger.books).filter((strategy) => hasBook(ledger, strategy)),
    ...Object.keys(ledger.standing),
    ...configuredStrategies(ledger.configuration),
  ]
  return [...new Set(strategies ?? everybody())].sort()
}

/** Whether something is at work that closes the strategy's book. */
const isClosing = (ledger: Readonly<Ledger>, strategy: string): boolean =>
  Object.values(ledger.pipelines).some((pipeline) => {
    const closing = closingOf(pipeline)
    return closing !== undefined && closesHolder(closing, strategy)
  })

export const isShadow = ({ configuration }: Readonly<Ledger>, strategy: string): boolean =>
  strategySettingOf(configuration, strategy, 'mode') === 'shadow'

/** The verdict on each strategy that the request concerns, sorted by id. */
export const judgeSignals = (
  ledger: Readonly<Ledger>,
  request: AllocationRequest,
  facts: AllocationFacts,
  exposure: Decimal,
  now: number,
): { verdicts: Verdict[]; notes: Note[] } => {
  const notes: Note[] = []

  const judge = (strategy: string): Verdict => {
    const allocation = decimal(strategySettingOf(ledger.configuration, strategy, 'allocation'))
    const word = lastWord(ledger, strategy)
    const mode = isShadow(ledger, strategy) ? ('shadow' as const) : ('live' as const)
    const common = { strategy, allocation, factor: multiply(exposure, allocation), position: word?.position, mode, flat: false }
    const held = (code: NoteCode, detail?: string): Verdict => {
      notes.push(note(code, { strategy }, detail))
      return { ...common, verdict: 'held' }
    }
    if (isClosing(ledger, strategy)) {
      notes.push(note('CLOSING', { strategy }))
      return { ...common, verdict: 'skipped' }
    }
    if (!facts.knownStrategies.includes(strategy) || !strategySettingOf(ledger.configuration, strategy, 'enabled')) {
      const stays = hasBook(ledger, strategy) || waitsForFills(ledger, strategy)
      return stays ? held('BOOK_WITHOUT_STRATEGY') : { ...common, verdict: 'held' }
    }
    if (strategySettingOf(ledger.configuration, strategy, 'mode') === 'dry') return held('STRATEGY_DRY')
    const flat = goesFlat(ledger.configuration, strategy, now)
    // Nobody gave it money and it holds nothing, so nobody asks it for signals: its silence is no news.
    const idle = isZero(allocation) && !hasStakes(ledger, strategy)
    // Flat for the weekend is somebody's explicit wish: it waits for no signal.
    const silent = (code: NoteCode, detail?: string): Verdict =>
      idle ? held('NOT_ALLOCATED') : flat ? { ...held(code, detail), flat, verdict: 'standing' } : held(code, detail)
    if (word === undefined) return silent('SIGNAL_MISSING')
    if ('code' in word) return silent('SIGNAL_FAILED', `${word.code}: ${word.text}`)
    if (!isFreshSignal(word, now)) return silent('SIGNAL_STALE', `fresh until ${word.freshUntil}`)
    return word.kind === 'targets' ? { ...common, flat, verdict: 'targets', signal: word } : { ...common, flat, verdict: 'standing' }
  }

  return { verdicts: considered(ledger, request, facts).map(judge), notes }
}
