/**
 * The one table of settings. Values live in the journal (`ConfigurationChanged`); a setting that was never changed has its default.
 * `*` stands for a strategy's id. All numbers are plain JSON numbers; `orders.minimumTrade` is money in base currency.
 */
import * as t from 'io-ts'

type Setting = { unit: string; fallback: number | boolean | string; why: string } & (
  | { kind: 'number'; minimum: number; maximum: number }
  | { kind: 'boolean' }
  | { kind: 'choice'; choices: readonly string[] }
  /** `pattern`: of the whole text; `form`: the same in words. */
  | { kind: 'text'; pattern: string; form: string }
  | { kind: 'parameter' }
)

export const settings = {
  'exposure.overall': {
    kind: 'number',
    unit: 'fraction of net liquidation',
    minimum: 0,
    maximum: 4,
    fallback: 0.9,
    why: 'What all strategies together may use; the rest stays as a cushion for gaps, fees and margin.',
  },
  'limits.gross': {
    kind: 'number',
    unit: 'fraction of net liquidation',
    minimum: 0,
    maximum: 4,
    fallback: 1,
    why: 'Sum of all absolute positions. Stops increases only: an exit is never clipped.',
  },
  'limits.net': {
    kind: 'number',
    unit: 'fraction of net liquidation',
    minimum: 0,
    maximum: 4,
    fallback: 4,
    why: 'Long less short over all books, either way. Stops only what makes it larger.',
  },
  'limits.singleName': {
    kind: 'number',
    unit: 'fraction of net liquidation',
    minimum: 0,
    maximum: 4,
    fallback: 0.9,
    why: 'The absolute position in one instrument over all books.',
  },
  'limits.positions': {
    kind: 'number',
    unit: 'instruments',
    minimum: 0,
    maximum: 1000,
    fallback: 20,
    why: 'How many instruments our books may hold at once; one more is not opened.',
  },
  'orders.minimumTrade': {
    kind: 'number',
    unit: 'base currency',
    minimum: 0,
    maximum: 1_000_000,
    fallback: 100,
    why: 'The rebalance band: a smaller difference is left alone, unless it closes a position.',
  },
  'orders.priceCollar': {
    kind: 'number',
    unit: 'fraction of the reference price',
    minimum: 0.001,
    maximum: 1,
    fallback: 0.05,
    why: 'An increase goes out as a limit order at most this far from the reference; for a reduction it only alerts.',
  },
  'orders.maximumNotional': {
    kind: 'number',
    unit: 'base currency',
    minimum: 1,
    maximum: 1_000_000_000,
    fallback: 1_000_000,
    why: 'The largest order. Of an increase no more than this is at work at once; a reduction is split into several orders.',
  },
  'orders.volumeShare': {
    kind: 'number',
    unit: 'fraction of the average daily volume',
    minimum: 0,
    maximum: 1,
    fallback: 1,
    why: 'An increase asks for no more than this of what trades on an average day, lest it moves the price against itself.',
  },
  'orders.volumeRequired': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: false,
    why: 'Whether an instrument whose volume is not known may not increase. Off: it is said, and it may.',
  },
  'prices.quotes': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: false,
    why: 'Whether a quote of the open market, newer than the last bar, is the price of a signal. Off: the last completed bar is.',
  },
  'orders.perMinute': {
    kind: 'number',
    unit: 'orders',
    minimum: 0,
    maximum: 1000,
    fallback: 100,
    why: 'More orders than this in one minute are a mistake somewhere: increases wait. Reductions count, and always go.',
  },
  'orders.perDay': {
    kind: 'number',
    unit: 'orders',
    minimum: 0,
    maximum: 100_000,
    fallback: 1000,
    why: 'The same for one day of New York.',
  },
  'orders.whatIf': {
    kind: 'choice',
    unit: 'when the broker is asked',
    choices: ['live', 'always', 'never'],
    fallback: 'live',
    why: 'Before an increase goes out the broker is asked what margin it would take; without enough, or without an answer, it is withdrawn.',
  },
  'orders.algo': {
    kind: 'choice',
    unit: 'name of an algo',
    choices: ['none', 'Adaptive'],
    fallback: 'none',
    why: "IB's Adaptive algo trades time for price; it does not take part in the opening auction.",
  },
  'orders.adaptivePriority': {
    kind: 'choice',
    unit: "IB's word",
    choices: ['Urgent', 'Normal', 'Patient'],
    fallback: 'Normal',
    why: 'How patient the Adaptive algo is.',
  },
  'books.lotMethod': {
    kind: 'choice',
    unit: 'which lot is closed first',
    choices: ['fifo', 'lifo', 'highestCost'],
    fallback: 'fifo',
    why: 'Tax lots: first in, first out; last in, first out; or the one that leaves the least profit. Counts for trades from then on.',
  },
  freshMinutes: {
    kind: 'number',
    unit: 'minutes',
    minimum: 1,
    maximum: 1440,
    fallback: 180,
    why: 'An account snapshot older than this decides nothing.',
  },
  'cash.threshold': {
    kind: 'number',
    unit: 'base currency',
    minimum: 0,
    maximum: 1_000_000_000,
    fallback: 1000,
    why: 'Cash in another currency is brought back by cash-balancer when it is worth more than this; what is owed, too.',
  },
  'halt.cancelWorking': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: false,
    why: 'Whether a halt also cancels what works at the broker. Off: what was sent is left to its end.',
  },
  'risk.dailyDrawdown': {
    kind: 'number',
    unit: "fraction of the day's first net liquidation",
    minimum: 0,
    maximum: 1,
    fallback: 0.05,
    why: 'Once more than this was lost since the first reconcile of the day, nothing increases. Exits go on.',
  },
  'risk.peakDrawdown': {
    kind: 'number',
    unit: 'fraction of the highest net liquidation',
    minimum: 0,
    maximum: 1,
    fallback: 0.2,
    why: 'Once more than this was lost since the peak, nothing increases. A withdrawal looks the same: risk-check resets the peak.',
  },
  'risk.haltOnBreach': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: false,
    why: 'Whether risk-check halts trading when it finds a breach; without it only increases stop.',
  },
  'eod.enforceFlat': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: false,
    why: 'Whether eod-check closes all books of ours before the session ends.',
  },
  'live.paperSessions': {
    kind: 'number',
    unit: 'sessions',
    minimum: 1,
    maximum: 40,
    fallback: 10,
    why: 'On so many of the last 60 days paper trading must have run, and followed each strategy, before live trading is switched on for it.',
  },
  'alerts.gatewayLostMinutes': {
    kind: 'number',
    unit: 'minutes',
    minimum: 1,
    maximum: 1440,
    fallback: 10,
    why: 'A gateway that is away for longer is told to people; its nightly restart takes less.',
  },
  'strategies.*.enabled': {
    kind: 'boolean',
    unit: 'yes or no',
    fallback: true,
    why: 'A disabled strategy gives no signals; its book is held and named in every decision.',
  },
  'strategies.*.mode': {
    kind: 'choice',
    unit: 'how far it goes',
    choices: ['live', 'shadow', 'dry'],
    fallback: 'live',
    why: 'live trades; shadow is decided about by every rule and never sent; dry only records its signals.',
  },
  'strategies.*.window': {
    kind: 'text',
    unit: 'New York time',
    pattern: '(([01]\\d|2[0-3]):[0-5]\\d-([01]\\d|2[0-3]):[0-5]\\d)?',
    form: 'HH:MM-HH:MM, or empty for always',
    fallback: '',
    why: 'When the strategy may increase; an exit goes at any time. An end before its beginning is on the next day.',
  },
  'strategies.*.weekend': {
    kind: 'choice',
    unit: 'over days without a session',
    choices: ['hold', 'flat'],
    fallback: 'hold',
    why: 'flat: what is decided for the last session before a weekend or holiday counts every target as 0.',
  },
  'strategies.*.allocation': {
    kind: 'number',
    unit: 'fraction of the overall exposure',
    minimum: 0,
    maximum: 1,
    fallback: 0,
    why: 'Nothing is traded for a strategy that nobody gave money to. All allocations together are at most 1.',
  },
  'strategies.*.limits.gross': {
    kind: 'number',
    unit: "fraction of the strategy's own capital",
    minimum: 0,
    maximum: 4,
    fallback: 1,
    why: "Sum of the strategy's absolute positions against net liquidation × exposure × allocation.",
  },
  'strategies.*.limits.net': {
    kind: 'number',
    unit: "fraction of the strategy's own capital",
    minimum: 0,
    maximum: 4,
    fallback: 4,
    why: "The strategy's long less its short positions, either way.",
  },
  'strategies.*.limits.singleName': {
    kind: 'number',
    unit: "fraction of the strategy's own capital",
    minimum: 0,
    maximum: 4,
    fallback: 1,
    why: "The strategy's absolute position in one instrument.",
  },
  'strategies.*.limits.positions': {
    kind: 'number',
    unit: 'instruments',
    minimum: 0,
    maximum: 1000,
    fallback: 20,
    why: 'How many instruments the book may hold at once.',
  },
  'strategies.*.risk.dailyDrawdown': {
    kind: 'number',
    unit: "fraction of the strategy's own capital",
    minimum: 0,
    maximum: 1,
    fallback: 0.1,
    why: "Once its book lost more than this since the first reconcile of the day, the strategy's positions do not increase.",
  },
  'strategies.*.risk.peakDrawdown': {
    kind: 'number',
    unit: "fraction of the strategy's own capital",
    minimum: 0,
    maximum: 1,
    fallback: 0.3,
    why: "Once its book lost more than this since its best, the strategy's positions do not increase.",
  },
  'strategies.*.parameters.*': {
    kind: 'parameter',
    unit: "the strategy's own",
    fallback: '',
    why: 'A parameter of the strategy; its own codec checks it when the signal is computed.',
  },
} as const satisfies Record<string, Setting>

