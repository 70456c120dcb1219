/**
 * Runs one part of the product into trouble, with the log that a process on Google Cloud has: `node log-scene.ts SCENE`. Its lines come on
 * standard error.
 */
import { event } from '../../../domain/events.ts'
import { createEngine } from '../../../handlers/engine.ts'
import { simulatedClock, systemClock } from '../../../infra/clock.ts'
import { type Log, openProcessLog } from '../../../infra/log.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { createNotifier } from '../../../projections/notifier.ts'
import { until } from '../../contract/until.ts'
import { createBroker, createBus, now } from '../../handlers/ports-in-hand.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../../memory-store.ts'
import { createMachineTime } from '../../projections/relay-in-hand.ts'
import {
  at,
  broker,
  commitsOf,
  connected,
  pipelineEnded,
  pipelineStarted,
  SPY,
  scheduled,
  started,
  step,
  type Told,
} from '../../projections/story.ts'
import { wanting } from '../../rig.ts'
import { ended, startServer } from '../http/server-in-hand.ts'
import { hurried, sessionAt } from '../ib/session-under-test.ts'

const log = await openProcessLog(
  { logLevel: 'info', logging: { format: 'cloud' }, store: { kind: 'google', project: 'my-project-1', database: '(default)' } },
  [],
)

// ── What people are told ──

/** A notifier on a journal to which `then` adds, and the line of dead letters; one channel, which may fail. */
const telling = async (
  then: Told[],
  { moveTo, dies = false, channelFails = false }: { moveTo?: string; dies?: boolean; channelFails?: boolean } = {},
) => {
  const memory = createMemory()
  const market = simulatedClock(Date.parse(at(0)))
  const machine = createMachineTime()
  memory.commits.push(...commitsOf([started, connected]))
  let die: (letter: Parameters<Parameters<Parameters<typeof createNotifier>[0]['bus']['onDeadLetter']>[0]>[0]) => Promise<void> =
    async () => undefined
  const send = async () => {
    if (channelFails) throw new Error('the line is busy')
  }
  const notifier = createNotifier({
    ...{
      journal: memoryJournal(memory),
      documents: memoryDocuments(memory),
      topics: readTopics(),
      log,
      channels: [{ name: 'mail', send }],
    },
    bus: {
      onDeadLetter: (heard) => {
        die = heard
        return { close: async () => undefined }
      },
    },
    clock: { ...market, ...machine.clock },
  })
  await notifier.start()
  await until('it has looked around', () => memory.checkpoints.has('alerts'))
  memory.commits.push(...commitsOf(then, memory.commits.at(-1)))
  for (const listener of [...(memory.listeners.get('journal') ?? [])]) listener()
  const notices = () => [...memory.documents.keys()].filter((path) => path.startsWith('notices/')).length
  if (dies)
    await die({
      ...{ id: 'm1', data: '{', attributes: { type: 'halt' }, publishedAt: at(1), subscription: 'paper-urgent-engine' },
      ...{ attempts: 1, reason: 'the body is not JSON', deadAt: at(1) },
    })
  if (moveTo !== undefined) {
    await until('it waits for the time', () => (market.nextTimerAt() ?? Number.POSITIVE_INFINITY) <= Date.parse(moveTo))
    await market.moveTo(Date.parse(moveTo))
  }
  await until('it is written down', () => notices() > 0)
  if (channelFails) {
    await until('the channel waits', () => machine.waits.includes(1_000))
    machine.advance(24 * 3_600_000)
    await until('it is given up', () => [...memory.documents.values()].some((text) => text.includes('"given_up":["mail"]')))
  }
  await notifier.stop()
}
const unresolved = broker(event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'asked for twice' }))

// ── Engines ──

