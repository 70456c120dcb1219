/**
 * What topics.yaml says: which message types travel on which topic and for how long they count, who reads them, and what is published when.
 * Names keep their `{mode}` here; `nameFor` fills it in. Durations are milliseconds, `Infinity` where the file says `none`.
 */
import { CronExpressionParser } from 'cron-parser'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { addDays, newYorkDate, newYorkTime, sessions } from './calendar.ts'
import { decode } from './decode.ts'

// ── Types ──

/** `validFor` counts from the publish time; a pipeline must end within `endsWithin` of its start. */
export type CommandRules = { validFor: number; endsWithin?: number }
export type Topic =
  | { kind: 'command'; retention: number; messages: Readonly<Record<string, CommandRules>> }
  | { kind: 'event'; retention: number; orderingKey: string; messages: readonly string[] }
  | { kind: 'deadLetter'; retention: number }

/** `handler` is `engine`, the name of a projection, or `none` where messages are only kept to be looked at. */
export type Subscription = {
  topic: string
  handler: string
  ackDeadline: number
  /** Without one a message that was sent back comes again at once. */
  retry?: { minimumBackOff: number; maximumBackOff: number }
  deadLetter?: { topic: string; attempts: number }
  exactlyOnce: boolean
  ordering: boolean
}

/** Either a cron expression of five fields or minutes relative to the close of each session (negative: before it). */
export type When = { kind: 'cron'; expression: string } | { kind: 'close'; minutes: number }
export type Schedule = {
  job: string
  when: When
  timeZone: 'America/New_York'
  calendar: 'NYSE'
  command: { type: string; body: Readonly<Record<string, unknown>> }
}

export type Topics = {
  topics: Readonly<Record<string, Topic>>
  subscriptions: Readonly<Record<string, Subscription>>
  schedules: readonly Schedule[]
}

/** The entry that stands for every strategy: its commands are called by the strategy's own id. */
export const strategyEntry = 'strategy'

// ── The file's shape ── Ranges are those of Pub/Sub, so that the same file holds there.

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]
const unit: Readonly<Record<string, number>> = { s: second, m: minute, h: hour, d: day }

const text = (name: string, pattern: RegExp, example: string) =>
  new t.Type<string, string, unknown>(
    name,
    t.string.is,
    (input, context) =>
      typeof input === 'string' && pattern.test(input)
        ? t.success(input)
        : t.failure(input, context, `must be ${name}, such as "${example}"`),
    t.identity,
  )

const duration = (least: number, most: number, ...words: 'none'[]) =>
  new t.Type<number, number, unknown>(
    'a duration',
    t.number.is,
    (input, context) => {
      if (typeof input === 'string' && words.some((word) => word === input)) return t.success(Number.POSITIVE_INFINITY)
      const [, amount, letter] = (typeof input === 'string' && /^(\d{1,6})([smhd])$/.exec(input)) || []
      if (amount === undefined) return t.failure(input, context, `must be a duration such as "15m"${words.length > 0 ? ' or "none"' : ''}`)
      const milliseconds = Number(amount) * unit[letter!]!
      const fits = milliseconds >= least && milliseconds <= most
      return fits ? t.success(milliseconds) : t.failure(input, context, `must be from ${least / second} s to ${most / second} s`)
    },
    t.identity,
  )

const whole = (least: number, most: number) =>
  new t.Type<number, number, unknown>(
    'a whole number',
    t.number.is,
    (input, context) =>
      Number.isInteger(input) && (input as number) >= least && (input as number) <= most
        ? t.success(input as number)
        : t.failure(input, context, `must be a whole number from ${least} to ${most}`),
    t.identity,
  )

const isMapping = (input: unknown): input is Record<string, unknown> => typeof input === 'object' && input !== null && !Array.isArray(input)

/** A mapping in which a key that nobody reads is an error: a misspelt setting must not be a silent default. */
const closed = <P extends t.Props, Q extends t.Props = Record<never, never>>(required: P, optional?: Q) => {
  type Fields = { [K in keyof P]: t.TypeOf<P[K]> } & { [K in keyof Q]?: t.TypeOf<Q[K]> }
  const codecs: t.Props = { ...required, ...optional }
  return new t.Type<Fields, Fields, unknown>(
    'a mapping',
    isMapping as (input: unknown) => input is Fields,
    (input, context) => {
      if (!isMapping(input)) return t.failure(input, context, `must be a mapping with ${Object.keys(codecs).join(', ')}`)
      const errors: t.Errors = []
      const fields: Record<string, unknown> = {}
      for (const key of Object.keys(input).filter((key) => !Object.hasOwn(codecs, key))) {
        const message = `is not a setting; known are ${Object.keys(codecs).join(', ')}`
        errors.push({ value: input[key], context: t.appendContext(context, key, t.unknown, input[key]), message })
      }
      for (const [key, codec] of Object.entries(codecs)) {
        if (!Object.hasOwn(input, key) && !Object.hasOwn(required, key)) continue
        const result = codec.validate(input[key], t.appendContext(context, key, codec, input[key]))
        if (E.isLeft(result)) errors.push(...result.left)
        else fields[key] = result.right
      }
      return errors.length > 0 ? t.failures(errors) : t.success(fields as Fields)
    },
    t.identity,
  )
}

