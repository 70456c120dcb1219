/** Every setting with its value, where that comes from, and what it may be; pure, as data for `ibt config`. */
import type { StoredCommit } from '../../domain/commit.ts'
import { type Configuration, configuredStrategies, parametersOf, settings, type Value } from '../../domain/configuration.ts'
import { fromStored } from '../../domain/events.ts'
import { hidden, isSecretName, withoutSecrets } from '../../domain/secrets.ts'
import type { Strategy } from '../../domain/strategy.ts'

/** The commit that gave a setting its value. `command` and `actor`: whose, where a command did. */
export type Origin = { position: number; recordedAt: string; command?: string; actor?: string }

export type SettingLine = {
  name: string
  value: Value
  default: Value
  source: 'default' | Origin
  unit: string
  /** What it may be, in words. Null: its strategy's own codec says. */
  range: string | null
  why: string
}

export type VariableLine = {
  name: string
  value: string | null
  default: string | null
  source: 'environment' | 'default' | 'not set'
  why: string
}

export type Switch = { on: boolean; reason: string; source: 'default' | Origin }

// ── What the journal says ──

export type Configured = { values: Configuration; origins: Readonly<Record<string, Origin>>; trading: Switch; position: number }

const originOf = ({ json, position, recordedAt }: StoredCommit): Origin => {
  const { cause } = JSON.parse(json) as { cause: { kind: string; id?: string; actor?: string } }
  return {
    position,
    recordedAt,
    ...(cause.kind === 'command' && cause.id !== undefined ? { command: cause.id } : {}),
    ...(cause.actor === undefined ? {} : { actor: cause.actor }),
  }
}

const concerns = /"(ConfigurationChanged|TradingHalted|TradingResumed)"/

/** Reads the commits of a journal from its beginning; most of them are not even parsed. */
export const configuredBy = async (commits: AsyncIterable<StoredCommit>): Promise<Configured> => {
  const values: Record<string, Value> = Object.create(null)
  const origins: Record<string, Origin> = Object.create(null)
  let trading: Switch = { on: false, reason: 'trading is off until the first resume', source: 'default' }
  let position = 0
  for await (const stored of commits) {
    position = stored.position
    if (!concerns.test(stored.json)) continue
    const origin = originOf(stored)
    for (const { type, data } of fromStored(JSON.parse(stored.json).events)) {
      if (type === 'TradingHalted' || type === 'TradingResumed')
        trading = { on: type === 'TradingResumed', reason: data.reason, source: origin }
      if (type !== 'ConfigurationChanged') continue
      for (const [name, { to }] of Object.entries(data.changes)) {
        values[name] = to as Value
        origins[name] = origin
      }
    }
  }
  return { values, origins, trading, position }
}

// ── What is in force ──

type Row = { kind: string; unit: string; fallback: Value; why: string } & Partial<{
  minimum: number
  maximum: number
  choices: readonly string[]
  form: string
}>
const rows = Object.entries(settings as Readonly<Record<string, Row>>)

const rangeOf = ({ kind, minimum, maximum, choices, form }: Row): string | null => {
  if (kind === 'boolean') return 'true or false'
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  return choices?.join(', ') ?? form ?? null
}

const lineOf = (name: string, row: Row, { values, origins }: Configured): SettingLine => ({
  name,
  value: values[name] ?? row.fallback,
  default: row.fallback,
  source: origins[name] ?? 'default',
  unit: row.unit,
  range: rangeOf(row),
  why: row.why,
})

/** The settings of the account. */
export const accountSettings = (configured: Configured): SettingLine[] =>
  rows.flatMap(([name, row]) => (name.startsWith('strategies.') ? [] : [lineOf(name, row, configured)]))

const anyStrategy = 'strategies.*.'
const anyParameter = 'strategies.*.parameters.*'

/** The settings of one strategy and its parameters; one that is configured and no longer there has those that somebody set. */
export const strategySettings = (id: string, strategy: Strategy | undefined, configured: Configured): SettingLine[] => {
  const own = rows.flatMap(([name, row]) =>
    name.startsWith(anyStrategy) && row.kind !== 'parameter' ? [lineOf(name.replace('*', id), row, configured)] : [],
  )
  const defaults = (strategy?.parameters?.defaults ?? {}) as Readonly<Record<string, Value>>
  const names = new Set([...Object.keys(defaults), ...Object.keys(parametersOf(configured.values, id))])
  const parameter: Row = settings[anyParameter]
  const parameters = [...names].map((name) =>
    lineOf(`strategies.${id}.parameters.${name}`, { ...parameter, fallback: defaults[name] ?? parameter.fallback }, configured),
  )
  return [...own, ...parameters]
}

/** All that are there, and all that were ever configured. */
export const strategyIds = (strategies: Readonly<Record<string, Strategy>>, { values }: Configured): string[] =>
  [...new Set([...Object.keys(strategies), ...configuredStrategies(values)])].sort()

// ── The environment ──

const alsoAs: Readonly<Record<string, string>> = { GOOGLE_CLOUD_PROJECT: 'PROJECT_ID' }

/** `meaning` ends with the default in brackets, which may have brackets themselves. */
const defaultOf = (meaning: string): string | null => / \((.+)\)$/.exec(meaning)?.[1] ?? null

const shown = (name: string, value: string): string => (isSecretName(name) ? hidden : withoutSecrets(value))

export const environmentLines = (
  meanings: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | undefined>>,
): VariableLine[] =>
  Object.entries(meanings).map(([name, meaning]) => {
    const [set] = [given[name], given[alsoAs[name] ?? '']].filter((value) => value !== undefined && value.trim() !== '')
    const usual = defaultOf(meaning)
    return {
      name,
      value: set === undefined ? usual : shown(name, set),
      default: usual,
      source: set !== undefined ? 'environment' : usual === null ? 'not set' : 'default',
      why: usual === null ? meaning : meaning.slice(0, -usual.length - 3),
    }
  })
