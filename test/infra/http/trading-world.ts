/** A whole process with HTTP at a simulated gateway, over real sockets, with the strategies of the project; market time stands where it is put. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDriver, type Driver } from '../../../infra/cli/demo/driver.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import { compose, findStrategies, type Process, type Role } from '../../../infra/compose.ts'
import type { Environment } from '../../../infra/environment.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { tuesdayMorning } from '../../rig.ts'

export type TradingWorld = {
  process: Process
  simulator: GatewaySimulator
  clock: SimulatedClock
  driver: Driver
  strategies: Awaited<ReturnType<typeof findStrategies>>
  /** Where HTTP is served: `http://127.0.0.1:…`. */
  address: string
  /** Another process on the same store, with HTTP if its role has it. */
  another(role: Role): Promise<Process>
  fault(body: object): Promise<void>
  stop(): Promise<void>
}

export const addressOf = (process: Process): string => `http://127.0.0.1:${process.httpPort()}`

/** `cash`: of the account, by currency; 100 000 USD where it is left out. */
export type TradingWorldOptions = { role?: Role; start?: string; cash?: Readonly<Record<string, number>> }

export const startTradingWorld = async (
  store: Environment['store'] = { kind: 'embedded' },
  { role = 'all', start = tuesdayMorning, cash }: TradingWorldOptions = {},
): Promise<TradingWorld> => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ibt-http-'))
  const simulator = await startGatewaySimulator({ start, ...(cash === undefined ? {} : { cash }) })
  const control = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Record<string, unknown>
  }
  const gateway = {
    moveTo: async (time: number) => Date.parse((await control('/clock', { to: new Date(time).toISOString() }))['nextEventAt'] as string),
  }
  const clock = simulatedClock(Date.parse(start))
  clock.setNow(clock.now())
  const environment: Environment = {
    mode: 'paper',
    dataDirectory,
    store,
    gateway: { host: '127.0.0.1', port: simulator.port, clientId: 17 },
    httpPort: 0,
    logLevel: 'silent',
  }
  const strategies = await findStrategies({})
  const processes: Process[] = []
  const begin = async (as: Role): Promise<Process> => {
    const topics = { ...readTopics(), schedules: [] }
    const process = await compose(environment, { clock, topics, strategies, messagesPerSecond: 100_000, http: true })
    processes.push(process)
    await process.start(as)
    return process
  }
  const process = await begin(role)
  const driver = createDriver({ clock, gateway, composed: process })
  await driver.connected()
  return {
    process,
    simulator,
    clock,
    driver,
    strategies,
    address: addressOf(process),
    another: begin,
    fault: async (body) => void (await control('/faults', body)),
    stop: async () => {
      for (const each of processes.reverse()) await each.stop()
      await simulator.close()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
}
