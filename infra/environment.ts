/** The environment of a running process, decoded once. A wrong value stops the start with one line that names the variable. */
import * as t from 'io-ts'
import { type Decoded, decode } from '../domain/decode.ts'
import type { AlertSettings } from './alerts/channels.ts'
import { readBarsPlace } from './bars/place.ts'
import type { GoogleStore } from './google/connection.ts'
import type { AccessSettings } from './http/access.ts'
import { accessOf, usualRequestsPerMinute, usualRoleClaim } from './http/settings.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** `cloud`: the field names that Google Cloud Logging understands; `plain`: pino's own. */
export const logFormats = ['plain', 'cloud'] as const
export type Logging = {
  format: (typeof logFormats)[number]
  /** `path`: its name gets the date, `ibt.log` becomes `ibt.2026-11-20.1.log`. `kept`: so many files at most. */
  file?: { path: string; kept: number }
}

export type Environment = {
  mode: 'paper' | 'live'
  /** Absolute or relative to the working directory. Holds one file a trading mode: `paper.sqlite`, `live.sqlite`. */
  dataDirectory: string
  store: { kind: 'embedded' } | ({ kind: 'google' } & GoogleStore)
  /** Of live trading: what paper trading did before, as a file, a folder or `project:ID/DATABASE`. Absent: beside the live one. */
  paperJournal?: string
  /** Of `ibt topics`: where Cloud Scheduler keeps its jobs, and a server (host:port) that stands in for it beside the emulators. */
  scheduler?: { location?: string; emulator?: string }
  /** Where IB Gateway or TWS listens. The client id stays the same for ever: it fences off an engine that was replaced. */
  gateway: { host: string; port: number; clientId: number; account?: string; backup?: { host: string; port: number }; restartAt?: string }
  /** More strategies than those in `domain/strategies/`. */
  strategiesDirectory?: string
  /** Where bars are kept: a folder, or `gs://bucket/prefix`. Absent: `bars` in the data folder. */
  barsDirectory?: string
  /** Of the HTTP server. */
  httpPort: number
  /** Who may ask it. Absent: only this machine. */
  access?: AccessSettings
  /** Where people hear of what they have to know, beside the log. */
  alerts?: AlertSettings
  logLevel: LogLevel
  /** Absent: plain lines on standard error. */
  logging?: Logging
}

const fallback = {
  dataDirectory: './data',
  host: '127.0.0.1',
  port: { paper: 4002, live: 4001 },
  clientId: 17,
  httpPort: 8080,
  logFilesKept: 14,
} as const

