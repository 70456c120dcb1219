/** Opens the catalogue where BARS_DIR says; by default in the folder `bars` of the data. */
import { join } from 'node:path'
import type { BarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import { createBarCatalogue } from './catalogue.ts'
import type { BarFiles } from './files.ts'
import { openFolder } from './folder.ts'
import { readBarsPlace } from './place.ts'

export type OpenBars = BarCatalogue & { close(): Promise<void> }

/** Nothing is made or asked before the first use. @throws Error in one line */
export const openBars = async ({ dataDirectory, barsDirectory }: { dataDirectory: string; barsDirectory?: string }): Promise<OpenBars> => {
  const files = await openFiles(barsDirectory ?? join(dataDirectory, 'bars'))
  return { ...createBarCatalogue(files), close: files.close }
}

const openFiles = async (text: string): Promise<BarFiles> => {
  const place = readBarsPlace(text)
  if (place === undefined) throw new Error(`BARS_DIR: ${text} is neither a folder nor gs://bucket/prefix`)
  if (place.kind === 'folder') return openFolder(place.path)
  const { openBucket } = await import('./bucket.ts') // Google's client takes its time to load: only for those who use it
  return openBucket(place)
}