type SettingName = keyof typeof settings
export type Value = number | boolean | string
/** What was changed, by full name (`strategies.spymacdvixy.allocation`); all else has its default. */
export type Configuration = Readonly<Record<string, Value>>

export const Changes = t.record(t.string, t.union([t.number, t.boolean, t.string]))

const patternOf = (name: string): SettingName | undefined => {
  if (Object.hasOwn(settings, name) && !name.includes('*')) return name as SettingName
  const [head, strategy, ...rest] = name.split('.')
  if (head !== 'strategies' || rest.length === 0 || strategy === '' || strategy === '*') return undefined
  const pattern =
    rest[0] === 'parameters' && rest.length === 2 && rest[1] !== '' ? 'strategies.*.parameters.*' : `strategies.*.${rest.join('.')}`
  return Object.hasOwn(settings, pattern) ? (pattern as SettingName) : undefined
}

const problemOf = (name: string, value: Value): string | undefined => {
  const pattern = patternOf(name)
  if (pattern === undefined) return `"${name}" is not a setting`
  const setting: Setting = settings[pattern]
  if (setting.kind === 'number') {
    const fits = typeof value === 'number' && value >= setting.minimum && value <= setting.maximum
    return fits
      ? undefined
      : `${name} must be a number from ${setting.minimum} to ${setting.maximum} (${setting.unit}), got ${JSON.stringify(value)}`
  }
  if (setting.kind === 'boolean')
    return typeof value === 'boolean' ? undefined : `${name} must be true or false, got ${JSON.stringify(value)}`
  if (setting.kind === 'choice')
    return typeof value === 'string' && setting.choices.includes(value)
      ? undefined
      : `${name} must be one of ${setting.choices.join(', ')}, got ${JSON.stringify(value)}`
  if (setting.kind === 'text')
    return typeof value === 'string' && new RegExp(`^${setting.pattern}$`).test(value)
      ? undefined
      : `${name} must be a text such as ${setting.form} (${setting.unit}), got ${JSON.stringify(value)}`
  return undefined
}

