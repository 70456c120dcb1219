/** Puts the simulated gateway together: market, broker, API port, clock and control port. */

import { firstCalendarDate, newYorkDate } from '../../domain/calendar.ts'
import { readBars } from './bars.ts'
import type { BarsFile, DailyBar } from './bars-file.ts'
import { type Broker, createBroker } from './broker.ts'
import { createClock } from './clock.ts'
import { startControlServer } from './control.ts'
import { applyFault, checkFault, touchesBroker } from './faults.ts'
import { type Frictions, noFrictions, readFrictions } from './frictions.ts'
import { createMarket } from './market.ts'
import { newestServerVersion, oldestServerVersion } from './messages.ts'
import { withoutRate } from './rates.ts'
import { createScript, type Entry, readScript, readScriptFile, type Script } from './script.ts'
import { type GatewayServer, startGatewayServer } from './server.ts'
import { instantOf } from './time-text.ts'
import { createUniverse } from './universe.ts'
import { builtInUniverse, readUniverse, together } from './universe-file.ts'

export type GatewaySimulatorOptions = {
  /** 0, the default, takes any free port. */
  port?: number
  controlPort?: number
  host?: string
  /** By symbol (`EUR.USD`, `ES201909` too), the path of a bars file or daily bars, in place of those of the universe. */
  bars?: Readonly<Record<string, string | readonly DailyBar[]>>
  /** The path of a file of contracts, on top of the built-in ones. */
  universe?: string
  /** An ISO time with its zone, or a date: its midnight in New York. */
  start?: string
  seed?: number
  account?: string
  /** US dollars, or amounts by currency: `{ USD: 100000, EUR: 5000 }`. */
  cash?: number | Readonly<Record<string, number>>
  /** 178 to 193; the newest version of the protocol that is spoken. */
  maxServerVersion?: number
  /** Spread, slippage, how much the market takes at once, commissions; by default only the commissions of IB's fixed schedule. */
  frictions?: Partial<Frictions>
  /** Faults by a plan: entries, or the path of a file of them. */
  script?: string | readonly object[]
}

export type GatewaySimulator = { port: number; controlPort: number; close: () => Promise<void> }

/** In the last year of the built-in bars. */
export const defaultStart = '2019-06-03'

/** How often streams tell where prices are while the clock runs by itself, in milliseconds of machine time. */
const pulseOfStreams = 1000

const byDefault = { port: 0, controlPort: 0, host: '127.0.0.1', seed: 1, account: 'DU1234567', cash: 100_000 }

/** Resolves when both ports listen. Throws with one line that names the option that is wrong. */
export const startGatewaySimulator = async (options: GatewaySimulatorOptions = {}): Promise<GatewaySimulator> => {
  const { port, controlPort, host, seed, account, cash } = { ...byDefault, ...options }
  const start = instantOf(options.start ?? defaultStart)
  if (start === undefined) throw new Error(`start: ${JSON.stringify(options.start)} is neither a date nor an ISO time with its zone`)
  if (newYorkDate(start) <= firstCalendarDate) throw new Error(`start: the trading calendar begins after ${firstCalendarDate}`)
  if (!Number.isInteger(seed)) throw new Error(`seed: expected a whole number, got ${seed}`)
  const amounts = typeof cash === 'number' ? { USD: cash } : cash
  const noAmount = Object.entries(amounts).find(([, amount]) => !Number.isFinite(amount))
  if (noAmount) throw new Error(`cash: expected a number, got ${noAmount[1]}`)
  if (!/^[A-Z]+\d+$/.test(account)) throw new Error(`account: expected letters and digits as in DU1234567, got ${JSON.stringify(account)}`)
  const maxServerVersion = options.maxServerVersion ?? newestServerVersion
  if (!(maxServerVersion >= oldestServerVersion && maxServerVersion <= newestServerVersion)) {
    throw new Error(`maxServerVersion: expected ${oldestServerVersion} to ${newestServerVersion}, got ${maxServerVersion}`)
  }

  const entries = scriptOf(options.script ?? [])
  const frictions = readFrictions(noFrictions, options.frictions ?? {})
  if ('problem' in frictions) throw new Error(frictions.problem)

  const moment = { now: () => start }
  const given = loadBars(options.bars ?? {})
  const file = options.universe === undefined ? builtInUniverse() : together(builtInUniverse(), readUniverse(options.universe))
  const universe = createUniverse([...given.keys()], file, () => moment.now())
  const market = createMarket({ get: (series) => given.get(series) ?? universe.bars(series) }, seed, universe.tickOf)
  const unpriced = withoutRate(universe, Object.keys(amounts))
  if (unpriced !== undefined) throw new Error(`${unpriced}: no currency pair with bars turns it into US dollars`)
  const parts: { server?: GatewayServer } = {}
  const broker: Broker = createBroker({ account, cash, start, seed, universe, market, frictions }, (...told) =>
    parts.server?.report(...told),
  )
  moment.now = broker.now
  const clock = createClock(broker)
  const script: Script = createScript(seed, clock, { run: (body) => applyFault(body, target), touchesBroker })
  addTo(script, entries)
  const surroundings = { catchUp: clock.catchUp, happened: script.happened, done: clock.settle }
  const server = await startGatewayServer({ host, port, maxServerVersion, seed }, broker, surroundings)
  parts.server = server
  const target = { broker, clock, server, script, ends: new Map<string, () => void>() }
  const control = await startControlServer(host, controlPort, target).catch(async (error: unknown) => {
    await server.close()
    throw error
  })
  const pulse = setInterval(() => {
    if (clock.mode().mode === 'real') clock.catchUp()
  }, pulseOfStreams)
  return {
    port: server.port(),
    controlPort: control.port,
    close: async () => {
      clearInterval(pulse)
      clock.stop()
      await Promise.all([control.close(), server.close()])
    },
  }
}

const scriptOf = (given: string | readonly object[]): Entry[] =>
  named(() => (typeof given === 'string' ? readScriptFile(given, checkFault) : readScript(given, checkFault)))

const addTo = (script: Script, entries: readonly Entry[]): void => named(() => script.add(entries))

const named = <A>(act: () => A): A => {
  try {
    return act()
  } catch (error) {
    throw new Error(`script: ${(error as Error).message}`, { cause: error })
  }
}

const loadBars = (given: Readonly<Record<string, string | readonly DailyBar[]>>): Map<string, BarsFile> =>
  new Map(Object.entries(given).map(([symbol, source]) => [symbol, typeof source === 'string' ? readBars(source) : { daily: [...source] }]))
