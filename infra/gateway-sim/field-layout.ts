/**
 * The layout of a message as data: which fields come in which order, from which server version on, which of them only if another
 * has a value, and which repeat. One description serves to read a message and to write it.
 */
import type { Field } from './wire.ts'

/** `since` and `until` are server versions, from and up to but not including. `empty` is written when there is no value. */
export type Slot = { name: string; since?: number; until?: number; empty?: Field }
/** These follow only when the values before them say so. */
export type Optional = { when: (values: Values, serverVersion: number) => boolean; fields: Layout }
/** A count, and so many rows of the same fields. */
export type Repeated = { rows: string; of: Layout }
export type Layout = readonly (Slot | Optional | Repeated)[]

export type Values = { readonly [name: string]: Field | readonly Values[] }
/** What was read: every field as the text it came as. */
export type Read = { [name: string]: string | Read[] }

// ── Descriptions ──

export const slots = (names: string): Slot[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ name }))
export const from = (since: number, names: string): Slot[] => slots(names).map((slot) => ({ ...slot, since }))
export const between = (since: number, until: number, names: string): Slot[] => from(since, names).map((slot) => ({ ...slot, until }))
/** A field that is written as `empty` when nobody gave it a value. */
export const orElse = (name: string, empty: Field): Slot[] => [{ name, empty }]
/** Fields that follow when that one is not empty: neither an empty text nor a list without rows. */
export const having = (name: string, fields: Layout): Optional[] => [{ when: (values) => isGiven(values[name]), fields }]
/** Fields that follow when that one is a number other than 0. */
export const unlessZero = (name: string, fields: Layout): Optional[] => [{ when: (values) => isSet(values[name]), fields }]
export const rows = (name: string, of: Layout): Repeated[] => [{ rows: name, of }]

const isGiven = (value: Field | readonly unknown[]): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '' && value !== false

/** Neither absent nor empty nor zero nor false, in whatever way a client writes it. */
export const isSet = (value: Field | readonly unknown[]): boolean =>
  isGiven(value) && value !== 'false' && (Array.isArray(value) || Number(value) !== 0)

const isIn = ({ since = 0, until = Number.POSITIVE_INFINITY }: Slot, serverVersion: number): boolean =>
  serverVersion >= since && serverVersion < until

// ── Reading and writing ──

const mostRows = 1000

/** `take` gives the next field and throws when there is none; `fail` makes the error for a count that is none. */
export const readLayout = (layout: Layout, take: () => string, serverVersion: number, fail: (problem: string) => Error): Read => {
  const read: Read = {}
  const readAll = (layout: Layout, into: Read): void => {
    for (const part of layout) {
      if ('name' in part) {
        if (isIn(part, serverVersion)) into[part.name] = take()
      } else if ('when' in part) {
        if (part.when(into, serverVersion)) readAll(part.fields, into)
      } else {
        into[part.rows] = Array.from({ length: countOf(part.rows, take(), fail) }, () => {
          const row: Read = {}
          readAll(part.of, row)
          return row
        })
      }
    }
  }
  readAll(layout, read)
  return read
}

const countOf = (name: string, text: string, fail: (problem: string) => Error): number => {
  const count = text === '' ? 0 : Number(text)
  if (!Number.isInteger(count) || count < 0 || count > mostRows) throw fail(`${name} come ${JSON.stringify(text)} times`)
  return count
}

export const writeLayout = (layout: Layout, values: Values, serverVersion: number): Field[] =>
  layout.flatMap((part): Field[] => {
    if ('when' in part) return part.when(values, serverVersion) ? writeLayout(part.fields, values, serverVersion) : []
    if ('rows' in part) {
      const given = values[part.rows]
      const list = Array.isArray(given) ? given : []
      return [list.length, ...list.flatMap((row) => writeLayout(part.of, row, serverVersion))]
    }
    if (!isIn(part, serverVersion)) return []
    const value = values[part.name]
    return [value === undefined || value === '' || Array.isArray(value) ? part.empty : (value as Field)]
  })
