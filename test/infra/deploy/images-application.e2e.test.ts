/**
 * The application in the conditions of its container, as far as they can be had without one: only the files and packages of the image,
 * nothing of them writable, not root, the heap of 512 MB, roles by argument, and the three processes of docker-compose.yml beside another.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { addDays, latestClosedSession, sessions } from '../../../domain/calendar.ts'
import { until } from '../../contract/until.ts'
import { buildTree, runsAs } from './images-tree.ts'

const root = resolve(import.meta.dirname, '../../..')
const patience = 60_000
const megabyte = 1024

/** Bars up to the latest closed session, so that a signal by the wall clock is fresh. */
const recentBars = (): string => {
  const { date } = latestClosedSession(Date.now())
  const lines = sessions(addDays(date, -60), date).map((session) => `${session.date},100,101,99,100,1000000`)
  return ['date,open,high,low,close,volume', ...lines].join('\n')
}

type Process = { child: ChildProcess; out(): string; errors(): string; ended: Promise<number | null> }
type Commit = { events: { type: string }[] }

describe("the application in its container's conditions", function () {
  this.timeout(180_000)
  let image: ReturnType<typeof buildTree>
  const running: ChildProcess[] = []

  const begin = (args: readonly string[], variables: Record<string, string> = {}): Process => {
    const child = spawn(image.node, args, {
      ...{ cwd: image.application, env: { ...image.environment, ...variables }, ...runsAs },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.push(child)
    let [out, errors] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (errors += text))
    const ended = once(child, 'close').then(() => child.exitCode)
    return { child, out: () => out, errors: () => errors, ended }
  }
  /** The role is its arguments, as in `docker run IMAGE start --role api`. */
  const application = (args: readonly string[], variables: Record<string, string> = {}): Process =>
    begin([...image.entrypoint, ...args], variables)
  const script = (name: string, variables: Record<string, string> = {}): Process =>
    begin([`infra/deploy/images/application/${name}.ts`], variables)
  const says = async (process: Process, what: RegExp): Promise<RegExpExecArray> => {
    const found = () => what.exec(process.errors() + process.out())
    await until(
      `it says ${what}`,
      () => {
        if (process.child.exitCode !== null && found() === null) throw new Error(`it has ended: ${process.errors()}`)
        return found() !== null
      },
      patience,
    )
    return found()!
  }
  const served = async (process: Process): Promise<string> => (await says(process, /"port":(\d+),"msg":"HTTP is served/))[1]!
  const health = async (port: string) => {
    const asked = script('health', { PORT: port })
    return { code: await asked.ended, says: asked.errors() }
  }
  const end = async ({ child, ended }: Process): Promise<{ code: number | null; seconds: number }> => {
    const from = performance.now()
    child.kill('SIGTERM')
    const code = await ended
    return { code, seconds: (performance.now() - from) / 1_000 }
  }

  before(() => {
    image = buildTree()
  })
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  })
  after(() => image?.remove())

  it('has the packages of production alone, no secret and no script of the deployment; its types are stripped for its own user', () => {
    expect(['mocha', 'typescript', 'node', '@biomejs/biome'].filter((name) => image.has(`node_modules/${name}`))).to.deep.equal([])
    expect(['fastify', '@stoqey/ib', '@google-cloud/pubsub'].filter((name) => !image.has(`node_modules/${name}`))).to.deep.equal([])
    for (const name of ['infra/deploy/cloud', 'infra/deploy/compose', 'infra/deploy/images/base', 'test', '.env', '.git'])
      expect(image.has(name), name).to.equal(false)
    if (process.getuid) expect(image.cached().map((name) => name.split('-').at(-1))).to.deep.equal([String(runsAs.uid)])
  })

  it('imports no package that only development has', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    const imported = image.sources().flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const named = [
        ...text.matchAll(
          /^(?:import|export)\b(?! type)[^'"`;]*?\bfrom '([^'.][^'\n]*)'|^import '([^'.][^'\n]*)'|\bimport\('([^'.][^'\n]*)'\)/gm,
        ),
      ]
      return named
        .map(([, from, bare, later]) => from ?? bare ?? later!)
        .filter((name) => !isBuiltin(name))
        .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    })
    expect(imported).to.include.members(['fastify', '@stoqey/ib', '@google-cloud/pubsub', 'commander', 'io-ts', 'jose'])
    expect([...new Set(imported)].filter((name) => dependencies[name] === undefined)).to.deep.equal([])
  })

  it('ends at SIGTERM in the middle of a pipeline within 10 s and leaves its order alone; started again, it goes on and orders nothing twice', async () => {
    const bars = image.own('bars')
    const strategies = image.own('strategies')
    writeFileSync(join(bars, 'SPY.csv'), recentBars(), { mode: 0o644 })
    const strategy = readFileSync(join(root, 'test/fixtures/ten-shares/ten-shares.js'))
    writeFileSync(join(strategies, 'ten-shares.js'), strategy, { mode: 0o644 })

    const simulator = script('simulator', { IB_PORT: '0', SIMULATOR_CONTROL_PORT: '0', SIMULATOR_BARS: bars })
    await says(simulator, /\n/)
    const { port, controlPort, bars: symbols } = JSON.parse(simulator.out()) as { port: number; controlPort: number; bars: string[] }
    expect(symbols).to.deep.equal(['SPY'])
    const control = async (path: string, body?: object) => {
      const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      const answer = await fetch(`http://127.0.0.1:${controlPort}${path}`, request)
      if (!answer.ok) throw new Error(await answer.text())
      return (await answer.json()) as {
        received: Record<string, { orderRef: string; count: number }[]>
        orders: { orderRef: string; status: string }[]
      }
    }
    const received = async () => Object.values((await control('/state')).received).flat()
    const variables = { IB_PORT: String(port), PORT: '0', STRATEGIES_DIR: strategies, TRADING_MODE: 'paper', STORE: 'embedded' }
    const commits = async (): Promise<Commit[]> => {
      const read = application(['journal'], variables)
      expect(await read.ended, read.errors()).to.equal(0)
      return read
        .out()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Commit)
    }
    const outcome = async (address: string) => ((await (await fetch(address)).json()) as { status?: string }).status
    const count = (all: readonly Commit[], type: string): number =>
      all.flatMap(({ events }) => events).filter((event) => event.type === type).length

    const engine = application(['start', '--role', 'all'], variables)
    const http = await served(engine)
    // Alone, as compose mounts it into an image that has Node and nothing else.
    const alone = join(image.own('door'), 'door.mts')
    writeFileSync(alone, readFileSync(join(root, 'infra/deploy/images/application/door.ts')), { mode: 0o644 })
    const door = begin([alone], { PORT: http, DOOR_PORT: '0' })
    const [, outside] = await says(door, /"door":(\d+)/)
    // From outside of the network of the containers: only the door can be reached, and it is localhost for whoever comes.
    const post = (path: string, body: object, wait = 30) =>
      fetch(`http://localhost:${outside}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: `wait=${wait}` },
        body: JSON.stringify(body),
      })
    expect(await health(http)).to.deep.equal({ code: 0, says: '' })
    await until('it is ready', async () => (await fetch(`http://localhost:${outside}/readyz`)).ok, patience)
    for (const [path, body] of [
      ['configure', { changes: { 'strategies.tenshares.allocation': 1 } }],
      ['resume', {}],
    ] as const) {
      const answer = await post(path, body)
      expect(answer.status, await answer.text()).to.equal(200)
    }
    await control('/faults', { fault: 'holdMessages', messages: ['openOrder', 'orderStatus', 'execDetails'] })
    const accepted = await post('orchestrator', { strategies: ['tenshares'] }, 0)
    const { id } = (await accepted.json()) as { id: string }
    expect([accepted.status, accepted.headers.get('location')]).to.deep.equal([202, `/commands/${id}`])
    await until('the order is at the gateway', async () => (await received()).length === 1, patience)

    if (process.platform === 'linux') {
      const status = readFileSync(`/proc/${engine.child.pid}/status`, 'utf8')
      expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)!.slice(1)).to.deep.equal([String(runsAs.uid), String(runsAs.uid)])
      expect(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)![1]), 'at most, of 512 MB').to.be.below(450 * megabyte)
    }
    const { code, seconds } = await end(engine)
    expect(code, engine.errors()).to.equal(0)
    expect(seconds).to.be.below(10)
    expect(engine.errors()).to.contain('orders stay at the broker')
    const gone = await health(http)
    expect(gone.code).to.equal(1)
    expect(gone.says).to.match(/^not healthy on port \d+: .*ECONNREFUSED.*\n$/)

    const before = await commits()
    expect([count(before, 'PipelineStarted'), count(before, 'OrderPlanned'), count(before, 'PipelineEnded')]).to.deep.equal([1, 1, 0])
    expect(count(before, 'OrderCancelRequested')).to.equal(0)
    expect((await control('/state')).orders.map(({ status }) => status)[0]).to.be.oneOf(['PreSubmitted', 'Submitted', 'Filled'])

    await control('/faults', { fault: 'clear' })
    const again = application(['start'], variables)
    const portAgain = await served(again)
    await until(
      'the pipeline has ended',
      async () => (await outcome(`http://127.0.0.1:${portAgain}/commands/${id}`)) === 'completed',
      patience,
    )
    expect(
      (await received()).map((order) => order.count),
      'sent once',
    ).to.deep.equal([1])
    const after = await commits()
    expect([count(after, 'OrderPlanned'), count(after, 'PipelineEnded')]).to.deep.equal([1, 1])
    expect((await end(again)).code).to.equal(0)
    expect(door.errors()).to.equal('')
    for (const process of [door, simulator]) expect((await end(process)).code, process.errors()).to.equal(0)
    expect(image.written(), 'nothing of the image was changed').to.deep.equal([])
  })

  it('has its heap from the image: with all that V8 adds to it, 512 MB are enough', async () => {
    const asked = begin(['-p', "Math.round(require('v8').getHeapStatistics().heap_size_limit / 1048576)"])
    expect(await asked.ended).to.equal(0)
    // What is not heap takes some 100 MB.
    expect(Number(asked.out())).to.be.within(320, 400)
  })

  it('plays each role by its arguments, and ends when told to', async () => {
    const variables = { DATA_DIR: image.own('roles'), PORT: '0', IB_PORT: '1' }
    const engine = application(['start', '--role', 'engine'], variables)
    await says(engine, /"role":"engine"/)
    const projections = application(['start', '--role', 'projections'], variables)
    const api = application(['start', '--role', 'api'], variables)
    const port = await served(api)
    expect(await health(port)).to.deep.equal({ code: 0, says: '' })
    await says(projections, /"role":"projections"/)
    const ended = await Promise.all([api, projections, engine].map(end))
    expect(ended.map(({ code }) => code)).to.deep.equal([0, 0, 0])
    for (const { seconds } of ended) expect(seconds).to.be.below(10)
    expect(await application(['verify'], variables).ended).to.equal(0)
  })

  it('door and simulator name in one line what is wrong', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    try {
      const wrong: [Process, RegExp][] = [
        [script('door', { PORT: 'http' }), /^door: PORT: must be a port, got "http"\n$/],
        [script('door', { PORT: '8080', DOOR_PORT: String(port) }), /^door: DOOR_PORT: listen EADDRINUSE.*\n$/],
        [script('simulator', { IB_PORT: '70000' }), /^simulator: IB_PORT: must be a port, got "70000"\n$/],
        [script('simulator', { IB_PORT: String(port), SIMULATOR_CONTROL_PORT: '0' }), /^simulator: .*in use.*\n$/],
      ]
      for (const [process, line] of wrong) {
        expect(await process.ended).to.equal(1)
        expect(process.errors()).to.match(line)
      }
    } finally {
      taken.close()
    }
  })
})
