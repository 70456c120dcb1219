/** The simulated gateway as a process of its own: one line of JSON with its ports once it listens, SIGTERM or SIGINT ends it. */
import { parseArgs } from 'node:util'
import type { Schedule } from './commission.ts'
import { type GatewaySimulatorOptions, startGatewaySimulator } from './simulator.ts'

/** Every argument, with its value and what it says; `ibt gateway-sim` takes the same. */
export const gatewaySimulatorArguments = [
  { name: 'port', value: 'N', says: 'API port (default: any free one)' },
  { name: 'control-port', value: 'N', says: 'HTTP control port on loopback (default: any free one)' },
  { name: 'bars', value: 'SYMBOL=FILE', says: 'bars of a symbol, CSV with date,open,high,low,close,volume; may be repeated' },
  { name: 'universe', value: 'FILE', says: 'contracts of your own (YAML or JSON), on top of the built-in ones' },
  { name: 'start', value: 'DATE', says: 'simulated start: a date, an ISO time with its zone, or now (default 2019-06-03)' },
  { name: 'seed', value: 'N', says: 'whole number that fixes the course of the days, all ids and all chances (default 1)' },
  { name: 'script', value: 'FILE', says: 'faults by a plan, YAML or a JSON object a line' },
  { name: 'account', value: 'NAME', says: 'account (default DU1234567)' },
  { name: 'cash', value: 'N', says: 'US dollars at the start (default 100000), or amounts by currency: USD=90000,EUR=5000' },
  { name: 'max-server-version', value: 'N', says: '178 to 193 (default 193)' },
  { name: 'spread', value: 'TICKS', says: 'between bid and ask (default 0)' },
  { name: 'slippage', value: 'BP', says: 'the most that an order at market pays more, in basis points (default 0)' },
  { name: 'participation', value: 'X', says: "share of a bar's volume that orders trade of it, 0 to 1 (default 0, no limit)" },
  { name: 'commission', value: 'NAME', says: 'fixed, tiered or none (default fixed)' },
] as const

const usage = (): string => {
  const flags = gatewaySimulatorArguments.map(({ name, value }) => `--${name} ${value}`)
  const width = Math.max(...flags.map(({ length }) => length))
  const lines = gatewaySimulatorArguments.map(({ says }, place) => `  ${flags[place]!.padEnd(width)}  ${says}`)
  return ['gateway-sim: a server that speaks the TWS protocol', '', ...lines].join('\n')
}

/** Throws with one line that names the argument that is wrong. */
export const gatewaySimulatorOptions = (args: readonly string[]): GatewaySimulatorOptions => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ port: text, 'control-port': text, start: text, seed: text, account: text, cash: text, 'max-server-version': text },
      ...{ universe: text, script: text, spread: text, slippage: text, participation: text, commission: text },
      bars: { type: 'string', multiple: true },
    },
  })
  const number = (
    name: 'port' | 'control-port' | 'seed' | 'max-server-version' | 'spread' | 'slippage' | 'participation',
    is: (value: number) => boolean,
  ): number | undefined => {
    const given = values[name]
    if (given === undefined) return undefined
    const value = given.trim() === '' ? Number.NaN : Number(given)
    if (!Number.isFinite(value) || !is(value)) throw new Error(`--${name}: not a valid number: ${JSON.stringify(given)}`)
    return value
  }
  const isPort = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 65535
  const fromZero = (value: number): boolean => value >= 0
  const frictions = present({
    spread: number('spread', fromZero),
    slippage: number('slippage', fromZero),
    participation: number('participation', (value) => value >= 0 && value <= 1),
    commission: values.commission as Schedule | undefined,
  })
  return present({
    port: number('port', isPort),
    controlPort: number('control-port', isPort),
    bars: barsArguments(values.bars ?? []),
    start: values.start === 'now' ? new Date().toISOString() : values.start,
    seed: number('seed', Number.isInteger),
    account: values.account,
    cash: values.cash === undefined ? undefined : cashArgument(values.cash),
    universe: values.universe,
    script: values.script,
    maxServerVersion: number('max-server-version', Number.isInteger),
    frictions: Object.keys(frictions).length > 0 ? frictions : undefined,
  })
}

const cashArgument = (given: string): number | Record<string, number> => {
  const fail = (): never => {
    throw new Error(`--cash: expected a number or USD=N,EUR=N, got ${JSON.stringify(given)}`)
  }
  const amount = (text: string | undefined): number =>
    text === undefined || text.trim() === '' || !Number.isFinite(Number(text)) ? fail() : Number(text)
  if (!given.includes('=')) return amount(given)
  return Object.fromEntries(
    given.split(',').map((part) => {
      const [currency, text] = part.split('=')
      return /^[A-Z]{3}$/.test(currency ?? '') ? [currency, amount(text)] : fail()
    }),
  )
}

const barsArguments = (given: readonly string[]): Record<string, string> => {
  const all = given.map(barsArgument)
  const twice = all.find(([symbol], place) => all.findIndex(([other]) => other === symbol) !== place)
  if (twice) throw new Error(`--bars: ${twice[0]} is given twice`)
  return Object.fromEntries(all)
}

const barsArgument = (given: string): [symbol: string, path: string] => {
  const parts = /^([^=]+)=(.+)$/.exec(given)
  if (!parts) throw new Error(`--bars: expected SYMBOL=FILE, got ${JSON.stringify(given)}`)
  return [parts[1]!, parts[2]!]
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> }
const present = <T extends object>(values: T): Partial<Present<T>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Present<T>>

/** Runs until it is told to end. */
export const runGatewaySimulator = async (options: GatewaySimulatorOptions): Promise<void> => {
  const simulator = await startGatewaySimulator(options)
  process.stdout.write(`${JSON.stringify({ port: simulator.port, controlPort: simulator.controlPort })}\n`)
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await simulator.close()
}

const main = async (args: readonly string[]): Promise<void> => {
  if (args.includes('--help')) {
    process.stdout.write(`${usage()}\n`)
    return
  }
  await runGatewaySimulator(gatewaySimulatorOptions(args))
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`gateway-sim: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  })
}
