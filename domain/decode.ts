/** Turns io-ts failures into one line that a person can act on. */
import { isRight } from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'

const describe = (error: t.ValidationError): string => {
  const path = error.context
    .map((entry) => entry.key)
    .filter((key) => key !== '')
    // Intersections and unions number their members; those numbers mean nothing to a reader.
    .filter((key, index, keys) => !(/^\d+$/.test(key) && isMember(error, index, keys)))
    .join('.')
  const expected = error.message ?? `expected ${error.context.at(-1)?.type.name ?? 'another value'}, got ${show(error.value)}`
  return path === '' ? expected : `${path}: ${expected}`
}

const isMember = (error: t.ValidationError, index: number, keys: readonly string[]): boolean => {
  const entries = error.context.filter((entry) => entry.key !== '')
  const at = error.context.indexOf(entries[index]!)
  const parent = error.context[at - 1]?.type as { _tag?: string } | undefined
  return keys.length > 0 && (parent?._tag === 'IntersectionType' || parent?._tag === 'UnionType')
}

const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** The first few things that are wrong, by their path. */
export const explainDecodeErrors = (errors: t.Errors): string => {
  const lines = [...new Set(errors.map(describe))]
  return lines.slice(0, 3).join('; ') + (lines.length > 3 ? `; and ${lines.length - 3} more` : '')
}

export type Decoded<A> = { ok: true; value: A } | { ok: false; problem: string }

/** Decodes a value from outside; the problem names what is wrong and where. */
export const decode = <A>(codec: t.Decoder<unknown, A>, value: unknown): Decoded<A> => {
  const result = codec.decode(value)
  return isRight(result) ? { ok: true, value: result.right } : { ok: false, problem: explainDecodeErrors(result.left) }
}
