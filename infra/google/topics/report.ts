/** A plan as people read it. Pure. */
import type { Action, Change } from './plan.ts'
import type { Kind, Resource, Value } from './resources.ts'

const words = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

const durations: Readonly<Record<Kind, readonly string[]>> = {
  topic: ['retention'],
  subscription: ['ackDeadline', 'minimumBackOff', 'maximumBackOff', 'expiration', 'retention'],
  job: ['retriedFor', 'minimumBackOff', 'maximumBackOff'],
}

const inWords = (seconds: number): string => {
  const [size, unit] = (
    [
      [86_400, 'd'],
      [3_600, 'h'],
      [60, 'min'],
    ] as const
  ).find(([size]) => seconds >= size && seconds % size === 0) ?? [1, 's']
  return `${seconds / size} ${unit}`
}

const shown = (kind: Kind, field: string, value: Value): string => {
  if (value === null) return field === 'expiration' ? 'never' : 'none'
  if (typeof value === 'number' && durations[kind].includes(field)) return inWords(value)
  return value === '' ? 'none' : String(value)
}

const nameOf = ({ kind, name }: Resource): string => `${kind} ${name}`
const fieldLines = ({ kind, fields }: Resource): string[] =>
  Object.entries(fields as Readonly<Record<string, Value>>).map(([field, value]) => `    ${words(field)}: ${shown(kind, field, value)}`)
const changeLines = (kind: Kind, changes: readonly Change[]): string[] =>
  changes.map(({ field, from, to }) => `    ${words(field)}: ${shown(kind, field, from)} → ${shown(kind, field, to)}`)

const linesOf = (step: Action): string[] => {
  const { resource } = step
  switch (step.action) {
    case 'create':
      return [`+ ${nameOf(resource)}`, ...fieldLines(resource)]
    case 'change':
      return [`~ ${nameOf(resource)}`, ...changeLines(resource.kind, step.changes)]
    case 'cannotChange':
      return [`! ${nameOf(resource)} cannot be changed in place`, ...changeLines(resource.kind, step.changes), `    ${step.why}`]
    case 'extra':
      return [`- ${nameOf(resource)} is not in topics.yaml (${step.kept ?? 'deleted only by apply --prune'})`]
  }
}

const counted: readonly (readonly [Action['action'], string])[] = [
  ['create', 'to create'],
  ['change', 'to change'],
  ['cannotChange', 'that cannot be changed in place'],
  ['extra', 'too much'],
]

/** `3 to create, 1 to change`; empty when there is nothing to do. */
export const summaryOf = (actions: readonly Action[]): string =>
  counted
    .map(([wanted, text]) => [actions.filter(({ action }) => action === wanted).length, text] as const)
    .flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`]))
    .join(', ')

export const textOf = (actions: readonly Action[]): string =>
  actions.length === 0 ? 'nothing to do' : [...actions.flatMap(linesOf), summaryOf(actions)].join('\n')
