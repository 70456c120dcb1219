/** The difference between what is wanted and what was found, as a list of actions. Pure. */
import type { Found, Kind, Resource, Value } from './resources.ts'

export type Change = { field: string; from: Value; to: Value }

export type Action =
  | { action: 'create'; resource: Resource }
  | { action: 'change'; resource: Resource; changes: Change[] }
  /** Google does not change this in place: `why`, and what a person would do. */
  | { action: 'cannotChange'; resource: Resource; changes: Change[]; why: string }
  /** Ours, and not in topics.yaml. Deleted only with --prune, and never when `kept` says who still needs it. */
  | { action: 'extra'; resource: Resource; kept?: string }

const anew = 'delete the subscription by hand (what is unread there is lost) and apply again'

/** Why a field cannot be changed from this value; undefined when it can. */
const fixed: Readonly<Record<Kind, Readonly<Record<string, (from: Value) => string | undefined>>>> = {
  topic: {},
  subscription: {
    topic: (from) => (from === '_deleted-topic_' ? `its topic was deleted: ${anew}` : `a subscription stays with its topic: ${anew}`),
    ordering: () => `ordering is fixed when a subscription is created: ${anew}`,
    filter: () => `a filter is fixed when a subscription is created: ${anew}`,
    detached: () => `a detached subscription gets no messages any more: ${anew}`,
    delivery: (from) => (String(from).startsWith('push') ? undefined : `a subscription that exports cannot be made to pull: ${anew}`),
  },
  job: {
    target: (from) =>
      String(from).startsWith('topic ') ? undefined : 'a job keeps its kind of target: delete the job by hand and apply again',
    state: (from) =>
      from === 'disabled'
        ? 'Cloud Scheduler disabled it because of an error: look into its log, delete it by hand and apply again'
        : undefined,
  },
}

const differences = (wanted: Resource, found: Resource): Change[] => {
  const there: Readonly<Record<string, Value>> = found.fields
  return Object.entries(wanted.fields as Readonly<Record<string, Value>>).flatMap(([field, to]) =>
    there[field] === to ? [] : [{ field, from: there[field] ?? null, to }],
  )
}

const compared = (resource: Resource, found: Resource | undefined): Action[] => {
  if (found === undefined) return [{ action: 'create', resource }]
  const changes = differences(resource, found)
  const whyNot = ({ field, from }: Change) => fixed[resource.kind][field]?.(from)
  const stuck = changes.filter((change) => whyNot(change) !== undefined)
  // A job has nothing to lose: one that must be made anew is not changed before.
  const free = resource.kind === 'job' && stuck.length > 0 ? [] : changes.filter((change) => !stuck.includes(change))
  return [
    ...(free.length > 0 ? [{ action: 'change' as const, resource, changes: free }] : []),
    ...stuck.map((change) => ({ action: 'cannotChange' as const, resource, changes: [change], why: whyNot(change)! })),
  ]
}

const same = (one: Resource) => (other: Resource) => one.kind === other.kind && one.name === other.name

/** A topic that somebody else reads, or a subscription that stays, is needed yet. */
const keptFor = (topic: Resource, found: readonly Found[], extras: readonly Found[]): string | undefined => {
  const readers = found.filter((each) => each.kind === 'subscription' && each.fields.topic === topic.name && !extras.includes(each))
  return readers.length === 0 ? undefined : `still read by ${readers.map(({ name }) => name).join(', ')}`
}

/** In the order in which they are carried out: what is made first (topics, subscriptions, jobs), then what is too much, the other way round. */
export const plan = (wanted: readonly Resource[], found: readonly Found[]): Action[] => {
  const extras = found.filter((each) => each.ours && !wanted.some(same(each)))
  const tooMuch = (['job', 'subscription', 'topic'] as const).flatMap((kind) => extras.filter((extra) => extra.kind === kind))
  return [
    ...wanted.flatMap((resource) => compared(resource, found.find(same(resource)))),
    ...tooMuch.map((resource): Action => {
      const kept = resource.kind === 'topic' ? keptFor(resource, found, extras) : undefined
      return { action: 'extra', resource, ...(kept === undefined ? {} : { kept }) }
    }),
  ]
}
