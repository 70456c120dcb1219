/** One demo from its first day to its proofs. Whatever happens, what was started for it ends and what is not kept goes. */
import { newYorkTime, type Session } from '../../../domain/calendar.ts'
import { type Commit, canonical } from '../../../domain/commit.ts'
import { isoTime } from '../../../domain/ports/clock.ts'
import { nextSlot, type Topics, topicOf } from '../../../domain/topics.ts'
import { type SimulatedClock, simulatedClock } from '../../clock.ts'
import { compose, type Process } from '../../compose.ts'
import { type Environment, type LogLevel, readEnvironment } from '../../environment.ts'
import { openLog } from '../../log.ts'
import { readTopics } from '../../topics-file.ts'
import { printLine } from '../output.ts'
import { createDriver, type Driver } from './driver.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { openPlace, type Place, type PlaceOptions } from './place.ts'
import { type DemoOptions, type Plan, planOf } from './plan.ts'
import { openProgress, type Progress } from './progress.ts'
import { prove } from './proofs.ts'
import { closingReport, dayLine } from './report.ts'
import { type Scene, scenesFor } from './scenes.ts'
import { emptyStory, type Story, tell } from './story.ts'

export type DemoArguments = DemoOptions & PlaceOptions

/** Chosen so that strategies meet in SPY from both sides and the limit on a single name is felt. */
const settings = {
  'strategies.spymacdvixy.allocation': 0.5,
  'strategies.testsignalgenerator.allocation': 0.35,
  'strategies.dummy.allocation': 0.15,
  'limits.singleName': 0.6,
}

const mode = 'paper'
const schedule = 'orchestrator'

/** What the demo takes from the environment: how much it says, and emulators that run already. */
const surroundings = () => {
  const { LOG_LEVEL = 'error', PUBSUB_EMULATOR_HOST, FIRESTORE_EMULATOR_HOST } = process.env
  const read = readEnvironment({ LOG_LEVEL, PUBSUB_EMULATOR_HOST, FIRESTORE_EMULATOR_HOST })
  if (!read.ok) throw new Error(read.problem)
  const { logLevel, store } = read.value
  return { logLevel, emulators: store.kind === 'google' ? store.emulators : undefined }
}

const environmentOf = ({ dataDirectory, store }: Place, port: number, logLevel: LogLevel): Environment => ({
  mode,
  dataDirectory,
  store,
  gateway: { host: '127.0.0.1', port, clientId: 17 },
  httpPort: 0,
  logLevel,
})

/** The hours before the first open are enough to connect and to switch trading on. */
const beginningOf = ({ sessions }: Plan): number => newYorkTime(sessions[0]!.date, '08:00')

const decisionAfter = (topics: Topics, session: Session): number => {
  const daily = topics.schedules.find(({ job }) => job === schedule)
  if (daily === undefined) throw new Error(`topics.yaml has no schedule ${schedule}`)
  return nextSlot(daily, session.open)
}

type World = { topics: Topics; clock: SimulatedClock; composed: Process; driver: Driver }

/** On the bus, like every other command. Ends when all that it causes now has happened. */
const publish = async ({ topics, clock, composed, driver }: World, type: string, id: string, body: object): Promise<void> => {
  const attributes = { type, id, source: 'cli', publishedAt: isoTime(clock.now()) }
  await composed.bus.publish(topicOf(topics, type, mode), { data: canonical(body), attributes })
  await driver.settled()
  const document = await composed.documents.get(`commands/${id}`)
  if (document?.['status'] !== 'completed') throw new Error(`${id} was not carried out: ${document?.['text'] ?? 'no outcome'}`)
}

const prepare = async (world: World): Promise<void> => {
  await world.driver.connected()
  await publish(world, 'configure', 'demo-configure', { changes: settings, reason: 'the demo begins' })
  await publish(world, 'resume', 'demo-resume', { reason: 'the demo begins' })
}

/** At most one an evening, as each takes time to show. @returns what was done, in words */
const play = async (world: World, scenes: Scene[], evening: number): Promise<string | undefined> => {
  const [scene] = scenes
  if (scene === undefined || evening < scene.from || !scene.suits(world.composed.engine.ledger)) return undefined
  scenes.shift()
  for (const { type, body } of scene.commands) await publish(world, type, `demo-${type}-${evening + 1}`, body)
  return scene.said
}