/** A mapping by name. (`t.record` drops entries whose name is wrong; here they are errors.) */
const named = <A>(key: t.Type<string, string, unknown>, value: t.Decoder<unknown, A>) =>
  new t.Type<Record<string, A>, Record<string, A>, unknown>(
    'a mapping',
    isMapping as (input: unknown) => input is Record<string, A>,
    (input, context) => {
      if (!isMapping(input)) return t.failure(input, context, 'must be a mapping')
      const errors: t.Errors = []
      const entries: [string, A][] = []
      for (const [name, entry] of Object.entries(input)) {
        const known = key.validate(name, t.appendContext(context, name, key, name))
        const result = E.isLeft(known) ? known : value.validate(entry, t.appendContext(context, name, t.unknown, entry))
        if (E.isLeft(result)) errors.push(...result.left)
        else entries.push([name, result.right])
      }
      return errors.length > 0 ? t.failures(errors) : t.success(Object.fromEntries(entries))
    },
    t.identity,
  )

const ResourceName = text('a name that begins with {mode}-', /^\{mode\}-[a-z][a-z0-9-]{0,200}$/, '{mode}-commands')
const CommandType = text('a command type in small letters', /^[a-z][a-z0-9_-]{0,63}$/, 'reconcile')
const EventTypeName = text('an event type', /^[A-Z][A-Za-z]{0,63}$/, 'OrderPlanned')
const JobName = text('a job name', /^[a-z][a-z0-9-]{0,63}$/, 'orchestrator')
const retention = duration(10 * minute, 31 * day)

const CommandTopic = closed({
  kind: t.literal('command'),
  retention,
  messages: named(CommandType, closed({ validFor: duration(minute, 7 * day, 'none') }, { endsWithin: duration(minute, 7 * day) })),
})
const EventTopic = closed({ kind: t.literal('event'), retention, orderingKey: t.string, messages: t.array(EventTypeName) })
const DeadLetterTopic = closed({ kind: t.literal('deadLetter'), retention })
const topicKinds: Readonly<Record<string, t.Decoder<unknown, Topic>>> = {
  command: CommandTopic,
  event: EventTopic,
  deadLetter: DeadLetterTopic,
}

/** Picked by `kind`, so that an error speaks of the right shape only. */
const TopicShape = new t.Type<Topic, Topic, unknown>(
  'a topic',
  (input): input is Topic => isMapping(input),
  (input, context) => {
    const kind = isMapping(input) && typeof input['kind'] === 'string' ? input['kind'] : ''
    const codec = Object.hasOwn(topicKinds, kind) ? topicKinds[kind] : undefined
    return codec?.validate(input, context) ?? t.failure(input, context, `must have a kind: ${Object.keys(topicKinds).join(', ')}`)
  },
  t.identity,
)

const SubscriptionShape = closed(
  {
    topic: ResourceName,
    handler: text('engine, none or a projection', /^[a-z][A-Za-z0-9-]{0,63}$/, 'engine'),
    ackDeadline: duration(10 * second, 600 * second),
    exactlyOnce: t.boolean,
    ordering: t.boolean,
  },
  {
    retry: closed({ minimumBackOff: duration(0, 600 * second), maximumBackOff: duration(0, 600 * second) }),
    deadLetter: closed({ topic: ResourceName, attempts: whole(5, 100) }),
  },
)

const ScheduleShape = closed(
  {
    timeZone: t.literal('America/New_York'),
    calendar: t.literal('NYSE'),
    command: CommandType,
    body: new t.Type<Record<string, unknown>>(
      'a mapping',
      isMapping,
      (input, context) => (isMapping(input) ? t.success(input) : t.failure(input, context)),
      t.identity,
    ),
  },
  { cron: t.string, at: text('a moment relative to the close', /^close[+-]\d{1,3}m$/, 'close-5m') },
)

