/** Files of bars that are nowhere but in the test, with a record of what was read. */
import type { BarFiles } from '../infra/bars/files.ts'

export const barFilesInMemory = (): BarFiles & {
  reads: string[]
  contents: Map<string, { bytes: Uint8Array<ArrayBuffer>; version: string }>
} => {
  const contents = new Map<string, { bytes: Uint8Array<ArrayBuffer>; version: string }>()
  const reads: string[] = []
  let writes = 0
  return {
    contents,
    reads,
    read: async (name) => {
      reads.push(name)
      return contents.get(name)
    },
    write: async (name, bytes, after) => {
      if (contents.get(name)?.version !== after) return false
      contents.set(name, { bytes: new Uint8Array(bytes), version: String(++writes) })
      return true
    },
    list: async (folder) => [...contents.keys()].flatMap((name) => (name.startsWith(`${folder}/`) ? [name.slice(folder.length + 1)] : [])),
    place: (name) => name,
    close: async () => undefined,
  }
}
