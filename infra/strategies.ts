/**
 * Strategies are found, not registered: every `*.ts` and `*.js` file of the given folders is one, by its default export.
 * A file that is none stops the start with a line that names it.
 */
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as t from 'io-ts'
import { decode } from '../domain/decode.ts'
import { parametersWith, type Strategy, strategyId } from '../domain/strategy.ts'

const Text = t.refinement(t.string, (text) => text.trim() !== '', 'a text')
const Count = t.refinement(t.Int, (count) => count >= 0, 'a whole number')
const idShape = /^[a-z][a-z0-9_-]{0,39}$/
const Name = t.refinement(t.string, (name) => idShape.test(name.toLowerCase()), 'a letter, then letters, digits, _ or -, at most 40')
const Duration = t.refinement(t.string, (duration) => /^[1-9]\d* [SDWMY]$/.test(duration), "a duration such as '5 D' or '2 Y'")
const Callable = new t.Type<(...input: never[]) => unknown>(
  'a function',
  (value): value is () => unknown => typeof value === 'function',
  (value, context) => (typeof value === 'function' ? t.success(value as () => unknown) : t.failure(value, context)),
  t.identity,
)

const Instrument = t.intersection([
  t.type({ symbol: Text, secType: t.keyof({ STK: null, IND: null, FUT: null, CASH: null }), exchange: Text, currency: Text }),
  t.partial({ primaryExchange: Text }),
])

const Request = t.intersection([
  t.type({
    instrument: Text,
    size: t.keyof({ '5 mins': null, '30 mins': null, '1 hour': null, '1 day': null }),
    duration: Duration,
    whatToShow: t.keyof({ TRADES: null, ADJUSTED_LAST: null }),
    regularHoursOnly: t.boolean,
    atLeast: Count,
  }),
  t.partial({ count: Count }),
])

const Shape = t.intersection([
  t.type({
    name: Name,
    description: Text,
    instruments: t.record(t.string, Instrument),
    bars: t.array(Request),
    signal: Callable,
  }),
  t.partial({ aliases: t.array(Name), parameters: t.type({ codec: t.type({ decode: Callable }), defaults: t.UnknownRecord }) }),
])

/** What the types of the parts cannot say. */
const contradiction = (strategy: Strategy): string | undefined => {
  const instruments = Object.keys(strategy.instruments)
  if (instruments.length === 0) return 'instruments: none declared'
  const requested = strategy.bars.map(({ instrument }) => instrument)
  const undeclared = requested.find((instrument) => !instruments.includes(instrument))
  if (undeclared !== undefined) return `bars: ${undeclared} is none of its instruments (${instruments.join(', ')})`
  const twice = requested.find((instrument, position) => requested.indexOf(instrument) !== position)
  if (twice !== undefined) return `bars: ${twice} is requested twice`
  const short = strategy.bars.find(({ count, atLeast }) => count !== undefined && count < atLeast)
  if (short) return `bars: ${short.instrument} keeps ${short.count} but needs at least ${short.atLeast}`
  const defaults = parametersWith(strategy, {})
  return defaults.ok ? undefined : `parameters: the defaults do not pass the codec: ${defaults.problem}`
}

const checked = (file: string, exported: unknown): Strategy => {
  if (exported === undefined) throw new Error(`${file}: no default export; a strategy file exports one strategy as default`)
  const decoded = decode(Shape, exported)
  if (!decoded.ok) throw new Error(`${file}: not a strategy: ${decoded.problem}`)
  const strategy = exported as Strategy // checked just above; decoding copies, and the strategy may be an object with methods
  const wrong = contradiction(strategy)
  if (wrong !== undefined) throw new Error(`${file}: ${wrong}`)
  return strategy
}

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && /\.(ts|js)$/.test(entry.name) && !/\.(d|test)\.ts$/.test(entry.name))
      .map((entry) => resolve(join(folder, entry.name)))
      .sort()
  } catch (error) {
    throw new Error(`strategies folder ${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`)
  }
}

const importFile = async (file: string): Promise<unknown> => {
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default
  } catch (error) {
    throw new Error(`${file}: cannot be loaded: ${error instanceof Error ? error.message.split('\n')[0] : error}`, { cause: error })
  }
}

/**
 * All strategies of the folders, by id, in an object without prototype. Two that answer to one id or alias are an error that names
 * both files, and so is one that takes a `reserved` id: the types of other commands.
 */
export const loadStrategies = async (folders: readonly string[], reserved: readonly string[] = []): Promise<Record<string, Strategy>> => {
  const files = [...new Set(folders.flatMap(filesOf))]
  const owners = new Map<string, string>()
  const found: Record<string, Strategy> = Object.create(null)
  for (const file of files) {
    const strategy = checked(file, await importFile(file))
    for (const id of new Set([strategyId(strategy), ...(strategy.aliases ?? []).map((alias) => alias.toLowerCase())])) {
      if (reserved.includes(id)) throw new Error(`${file}: ${id} is the name of another command`)
      const owner = owners.get(id)
      if (owner !== undefined) throw new Error(`two strategies answer to ${id}: ${owner} and ${file}`)
      owners.set(id, file)
    }
    found[strategyId(strategy)] = strategy
  }
  return found
}
