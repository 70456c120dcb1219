/**
 * What an engine holds in memory after months of market time, an order a day in many parts: as much as after the first months, since
 * what is remembered is forgotten again after 35 days, by months. The heap is looked at after a collection, at equal days of a month.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { addDays, newYorkTime, nextSession } from '../../domain/calendar.ts'
import { topicOf } from '../../domain/topics.ts'
import { createEngine } from '../../handlers/engine.ts'
import { createDriver } from '../../infra/cli/demo/driver.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { createBrokerSession } from '../../infra/ib/session.ts'
import { openData } from '../../infra/store.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { wanting } from '../rig.ts'
import { startGatewayProcess } from './gateway-process.ts'
import type { Row } from './row.ts'

const firstDay = '2019-07-01'
/** The same day of a month, when the first months have been forgotten, and later. */
const [looked, lookedAgain] = ['2019-09-27', '2019-12-27'] as const

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
}
const heapAfterCollection = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

/** @returns megabytes at the two looks, and how many reports came in between */
const live = async (reportsTogether: boolean): Promise<{ first: number; second: number; commits: number }> => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'ib-trading-bench-'))
  const start = newYorkTime(firstDay, '08:00')
  const startText = new Date(start).toISOString()
  const gateway = await startGatewayProcess(['--start', startText, '--cash', '10000000', '--participation', '0.00002'])
  const clock = simulatedClock(start)
  clock.setNow(start)
  const topics = { ...readTopics(), schedules: [] }
  const data = await openData({ dataDirectory, mode: 'paper', store: { kind: 'embedded' } }, topics, { clock })
  const session = { host: '127.0.0.1', port: gateway.port, clientId: 17, clock, log: quiet, messagesPerSecond: 100_000 }
  const broker = createBrokerSession(session)
  const { journal, bus, lease } = data
  const engine = createEngine({
    ...{ journal, bus, broker, lease, clock, log: quiet, topics, reportsTogether },
    ...{ strategies: { trend: wanting('Trend') }, mode: 'paper', holder: 'bench' },
  })
  const idle = async () => engine.idle() && (await bus.idle())
  const driver = createDriver({ clock, gateway, composed: { broker, bus, engine, idle, stopped: engine.stopped } })
  const publish = (type: string, id: string, body: object = {}) =>
    bus.publish(topicOf(topics, type, 'paper'), {
      data: JSON.stringify(body),
      attributes: { type, id, publishedAt: new Date(clock.now()).toISOString() },
    })
  /** In one stride: all that the gateway has to say of it comes at once. */
  const strideTo = async (time: number) => {
    clock.setNow(time)
    await gateway.moveTo(time)
    await driver.settled()
    await clock.moveTo(time, driver.settled)
  }
  try {
    await engine.start()
    await driver.connected()
    await publish('resume', 'resume')
    const looks: number[] = []
    const positions: number[] = []
    for (let { date } = nextSession(addDays(firstDay, -1)); date <= lookedAgain; { date } = nextSession(date)) {
      await strideTo(newYorkTime(date, '08:00'))
      const wants = engine.ledger.books['trend'] === undefined || Object.keys(engine.ledger.books['trend']).length === 0 ? '1000' : '0'
      const changes = { 'strategies.trend.allocation': 1, 'strategies.trend.parameters.wants': wants }
      await publish('configure', `configure-${date}`, { changes })
      await publish('orchestrator', `orchestrator-${date}`)
      await driver.settled()
      await strideTo(newYorkTime(date, '16:30'))
      if (date !== looked && date !== lookedAgain) continue
      looks.push(heapAfterCollection())
      positions.push(engine.ledger.position)
    }
    const [first, second] = looks
    if (first === undefined || second === undefined) throw new Error(`there is no session on ${looked} or ${lookedAgain}`)
    return { first, second, commits: positions[1]! - positions[0]! }
  } finally {
    await engine.stop()
    await data.close()
    await gateway.end()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

export const benchMemory = async (): Promise<Row[]> => {
  const rows: Row[] = []
  for (const together of [false, true]) {
    const { first, second, commits } = await live(together)
    rows.push({
      name: `heap after three months more and ${commits} commits, reports ${together ? 'committed together' : 'one by one'}`,
      floorName: 'after the first three months',
      unit: 'MB',
      ours: second,
      floor: first,
      ratio: second / first,
      wanted: 'at most 1.1',
    })
  }
  return rows
}
