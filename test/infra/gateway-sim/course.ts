/** Days whose prices are known at every moment: bars of half an hour, each of which goes straight from one price to the next. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sessionOn } from '../../../domain/calendar.ts'
import type { GatewaySimulatorOptions } from '../../../infra/gateway-sim/simulator.ts'
import { closeAll, connect, simulate, type TestClient, type TestSimulator } from './client.ts'

const folders: string[] = []

export const volumeOfHalfHour = 10_000

/** Fourteen prices a day: at 09:30, 10:00 … 16:00. Returns the path of a bars file. */
export const course = (days: Readonly<Record<string, readonly number[]>>): string => {
  const rows = Object.entries(days).flatMap(([date, prices]) =>
    prices.slice(1).map((close, half) => {
      const open = prices[half]!
      const start = new Date(sessionOn(date)!.open + half * 30 * 60_000).toISOString()
      return [start, open, Math.max(open, close), Math.min(open, close), close, volumeOfHalfHour].join(',')
    }),
  )
  const folder = mkdtempSync(join(tmpdir(), 'gateway-sim-'))
  folders.push(folder)
  const file = join(folder, 'bars.csv')
  writeFileSync(file, ['date,open,high,low,close,volume', ...rows].join('\n'))
  return file
}

export const removeCourses = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
}

const flat = (price: number): number[] => Array.from({ length: 14 }, () => price)

/** Friday at 100. Monday up to 104, down to 97 at 12:30, up to 106 at 14:30, closing at 104. Tuesday opens at 90. */
export const upAndDown = (): string =>
  course({
    '2019-05-31': flat(100),
    '2019-06-03': [100, 102, 104, 103, 101, 99, 97, 98, 100, 103, 106, 105, 104, 104],
    '2019-06-04': flat(90),
  })

/** `until`: the market's time, once all that was sent is answered, and until what comes of it is heard. */
export type UpAndDown = { simulator: TestSimulator; client: TestClient; until: (time: string) => Promise<void> }

/** A gateway with those days, and one client. */
export const openUpAndDown = async (options: GatewaySimulatorOptions = {}): Promise<UpAndDown> => {
  const simulator = await simulate({ bars: { SPY: upAndDown() }, ...options })
  const client = await connect(simulator.port, 7)
  const until = async (time: string): Promise<void> => {
    await client.settled()
    await simulator.clock(time)
    await client.settled()
  }
  return { simulator, client, until }
}

export const closeUpAndDown = async (): Promise<void> => {
  await closeAll()
  removeCourses()
}
