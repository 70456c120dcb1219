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

/** The documents that the writes give, in memory. Changes the map. */
export const applyTo = (documents: Map<string, Document>, writes: Iterable<DocumentWrite>): void => {
  for (const write of writes) {
    if (write.kind === 'delete') documents.delete(write.path)
    else documents.set(write.path, write.kind === 'set' ? write.data : { ...documents.get(write.path), ...write.data })
  }
}