/** What each variable means, with its default in brackets at the end, for `--help` and `ibt config`. */
export const variables: Readonly<Record<string, string>> = {
  TRADING_MODE: 'paper or live (paper)',
  DATA_DIR: 'folder of the store; each trading mode has a file of its own there (./data)',
  STORE: 'embedded (one SQLite file) or google (Pub/Sub and Firestore); google where a project or an emulator is named, else embedded',
  GOOGLE_CLOUD_PROJECT: 'the project of Pub/Sub and Firestore, also as PROJECT_ID',
  FIRESTORE_DATABASE: 'the Firestore database, one a trading mode ((default))',
  PUBSUB_EMULATOR_HOST: "host:port of Google's Pub/Sub emulator, together with",
  FIRESTORE_EMULATOR_HOST: "host:port of Google's Firestore emulator",
  GCP_REGION: 'where Cloud Scheduler keeps the jobs of topics.yaml, such as europe-west1',
  CLOUD_SCHEDULER_EMULATOR_HOST: "host:port of a server that stands in for Cloud Scheduler, only beside Google's emulators",
  IB_HOST: 'where IB Gateway or TWS listens (127.0.0.1)',
  IB_PORT: 'its API port (4002 in paper mode, 4001 in live mode)',
  IB_BACKUP_HOST: "host of a second gateway, taken while the first one's session is known to be closed (none; with only the port: IB_HOST)",
  IB_BACKUP_PORT: "its API port (the first one's)",
  IB_RESTART_AT: 'HH:MM in New York at which the gateway restarts every day: new orders wait from two minutes before (unknown)',
  IB_CLIENT_ID: 'the API client id, to be kept for ever: orders belong to it (17)',
  IB_ACCOUNT: 'the account to trade; needed in live mode and where a login manages several',
  PAPER_JOURNAL:
    'of live mode: the paper journal that must prove itself first, as the folder of its store, an export or project:ID/DATABASE (the paper store beside this one)',
  STRATEGIES_DIR: 'folder with further strategies, a file each',
  BARS_DIR: 'where collected bars are kept: a folder, or gs://bucket/prefix (bars in DATA_DIR)',
  PORT: 'port of the HTTP server; 0 takes one that is free (8080)',
  AUTH_AUDIENCE:
    'whom the tokens of HTTP callers must be meant for, several with commas; without an issuer only this machine may ask (none)',
  AUTH_GOOGLE_EMAILS: 'who may ask with an ID token of Google, as anna@example.org:admin,… with the roles viewer, trader, admin (nobody)',
  AUTH_ISSUER: 'issuer of tokens of your own, together with (none)',
  AUTH_JWKS: 'its public keys: the address of a JSON Web Key Set, or the path of a file (none)',
  AUTH_ROLE_CLAIM: `the claim of its tokens that names the role (${usualRoleClaim})`,
  CORS_ORIGINS: 'origins whose pages may ask from a browser, with commas (none)',
  ALERT_WEBHOOK_URL: 'where alerts are posted as JSON in the shape of Slack; the address is a secret (none)',
  ALERT_SMTP_URL: 'the mail server for alerts, as smtp://user:password@host:587, together with (none)',
  ALERT_MAIL_TO: 'who gets alerts by mail, with commas (nobody)',
  ALERT_MAIL_FROM: 'from whom (the first of ALERT_MAIL_TO)',
  RATE_LIMIT: `requests a minute of one caller (${usualRequestsPerMinute})`,
  LOG_LEVEL: `${logLevels.join(', ')} (info)`,
  LOG_FORMAT: 'plain, or cloud with the field names of Google Cloud Logging (cloud where STORE is google, else plain)',
  LOG_FILE: 'a file for the log beside standard error, one a day: ibt.log becomes ibt.2026-11-20.1.log (none)',
  LOG_FILES_KEPT: `how many of these files are kept (${fallback.logFilesKept})`,
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

/** What is wrong is said without the value. */
const secretAddress = (...schemes: string[]) =>
  new t.Type<string, string, unknown>(
    'an address',
    t.string.is,
    (input, context) =>
      typeof input === 'string' && URL.canParse(input) && schemes.includes(new URL(input).protocol.slice(0, -1))
        ? t.success(input)
        : t.failure(input, context, `must be an address that begins with ${schemes.join(':// or ')}://`),
    t.identity,
  )
const mailAddresses = text('mail addresses with commas between them', /^[^\s@,]+@[^\s@,]+(\s*,\s*[^\s@,]+@[^\s@,]+)*$/)

const port = whole(1, 65_535)
const host = text('a host name or address', /^[A-Za-z0-9.:_-]+$/)
const project = text('a project id such as my-project-1', /^[a-z][a-z0-9-]{4,61}[a-z0-9]$/)
const barsPlace = new t.Type<string, string, unknown>(
  'a place for bars',
  t.string.is,
  (input, context) =>
    typeof input === 'string' && readBarsPlace(input) !== undefined
      ? t.success(input)
      : t.failure(input, context, `must be a folder or gs://bucket/prefix, got ${JSON.stringify(input)}`),
  t.identity,
)
const emulatorHost = text('host:port', /^[A-Za-z0-9._-]+:\d{1,5}$/)

const Variables = t.partial({
  TRADING_MODE: choice('paper', 'live'),
  STORE: choice('embedded', 'google'),
  DATA_DIR: t.string,
  GOOGLE_CLOUD_PROJECT: project,
  PROJECT_ID: project,
  FIRESTORE_DATABASE: text('a database such as (default) or paper', /^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/),
  PUBSUB_EMULATOR_HOST: emulatorHost,
  FIRESTORE_EMULATOR_HOST: emulatorHost,
  GCP_REGION: text('a region such as europe-west1', /^[a-z]+(-[a-z0-9]+)+$/),
  CLOUD_SCHEDULER_EMULATOR_HOST: emulatorHost,
  IB_HOST: host,
  IB_PORT: port,
  IB_BACKUP_HOST: host,
  IB_BACKUP_PORT: port,
  IB_RESTART_AT: text('a time of day in New York such as 23:45', /^([01]\d|2[0-3]):[0-5]\d$/),
  IB_CLIENT_ID: whole(1, 2_147_483_647),
  IB_ACCOUNT: text('an account such as DU1234567', /^[A-Z]{1,3}\d{4,10}$/),
  PAPER_JOURNAL: t.string,
  STRATEGIES_DIR: t.string,
  BARS_DIR: barsPlace,
  PORT: whole(0, 65_535),
  AUTH_AUDIENCE: t.string,
  AUTH_GOOGLE_EMAILS: t.string,
  AUTH_ISSUER: text('an issuer such as https://issuer.example.org', /^\S+$/),
  AUTH_JWKS: t.string,
  AUTH_ROLE_CLAIM: text('the name of a claim', /^\S+$/),
  CORS_ORIGINS: t.string,
  RATE_LIMIT: whole(1, 1_000_000),
  ALERT_WEBHOOK_URL: secretAddress('http', 'https'),
  ALERT_SMTP_URL: secretAddress('smtp', 'smtps'),
  ALERT_MAIL_TO: mailAddresses,
  ALERT_MAIL_FROM: mailAddresses,
  LOG_LEVEL: choice(...logLevels),
  LOG_FORMAT: choice(...logFormats),
  LOG_FILE: t.string,
  LOG_FILES_KEPT: whole(2, 3_650),
})

/** A variable that is there but empty counts as not set, as in a compose file with an unset value. */
const setOnes = (given: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).flatMap(([name, value]) => (value === undefined || value.trim() === '' ? [] : [[name, value]])))

