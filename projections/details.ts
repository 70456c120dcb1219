/**
 * What would make a document too large is stored beside it: its long lists go, in parts, to `details/{sha256}`, and in their place stands
 * how many rows there are and where. The rest stays as the document's head, so that it reads as always.
 */
import { canonical, sha256 } from '../domain/commit.ts'
import type { DocumentWrite, Json } from '../domain/ports/documents.ts'

type Fields = { readonly [key: string]: Json }
export type Stored = { value: Json; writes: DocumentWrite[] }

/**
 * `of` and `field` say whose the rows are. `most`: bytes that the value may take in its document.
 * `changes`: rows that change are found by the hash of where they stand, so that each change takes the place of the one before;
 * all others by the hash of what they are.
 */
export type Place = { of: string; field: string; most: number; changes?: boolean }

/** Bytes of one part: many of them are read at once, and each stays far below what a store takes. */
const largestPart = 300_000
/** So few rows are never too many: measuring them at each commit would cost more than it saves. */
const alwaysFit = 50

const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value))
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)
const isFields = (value: Json): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const inParts = (rows: readonly Json[]): Json[][] => {
  const parts: Json[][] = []
  let room = 0
  for (const row of rows) {
    const bytes = bytesOf(row) + 1
    if (parts.length === 0 || bytes > room) {
      parts.push([])
      room = largestPart
    }
    parts.at(-1)!.push(row)
    room -= bytes
  }
  return parts
}

const listBeside = (rows: readonly Json[], { of, field, changes = false }: Place): Stored => {
  const parts = inParts(rows)
  const writes = parts.map((part, index): DocumentWrite => {
    const data = { of, field, part: index + 1, parts: parts.length, rows: part }
    return { kind: 'set', path: `details/${sha256(changes ? canonical([of, field, index + 1]) : canonical(data))}`, data }
  })
  return { value: { rows: rows.length, details: writes.map(({ path }) => path) }, writes }
}

/** The value as its document takes it, and the documents beside. What is small enough stays as it is. */
export const storedBeside = (value: Json, place: Place): Stored => {
  if (isList(value) && value.length <= alwaysFit) return { value, writes: [] }
  let left = bytesOf(value) - place.most
  if (left <= 0) return { value, writes: [] }
  if (isList(value)) return listBeside(value, place)
  if (!isFields(value)) return { value, writes: [] }
  const head: Record<string, Json> = { ...value }
  const writes: DocumentWrite[] = []
  const lists = Object.entries(value).flatMap(([name, rows]) => (isList(rows) ? [{ name, rows, bytes: bytesOf(rows) }] : []))
  for (const { name, rows, bytes } of lists.sort((one, other) => other.bytes - one.bytes)) {
    if (left <= 0) break
    const beside = listBeside(rows, { ...place, field: `${place.field}.${name}` })
    head[name] = beside.value
    writes.push(...beside.writes)
    left -= bytes - bytesOf(beside.value)
  }
  return { value: head, writes }
}
