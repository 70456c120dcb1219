/** Topics and subscriptions as Pub/Sub's own messages have them. */
import type { PubSub, Subscription, SubscriptionMetadata, TopicMetadata } from '@google-cloud/pubsub'
import { type Found, isLabelled, labelsOf, type Resource, type Resources, type SubscriptionFields, type TopicFields } from './resources.ts'

/** Of each call, its repetitions included. */
const reading = { gaxOpts: { timeout: 8_000 } }
const gaxOpts = { timeout: 30_000 }

type FoundSubscription = NonNullable<Subscription['metadata']>
type Duration = { seconds?: unknown } | null | undefined

const secondsOf = (duration: Duration): number | null => (duration ? Number(duration.seconds ?? 0) : null)
const durationOf = (seconds: number) => ({ seconds, nanos: 0 })
const shortName = (path: string | null | undefined, project: string): string =>
  (path ?? '').replace(new RegExp(`^projects/${project}/(topics|subscriptions)/`), '')

// ── Reading ──

const topicFields = ({ messageRetentionDuration }: TopicMetadata): TopicFields => ({ retention: secondsOf(messageRetentionDuration) })

/** Pub/Sub deletes a subscription that says nothing about it after 31 days without a reader. */
const expirationOf = (policy: FoundSubscription['expirationPolicy']): number | null => (policy ? secondsOf(policy.ttl) : 31 * 86_400)

const deliveryOf = ({ pushConfig, bigqueryConfig, cloudStorageConfig, bigtableConfig }: FoundSubscription): string => {
  if (pushConfig?.pushEndpoint) return `push to ${pushConfig.pushEndpoint}`
  const exported = { BigQuery: bigqueryConfig, 'Cloud Storage': cloudStorageConfig, Bigtable: bigtableConfig }
  const target = Object.entries(exported).find(([, configured]) => configured)
  return target === undefined ? 'pull' : `export to ${target[0]}`
}

const subscriptionFields = (found: FoundSubscription, project: string): SubscriptionFields => ({
  topic: shortName(found.topic, project),
  delivery: deliveryOf(found),
  filter: found.filter ?? '',
  ordering: found.enableMessageOrdering ?? false,
  detached: found.detached ?? false,
  ackDeadline: found.ackDeadlineSeconds ?? 10,
  minimumBackOff: secondsOf(found.retryPolicy?.minimumBackoff),
  maximumBackOff: secondsOf(found.retryPolicy?.maximumBackoff),
  deadLetterTopic: found.deadLetterPolicy?.deadLetterTopic ? shortName(found.deadLetterPolicy.deadLetterTopic, project) : null,
  attempts: found.deadLetterPolicy?.maxDeliveryAttempts || null,
  exactlyOnce: found.enableExactlyOnceDelivery ?? false,
  expiration: expirationOf(found.expirationPolicy),
  retention: secondsOf(found.messageRetentionDuration as Duration) ?? 7 * 86_400,
})

// ── Writing ──

const topicMessage = ({ retention }: TopicFields): TopicMetadata => ({
  messageRetentionDuration: retention === null ? null : durationOf(retention),
})

/** By the name of Pub/Sub's field; `null` unsets. */
const subscriptionMessage = (fields: SubscriptionFields, project: string) => ({
  ackDeadlineSeconds: fields.ackDeadline,
  retryPolicy:
    fields.minimumBackOff === null || fields.maximumBackOff === null
      ? null
      : { minimumBackoff: durationOf(fields.minimumBackOff), maximumBackoff: durationOf(fields.maximumBackOff) },
  deadLetterPolicy:
    fields.deadLetterTopic === null
      ? null
      : { deadLetterTopic: `projects/${project}/topics/${fields.deadLetterTopic}`, maxDeliveryAttempts: fields.attempts ?? 5 },
  enableExactlyOnceDelivery: fields.exactlyOnce,
  expirationPolicy: fields.expiration === null ? {} : { ttl: durationOf(fields.expiration) },
  messageRetentionDuration: fields.retention,
  pushConfig: {},
})

const fieldOf: Readonly<Record<string, keyof ReturnType<typeof subscriptionMessage>>> = {
  ...{ ackDeadline: 'ackDeadlineSeconds', exactlyOnce: 'enableExactlyOnceDelivery', expiration: 'expirationPolicy' },
  ...{ minimumBackOff: 'retryPolicy', maximumBackOff: 'retryPolicy', deadLetterTopic: 'deadLetterPolicy', attempts: 'deadLetterPolicy' },
  ...{ retention: 'messageRetentionDuration', delivery: 'pushConfig' },
}

/** @param project its id, as it stands in the names of Pub/Sub */
export const pubsubResources = ({ pubsub, project, mode }: { pubsub: PubSub; project: string; mode: string }): Resources => {
  const find = async (): Promise<Found[]> => {
    const [[topics], [subscriptions]] = await Promise.all([pubsub.getTopics(reading), pubsub.getSubscriptions(reading)])
    return [
      ...topics.map(({ name, metadata = {} }): Found => {
        const short = shortName(name, project)
        return { kind: 'topic', name: short, fields: topicFields(metadata), ours: isOurs(short, metadata.labels) }
      }),
      ...subscriptions.map(({ name, metadata = {} }): Found => {
        const short = shortName(name, project)
        return { kind: 'subscription', name: short, fields: subscriptionFields(metadata, project), ours: isOurs(short, metadata.labels) }
      }),
    ]
  }
  const isOurs = (name: string, labels: Readonly<Record<string, string>> | null | undefined): boolean =>
    name.startsWith(`${mode}-`) && isLabelled(labels, mode)

  const create = async (resource: Resource): Promise<void> => {
    const labels = labelsOf(mode)
    if (resource.kind === 'topic') await pubsub.createTopic({ name: resource.name, labels, ...topicMessage(resource.fields) }, gaxOpts)
    if (resource.kind === 'subscription') {
      const { topic, ordering } = resource.fields
      const message = { ...subscriptionMessage(resource.fields, project), labels, enableMessageOrdering: ordering }
      await pubsub.createSubscription(topic, resource.name, { ...message, gaxOpts })
    }
  }

  const change = async (resource: Resource, fields: readonly string[]): Promise<void> => {
    if (resource.kind === 'topic') await pubsub.topic(resource.name).setMetadata(topicMessage(resource.fields), gaxOpts)
    if (resource.kind === 'subscription') {
      const message = subscriptionMessage(resource.fields, project)
      const changed = Object.fromEntries(fields.map((field) => [fieldOf[field]!, message[fieldOf[field]!]]))
      await pubsub.subscription(resource.name).setMetadata(changed as SubscriptionMetadata, gaxOpts)
    }
  }

  const remove = async ({ kind, name }: Resource): Promise<void> => {
    if (kind === 'topic') await pubsub.topic(name).delete(gaxOpts)
    if (kind === 'subscription') await pubsub.subscription(name).delete(gaxOpts)
  }

  return { find, create, change, remove }
}
