/** Writes to one path, laid over one another: a batch names each document once, and means the same as its writes one by one. */
import type { Document, DocumentWrite } from '../domain/ports/documents.ts'
import { unreachable } from '../domain/unreachable.ts'

const combined = (before: DocumentWrite | undefined, next: DocumentWrite): DocumentWrite => {
  if (next.kind !== 'merge' || before === undefined) return next
  const { path } = next
  switch (before.kind) {
    case 'set':
    case 'merge':
      return { kind: before.kind, path, data: { ...before.data, ...next.data } }
    case 'delete':
      return { kind: 'set', path, data: next.data } // a merge into a document that is gone creates it
    default:
      return unreachable(before)
  }
}

export const coalesce = (writes: Iterable<DocumentWrite>): DocumentWrite[] => {
  const byPath = new Map<string, DocumentWrite>()
  for (const write of writes) byPath.set(write.path, combined(byPath.get(write.path), write))
  return [...byPath.values()]
}

/** What one batch may take: Firestore takes 10 MiB a request, its emulator 4, and JSON is not the whole of it. */
export const largestBatch = { documents: 400, bytes: 3_000_000 }

/** Each write is asked for twice: whether it fits, and when it is added. */
const counted = new WeakMap<DocumentWrite, number>()
const bytesOf = (write: DocumentWrite): number => {
  const known = counted.get(write)
  if (known !== undefined) return known
  const bytes = Buffer.byteLength(write.path) + (write.kind === 'delete' ? 0 : Buffer.byteLength(JSON.stringify(write.data)))
  counted.set(write, bytes)
  return bytes
}

/** How full a batch is, its writes laid over one another. */
export const createMeasure = () => {
  const byPath = new Map<string, { write: DocumentWrite; bytes: number }>()
  let total = 0
  return {
    /** Whether these fit beside what is there. The first ones always do: what belongs together is not split. */
    takes: (writes: readonly DocumentWrite[]): boolean => {
      if (byPath.size === 0) return true
      const added = new Set(writes.flatMap(({ path }) => (byPath.has(path) ? [] : [path])))
      const bytes = writes.reduce((sum, write) => sum + bytesOf(write), 0)
      return byPath.size + added.size <= largestBatch.documents && total + bytes <= largestBatch.bytes
    },
    add: (writes: readonly DocumentWrite[]): void => {
      for (const next of writes) {
        const before = byPath.get(next.path)
        const write = combined(before?.write, next)
        const bytes = bytesOf(write)
        total += bytes - (before?.bytes ?? 0)
        byPath.set(next.path, { write, bytes })
      }
    },
  }
}

/** The writes in their order, in batches that are not too large; at least one, if only an empty one. */
export const inBatches = (writes: readonly DocumentWrite[]): DocumentWrite[][] => {
  const batches: DocumentWrite[][] = [[]]
  let measure = createMeasure()
  for (const write of writes) {
    if (!measure.takes([write])) {
      measure = createMeasure()
      batches.push([])
    }
    measure.add([write])
    batches.at(-1)!.push(write)
  }
  return batches
}

/** The documents that the writes give, in memory. Changes the map. */
export const applyTo = (documents: Map<string, Document>, writes: Iterable<DocumentWrite>): void => {
  for (const write of writes) {
    if (write.kind === 'delete') documents.delete(write.path)
    else documents.set(write.path, write.kind === 'set' ? write.data : { ...documents.get(write.path), ...write.data })
  }
}