const engineOn = (memory = createMemory(), epoch = 1, renew = async () => true, account = 'DU1') => {
  const mail = createBus()
  const engine = createEngine({
    ...{ journal: memoryJournal(memory), bus: mail.bus, broker: createBroker([account]).broker, log, topics: readTopics() },
    clock: { ...simulatedClock(Date.parse(now)), monotonic: systemClock.monotonic, after: systemClock.after },
    lease: { acquire: async () => ({ epoch }), renew, release: async () => undefined },
    ...{
      mode: 'paper',
      holder: 'scene',
      strategies: { trend: wanting('Trend') },
      leaseTimes: { ttlMs: 5_000, renewalMs: 30, marginMs: 100 },
    },
  })
  return { engine, mail, memory }
}

// ── HTTP ──

const answering = async () => {
  const world = await startServer({}, log)
  const decided = (more: object) =>
    world.onPublish((message) => world.became(message.attributes['id']!, ended({ digest: message.attributes['digest']!, ...more })))
  await decided({})
  await world.ask({ url: '/halt', body: { reason: 'the news' } })
  await decided({ type: 'trend', status: 'failed', code: 'BARS_STALE', text: 'the last bar is of Tuesday' })
  await world.ask({ url: '/trend' }) // an outcome, which has an alert of its own
  await decided({ type: 'trend', status: 'failed', code: 'UNEXPECTED', text: 'x is undefined' })
  await world.ask({ url: '/trend' })
  world.onPublish(() => {
    throw new Error('the topic is away')
  })
  await world.ask({ url: '/halt', body: { reason: 'again' } })
  world.engine(undefined)
  await world.ask({ method: 'GET', url: '/readyz' })
  await world.ask({ method: 'GET', url: '/nowhere' })
  await world.server.stop()
}

const scenes: Readonly<Record<string, () => Promise<unknown>>> = {
  'an order in doubt': () => telling([unresolved]),
  'a channel that gives up after a day': () => telling([unresolved], { channelFails: true }),
  'a gateway that is away for eleven minutes': () =>
    telling([broker(event('GatewayLost', { reason: 'waits for a second factor' }))], { moveTo: at(14) }),
  'a Friday without its run': () => telling([], { moveTo: '2026-11-20T22:05:00.000Z' }),
  'a message that was given up': () => telling([], { dies: true }),
  'a run that failed': () =>
    telling([
      scheduled('orchestrator', 'e', pipelineStarted('e')),
      step('e', 'end', 'orchestrator', pipelineEnded('e', 'failed', 'no line')),
    ]),
  'a lease that is lost': async () => {
    const { engine } = engineOn(createMemory(), 1, async () => false)
    await engine.start()
    await engine.stopped
  },
  'a journal that another one writes': async () => {
    const first = engineOn()
    await first.engine.start()
    await until('it is ready', () => first.engine.ready())
    const second = engineOn(first.memory, 2)
    await second.engine.start()
    first.mail.deliver('paper-commands-engine', 'reconcile')
    await first.engine.stopped
    await second.engine.stop()
  },
  'an account that is not the one of the journal': async () => {
    const first = engineOn()
    await first.engine.start()
    await until('it is ready', () => first.engine.ready())
    await first.engine.stop()
    const other = engineOn(first.memory, 2, undefined, 'DU2')
    await other.engine.start()
    await other.engine.stopped
  },
  'an engine that is stopped': async () => {
    const { engine } = engineOn()
    await engine.start()
    await until('it is ready', () => engine.ready())
    await engine.stop()
  },
  'a port at which nobody listens': async () => {
    let told = false
    const hears = (level: keyof Log) => (fields: object, text: string) => {
      log[level](fields, text)
      told ||= level === 'error'
    }
    const own = { debug: hears('debug'), info: hears('info'), warn: hears('warn'), error: hears('error') }
    const session = sessionAt(1, { clock: hurried(2_000), log: own })
    session.broker.start(session.hear)
    await until('it has lasted too long', () => told)
    await session.broker.close('the scene is over')
  },
  'HTTP answers': answering,
}

const [, , name = ''] = process.argv
if (name === '--list') process.stdout.write(JSON.stringify(Object.keys(scenes)))
else {
  await scenes[name]!()
  process.exit(0)
}