const FileShape = closed({
  topics: named(ResourceName, TopicShape),
  subscriptions: named(ResourceName, SubscriptionShape),
  schedules: named(JobName, ScheduleShape),
})

/** Crons run on weekdays, so what follows a close must not fall due on another day than the close. */
const staysOnItsDay = (minutes: number): boolean => 13 * 60 + minutes >= 0 && 16 * 60 + minutes < 24 * 60

/** Decodes the parsed file. @returns the topics, or one line that names the path in the file and what is wrong there */
export const decodeTopics = (value: unknown): Topics | string => {
  const file = decode(FileShape, value)
  if (!file.ok) return file.problem
  const schedules: Schedule[] = []
  for (const [job, { cron, at, timeZone, calendar, command, body }] of Object.entries(file.value.schedules)) {
    if ((cron === undefined) === (at === undefined)) return `schedules.${job}: needs either cron or at`
    const when: When =
      cron === undefined ? { kind: 'close', minutes: Number(at!.slice('close'.length, -1)) } : { kind: 'cron', expression: cron }
    if (when.kind === 'cron' && !isCron(when.expression)) return `schedules.${job}.cron: "${cron}" is not a cron expression of five fields`
    if (when.kind === 'close' && !staysOnItsDay(when.minutes)) return `schedules.${job}.at: ${at} is not on the day of each session`
    schedules.push({ job, when, timeZone, calendar, command: { type: command, body } })
  }
  const topics: Topics = { topics: file.value.topics, subscriptions: file.value.subscriptions as Topics['subscriptions'], schedules }
  return contradiction(topics) ?? topics
}

const contradiction = ({ topics, subscriptions, schedules }: Topics): string | undefined => {
  const owners = new Map<string, string>()
  for (const [name, topic] of Object.entries(topics))
    for (const type of typesOf(topic)) {
      if (owners.has(type)) return `topics.${name}.messages: ${type} travels on ${owners.get(type)} already`
      owners.set(type, name)
    }
  if (!owners.has(strategyEntry)) return `topics: no command topic has the entry ${strategyEntry}`
  for (const [name, { topic, deadLetter, retry }] of Object.entries(subscriptions)) {
    if (topics[topic] === undefined) return `subscriptions.${name}.topic: ${topic} is not declared`
    if (deadLetter && topics[deadLetter.topic]?.kind !== 'deadLetter')
      return `subscriptions.${name}.deadLetter.topic: ${deadLetter.topic} is not a declared topic of kind deadLetter`
    if (retry !== undefined && topics[topic].kind === 'deadLetter')
      return `subscriptions.${name}.retry: a dead letter that somebody has looked at must be there for the next one at once`
    if (retry !== undefined && retry.minimumBackOff > retry.maximumBackOff)
      return `subscriptions.${name}.retry: minimumBackOff is above maximumBackOff`
  }
  const jobs = schedules.flatMap((schedule) => cronsOf(schedule).map(({ name }) => name))
  const double = jobs.find((name, place) => jobs.indexOf(name) !== place)
  if (double !== undefined) return `schedules: two of them would be the job ${double} of Cloud Scheduler`
  const nameless = schedules.find(({ command }) => command.type === strategyEntry)
  return nameless && `schedules.${nameless.job}.command: name the strategy by its id`
}

// ── Looking up ──

const typesOf = (topic: Topic): readonly string[] =>
  topic.kind === 'command' ? Object.keys(topic.messages) : topic.kind === 'event' ? topic.messages : []

/** The name on the bus: `{mode}-commands` becomes `paper-commands`. */
export const nameFor = (name: string, mode: string): string => name.replaceAll('{mode}', mode)

const ownerOf = (topics: Topics, type: string): [string, Topic] | undefined =>
  Object.entries(topics.topics).find(([, topic]) => typesOf(topic).includes(type))

/** The topic of a message type on the bus. A command type that is not declared is a strategy's id. @throws Error for an undeclared event type */
export const topicOf = (topics: Topics, type: string, mode: string): string => {
  const owner = ownerOf(topics, type) ?? (/^[A-Z]/.test(type) ? undefined : ownerOf(topics, strategyEntry))
  if (owner === undefined) throw new Error(`topics.yaml has no topic for the event type ${type}`)
  return nameFor(owner[0], mode)
}

const rulesOf = (topics: Topics, commandType: string): CommandRules => {
  const commandTopics = Object.values(topics.topics).filter((topic) => topic.kind === 'command')
  const find = (type: string) => commandTopics.find(({ messages }) => Object.hasOwn(messages, type))?.messages[type]
  return find(commandType) ?? find(strategyEntry)!
}

