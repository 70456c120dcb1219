/** What topics.yaml asks of a project, for one trading mode. Pure. */
import { canonical } from '../../../domain/commit.ts'
import { cronsOf, nameFor, type Schedule, type Subscription, type Topics, topicOf, validForOf } from '../../../domain/topics.ts'
import type { Resource } from './resources.ts'

export type Place = {
  mode: string
  /** Of Cloud Scheduler's jobs; without one none are wanted. */
  location?: string
  /** Google's emulator keeps the messages of a subscription for a week at most. */
  emulated?: boolean
}

const week = 7 * 86_400

/** Topics first, then their subscriptions, then the jobs: the order in which they can be made. */
export const wanted = (topics: Topics, place: Place): Resource[] => [
  ...Object.entries(topics.topics).map(
    ([name, { retention }]): Resource => ({ kind: 'topic', name: nameFor(name, place.mode), fields: { retention: retention / 1_000 } }),
  ),
  ...Object.entries(topics.subscriptions).map(([name, subscription]) => wantedSubscription(topics, name, subscription, place)),
  ...(place.location === undefined ? [] : topics.schedules.flatMap((schedule) => wantedJobs(topics, schedule, place))),
]

const wantedSubscription = (topics: Topics, name: string, subscription: Subscription, { mode, emulated }: Place): Resource => {
  const { topic, ackDeadline, retry, deadLetter, exactlyOnce, ordering } = subscription
  const kept = topics.topics[topic]!.retention / 1_000
  return {
    kind: 'subscription',
    name: nameFor(name, mode),
    fields: {
      topic: nameFor(topic, mode),
      delivery: 'pull',
      filter: '',
      ordering,
      detached: false,
      ackDeadline: ackDeadline / 1_000,
      minimumBackOff: retry === undefined ? null : retry.minimumBackOff / 1_000,
      maximumBackOff: retry === undefined ? null : retry.maximumBackOff / 1_000,
      deadLetterTopic: deadLetter === undefined ? null : nameFor(deadLetter.topic, mode),
      attempts: deadLetter?.attempts ?? null,
      exactlyOnce,
      expiration: null,
      retention: emulated ? Math.min(kept, week) : kept,
    },
  }
}

/** Cloud Scheduler goes on until both are used up: the attempts, which take 35 s together, and the time. */
const retries = 3
const longestRetry = 300

/** A job that comes late is refused, so it is not tried for longer than half of the time for which its command counts. */
const wantedJobs = (topics: Topics, schedule: Schedule, { mode }: Place): Resource[] => {
  const { job, command, timeZone } = schedule
  return cronsOf(schedule).map(({ name, expression }) => ({
    kind: 'job',
    name: `${mode}-${name}`,
    fields: {
      target: `topic ${topicOf(topics, command.type, mode)}`,
      schedule: expression,
      timeZone,
      attributes: canonical({ type: command.type, job, source: 'scheduler' }),
      body: canonical(command.body),
      retries,
      retriedFor: Math.min(longestRetry, validForOf(topics, command.type) / 2_000),
      minimumBackOff: 5,
      maximumBackOff: 30,
      state: 'enabled',
    },
  }))
}