/** Everything that is wrong with the configuration that the changes would give; empty: it holds. */
export const problemsOf = (configuration: Configuration, changes: Configuration): string[] => {
  const wrong = Object.entries(changes).flatMap(([name, value]) => problemOf(name, value) ?? [])
  const after = { ...configuration, ...changes }
  const allocated = Object.entries(after)
    .filter(([name]) => patternOf(name) === 'strategies.*.allocation')
    .reduce((total, [, value]) => total + Number(value), 0)
  if (allocated > 1 + 1e-9) wrong.push(`the allocations of all strategies sum to ${Number(allocated.toFixed(6))}, at most 1 is allowed`)
  return wrong
}

/** Changes come out of JSON, where there is no NaN; a document of Firestore may hold one. */
const isValue = (value: unknown): value is Value =>
  typeof value === 'boolean' || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))

/**
 * What somebody wants who wrote `wanted` over the settings in force (all of them, by full name): the values to change,
 * and everything that is wrong with them. A setting that is left out is a problem too: there is no way to take one away.
 */
export const changesBetween = (
  inForce: Configuration,
  wanted: Readonly<Record<string, unknown>>,
): { changes: Configuration; problems: string[] } => {
  const different = Object.entries(wanted).filter(([name, value]) => !Object.hasOwn(inForce, name) || inForce[name] !== value)
  const odd = different.flatMap(([name, value]) =>
    isValue(value)
      ? []
      : [problemOf(name, value as Value) ?? `${name} must be a number, a text, true or false, got ${JSON.stringify(value)}`],
  )
  const changes = Object.fromEntries(different.filter((entry): entry is [string, Value] => isValue(entry[1])))
  const gone = Object.keys(inForce).filter((name) => !Object.hasOwn(wanted, name))
  const removed = gone.map((name) => `${name} was taken away; set it to a value, it is ${JSON.stringify(inForce[name])}`)
  return { changes, problems: [...odd, ...problemsOf(inForce, changes), ...removed] }
}

