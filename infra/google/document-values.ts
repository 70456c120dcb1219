/** What Firestore can hold of JSON, and JSON for whatever it holds. */
import { type DocumentData, DocumentReference, GeoPoint, Timestamp } from '@google-cloud/firestore'
import { type Document, type Json, Unstorable } from '../../domain/ports/documents.ts'

/** Firestore's limits, in bytes of its own count and in levels of maps and lists. */
const largestDocument = 1_048_576
const largestName = 1_500
const deepest = 20

/** `bytes` by Firestore's own rule of what a document takes; `sent`: no less than what it takes in a request. */
export type Size = { bytes: number; sent: number }

/** More than the frame that any one value needs in a request. */
const frame = 16
const reserved = /^__.*__$/s

/** Bytes of the text as Firestore counts them. */
const textBytes = (text: string): number => Buffer.byteLength(text) + 1

const pathBytes = (path: string): number => path.split('/').reduce((total, segment) => total + textBytes(segment), 16)

/** @throws Unstorable naming the document and the field when Firestore could not hold it or would give back something else */
export const sizeOf = (path: string, data: Document): Size => {
  let values = 0
  const refuse = (where: readonly string[], problem: string): never => {
    throw new Unstorable(path, `Firestore cannot hold ${path}: ${where.length === 0 ? 'it' : `its field ${where.join('.')}`} ${problem}`)
  }
  const fields = (map: { readonly [key: string]: Json }, where: readonly string[]): number => {
    let bytes = 0
    for (const [name, value] of Object.entries(map)) {
      const place = [...where, name]
      if (name === '' || reserved.test(name) || !name.isWellFormed()) refuse(place, 'has a name that is empty, reserved or no text')
      if (textBytes(name) > largestName) refuse(where, `has a name of more than ${largestName} bytes`)
      bytes += textBytes(name) + measured(value, place, false)
    }
    return bytes
  }
  const measured = (value: Json, where: readonly string[], inList: boolean): number => {
    values += 1
    if (where.length > deepest) refuse(where, `is deeper than ${deepest} levels`)
    if (value === null || typeof value === 'boolean') return 1
    if (typeof value === 'number') return Number.isFinite(value) ? 8 : refuse(where, `is ${value}`)
    if (typeof value === 'string') return value.isWellFormed() ? textBytes(value) : refuse(where, 'is no text: it has half a character')
    if (typeof value !== 'object') return refuse(where, `is ${typeof value}`)
    if (!Array.isArray(value)) return fields(value as { readonly [key: string]: Json }, where)
    if (inList) refuse(where, 'is a list directly in a list')
    return value.reduce((bytes: number, each: Json, place) => bytes + measured(each, [...where, String(place)], true), 0)
  }
  const bytes = 32 + pathBytes(path) + fields(data, [])
  if (bytes > largestDocument) refuse([], `takes ${bytes} bytes, of ${largestDocument} at most`)
  return { bytes, sent: bytes + frame * (values + 4) }
}

// ── Back again ──

/** Values that only others can have put there show as what they are: never equal to anything a view writes by accident. */
const jsonOf = (value: unknown): Json => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : { number: String(value) }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value instanceof Timestamp) return { timestamp: value.toDate().toISOString(), nanoseconds: value.nanoseconds }
  if (value instanceof DocumentReference) return { reference: value.path }
  if (value instanceof GeoPoint) return { latitude: value.latitude, longitude: value.longitude }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) return documentOf(value as DocumentData)
  return { foreign: String(value) }
}

export const documentOf = (data: DocumentData): Document =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, jsonOf(value)]))
