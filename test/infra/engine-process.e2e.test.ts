/**
 * The engine as a process of its own on a wall clock, at a simulated gateway that is another: what a power cut does to an order
 * that is on the socket, and what a clean end leaves at the broker.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { addDays, latestClosedSession, sessions } from '../../domain/calendar.ts'
import type { Commit } from '../../domain/commit.ts'
import { topicOf } from '../../domain/topics.ts'
import { verifyChain } from '../../domain/verify.ts'
import type { Data } from '../../infra/data.ts'
import { openData } from '../../infra/store.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'

const root = resolve(import.meta.dirname, '../..')
const patience = 20_000
const topics = readTopics()

/** Bars up to the latest closed session, so that a signal by the wall clock is fresh. */
const recentBars = (): string => {
  const { date } = latestClosedSession(Date.now())
  const lines = sessions(addDays(date, -60), date).map((session) => `${session.date},100,101,99,100,1000000`)
  return ['date,open,high,low,close,volume', ...lines].join('\n')
}

describe('an engine that is a process', function () {
  this.timeout(180_000)
  let folder: string
  let gateway: ChildProcess
  let store: Data
  let published = 0
  let ports: { port: number; controlPort: number }
  const running: ChildProcess[] = []

  const environment = () => ({
    ...{ PATH: process.env['PATH'], DATA_DIR: folder, IB_PORT: String(ports.port), STRATEGIES_DIR: join(root, 'test/fixtures/ten-shares') },
    ...{ LOG_LEVEL: 'fatal', STORE: 'embedded', PORT: '0' },
  })
  const startEngine = (): ChildProcess => {
    const child = spawn(process.execPath, [join(root, 'infra/cli/ibt.js'), 'start'], {
      env: environment(),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    running.push(child)
    return child
  }
  const end = async (child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const control = async (path: string, body?: object) => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${ports.controlPort}${path}`, request)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as {
      received: Record<string, { orderRef: string; count: number }[]>
      orders: { orderRef: string; status: string }[]
    }
  }
  const received = async () => Object.values((await control('/state')).received).flat()
  const commits = async (): Promise<Commit[]> => {
    const found: Commit[] = []
    for await (const { json } of store.journal.read(1)) found.push(JSON.parse(json) as Commit)
    return found
  }
  const count = (all: readonly Commit[], type: string): number =>
    all.flatMap(({ events }) => events).filter((event) => event.type === type).length
  const publish = async (type: string, id: string, body: object = {}): Promise<void> => {
    await store.bus.publish(topicOf(topics, type, 'paper'), { data: JSON.stringify(body), attributes: { type, id, source: 'test' } })
  }
  const command = async (type: string, body: object = {}): Promise<void> => {
    const id = `${type}-${++published}`
    await publish(type, id, body)
    await until(
      `${id} is completed`,
      async () => {
        const { status = 'accepted', code } = (await store.documents.get(`commands/${id}`)) ?? {}
        if (status === 'refused' || status === 'failed') throw new Error(`${id} is ${status}: ${code}`)
        return status === 'completed'
      },
      patience,
    )
  }
  const trade = async () => {
    await command('configure', { changes: { 'strategies.tenshares.allocation': 1 } })
    await command('resume')
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ibt-process-'))
    store = await openData({ dataDirectory: folder, mode: 'paper', store: { kind: 'embedded' } }, topics)
    writeFileSync(join(folder, 'spy.csv'), recentBars())
    const args = ['--port', '0', '--control-port', '0', '--start', new Date().toISOString(), '--bars', `SPY=${join(folder, 'spy.csv')}`]
    gateway = spawn(process.execPath, [join(root, 'infra/gateway-sim/main.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    running.push(gateway)
    const [line] = (await once(createInterface({ input: gateway.stdout! }), 'line')) as [string]
    ports = JSON.parse(line)
    await control('/clock', { mode: 'real', speed: 1 })
  })
  afterEach(async () => {
    for (const child of running.splice(0)) await end(child, 'SIGKILL')
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('killed between the socket and OrderPlaced sends nothing again, and finds its order', async () => {
    const engine = startEngine()
    await trade()
    await control('/faults', { fault: 'dropConnections', when: 'beforeAck' })
    await control('/faults', { fault: 'refuseConnections', on: true })
    await publish('orchestrator', 'once', { strategies: ['tenshares'] })
    await until('the order is at the gateway', async () => (await received()).length === 1, patience)
    await end(engine, 'SIGKILL')
    const before = await commits()
    expect([count(before, 'OrderPlanned'), count(before, 'OrderPlaced')]).to.deep.equal([1, 0])

    await control('/faults', { fault: 'clear' })
    startEngine()
    await until('the order is found', async () => count(await commits(), 'OrderPlaced') === 1, patience)
    await publish('orchestrator', 'once', { strategies: ['tenshares'] })
    await until('the pipeline has ended', async () => count(await commits(), 'PipelineEnded') === 1, patience)
    expect(
      (await received()).map((order) => order.count),
      'sent once',
    ).to.deep.equal([1])
    const after = await commits()
    expect(count(after, 'OrderPlanned')).to.equal(1)
    expect(await verifyChain(store.journal)).to.include({ ok: true })
  })

  it('told to end (SIGTERM) goes cleanly, and its orders stay at the broker', async () => {
    const engine = startEngine()
    await trade()
    await command('orchestrator', { strategies: ['tenshares'] })
    await end(engine, 'SIGTERM')
    expect([engine.exitCode, engine.signalCode]).to.deep.equal([0, null])
    const { orders } = await control('/state')
    expect(orders).to.have.length(1)
    expect(orders[0]!.status).to.be.oneOf(['PreSubmitted', 'Submitted', 'Filled'])
    expect(count(await commits(), 'OrderCancelRequested')).to.equal(0)
  })

  it('a second engine on the same journal waits for the first, and takes over when it goes', async () => {
    const first = startEngine()
    await trade()
    startEngine()
    await command('reconcile')
    expect(count(await commits(), 'EngineStarted')).to.equal(1)
    await end(first, 'SIGTERM')
    await until('the second has taken over', async () => count(await commits(), 'EngineStarted') === 2, patience)
    await command('reconcile')
  })
})
