/**
 * What a strategy is: instruments and bars it declares, parameters with defaults, and one pure function from closed bars to a signal.
 * A strategy never trades, keeps nothing between two signals and reads no clock: what it knows is in its inputs.
 */
import type * as t from 'io-ts'
import { type Decimal, DecimalText } from './decimal.ts'
import { type Decoded, decode } from './decode.ts'

// ── What it declares ──

/** What a person declares; the broker resolves it to one contract (conId). Its key names it inside the strategy. */
export type DeclaredInstrument = {
  symbol: string
  secType: 'STK' | 'IND' | 'FUT' | 'CASH'
  exchange: string
  currency: string
  primaryExchange?: string
}

export type BarSize = '5 mins' | '30 mins' | '1 hour' | '1 day'

export type BarsRequest = {
  /** A key of `instruments`. */
  instrument: string
  size: BarSize
  /** In IB's words: `5 D`, `2 Y`. */
  duration: string
  /** Keep only so many of the newest closed bars; all that `duration` gives when absent. */
  count?: number
  whatToShow: 'TRADES' | 'ADJUSTED_LAST'
  regularHoursOnly: boolean
  /** Fewer closed bars fail the signal: BARS_INCOMPLETE. */
  atLeast: number
}

// ── What it is given ──

/** `start` is `YYYY-MM-DD` (New York) for daily bars and an ISO time in UTC for shorter ones. */
export type Bar = { start: string; open: number; high: number; low: number; close: number; volume: number }

export type SignalInputs<P> = {
  /** Closed bars only, oldest first, by instrument key. */
  bars: Readonly<Record<string, readonly Bar[]>>
  /** Numbers in [0, 1), determined by the command's id. */
  random: () => number
  parameters: P
}

// ── What it answers ──

/** Parts of the strategy's capital: 1 is all of it long, −1 all of it short, 0 flat. */
export type WeightTarget = { instrument: string; weight: number }
/** Signed units of the instrument. */
export type QuantityTarget = { instrument: string; quantity: Decimal }

/** An instrument that targets do not name keeps its standing target, as all of them do on a neutral signal; 0 closes. */
export type Signal =
  | { kind: 'targets'; targets: WeightTarget[] | QuantityTarget[]; indicators: Record<string, number>; reason: string }
  | { kind: 'neutral'; indicators: Record<string, number>; reason: string }

// ── The strategy ──

export interface Strategy<P extends object = object> {
  /** Like a class, `SpyMacdVixy`; its lower case is the strategy's id and the type of its command. */
  name: string
  /** Other ids by which it may be asked for. */
  aliases?: readonly string[]
  description: string
  instruments: Readonly<Record<string, DeclaredInstrument>>
  /** One request an instrument at most, so that its key names its bars. */
  bars: readonly BarsRequest[]
  /** Left out by a strategy that has nothing to set. The codec checks what configuration overrides. */
  parameters?: { codec: t.Decoder<unknown, P>; defaults: P }
  signal(inputs: SignalInputs<P>): Signal
}

/** The identity: it lets the compiler infer the parameters and check the rest. */
export const defineStrategy = <P extends object>(strategy: Strategy<P>): Strategy<P> => strategy

export const strategyId = (strategy: Pick<Strategy, 'name'>): string => strategy.name.toLowerCase()

/** The defaults with overrides laid over them, checked by the codec; the problem says which parameter is wrong and why. */
export const parametersWith = <P extends object>(strategy: Strategy<P>, overrides: Readonly<Record<string, unknown>>): Decoded<P> => {
  const defaults: object = strategy.parameters?.defaults ?? {}
  const names = Object.keys(defaults)
  const unknownName = Object.keys(overrides).find((name) => !names.includes(name))
  if (unknownName !== undefined) return { ok: false, problem: `${unknownName}: no such parameter; there is ${names.join(', ') || 'none'}` }
  const merged = { ...defaults, ...overrides }
  return strategy.parameters ? decode(strategy.parameters.codec, merged) : { ok: true, value: merged as P }
}

/** The first request for which there are fewer closed bars than it needs, with the number there are. */
export const incompleteBars = (
  strategy: Strategy,
  bars: SignalInputs<object>['bars'],
): { request: BarsRequest; received: number } | undefined =>
  strategy.bars
    .map((request) => ({ request, received: bars[request.instrument]?.length ?? 0 }))
    .find(({ request, received }) => received < request.atLeast)

/** What is wrong with a signal, in words; undefined when it may be recorded. A strategy may be plain JavaScript: nothing of it is certain. */
export const signalFault = (strategy: Strategy, signal: Signal): string | undefined => {
  if (signal.kind !== 'neutral' && signal.kind !== 'targets') return `its kind is ${String((signal as { kind: unknown }).kind)}`
  if (typeof signal.reason !== 'string') return 'it has no reason in words'
  const indicator = Object.entries(signal.indicators).find(([, value]) => !Number.isFinite(value))
  if (indicator) return `indicator ${indicator[0]} is ${indicator[1]}`
  if (signal.kind === 'neutral') return undefined
  const seen = new Set<string>()
  let quantities = 0
  for (const target of signal.targets) {
    if (!Object.hasOwn(strategy.instruments, target.instrument)) return `target ${target.instrument} is none of its instruments`
    if (seen.has(target.instrument)) return `target ${target.instrument} is named twice`
    seen.add(target.instrument)
    if ('quantity' in target) {
      quantities += 1
      if (!DecimalText.is(target.quantity)) return `quantity of ${target.instrument} is no exact decimal: ${target.quantity}`
    } else if (!Number.isFinite(target.weight)) return `weight of ${target.instrument} is ${target.weight}`
  }
  if (quantities !== 0 && quantities !== signal.targets.length) return 'targets mix weights and quantities'
  return signal.targets.length === 0 ? 'no target: say neutral' : undefined
}