type Given = t.TypeOf<typeof Variables>

/** On emulators, where nothing outlives them, any name of a project will do. */
const emulatedProject = 'ib-trading'

const storeOf = (given: Given): Decoded<Environment['store']> => {
  const { PUBSUB_EMULATOR_HOST: pubsub, FIRESTORE_EMULATOR_HOST: firestore } = given
  const named = given.GOOGLE_CLOUD_PROJECT ?? given.PROJECT_ID
  const kind = given.STORE ?? ((named ?? pubsub ?? firestore) === undefined ? 'embedded' : 'google')
  if (kind === 'embedded') return { ok: true, value: { kind } }
  if ((pubsub === undefined) !== (firestore === undefined)) {
    const [set, missing] = pubsub === undefined ? ['FIRESTORE', 'PUBSUB'] : ['PUBSUB', 'FIRESTORE']
    return { ok: false, problem: `${missing}_EMULATOR_HOST: ${set}_EMULATOR_HOST is set and this is not: set both or none` }
  }
  const emulators = pubsub === undefined || firestore === undefined ? {} : { emulators: { pubsub, firestore } }
  const project = named ?? (pubsub === undefined ? undefined : emulatedProject)
  if (project === undefined) return { ok: false, problem: 'GOOGLE_CLOUD_PROJECT: STORE=google needs the project to be named' }
  return { ok: true, value: { kind, project, database: given.FIRESTORE_DATABASE ?? '(default)', ...emulators } }
}

const schedulerOf = (given: Given): Pick<Environment, 'scheduler'> => {
  const { GCP_REGION: location, CLOUD_SCHEDULER_EMULATOR_HOST: emulator } = given
  if (location === undefined && emulator === undefined) return {}
  return { scheduler: { ...(location === undefined ? {} : { location }), ...(emulator === undefined ? {} : { emulator }) } }
}

