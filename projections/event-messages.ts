/** The events of the journal as messages, for readers outside: where they are published, and what they look like. */
import { type Commit, canonical, correlationOf, type StoredCommit } from '../domain/commit.ts'
import { nameFor, type Topics } from '../domain/topics.ts'

const eventTopicsOf = ({ topics }: Topics): string[] => Object.keys(topics).filter((name) => topics[name]!.kind === 'event')

/** The topic of the events, as the bus calls it. @throws Error unless topics.yaml has exactly one: their order is one */
export const eventTopicOf = (topics: Topics, mode: string): string => {
  const [name, ...others] = eventTopicsOf(topics)
  if (name === undefined) throw new Error('topics.yaml has no topic of kind event')
  if (others.length > 0)
    throw new Error(`topics.yaml has several topics of kind event (${[name, ...others].join(', ')}): events have one order`)
  return nameFor(name, mode)
}

/** Whether a subscription of topics.yaml reads the events; where the bus is embedded nobody else can. */
export const eventsAreRead = (topics: Topics): boolean => {
  const names = new Set(eventTopicsOf(topics))
  return Object.values(topics.subscriptions).some(({ topic }) => names.has(topic))
}

export type EventMessage = { data: string; attributes: Record<string, string> }

/**
 * One message an event, as it is stored: `{ type, v, occurredAt, recordedAt, position, data }` in canonical JSON.
 * `position` is that of the commit and the event's number in it, from 0: `12.0`.
 */
export const messagesOf = ({ json, position }: Pick<StoredCommit, 'json' | 'position'>): EventMessage[] => {
  const { events, recordedAt, cause } = JSON.parse(json) as Commit
  return events.map(({ type, v, occurredAt, data }, number) => {
    const place = `${position}.${number}`
    return {
      data: canonical({ type, v, occurredAt, recordedAt, position: place, data }),
      attributes: { type, v: String(v), position: place, ...correlationOf(cause) },
    }
  })
}
