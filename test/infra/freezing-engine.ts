/**
 * An engine as `ibt start` runs it, for tests that freeze it: a lease that is over in seconds, market time that passes faster and is
 * always in a session, strategies that want what their parameter says. Its argument is a `Times` as JSON, the rest is the environment.
 */
import { systemClock } from '../../infra/clock.ts'
import { compose } from '../../infra/compose.ts'
import { readEnvironment } from '../../infra/environment.ts'
import { openLog } from '../../infra/log.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { wanting } from '../rig.ts'
import { watchGateway } from './takeover-effects.ts'
import { clockOf, type Times } from './takeover-times.ts'

const environment = readEnvironment(process.env)
if (!environment.ok) throw new Error(environment.problem)
const where = environment.value
const times = JSON.parse(process.argv[2]!) as Times
watchGateway(where.gateway.port)

const topics = readTopics()
/** What a dead process had in hand comes again sooner; Pub/Sub takes no less than ten seconds. */
const ackDeadline = where.store.kind === 'embedded' ? { ackDeadline: 2_000 } : {}
const subscriptions = Object.fromEntries(Object.entries(topics.subscriptions).map(([name, rules]) => [name, { ...rules, ...ackDeadline }]))

const composed = await compose(where, {
  ...{ clock: clockOf(times, systemClock), log: openLog(where.logLevel), leaseTimes: times.lease, messagesPerSecond: 100_000 },
  ...{ strategies: { trend: wanting('Trend') }, topics: { ...topics, subscriptions, schedules: [] } },
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
