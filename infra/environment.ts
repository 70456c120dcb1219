/** The environment of a running process, decoded once. A wrong value stops the start with one line that names the variable. */
import * as t from 'io-ts'
import { type Decoded, decode } from '../domain/decode.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type Environment = {
  mode: 'paper' | 'live'
  /** Absolute or relative to the working directory. Holds one file a trading mode: `paper.sqlite`, `live.sqlite`. */
  dataDirectory: string
  /** Where IB Gateway or TWS listens. The client id stays the same for ever: it fences off an engine that was replaced. */
  gateway: { host: string; port: number; clientId: number; account?: string }
  /** More strategies than those in `domain/strategies/`. */
  strategiesDirectory?: string
  /** Of the HTTP server. */
  httpPort: number
  logLevel: LogLevel
}

const fallback = { dataDirectory: './data', host: '127.0.0.1', port: { paper: 4002, live: 4001 }, clientId: 17, httpPort: 8080 } as const

/** What each variable means, for `--help`. */
export const variables: Readonly<Record<string, string>> = {
  TRADING_MODE: 'paper or live (paper)',
  DATA_DIR: 'folder of the store; each trading mode has a file of its own there (./data)',
  STORE: 'embedded (one SQLite file)',
  IB_HOST: 'where IB Gateway or TWS listens (127.0.0.1)',
  IB_PORT: 'its API port (4002 in paper mode, 4001 in live mode)',
  IB_CLIENT_ID: 'the API client id, to be kept for ever: orders belong to it (17)',
  IB_ACCOUNT: 'the account to trade; needed in live mode and where a login manages several',
  STRATEGIES_DIR: 'folder with further strategies, a file each',
  PORT: 'port of the HTTP server (8080)',
  LOG_LEVEL: `${logLevels.join(', ')} (info)`,
}

// ── Shapes of single variables ──

const choice = <const V extends string>(...values: V[]) =>
  new t.Type<V, string, unknown>(
    values.join(' or '),
    (input): input is V => values.some((value) => value === input),
    (input, context) => {
      const found = values.find((value) => value === input)
      return found === undefined
        ? t.failure(input, context, `must be ${values.join(' or ')}, got ${JSON.stringify(input)}`)
        : t.success(found)
    },
    t.identity,
  )

const whole = (least: number, most: number) =>
  new t.Type<number, string, unknown>(
    'a whole number',
    t.number.is,
    (input, context) => {
      const value = typeof input === 'string' && /^\d{1,10}$/.test(input) ? Number(input) : Number.NaN
      return value >= least && value <= most
        ? t.success(value)
        : t.failure(input, context, `must be a whole number from ${least} to ${most}, got ${JSON.stringify(input)}`)
    },
    String,
  )

const text = (what: string, shape: RegExp) =>
  new t.Type<string, string, unknown>(
    what,
    t.string.is,
    (input, context) =>
      typeof input === 'string' && shape.test(input)
        ? t.success(input)
        : t.failure(input, context, `must be ${what}, got ${JSON.stringify(input)}`),
    t.identity,
  )

const port = whole(1, 65_535)
const host = text('a host name or address', /^[A-Za-z0-9.:_-]+$/)

const Variables = t.partial({
  TRADING_MODE: choice('paper', 'live'),
  STORE: choice('embedded', 'google'),
  DATA_DIR: t.string,
  IB_HOST: host,
  IB_PORT: port,
  IB_CLIENT_ID: whole(1, 2_147_483_647),
  IB_ACCOUNT: text('an account such as DU1234567', /^[A-Z]{1,3}\d{4,10}$/),
  STRATEGIES_DIR: t.string,
  PORT: port,
  LOG_LEVEL: choice(...logLevels),
})

const googleVariables = ['GOOGLE_CLOUD_PROJECT', 'PROJECT_ID', 'PUBSUB_EMULATOR_HOST', 'FIRESTORE_EMULATOR_HOST']
const notInThisVersion = ['IB_BACKUP_HOST', 'IB_BACKUP_PORT']

/** A variable that is there but empty counts as not set, as in a compose file with an unset value. */
const setOnes = (given: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined || value.trim() === '' ? [] : [[name, value]])))

const storeProblem = (given: Readonly<Record<string, string>>): string | undefined => {
  const store = given['STORE']
  if (store === 'google') return 'STORE=google is not part of this version'
  const google = googleVariables.find((name) => given[name] !== undefined)
  if (store !== undefined || google === undefined) return undefined
  return `STORE is google because ${google} is set, and STORE=google is not part of this version: set STORE=embedded`
}

/** @returns the environment, or one line that names the variable and what is wrong with it */
export const readEnvironment = (given: Readonly<Record<string, string | undefined>>): Decoded<Environment> => {
  const set = setOnes(given)
  const decoded = decode(Variables, set)
  if (!decoded.ok) return decoded
  const problem = storeProblem(set)
  if (problem !== undefined) return { ok: false, problem }
  const early = notInThisVersion.find((name) => set[name] !== undefined)
  if (early !== undefined) return { ok: false, problem: `${early}: a backup gateway is not part of this version; unset it` }
  const { value } = decoded
  const mode = value.TRADING_MODE ?? 'paper'
  return {
    ok: true,
    value: {
      mode,
      dataDirectory: value.DATA_DIR ?? fallback.dataDirectory,
      gateway: {
        host: value.IB_HOST ?? fallback.host,
        port: value.IB_PORT ?? fallback.port[mode],
        clientId: value.IB_CLIENT_ID ?? fallback.clientId,
        ...(value.IB_ACCOUNT === undefined ? {} : { account: value.IB_ACCOUNT }),
      },
      ...(value.STRATEGIES_DIR === undefined ? {} : { strategiesDirectory: value.STRATEGIES_DIR }),
      httpPort: value.PORT ?? fallback.httpPort,
      logLevel: value.LOG_LEVEL ?? 'info',
    },
  }
}
