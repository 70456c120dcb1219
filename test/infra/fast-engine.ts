/**
 * An engine as `ibt start` runs it, for tests that are about its life and death: a lease that is over in seconds, market time that passes
 * faster and is always in a session, strategies that want what their parameter says. The environment is that of `ibt start`.
 */
import { systemClock } from '../../infra/clock.ts'
import { compose } from '../../infra/compose.ts'
import { type Environment, readEnvironment } from '../../infra/environment.ts'
import { openLog } from '../../infra/log.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { wanting } from '../rig.ts'
import { clockOf, type Times } from './takeover-times.ts'

/** @throws Error that names the variable which is wrong */
export const environmentOfEngine = (): Environment => {
  const environment = readEnvironment(process.env)
  if (!environment.ok) throw new Error(environment.problem)
  return environment.value
}

/** The first argument of the process: `Times` as JSON, if wanted with the names of its strategies. */
export const argumentOfEngine = (): Times & { names?: string[] } => JSON.parse(process.argv[2]!)

/** Until SIGTERM, or until it stops by itself; then it ends the process. */
export const runFastEngine = async (where: Environment): Promise<void> => {
  const { names = ['Trend'], ...times } = argumentOfEngine()
  const topics = readTopics()
  /** What a dead process had in hand comes again sooner; Pub/Sub takes no less than ten seconds. */
  const ackDeadline = where.store.kind === 'embedded' ? { ackDeadline: 2_000 } : {}
  const subscriptions = Object.fromEntries(
    Object.entries(topics.subscriptions).map(([name, rules]) => [name, { ...rules, ...ackDeadline }]),
  )
  const composed = await compose(where, {
    ...{ clock: clockOf(times, systemClock), log: openLog(where.logLevel), leaseTimes: times.lease, messagesPerSecond: 100_000 },
    strategies: Object.fromEntries(names.map((name) => [name.toLowerCase(), wanting(name)])),
    topics: { ...topics, subscriptions, schedules: [] },
  })
  process.once('disconnect', () => process.exit(1)) // the test that began it is gone
  const asked = new Promise<undefined>((resolve) => process.once('SIGTERM', () => resolve(undefined)))
  const failed = composed.start().then(
    () => composed.stopped,
    (error: Error) => error,
  )
  const ended = await Promise.race([asked, failed])
  await composed.stop()
  if (ended !== undefined) process.stderr.write(`ibt: ${ended.message}\n`)
  process.exit(ended === undefined ? 0 : 1)
}
