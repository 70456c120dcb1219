/** The engine on a genuine session: what becomes an event, what waits, and what never goes out. */
import { expect } from 'chai'
import type { Commit } from '../../../domain/commit.ts'
import type { DomainEvent, EventData, EventType } from '../../../domain/events.ts'
import { createEngine, type Engine } from '../../../handlers/engine.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { type BrokerSession, createBrokerSession, type SessionOptions } from '../../../infra/ib/session.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'
import { createBroker, createBus, now as inHand } from '../../handlers/ports-in-hand.ts'
import { createMemory, type Memory, memoryJournal } from '../../memory-store.ts'
import { tuesdayMorning, wanting } from '../../rig.ts'
import { keptLog, quietLog } from './session-under-test.ts'

const account = 'DU1234567'
/** 23:40 in New York; the gateway restarts at 23:45. */
const night = '2020-02-05T04:40:00.000Z'
const minute = 60_000

describe('the engine at a genuine session', () => {
  const simulators: GatewaySimulator[] = []
  let primary: GatewaySimulator
  let memory: Memory
  let clock: SimulatedClock
  let broker: BrokerSession
  let engine: Engine
  let bus: ReturnType<typeof createBus>
  let kept: ReturnType<typeof keptLog>

  const simulate = async (start: string, port = 0) => {
    const simulator = await startGatewaySimulator({ start, account, port })
    simulators.push(simulator)
    return simulator
  }
  const close = async (simulator: GatewaySimulator) => {
    simulators.splice(simulators.indexOf(simulator), 1)
    await simulator.close()
  }
  const control = async (simulator: GatewaySimulator, path: string, body?: object) => {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, request)
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as { received: Record<string, { orderRef: string; count: number }[]> }
  }
  const received = async (simulator: GatewaySimulator) => (await control(simulator, '/state')).received['7'] ?? []

  /** @param held a broker of the test's own in place of the session */
  const start = async ({
    at = tuesdayMorning,
    held,
    ...options
  }: Partial<SessionOptions> & { at?: string; held?: ReturnType<typeof createBroker> } = {}) => {
    primary ??= await simulate(at)
    clock = simulatedClock(Date.parse(at))
    memory = createMemory()
    kept = keptLog()
    bus = createBus()
    broker = createBrokerSession({
      ...{ host: '127.0.0.1', port: primary.port, clientId: 7, clock, log: quietLog, messagesPerSecond: 10_000 },
      ...{ deadlines: { connect: 500, question: 500 }, backOff: { first: 20, most: 40 }, failover: { patience: 60, lookEvery: 60_000 } },
      ...options,
    })
    const lease = { acquire: async () => ({ epoch: 1 }), renew: async () => true, release: async () => {} }
    engine = createEngine({
      ...{
        journal: memoryJournal(memory),
        bus: bus.bus,
        broker: held?.broker ?? broker,
        lease,
        clock,
        log: kept.log,
        topics: readTopics(),
      },
      ...{ mode: 'paper', holder: 'test', strategies: { trend: wanting('Trend') } },
    })
    await engine.start()
  }
  const ready = () => until('the engine is ready', () => engine.ready())
  const command = async (type: string, body: object = {}) => {
    bus.deliver('paper-commands-engine', type, body, undefined, new Date(clock.now()).toISOString())
    await until(`${type} is done`, () => engine.idle())
  }
  const trade = async () => {
    await ready()
    await command('configure', { changes: { 'strategies.trend.allocation': 1, 'strategies.trend.parameters.wants': '100' } })
    await command('resume')
    await command('orchestrator')
  }
  const events = (): DomainEvent[] =>
    memory.commits.flatMap(({ json }) => (JSON.parse(json) as Commit).events as unknown as readonly DomainEvent[])
  const dataOf = <T extends EventType>(type: T) => events().flatMap((one) => (one.type === type ? [one.data as EventData<T>] : []))
  const losses = () => dataOf('GatewayLost').map(({ reason }) => reason)

  beforeEach(() => {
    primary = undefined as unknown as GatewaySimulator
  })
  afterEach(async () => {
    await engine.stop()
    for (const simulator of [...simulators]) await close(simulator)
  })

  it('writes why there is no gateway: the client id in use, and that it came', async () => {
    primary = await simulate(tuesdayMorning)
    const other = createBrokerSession({
      ...{ host: '127.0.0.1', port: primary.port, clientId: 7, clock: simulatedClock(0), log: quietLog },
    })
    other.start(() => undefined)
    await until('the other one has it', () => other.connected())
    await start()
    await until('it is written', () => losses().some((reason) => reason.includes('326')))
    expect(engine.ready()).to.equal(false)
    await other.close('it makes room')
    await ready()
    expect(dataOf('GatewayConnected')).to.have.length(1)
    expect(losses(), 'once, however often it tried').to.have.length(1)
    expect(engine.ledger.gateway).to.include({ connected: true, reason: null })
  })

  it('writes nothing more than it did of an ordinary drop', async () => {
    await start()
    await ready()
    await control(primary, '/faults', { fault: 'dropConnections', when: 'now' })
    await until('it is back', () => dataOf('GatewayConnected').length === 2 && engine.ready())
    expect(losses()).to.have.length(1)
    expect(events().map(({ type }) => type)).to.deep.equal([
      ...['EngineStarted', 'GatewayConnected', 'PositionReconciled', 'GatewayLost', 'GatewayConnected', 'PositionReconciled'],
    ])
  })

  it('carries out nothing between 1100 and the answers after 1101', async () => {
    await start()
    await ready()
    await control(primary, '/faults', { fault: 'linkDown' })
    await until('it is written', () => losses().some((reason) => reason.includes('1100')))
    expect([engine.ready(), broker.state().phase]).to.deep.equal([false, 'degraded'])
    await control(primary, '/faults', { fault: 'hangRequests', messages: ['reqCompletedOrders'] })
    await control(primary, '/faults', { fault: 'linkUp', dataLost: true })
    await until('the gateway has it again', () => engine.ledger.gateway.connected)
    expect([engine.ready(), broker.state().phase]).to.deep.equal([false, 'syncing'])
    await control(primary, '/faults', { fault: 'hangRequests', messages: ['reqCompletedOrders'], on: false })
    await ready()
    expect(broker.state().phase).to.equal('ready')
  })

  it('does not ask again and again while the gateway has lost IB, and asks when it is back', async () => {
    await start()
    await control(primary, '/faults', { fault: 'swallowOrder' })
    await trade()
    await control(primary, '/faults', { fault: 'linkDown' })
    await until('it is written', () => losses().length === 1)
    for (let step = 0; step < 20; step += 1) await clock.moveTo(clock.now() + minute / 2)
    expect(kept.at('warn').filter((text) => text.includes('did not answer'))).to.have.length(1)
    await control(primary, '/faults', { fault: 'linkUp', dataLost: false })
    await ready()
    expect(dataOf('PositionReconciled').at(-1)!.missing).to.have.length(1)
  })

  it('sends an order that the primary may have taken never again, at the backup neither', async () => {
    primary = await simulate(tuesdayMorning)
    const backup = await simulate(tuesdayMorning)
    await start({ backup: { host: '127.0.0.1', port: backup.port } })
    await control(primary, '/faults', { fault: 'swallowOrder' })
    await trade()
    expect(await received(primary)).to.have.length(1)
    await close(primary)
    await until('it is at the backup', () => broker.state().gateway === 'backup' && engine.ready())
    await clock.moveTo(clock.now() + 2 * minute)
    await until('it has asked for it', () => dataOf('PositionReconciled').some(({ missing }) => missing.length > 0))
    await clock.moveTo(clock.now() + 2 * minute)
    await until('it is in doubt', () => dataOf('OrderUnresolved').length === 1)
    expect(await received(backup)).to.deep.equal([])
    expect(dataOf('GatewayConnected')).to.have.length(2)
  })

  it('lets new orders wait before the nightly restart, and go when it does not come', async () => {
    await start({ at: night, restartAt: '23:45' })
    await ready()
    await clock.moveTo(Date.parse(night) + 3 * minute)
    expect(broker.state().ordersHeld).to.contain('23:45')
    await trade()
    expect(dataOf('OrderPlanned')).to.have.length(1)
    expect(await received(primary)).to.deep.equal([])
    await clock.moveTo(Date.parse(night) + 10 * minute)
    await until('it is handed over', async () => (await received(primary)).length === 1)
    expect(dataOf('OrderClosed')).to.deep.equal([])
  })

  it('hands over at once what waited, when the session says that it may', async () => {
    const held = createBroker([account])
    await start({ held, at: inHand })
    const say = (ordersHeld: string | undefined) =>
      held.report({ kind: 'session', phase: 'ready', text: 'as told', tell: false, ordersHeld })
    say('the gateway restarts')
    await trade()
    expect([dataOf('OrderPlanned').length, held.placed.length]).to.deep.equal([1, 0])
    say(undefined)
    await until('it is handed over', () => held.placed.length === 1)
    expect(dataOf('GatewayLost')).to.deep.equal([])
  })

  it('withdraws what waited when the restart comes, and hands over nothing of it afterwards', async () => {
    await start({ at: night, restartAt: '23:45' })
    await ready()
    await clock.moveTo(Date.parse(night) + 3 * minute)
    await trade()
    await clock.moveTo(Date.parse(night) + 5 * minute)
    const { port } = primary
    await close(primary)
    await until('it is withdrawn', () => dataOf('OrderClosed').some(({ how }) => how === 'withdrawn'))
    await until('it is called by its name', () => losses().some((reason) => reason.includes('nightly restart')))
    await clock.moveTo(Date.parse(night) + 6 * minute)
    primary = await simulate(night, port)
    await ready()
    expect(broker.state().ordersHeld).to.equal(undefined)
    await broker.currentTime()
    expect(await received(primary)).to.deep.equal([])
  })
})
