/** Programs of the machine that the files of the deployment are held against: where one is missing, its tests are skipped by name. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** CI has every tool: there nothing may be skipped. */
const required = process.env['REQUIRE_EMULATORS'] === '1'

export const hasTool = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

/** Skips a test, or from a `before` hook all tests of its suite, each of which says why. */
export const skipFor = (context: Mocha.Context, reason: string): never => {
  const skipped = context.test! as Mocha.Runnable & { type?: 'hook' | 'test' }
  if (skipped.type !== 'hook') skipped.title += ` (${reason})`
  else
    skipped.parent!.eachTest((test) => {
      test.title += ` (${reason})`
    })
  return context.skip()
}

/** For a test or a `before` hook of mocha: `needs(this, 'shellcheck')`. */
export const needs = (context: Mocha.Context, name: string): void => {
  if (hasTool(name)) return
  if (required) throw new Error(`${name} is not installed, and nothing may be skipped here`)
  skipFor(context, `${name} is not installed here`)
}

export type Ran = { code: number | null; out: string; errors: string }

export type Run = { env?: Record<string, string | undefined>; input?: string; cwd?: string; withinMs?: number }

/** Runs a program to its end, with this environment alone and nothing of ours beside PATH. */
export const run = async (command: string, args: readonly string[], options: Run = {}): Promise<Ran> => {
  const { env = {}, input = '', cwd, withinMs = 50_000 } = options
  const child = spawn(command, args, {
    ...{ env: { PATH: process.env['PATH'], ...env }, stdio: ['pipe', 'pipe', 'pipe'] as const },
    ...(cwd === undefined ? {} : { cwd }),
  })
  let out = ''
  let errors = ''
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (errors += text))
  child.stdin.on('error', () => undefined) // it may end before it has read everything
  child.stdin.end(input)
  const tooLong = setTimeout(() => child.kill('SIGKILL'), withinMs)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(tooLong)
  return { code, out, errors }
}
