/**
 * What the process says to people: lines of JSON on standard error, and in a file of each day where one is wished for.
 * Every line passes the same sieve: what looks like a credential is hidden, in the text and in the fields.
 */
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { type DestinationStream, type LoggerOptions, multistream, pino, stdSerializers, stdTimeFunctions } from 'pino'
import { isSecretName, valueWithoutSecrets, withoutSecrets } from '../domain/secrets.ts'
import type { Environment, Logging, LogLevel } from './environment.ts'

export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text: string) => void>

// ── One line ──

const severities: Readonly<Record<string, string>> = {
  ...{ trace: 'DEBUG', debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR', fatal: 'CRITICAL' },
}

/** A request that came with a trace has its id as correlation id. */
const traceShape = /^(?!0{32})[0-9a-f]{32}$/

const cloudFields = (fields: Record<string, unknown>, project: string | undefined): Record<string, unknown> => {
  const { stack, correlationId } = fields
  const trace = project !== undefined && typeof correlationId === 'string' && traceShape.test(correlationId)
  return {
    ...fields,
    ...(typeof stack === 'string' ? { stack_trace: stack } : {}),
    ...(trace ? { 'logging.googleapis.com/trace': `projects/${project}/traces/${correlationId}` } : {}),
  }
}

/** An error has nothing of its own that JSON would show: it becomes its type, its text and where it happened. */
const shown = (fields: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? { ...stdSerializers.err(value) } : value]),
  )

const pinoOptions = (level: LogLevel, format: Logging['format'], secrets: readonly string[], project?: string): LoggerOptions => ({
  level,
  base: null,
  serializers: { err: (value) => value }, // by then it has been shown already
  ...(format === 'plain'
    ? {}
    : { messageKey: 'message', timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ severity: severities[label] }) } }),
  hooks: {
    logMethod([fields, text = ''], method) {
      const given = shown(fields as object)
      const all = format === 'cloud' ? cloudFields(given, project) : given
      method.apply(this, [valueWithoutSecrets(all, secrets) as object, withoutSecrets(String(text), secrets)])
    },
  },
})

// ── Where it goes ──

/** Written at once: a process that dies has said its last word. */
const standardError = (): DestinationStream => pino.destination({ fd: 2, sync: true })

/** Lines of JSON on standard error, for a verb that a person started. */
export const openLog = (level: LogLevel): Log => pino(pinoOptions(level, 'plain', []), standardError())

/** The files of earlier days: a process that never runs over midnight would keep them for ever. */
const removeOldFiles = ({ path, kept }: { path: string; kept: number }): void => {
  const extension = extname(path) || '.log'
  const name = basename(path, extname(path))
  const dated = (file: string): { day: string; number: number } | undefined => {
    if (!file.startsWith(`${name}.`) || !file.endsWith(extension)) return undefined
    const [, day, number] = /^(\d{4}-\d{2}-\d{2})\.(\d+)$/.exec(file.slice(name.length + 1, -extension.length)) ?? []
    return day === undefined ? undefined : { day, number: Number(number) }
  }
  const files = readdirSync(dirname(path)).flatMap((file) => {
    const place = dated(file)
    return place === undefined ? [] : [{ file, ...place }]
  })
  const newestFirst = files.sort((left, right) => (left.day === right.day ? right.number - left.number : left.day < right.day ? 1 : -1))
  for (const { file } of newestFirst.slice(kept)) rmSync(join(dirname(path), file), { force: true })
}

/** @throws Error in one line when the file cannot be written */
const dailyFile = async ({ path, kept }: { path: string; kept: number }): Promise<DestinationStream> => {
  try {
    const { default: roll } = await import('pino-roll') // only for those who want a file
    const stream = await roll({
      ...{ file: path, frequency: 'daily', dateFormat: 'yyyy-MM-dd', mkdir: true, sync: true },
      limit: { count: Math.max(kept - 1, 1), removeOtherLogFiles: true },
    })
    if (stream.fd < 0) await once(stream, 'ready')
    removeOldFiles({ path, kept })
    // A full disk takes the file away, not the engine: standard error still has every line.
    stream.on('error', (error: Error) => process.stderr.write(`${JSON.stringify({ level: 50, msg: `LOG_FILE: ${error.message}` })}\n`))
    return stream
  } catch (error) {
    throw new Error(`LOG_FILE: ${path} cannot be written: ${(error as Error).message}`)
  }
}

const shortestSecret = 8

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a password with a % of its own
  }
}

/** An address may turn up in pieces, its password alone. */
const partsOf = (value: string): string[] => (URL.canParse(value) ? [value, decoded(new URL(value).password)] : [value])

/** The values of variables that hold a secret: hidden wherever they turn up, whatever they look like. Short ones would be hidden everywhere. */
export const secretsIn = (variables: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(variables)
    .flatMap(([name, value]) => (isSecretName(name) && value !== undefined ? partsOf(value) : []))
    .filter((secret) => secret.length >= shortestSecret)

/** The log of a process that runs for long. @throws Error in one line when its file cannot be written */
export const openProcessLog = async (
  { logLevel, logging = { format: 'plain' }, store }: Pick<Environment, 'logLevel' | 'logging' | 'store'>,
  secrets: readonly string[] = secretsIn(process.env),
): Promise<Log> => {
  const options = pinoOptions(logLevel, logging.format, secrets, store.kind === 'google' ? store.project : undefined)
  if (logging.file === undefined || logLevel === 'silent') return pino(options, standardError())
  const streams = [standardError(), await dailyFile(logging.file)].map((stream) => ({ stream, level: logLevel }))
  return pino(options, multistream(streams))
}
