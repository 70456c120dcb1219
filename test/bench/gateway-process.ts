/** The simulated gateway as a process of its own, so that what it costs is not counted as ours. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type GatewayProcess = {
  port: number
  /** @returns the time of its next event */
  moveTo(time: number): Promise<number>
  end(): Promise<void>
}

const mainFile = fileURLToPath(new URL('../../infra/gateway-sim/main.ts', import.meta.url))

const portsOf = async (child: ChildProcess): Promise<{ port: number; controlPort: number }> => {
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line)
  throw new Error('the simulated gateway did not start')
}

/** @param args of `gateway-sim` */
export const startGatewayProcess = async (args: readonly string[]): Promise<GatewayProcess> => {
  const child = spawn(process.execPath, [mainFile, '--port', '0', '--control-port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const endWithUs = () => void child.kill()
  process.once('exit', endWithUs)
  const ended = once(child, 'exit')
  const { port, controlPort } = await portsOf(child)
  return {
    port,
    moveTo: async (time) => {
      const body = JSON.stringify({ to: new Date(time).toISOString() })
      const response = await fetch(`http://127.0.0.1:${controlPort}/clock`, { method: 'POST', body })
      if (!response.ok) throw new Error(await response.text())
      return Date.parse(((await response.json()) as { nextEventAt: string }).nextEventAt)
    },
    end: async () => {
      process.off('exit', endWithUs)
      child.kill()
      await ended
    },
  }
}