const commitsAfter = async ({ composed }: World, position: number): Promise<Commit[]> => {
  const commits: Commit[] = []
  for await (const { json } of composed.journal.read(position + 1)) commits.push(JSON.parse(json) as Commit)
  return commits
}

const liveThrough = async (world: World, { sessions, nameOf }: Plan, story: Story, progress: Progress): Promise<void> => {
  const scenes = scenesFor(sessions.length)
  for (const [evening, session] of sessions.entries()) {
    await world.driver.runTo(decisionAfter(world.topics, session))
    const said = await play(world, scenes, evening)
    progress.line(dayLine(tell(story, session.date, await commitsAfter(world, story.commits), nameOf)))
    if (said !== undefined) progress.line(`${' '.repeat(session.date.length)}  by hand: ${said}`)
    progress.step()
  }
}

const introduction = ({ sessions, nameOf }: Plan): string => {
  const [first, last] = [sessions[0]!, sessions.at(-1)!]
  const traded = ['SPY', 'VIXY'].map((symbol) => nameOf(symbol, 'long')).join(' and ')
  return `${sessions.length} New York sessions from ${first.date} to ${last.date}, trading ${traded} on a simulated IB Gateway`
}

/** @throws Error naming the proof that fails */
const live = async (plan: Plan, gateway: Gateway, environment: Environment, end: (composed: Process) => void): Promise<void> => {
  const topics = readTopics()
  const clock = simulatedClock(beginningOf(plan))
  const composed = await compose(environment, { clock, topics, log: openLog(environment.logLevel), messagesPerSecond: 1_000_000 })
  end(composed)
  const driver = createDriver({ clock, gateway, composed })
  const world: World = { topics, clock, composed, driver }
  const story = emptyStory()
  await composed.start()
  await prepare(world)
  printLine(introduction(plan))
  const progress = openProgress(plan.sessions.length)
  try {
    await liveThrough(world, plan, story, progress)
  } finally {
    progress.end()
  }
  const proofs = await prove(composed, await gateway.state(), story, plan.nameOf)
  printLine(closingReport({ ledger: composed.engine.ledger, story, proofs, nameOf: plan.nameOf }))
  const failed = proofs.filter(({ holds }) => !holds)
  if (failed.length > 0) throw new Error(`proof failed: ${failed.map(({ name, found }) => `${name} (${found})`).join('; ')}`)
}

const lookInto = (settings: string): string =>
  [
    'The data is kept. Look into it:',
    ...['journal --from 1', 'documents strategies', 'document positions/paper', 'replay', 'verify'].map(
      (verb) => `  ${settings} npx ibt ${verb}`,
    ),
  ].join('\n')

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** @throws Error in one line when an argument is wrong, something breaks, or a proof fails */
export const runDemo = async ({ keep, store, ...options }: DemoArguments): Promise<void> => {
  const plan = planOf(options)
  const { logLevel, emulators } = surroundings()
  let place: Place | undefined
  let gateway: Gateway | undefined
  let composed: Process | undefined

  const cleanUp = async (): Promise<void> => {
    await composed?.stop().catch(() => undefined)
    await gateway?.end()
    await place?.leave()
  }
  const interrupted = (): void => {
    process.stderr.write('ibt: interrupted\n')
    void cleanUp().finally(() => process.exit(130))
  }
  const leaveAtOnce = (): void => place?.leaveAtOnce() // a reader of standard output that has seen enough ends the process at once
  for (const signal of signals) process.once(signal, interrupted)
  process.once('exit', leaveAtOnce)
  try {
    place = await openPlace({ store, ...(keep === undefined ? {} : { keep }) }, emulators)
    gateway = await startGateway({ start: beginningOf(plan), seed: options.seed, bars: options.bars ?? {} })
    await live(plan, gateway, environmentOf(place, gateway.port, logLevel), (process) => {
      composed = process
    })
  } finally {
    for (const signal of signals) process.off(signal, interrupted)
    await cleanUp()
    process.off('exit', leaveAtOnce)
  }
  if (place.kept !== undefined) printLine(lookInto(place.kept))
}