const gatewayOf = (given: Given, mode: Environment['mode']): Decoded<Environment['gateway']> => {
  const { IB_BACKUP_HOST, IB_BACKUP_PORT, IB_ACCOUNT, IB_RESTART_AT } = given
  const main = { host: given.IB_HOST ?? fallback.host, port: given.IB_PORT ?? fallback.port[mode] }
  const backup = { host: IB_BACKUP_HOST ?? main.host, port: IB_BACKUP_PORT ?? main.port }
  const named = IB_BACKUP_HOST !== undefined ? 'IB_BACKUP_HOST' : IB_BACKUP_PORT !== undefined ? 'IB_BACKUP_PORT' : undefined
  if (named !== undefined && backup.host === main.host && backup.port === main.port)
    return { ok: false, problem: `${named}: the backup gateway at ${backup.host}:${backup.port} is the first one itself` }
  return {
    ok: true,
    value: {
      ...{ ...main, clientId: given.IB_CLIENT_ID ?? fallback.clientId },
      ...(IB_ACCOUNT === undefined ? {} : { account: IB_ACCOUNT }),
      ...(named === undefined ? {} : { backup }),
      ...(IB_RESTART_AT === undefined ? {} : { restartAt: IB_RESTART_AT }),
    },
  }
}

const alertsOf = (given: Given): Decoded<AlertSettings> => {
  const { ALERT_WEBHOOK_URL: webhook, ALERT_SMTP_URL: url, ALERT_MAIL_TO: to, ALERT_MAIL_FROM: from } = given
  if ((url === undefined) !== (to === undefined)) {
    const [set, missing] = url === undefined ? ['ALERT_MAIL_TO', 'ALERT_SMTP_URL'] : ['ALERT_SMTP_URL', 'ALERT_MAIL_TO']
    return { ok: false, problem: `${missing}: ${set} is set and this is not: set both or none` }
  }
  const addresses = to?.split(',').map((address) => address.trim()) ?? []
  const mail = url === undefined ? {} : { mail: { url, to: addresses, from: from ?? addresses[0]! } }
  return { ok: true, value: { ...(webhook === undefined ? {} : { webhook }), ...mail } }
}

const loggingOf = ({ LOG_FORMAT, LOG_FILE, LOG_FILES_KEPT }: Given, store: Environment['store']): Logging => ({
  format: LOG_FORMAT ?? (store.kind === 'google' ? 'cloud' : 'plain'),
  ...(LOG_FILE === undefined ? {} : { file: { path: LOG_FILE, kept: LOG_FILES_KEPT ?? fallback.logFilesKept } }),
})

/** @returns the environment, or one line that names the variable and what is wrong with it */
export const readEnvironment = (given: Readonly<Record<string, string | undefined>>): Decoded<Environment> => {
  const set = setOnes(given)
  const decoded = decode(Variables, set)
  if (!decoded.ok) return decoded
  const store = storeOf(decoded.value)
  if (!store.ok) return store
  if (decoded.value.CLOUD_SCHEDULER_EMULATOR_HOST !== undefined && decoded.value.PUBSUB_EMULATOR_HOST === undefined)
    return {
      ok: false,
      problem: "CLOUD_SCHEDULER_EMULATOR_HOST: stands only beside Google's emulators, and PUBSUB_EMULATOR_HOST is not set",
    }
  const { value } = decoded
  const mode = value.TRADING_MODE ?? 'paper'
  const gateway = gatewayOf(value, mode)
  if (!gateway.ok) return gateway
  const access = accessOf(value)
  if (!access.ok) return access
  const alerts = alertsOf(value)
  if (!alerts.ok) return alerts
  return {
    ok: true,
    value: {
      mode,
      dataDirectory: value.DATA_DIR ?? fallback.dataDirectory,
      store: store.value,
      ...(value.PAPER_JOURNAL === undefined ? {} : { paperJournal: value.PAPER_JOURNAL }),
      ...schedulerOf(value),
      gateway: gateway.value,
      ...(value.STRATEGIES_DIR === undefined ? {} : { strategiesDirectory: value.STRATEGIES_DIR }),
      ...(value.BARS_DIR === undefined ? {} : { barsDirectory: value.BARS_DIR }),
      httpPort: value.PORT ?? fallback.httpPort,
      access: access.value,
      ...(Object.keys(alerts.value).length === 0 ? {} : { alerts: alerts.value }),
      logLevel: value.LOG_LEVEL ?? 'info',
      logging: loggingOf(value, store.value),
    },
  }
}
