/** Child processes of a test: started, read line by line, killed without a chance to tidy up. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from '../../contract/until.ts'

const script = fileURLToPath(new URL('./child.ts', import.meta.url))

export const startChild = (task: string, ...rest: string[]) => {
  const child: ChildProcess = spawn(process.execPath, [script, task, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let errors = ''
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
  child.stderr!.on('data', (chunk) => {
    errors += String(chunk)
  })
  const ended = once(child, 'close')
  return {
    lines,
    said: (count: number) =>
      until(
        `${task} prints ${count} lines`,
        () => {
          if (child.exitCode !== null && child.exitCode !== 0) throw new Error(`${task} failed: ${errors}`)
          return lines.length >= count
        },
        45_000,
      ),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    /** The exit code and what went to standard error. */
    end: async () => {
      await ended
      return { code: child.exitCode, errors }
    },
  }
}
