/**
 * ./setup in a folder that is empty, on a machine that is small: it has the programs that POSIX promises, and a Docker that writes down what
 * it is asked. Each of them tells first what it was given, as the kernel shows it to everybody who looks.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { until } from '../../contract/until.ts'
import { type Ran, run } from './images-tools.ts'

export const setupScript = resolve(import.meta.dirname, '../../../infra/deploy/compose/setup')

const programs = ['cat', 'chmod', 'chown', 'cksum', 'cut', 'dirname', 'grep', 'id', 'mkdir', 'mv', 'rm', 'sed', 'stty', 'tail', 'tr']

const placeOf = (name: string): string => {
  const found = (process.env['PATH'] ?? '').split(delimiter).find((folder) => existsSync(join(folder, name)))
  if (found === undefined) throw new Error(`${name} is not on PATH`)
  return join(found, name)
}

type Variables = Record<string, string | undefined>

export const setupWorld = () => {
  const root = mkdtempSync(join(tmpdir(), 'ibt-setup-'))
  const folder = join(root, 'machine')
  const bin = join(root, 'bin')
  const seen = join(root, 'seen')
  const calls = join(root, 'calls')
  mkdirSync(bin)
  const started: ChildProcess[] = []

  const program = (name: string, body: string): void => {
    const recorder = `{ ${placeOf('tr')} '\\0' ' ' </proc/$$/cmdline; ${placeOf('tr')} '\\0' '\\n' </proc/$$/environ; echo; } >>"${seen}" 2>/dev/null || :`
    writeFileSync(join(bin, name), `#!/bin/sh\n${recorder}\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  for (const name of programs) program(name, `exec ${placeOf(name)} "$@"`)
  const told = `printf '%s' "$(basename "$0")" >>"${calls}"; for word; do printf ' %s' "$word" >>"${calls}"; done; echo >>"${calls}"`
  const fake = (name: string, before = '') => program(name, `PATH=$PATH:/usr/bin:/bin\n${before}\n${told}\n`)
  // An image whose name has "away" in it is not here; one with "nowhere" cannot be fetched either.
  fake(
    'docker',
    'case "$*" in "compose version") exit 0 ;; "image inspect"*away* | "image inspect"*nowhere* | pull*nowhere*) exit 1 ;; esac',
  )

  const environment = (variables: Variables): Variables => ({ PATH: bin, SHELL: '/bin/sh', HOME: root, ...variables })
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

  return {
    root,
    folder,
    text,
    /** The docker of the machine; without a body there is none. */
    docker: (name: 'docker' | 'docker-compose', there: boolean): void => (there ? fake(name) : rmSync(join(bin, name), { force: true })),
    has: (name: string): boolean => existsSync(join(folder, name)),
    write: (name: string, content: string): void => writeFileSync(join(folder, name), content),
    mode: (name: string): string => (statSync(join(folder, name)).mode & 0o777).toString(8),
    /** .env as a table; a name that stands there twice is an error. */
    settings: (): Record<string, string> => {
      const lines = text('.env').trimEnd().split('\n')
      const pairs = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
      if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new Error(`a name stands twice in .env:\n${text('.env')}`)
      return Object.fromEntries(pairs)
    },
    /** What every program was given, arguments and environment. */
    seen: (): string => (existsSync(seen) ? readFileSync(seen, 'utf8') : ''),
    /** What Docker was asked, without the files that it is always given. */
    calls: (): string[] =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => line.replace(/ --env-file \S+\/\.env -f \S+\/docker-compose\.yml/, ''))
        : [],
    forget: (): void => {
      rmSync(seen, { force: true })
      rmSync(calls, { force: true })
    },
    /** Without a terminal: answers come by standard input, a line each. */
    setup: (
      variables: Variables = {},
      options: { answers?: readonly string[]; args?: readonly string[]; shell?: readonly string[] } = {},
    ): Promise<Ran> => {
      const { answers = [], args = [], shell = ['/bin/sh'] } = options
      const [command, ...first] = shell
      const input = answers.map((answer) => `${answer}\n`).join('')
      return run(command!, [...first, setupScript, '--folder', folder, ...args], { env: environment(variables), input })
    },
    /** At a terminal; what is typed comes only after its question, and `screen` is all that was to be seen. */
    terminal: (command: string, variables: Variables = {}) => {
      const child = spawn(placeOf('script'), ['-qefc', command, '/dev/null'], {
        env: environment(variables),
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      })
      started.push(child)
      let screen = ''
      child.stdout.on('data', (shown) => (screen += shown))
      child.stdin.on('error', () => undefined)
      let asked = 0
      return {
        screen: () => screen,
        answer: async (question: string, answer: string): Promise<void> => {
          await until(`${question} is asked`, () => screen.indexOf(question, asked) >= 0 || child.exitCode !== null)
          if (screen.indexOf(question, asked) < 0) throw new Error(`${question} was not asked:\n${screen}`)
          asked = screen.indexOf(question, asked) + question.length
          child.stdin.write(answer)
        },
        ended: async (): Promise<number | null> => {
          if (child.exitCode === null) await once(child, 'close')
          return child.exitCode
        },
      }
    },
    remove: (): void => {
      for (const child of started)
        if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      rmSync(root, { recursive: true, force: true })
    },
  }
}
