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
import { until } from '../contract/until.ts'

const root = resolve(import.meta.dirname, '../..')
const patience = 20_000

/** Bars up to the latest closed session, so that a signal by the wall clock is fresh. */
const recentBars = (): string => {
  const { date } = latestClosedSession(Date.now())
  const lines = sessions(addDays(date, -60), date).map((session) => `${session.date},100,101,99,100,1000000`)
  return ['date,open,high,low,close,volume', ...lines].join('\n')
}

describe('an engine that is a process', function () {
  this.timeout(90_000)
  let folder: string
  let gateway: ChildProcess
  let ports: { port: number; controlPort: number }
  const running: ChildProcess[] = []

  const environment = () => ({
    ...{ PATH: process.env['PATH'], DATA_DIR: folder, IB_PORT: String(ports.port), STRATEGIES_DIR: join(root, 'test/fixtures/ten-shares') },
    ...{ LOG_LEVEL: 'fatal', STORE: 'embedded' },
  })
  const ibt = async (...args: string[]): Promise<{ code: number | null; output: string; errors: string }> => {
    const child = spawn(process.execPath, [join(root, 'infra/cli/ibt.js'), ...args], { env: environment() })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk) => {
      output += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      errors += String(chunk)
    })
    await once(child, 'close')
    return { code: child.exitCode, output, errors }
  }
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
  const commits = async (): Promise<Commit[]> =>
    (await ibt('journal')).output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Commit)
  const count = (all: readonly Commit[], type: string): number =>
    all.flatMap(({ events }) => events).filter((event) => event.type === type).length
  const command = async (...args: string[]) => {
    const { code, errors } = await ibt('publish', ...args)
    if (code !== 0) throw new Error(errors)
  }
  const trade = async () => {
    await command('configure', '--data', JSON.stringify({ changes: { 'strategies.tenshares.allocation': 1 } }))
    await command('resume')
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ibt-process-'))
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
    rmSync(folder, { recursive: true, force: true })
  })

  it('killed between the socket and OrderPlaced sends nothing again, and finds its order', async () => {
    const engine = startEngine()
    await trade()
    await control('/faults', { fault: 'dropConnections', when: 'beforeAck' })
    await control('/faults', { fault: 'refuseConnections', on: true })
    await ibt('publish', 'orchestrator', '--id', 'once', '--data', JSON.stringify({ strategies: ['tenshares'] }), '--wait', '0')
    await until('the order is at the gateway', async () => (await received()).length === 1, patience)
    await end(engine, 'SIGKILL')
    const before = await commits()
    expect([count(before, 'OrderPlanned'), count(before, 'OrderPlaced')]).to.deep.equal([1, 0])

    await control('/faults', { fault: 'clear' })
    startEngine()
    await until('the order is found', async () => count(await commits(), 'OrderPlaced') === 1, patience)
    await ibt('publish', 'orchestrator', '--id', 'once', '--data', JSON.stringify({ strategies: ['tenshares'] }), '--wait', '0')
    await until('the pipeline has ended', async () => count(await commits(), 'PipelineEnded') === 1, patience)
    expect(
      (await received()).map((order) => order.count),
      'sent once',
    ).to.deep.equal([1])
    const after = await commits()
    expect(count(after, 'OrderPlanned')).to.equal(1)
    const verified = await ibt('verify')
    expect(verified.code, verified.errors).to.equal(0)
  })

  it('told to end (SIGTERM) goes cleanly, and its orders stay at the broker', async () => {
    const engine = startEngine()
    await trade()
    await command('orchestrator', '--data', JSON.stringify({ strategies: ['tenshares'] }))
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
