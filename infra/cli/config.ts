import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { findStrategies } from '../compose.ts'
import { type Environment, variables } from '../environment.ts'
import { nameOfStore, openExistingData, storePath } from '../store.ts'
import { readTopics } from '../topics-file.ts'
import { environment } from './arguments.ts'
import { printJson, printLine } from './output.ts'
import {
  accountSettings,
  type Configured,
  configuredBy,
  environmentLines,
  type SettingLine,
  type Switch,
  strategyIds,
  strategySettings,
  type VariableLine,
} from './settings.ts'

/** Before the first start there is no journal, and everything has its default. */
const configuredIn = async (where: Environment): Promise<Configured> => {
  const none = async function* () {}
  if (where.store.kind === 'embedded' && !existsSync(storePath(where))) return configuredBy(none())
  const data = await openExistingData(where, readTopics())
  try {
    return await configuredBy(data.journal.read(1))
  } finally {
    await data.close()
  }
}

// ── For people ──

type Cells = [name: string, value: string, source: string, explanation: string]

const sourceText = (source: Switch['source']): string => {
  if (source === 'default') return 'default'
  const { position, recordedAt, actor } = source
  return `position ${position}, ${recordedAt.slice(0, 19)}Z${actor === undefined ? '' : `, ${actor}`}`
}

/** An empty default is that of a parameter which its strategy does not declare. */
const defaultText = (line: SettingLine): string => (line.source === 'default' || line.default === '' ? '' : ` (default ${line.default})`)

const settingCells = (line: SettingLine): Cells => [
  ...([line.name, String(line.value), sourceText(line.source) + defaultText(line)] as const),
  `${[line.unit, line.range].filter((part) => part !== null).join(', ')}: ${line.why}`,
]

const variableCells = (line: VariableLine): Cells => [line.name, line.value ?? '', line.source, line.why]

const section = (title: string, rows: readonly Cells[]): string => {
  const widest = (column: 0 | 1) => Math.min(Math.max(...rows.map((row) => row[column].length)), 60)
  const [name, value] = [widest(0), widest(1)]
  const lines = rows.map(
    ([first, second, third, explanation]) => `  ${first.padEnd(name)}  ${second.padEnd(value)}  ${third}\n      ${explanation}`,
  )
  return [title, ...lines].join('\n')
}

type Found = {
  mode: string
  store: string
  position: number
  trading: Switch
  settings: SettingLine[]
  strategies: Record<string, SettingLine[]>
  environment: VariableLine[]
}

const textOf = ({ mode, store, position, trading, settings, strategies, environment: variableLines }: Found): string =>
  [
    `${mode}, ${store}, journal at position ${position}`,
    `trading is ${trading.on ? 'on' : 'off'}: ${trading.reason} (${sourceText(trading.source)})`,
    ...(settings.length === 0 ? [] : [section('\nSettings of the account', settings.map(settingCells))]),
    ...Object.entries(strategies).map(([id, lines]) => section(`\nStrategy ${id}`, lines.map(settingCells))),
    ...(variableLines.length === 0 ? [] : [section('\nEnvironment', variableLines.map(variableCells))]),
  ].join('\n')

// ── The verb ──

const find = async (only: string | undefined): Promise<Found> => {
  const where = environment()
  const [configured, strategies] = await Promise.all([configuredIn(where), findStrategies(where)])
  const ids = strategyIds(strategies, configured)
  if (only !== undefined && !ids.includes(only)) throw new Error(`--strategy: there is no "${only}"; there are ${ids.join(', ')}`)
  const wanted = only === undefined ? ids : [only]
  return {
    mode: where.mode,
    store: nameOfStore(where),
    position: configured.position,
    trading: configured.trading,
    settings: only === undefined ? accountSettings(configured) : [],
    strategies: Object.fromEntries(wanted.map((id) => [id, strategySettings(id, strategies[id], configured)])),
    environment: only === undefined ? environmentLines(variables, process.env) : [],
  }
}

export const config = (): Command =>
  new Command('config')
    .description('Print every setting and every variable: its value, where that comes from, its default, and what it is for.')
    .option('--strategy <id>', 'only the settings of this strategy')
    .option('--json', 'as JSON', false)
    .addHelpText(
      'after',
      `
Settings are in the journal: each names the position and the time of the command that changed it last, and by whom. Change them
with ibt publish configure. Variables belong to the process that is started; secrets are shown as ***.

Examples:
  $ npx ibt config
  $ npx ibt config --strategy spymacdvixy
  $ npx ibt config --json | jq '.settings[] | select(.source != "default")'`,
    )
    .action(async ({ strategy, json }: { strategy?: string; json: boolean }) => {
      const found = await find(strategy)
      if (json) printJson(found)
      else printLine(textOf(found))
    })
