/** The command line as a user has it: real processes, their output, their exit code. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../../infra/environment.ts'
import { until } from '../../contract/until.ts'

const program = fileURLToPath(new URL('../../../infra/cli/ibt.js', import.meta.url))

export type Run = { code: number | null; out: string; errors: string }
export type Running = {
  child: ChildProcess
  out(): string
  errors(): string
  /** Resolves with the exit code when the process is over. */
  ended: Promise<Run>
  stop(signal?: NodeJS.Signals): Promise<Run>
}
type Variables = Readonly<Record<string, string>>

/** Nothing of the caller's own settings reaches the process under test. */
const environmentWith = (variables: Variables): NodeJS.ProcessEnv => ({
  ...{ PATH: process.env['PATH'], TMPDIR: tmpdir(), PORT: '0' },
  ...variables,
})

/** Detached, it leads a process group of its own, as a command in a terminal does. */
export const begin = (args: readonly string[], variables: Variables = {}, { detached = false } = {}): Running => {
  const env = environmentWith(variables)
  const child = spawn(process.execPath, [program, ...args], { env, detached, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, errors }))
  return {
    child,
    out: () => out,
    errors: () => errors,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

export const ibt = (args: readonly string[], variables: Variables = {}): Promise<Run> => begin(args, variables).ended

export const temporaryFolder = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'ibt-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** What a process of the command line needs to know to find the same store. */
export const variablesOf = (store: Environment['store']): Variables => {
  if (store.kind === 'embedded') return { STORE: 'embedded' }
  const { pubsub, firestore } = store.emulators ?? {}
  const hosts = pubsub && firestore ? { PUBSUB_EMULATOR_HOST: pubsub, FIRESTORE_EMULATOR_HOST: firestore } : {}
  return { STORE: 'google', GOOGLE_CLOUD_PROJECT: store.project, FIRESTORE_DATABASE: store.database, ...hosts }
}

/** A simulated gateway of the command line, once it listens. */
export const beginGateway = async (...args: string[]): Promise<Running & { port: number; controlPort: number }> => {
  const running = begin(['gateway-sim', ...args])
  const listens = () => running.out().includes('\n') || running.child.exitCode !== null
  await until('the gateway listens', listens, 50_000).catch(async (error) => {
    await running.stop('SIGKILL')
    throw error
  })
  if (running.child.exitCode !== null) throw new Error(running.errors())
  return { ...running, ...(JSON.parse(running.out()) as { port: number; controlPort: number }) }
}
