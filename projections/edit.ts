/**
 * What a hand edit of `config/*` asks for. Pure: the document as the journal gives it and the document as it was found give
 * a command, everything that is wrong with the edit, or both.
 */
import { readEnvelope } from '../domain/commands.ts'
import { canonical, sha256 } from '../domain/commit.ts'
import { type Configuration, changesBetween } from '../domain/configuration.ts'
import type { Document, DocumentWrite } from '../domain/ports/documents.ts'

export type Wish = { type: 'halt'; body: { reason: string } } | { type: 'configure'; body: { changes: Configuration } }
/** Without a wish there is at least one problem, and the document is put back. */
export type Edit = { wish?: Wish; problems: string[] }

const longestShown = 120

/** Canonical text of whatever stands in a document: the console of a store can write what has no JSON form (NaN, a number beyond JSON). */
export const comparableText = (value: unknown): string => {
  const plain = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part))) return `a number: ${part}`
    return part
  })
  return plain === undefined ? 'nothing' : canonical(JSON.parse(plain))
}

export const shorten = (text: string, longest = longestShown): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text)
const show = (value: unknown): string => shorten(comparableText(value))

const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

type Difference = { field: string; is: 'changed' | 'gone' | 'unknown' }

const differencesOf = (expected: Document, found: Document): Difference[] => [
  ...Object.keys(expected).flatMap((field): Difference[] => {
    if (!Object.hasOwn(found, field)) return [{ field, is: 'gone' }]
    return comparableText(found[field]) === comparableText(expected[field]) ? [] : [{ field, is: 'changed' }]
  }),
  ...Object.keys(found).flatMap((field): Difference[] => (Object.hasOwn(expected, field) ? [] : [{ field, is: 'unknown' }])),
]

const problemOf = ({ field, is }: Difference, expected: Document, found: Document): string => {
  if (is === 'unknown') return `${shorten(field)} is not a field of this document`
  if (is === 'gone') return `${field} was taken away; it is ${show(expected[field])}`
  return `${field} is ${show(expected[field])} and not edited here, found ${show(found[field])}`
}

/**
 * `config/{mode}`: anything but true in the place of true is a wish to halt, however it is written; a field or a document that is gone is not.
 * Switching on is more than a tick: it needs a `resume`.
 */
export const readSwitchEdit = (path: string, expected: Document, found: Document | undefined): Edit => {
  if (found === undefined) return { problems: [`the document was deleted; tradingEnabled is ${show(expected['tradingEnabled'])}`] }
  const differences = differencesOf(expected, found)
  const on = expected['tradingEnabled'] === true
  const switched = differences.some(({ field, is }) => field === 'tradingEnabled' && is === 'changed')
  const halts = on && switched
  const problems = differences.flatMap((difference) => {
    if (difference.field !== 'tradingEnabled' || !switched) return [problemOf(difference, expected, found)]
    if (halts) return []
    return found['tradingEnabled'] === true
      ? ['tradingEnabled cannot be set to true here: publish resume to switch trading on']
      : [problemOf(difference, expected, found)]
  })
  return { ...(halts ? { wish: { type: 'halt', body: { reason: `trading was switched off in ${path} by hand` } } } : {}), problems }
}

/** Stands beside the settings in `config/common`: with it they are as a program wrote them, and nobody has touched them. */
export const digestOf = (settings: unknown): string => sha256(comparableText(settings))

/** A default of another version is nobody's wish: as a `configure` it would stay in force for ever. */
const isOfAnotherVersion = (expected: Document, found: Document): boolean =>
  found['settings_sha256'] !== expected['settings_sha256'] && found['settings_sha256'] === digestOf(found['settings'])

/**
 * `config/common`: the settings that differ become one `configure`, or none of them does.
 * `underWay`: settings of an earlier edit that is not decided yet; those that show their old value again are asked back.
 */
export const readSettingsEdit = (expected: Document, found: Document | undefined, underWay: Configuration = {}): Edit => {
  if (found === undefined) return { problems: ['the document was deleted'] }
  if (isOfAnotherVersion(expected, found)) return { problems: ['another version of this program wrote it'] }
  const others = differencesOf(expected, found).filter(({ field, is }) => field !== 'settings' || is !== 'changed')
  const problems = others.map((difference) => problemOf(difference, expected, found))
  const inForce = expected['settings'] as Configuration
  const wanted = found['settings']
  if (!Object.hasOwn(found, 'settings')) return { problems }
  if (!isMapping(wanted)) return { problems: [...problems, `settings must be a map of settings by name, found ${show(wanted)}`] }
  const { changes, problems: wrong } = changesBetween(inForce, wanted)
  const back = Object.keys(underWay).filter((name) => Object.hasOwn(inForce, name) && wanted[name] === inForce[name])
  const all: Configuration = { ...changes, ...Object.fromEntries(back.map((name) => [name, inForce[name]!])) }
  if (wrong.length > 0) return { problems: [...wrong.map((text) => shorten(text, 300)), ...problems] }
  if (Object.keys(all).length === 0) return { problems }
  const body = { changes: all }
  const message = { id: 'console', data: JSON.stringify(body), publishedAt: '', attributes: { type: 'configure' } }
  const envelope = readEnvelope(message, () => undefined)
  return envelope.ok ? { wish: { type: 'configure', body }, problems } : { problems: [envelope.problem, ...problems] }
}

/** Gives back what was edited, and no more where that is possible: a field that somebody changes meanwhile is not overwritten. */
export const repairOf = (path: string, expected: Document, found: Document | undefined): DocumentWrite => {
  const differences = found === undefined ? [] : differencesOf(expected, found)
  if (found === undefined || differences.some(({ is }) => is === 'unknown')) return { kind: 'set', path, data: expected }
  return { kind: 'merge', path, data: Object.fromEntries(differences.map(({ field }) => [field, expected[field]!])) }
}
