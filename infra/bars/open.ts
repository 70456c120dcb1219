/** Where the bars lie: BARS_DIR, a folder or `gs://bucket/prefix`; by default `bars` in the data folder. */
import { join } from 'node:path'
import type { BarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import { createBarCatalogue } from './catalogue.ts'
import type { BarFiles } from './files.ts'
import { openFolder } from './folder.ts'

/** `gs://bucket`, or with a prefix; the names that Cloud Storage gives to buckets. */
const bucketShape = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/

export type BarsPlace = { dataDirectory: string; barsDirectory?: string }
export type OpenBars = BarCatalogue & { close(): Promise<void> }

/** Whether it can be a place for bars; a folder may have any name. */
export const isBarsDirectory = (text: string): boolean => !/^[a-z]+:\/\//.test(text) || bucketShape.test(text)

/** Nothing is made or asked before the first use. @throws Error in one line */
export const openBars = async ({ dataDirectory, barsDirectory = join(dataDirectory, 'bars') }: BarsPlace): Promise<OpenBars> => {
  const files = await openFiles(barsDirectory)
  return { ...createBarCatalogue(files), close: files.close }
}

const openFiles = async (place: string): Promise<BarFiles> => {
  const [, bucket, root = ''] = bucketShape.exec(place) ?? []
  if (bucket === undefined) return openFolder(place)
  const { openBucket } = await import('./bucket.ts') // Google's client takes its time to load: only for those who use it
  return openBucket({ bucket, root })
}
