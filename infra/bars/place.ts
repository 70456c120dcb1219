/** Where bars may lie: a folder, or `gs://bucket` with a prefix or without, in the names that Cloud Storage gives to buckets. */
const bucketShape = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/

export type BarsPlace = { kind: 'folder'; path: string } | { kind: 'bucket'; bucket: string; root: string }

/** @returns undefined for an address of any other kind */
export const readBarsPlace = (text: string): BarsPlace | undefined => {
  const [, bucket, root = ''] = bucketShape.exec(text) ?? []
  if (bucket !== undefined) return { kind: 'bucket', bucket, root }
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) ? undefined : { kind: 'folder', path: text }
}
