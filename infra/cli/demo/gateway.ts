/** The simulated gateway of a demo: a process of its own, moved through its control port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { decode } from '../../../domain/decode.ts'
import { fromIso, isoTime } from '../../../domain/ports/clock.ts'

const Ports = t.type({ port: t.number, controlPort: t.number })
const Moved = t.type({ nextEventAt: t.string })
const State = t.type({
  positions: t.array(t.type({ conId: t.number, symbol: t.string, quantity: t.number })),
  received: t.record(t.string, t.array(t.type({ orderRef: t.string, count: t.number }))),
})
export type GatewayState = t.TypeOf<typeof State>

export type Gateway = {
  port: number
  /** Moves its time; resolves when all that was due is written to its sockets. @returns the time of its next event */
  moveTo(time: number): Promise<number>
  state(): Promise<GatewayState>
  /** Ends the process, at once when it does not go by itself. */
  end(): Promise<void>
}

export type GatewayOptions = { start: number; seed: number; bars: Readonly<Record<string, string>> }

const mainFile = fileURLToPath(new URL('../../gateway-sim/main.ts', import.meta.url))
const patienceMs = 5_000

export const startGateway = async ({ start, seed, bars }: GatewayOptions): Promise<Gateway> => {
  const files = Object.entries(bars).flatMap(([symbol, path]) => ['--bars', `${symbol}=${path}`])
  const args = [mainFile, '--port', '0', '--control-port', '0', '--start', isoTime(start), '--seed', String(seed), ...files]
  // A group of its own: Ctrl-C in a terminal is for the demo, which then ends the gateway in its turn, however it ends itself.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const endWithUs = (): boolean => child.kill('SIGTERM')
  process.once('exit', endWithUs)
  child.once('exit', () => process.off('exit', endWithUs))
  const { port, controlPort } = await portsOf(child)
  const ask = async <A>(codec: t.Decoder<unknown, A>, path: string, body?: object): Promise<A> => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, request).catch((error: unknown) => {
      throw new Error('the simulated gateway is gone', { cause: error })
    })
    if (!response.ok) throw new Error(`the simulated gateway says: ${(await response.text()).trim()}`)
    const answer = decode(codec, await response.json())
    if (!answer.ok) throw new Error(`the simulated gateway's answer to ${path} cannot be read: ${answer.problem}`)
    return answer.value
  }
  return {
    port,
    moveTo: async (time) => fromIso((await ask(Moved, '/clock', { to: isoTime(time) })).nextEventAt),
    state: () => ask(State, '/state'),
    end: () => endOf(child),
  }
}

const portsOf = async (child: ChildProcess): Promise<t.TypeOf<typeof Ports>> => {
  const lines = createInterface({ input: child.stdout! })
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => undefined)])
  lines.close()
  if (first === undefined) throw new Error('the simulated gateway did not start')
  const ports = decode(Ports, JSON.parse(String(first[0])))
  if (!ports.ok) throw new Error(`the simulated gateway did not say its ports: ${ports.problem}`)
  return ports.value
}

const endOf = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  await exited
  clearTimeout(impatient)
}
