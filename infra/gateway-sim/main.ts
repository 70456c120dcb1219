/** The simulated gateway as a process of its own: one line of JSON with its ports once it listens, SIGTERM or SIGINT ends it. */
import { parseArgs } from 'node:util'
import type { Schedule } from './commission.ts'
import { type GatewaySimulatorOptions, startGatewaySimulator } from './simulator.ts'

export const gatewaySimulatorUsage = `gateway-sim: a server that speaks the TWS protocol

  --port N             API port (default: any free one)
  --control-port N     control port (default: any free one)
  --bars SYMBOL=FILE   bars of a symbol, CSV with date,open,high,low,close,volume; may be repeated
  --universe FILE      contracts of your own (YAML or JSON), on top of the built-in ones
  --start DATE         simulated start: a date or an ISO time with its zone
  --seed N             whole number that fixes the course of the days and all ids
  --account NAME       account (default DU1234567)
  --cash N             US dollars at the start (default 100000), or amounts by currency: USD=90000,EUR=5000
  --max-server-version N   178 to 193 (default 193)
  --spread TICKS       between bid and ask (default 0)
  --slippage BP        the most that an order at market pays more, in basis points (default 0)
  --participation X    share of a bar's volume that orders trade of it, 0 to 1 (default 0, no limit)
  --commission NAME    fixed, tiered or none (default fixed)`

/** Throws with one line that names the argument that is wrong. */
export const gatewaySimulatorOptions = (args: readonly string[]): GatewaySimulatorOptions => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ port: text, 'control-port': text, start: text, seed: text, account: text, cash: text, 'max-server-version': text },
      universe: text,
      ...{ spread: text, slippage: text, participation: text, commission: text },
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
    bars: Object.fromEntries((values.bars ?? []).map(barsArgument)),
    start: values.start,
    seed: number('seed', Number.isInteger),
    account: values.account,
    cash: values.cash === undefined ? undefined : cashArgument(values.cash),
    universe: values.universe,
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
    process.stdout.write(`${gatewaySimulatorUsage}\n`)
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
