/**
 * What topics.yaml asks of a project and what stands there, in one shape: plain fields that are compared as they are.
 * Durations are seconds. Names are without the project, except those of another one.
 */

/** `retention: null`: a topic that keeps nothing by itself. */
export type TopicFields = { retention: number | null }

export type SubscriptionFields = {
  topic: string
  /** `pull`, or where else its messages go. */
  delivery: string
  filter: string
  ordering: boolean
  detached: boolean
  ackDeadline: number
  minimumBackOff: number | null
  maximumBackOff: number | null
  deadLetterTopic: string | null
  attempts: number | null
  exactlyOnce: boolean
  /** Time without a reader after which Pub/Sub deletes it; null: never. */
  expiration: number | null
  retention: number
}

export type JobFields = {
  /** `topic NAME`, or what else it calls. */
  target: string
  schedule: string
  timeZone: string
  /** Canonical JSON. */
  attributes: string
  body: string
  retries: number
  /** Further attempts are begun for so long. */
  retriedFor: number
  minimumBackOff: number
  maximumBackOff: number
  state: 'enabled' | 'paused' | 'disabled' | 'update failed'
}

export type Resource =
  | { kind: 'topic'; name: string; fields: TopicFields }
  | { kind: 'subscription'; name: string; fields: SubscriptionFields }
  | { kind: 'job'; name: string; fields: JobFields }

export type Kind = Resource['kind']
export type Value = string | number | boolean | null

/** `ours`: it bears the mark that `apply` gives to what it creates for this trading mode. Nothing else is ever deleted. */
export type Found = Resource & { ours: boolean }

/** Read and changed by `apply`. Each call fails with the error of Google's client. */
export type Resources = {
  find(): Promise<Found[]>
  create(resource: Resource): Promise<void>
  /** Sets these fields of what is there already. */
  change(resource: Resource, fields: readonly string[]): Promise<void>
  remove(resource: Resource): Promise<void>
}

/** The mark on topics and subscriptions, given when they are created. */
export const labelsOf = (mode: string): Record<string, string> => ({ 'managed-by': 'ib-trading', 'trading-mode': mode })

export const isLabelled = (labels: Readonly<Record<string, string>> | null | undefined, mode: string): boolean =>
  Object.entries(labelsOf(mode)).every(([name, value]) => labels?.[name] === value)