/** The value in force of any setting by its full name; undefined for a parameter that nobody set and for a name that is none. */
export const settingInForce = (configuration: Configuration, name: string): Value | undefined => {
  const pattern = patternOf(name)
  if (pattern === undefined) return undefined
  return configuration[name] ?? (settings[pattern].kind === 'parameter' ? undefined : settings[pattern].fallback)
}

type Kept<N extends SettingName> = (typeof settings)[N]['fallback'] extends number
  ? number
  : (typeof settings)[N]['fallback'] extends boolean
    ? boolean
    : string

/** The value in force of an account-wide setting. */
export const settingOf = <N extends Exclude<SettingName, `strategies.${string}`>>(configuration: Configuration, name: N): Kept<N> =>
  (configuration[name] ?? settings[name].fallback) as Kept<N>

type StrategySetting =
  | ('enabled' | 'mode' | 'window' | 'weekend' | 'allocation')
  | ('limits.gross' | 'limits.net' | 'limits.singleName' | 'limits.positions')
  | ('risk.dailyDrawdown' | 'risk.peakDrawdown')

/** The value in force of a strategy's setting. */
export const strategySettingOf = <N extends StrategySetting>(
  configuration: Configuration,
  strategy: string,
  name: N,
): Kept<`strategies.*.${N}`> =>
  (configuration[`strategies.${strategy}.${name}`] ?? settings[`strategies.*.${name}`].fallback) as Kept<`strategies.*.${N}`>

/** The strategy's parameters that somebody set, by name. */
export const parametersOf = (configuration: Configuration, strategy: string): Record<string, Value> => {
  const prefix = `strategies.${strategy}.parameters.`
  return Object.fromEntries(
    Object.entries(configuration).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
  )
}

/** The strategies that the configuration names in any way. */
export const configuredStrategies = (configuration: Configuration): string[] => [
  ...new Set(Object.keys(configuration).flatMap((name) => (name.startsWith('strategies.') ? [name.split('.')[1]!] : []))),
]