/** Milliseconds from the publish time on, `Infinity` without end. A type that is not declared is a strategy's id. */
export const validForOf = (topics: Topics, commandType: string): number => rulesOf(topics, commandType).validFor

/** Milliseconds in which a pipeline of this type must end; undefined when it is none. */
export const endsWithinOf = (topics: Topics, commandType: string): number | undefined => rulesOf(topics, commandType).endsWithin

// ── Slots ── Epoch milliseconds at which a schedule falls due. Cron knows neither holidays nor early closes.

/** A message may be published a little before its slot; it belongs to it all the same. */
const earlyPublish = minute

/** No stretch without a session is longer than this. */
const longestPauseDays = 15

const cronFrom = (expression: string, currentDate: number) =>
  CronExpressionParser.parse(expression, { currentDate: new Date(currentDate), tz: 'America/New_York' })

const cronNames = /\b(sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\b/gi

/** Five fields as Cloud Scheduler reads them: no seconds, and none of the library's own letters. */
const isCron = (expression: string): boolean => {
  if (expression.trim().split(/\s+/).length !== 5 || !/^[\d\s*,/-]+$/.test(expression.replace(cronNames, '1'))) return false
  try {
    return cronFrom(expression, 0).hasNext()
  } catch {
    return false
  }
}

const closeSlots = (minutes: number, from: number, to: number): number[] =>
  sessions(addDays(newYorkDate(from), -1), addDays(newYorkDate(to), 1))
    .map(({ close }) => close + minutes * minute)
    .filter((slot) => slot > from && slot <= to)

const yearOf = (instant: number): number => Number(newYorkDate(instant).slice(0, 4))

const closes = new Map<number, readonly number[]>()

/** Minutes since midnight in New York at which sessions of a year close, ascending. */
const closesOf = (year: number): readonly number[] => {
  const known = closes.get(year)
  if (known) return known
  const times = sessions(`${year}-01-01`, `${year}-12-31`).map(({ date, close }) => (close - newYorkTime(date, '00:00')) / minute)
  const found = [...new Set(times)].sort((first, second) => first - second)
  closes.set(year, found)
  return found
}

/** Sessions have closed at the same times, 13:00 or 16:00, since this year. */
const sameClosesSince = 1993

/** What a scheduler that knows nothing but cron fires: its name, and five fields in New York time. */
export type Cron = { name: string; expression: string }

/** The crons of a schedule: its own, or one on weekdays for each possible close, such as `orchestrator-1300`. */
export const cronsOf = ({ job, when }: Pick<Schedule, 'job' | 'when'>, year = sameClosesSince): Cron[] => {
  if (when.kind === 'cron') return [{ name: job, expression: when.expression }]
  return closesOf(year).map((close) => {
    const due = close + when.minutes
    const wall = [Math.floor(close / 60), close % 60].map((part) => String(part).padStart(2, '0')).join('')
    return { name: `${job}-${wall}`, expression: `${due % 60} ${Math.floor(due / 60)} * * 1-5` }
  })
}

/** All slots after `from` up to and with `to`, ascending. */
export const slotsBetween = ({ when }: Schedule, from: number, to: number): number[] => {
  if (when.kind === 'close') return to > from ? closeSlots(when.minutes, from, to) : []
  const slots: number[] = []
  const cron = cronFrom(when.expression, from)
  for (let slot = cron.next().getTime(); slot <= to; slot = cron.next().getTime()) slots.push(slot)
  return slots
}

/** The slot that a cron job fires at or before that publish time, 60 s of grace included. */
const latestCron = (expression: string, publishedAt: number): number =>
  cronFrom(expression, publishedAt + earlyPublish + 1)
    .prev()
    .getTime()

/**
 * The slot to which a message of that publish time belongs: the latest at or before it, 60 s of grace included. Of a schedule at the close
 * it is the latest possible one, so that the job of a close that does not come about has a slot, and an id, of its own.
 */
export const latestSlot = (schedule: Schedule, publishedAt: number): number =>
  Math.max(...cronsOf(schedule, yearOf(publishedAt)).map(({ expression }) => latestCron(expression, publishedAt)))

/** The first slot strictly after a time. */
export const nextSlot = ({ when }: Schedule, after: number): number =>
  when.kind === 'close'
    ? closeSlots(when.minutes, after, after + longestPauseDays * day)[0]!
    : cronFrom(when.expression, after).next().getTime()

/** The command id of a job's slot: whoever publishes it, and however often, it is one command. */
export const slotId = (job: string, slot: number): string => `${job}@${new Date(slot).toISOString().replace(/\.000Z$/, 'Z')}`
