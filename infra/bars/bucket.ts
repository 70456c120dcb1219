/**
 * Files of bars in a bucket of Cloud Storage. An object is replaced only while its generation is the one that was read, so of two writers
 * one is told to read again. Credentials are the application default ones.
 */
import { randomUUID } from 'node:crypto'
import { type ApiError, CRC32C, Storage } from '@google-cloud/storage'
import { googleAuthLibrary } from 'google-gax'
import { BarsUnavailable } from '../../domain/ports/bar-catalogue.ts'
import type { BarFiles, StoredFile } from './files.ts'

const notFound = 404
const preconditionFailed = 412
const retries = 4
/** Milliseconds for one download. */
const patience = 30_000

const checksum = (bytes: Uint8Array): string => {
  const sum = new CRC32C()
  sum.update(Buffer.from(bytes))
  return sum.toString()
}

/** A number where the server answered; the name of a system's error, which is none, where it did not. */
const codeOf = (error: unknown): number => Number((error as ApiError).code)

/** @param root the part of each name before the catalogue's own, without a slash at its end; may be empty @param endpoint of a server that stands in */
export const openBucket = ({ bucket: bucketName, root, endpoint }: { bucket: string; root: string; endpoint?: string }): BarFiles => {
  const storage = new Storage({
    retryOptions: { maxRetries: retries, totalTimeout: 60 },
    ...(endpoint === undefined
      ? {}
      : { apiEndpoint: endpoint, projectId: 'standing-in', authClient: new googleAuthLibrary.PassThroughClient() }),
  })
  const bucket = storage.bucket(bucketName)
  const fullName = (name: string): string => (root === '' ? name : `${root}/${name}`)
  const place = (name: string): string => `gs://${bucketName}/${fullName(name)}`

  const fail = (name: string, error: unknown): never => {
    const code = codeOf(error)
    const isRefused = code >= 400 && code < 500 && code !== 408 && code !== 429
    throw new BarsUnavailable(isRefused ? 'refused' : 'unreachable', `${place(name)}: ${(error as Error).message}`, { cause: error })
  }
  const orAbsent = async <Answer>(question: Promise<Answer>): Promise<Answer | undefined> => {
    try {
      return await question
    } catch (error) {
      if (codeOf(error) === notFound) return undefined
      throw error
    }
  }
  /**
   * Bytes and generation of one answer, so that nobody can replace the object between the two. Not by the client's own download: when
   * that has to ask again, a promise fails that nobody can hear, and the process would end.
   */
  const download = async (name: string): Promise<StoredFile> => {
    const { data, headers } = await storage.authClient.request<ArrayBuffer>({
      url: `${storage.apiEndpoint}/storage/v1/b/${bucketName}/o/${encodeURIComponent(fullName(name))}`,
      params: { alt: 'media' },
      responseType: 'arraybuffer',
      retryConfig: { retry: retries },
      timeout: patience,
    })
    const version = headers.get('x-goog-generation')
    if (version === null) throw new Error('the answer names no generation')
    return { bytes: new Uint8Array(data), version }
  }

  return {
    read: async (name) => {
      try {
        return await orAbsent(download(name))
      } catch (error) {
        return fail(name, error)
      }
    },
    write: async (name, bytes, after) => {
      const mark = randomUUID()
      try {
        await bucket.file(fullName(name)).save(Buffer.from(bytes), {
          resumable: false,
          // Checked by the server before it takes the bytes. The client's own check comes after that, and deletes whatever is there then.
          validation: false,
          preconditionOpts: { ifGenerationMatch: after ?? 0 },
          metadata: { contentType: 'application/vnd.apache.parquet', crc32c: checksum(bytes), metadata: { mark } },
        })
        return true
      } catch (error) {
        if (codeOf(error) !== preconditionFailed) return fail(name, error)
      }
      // The client asks again when an answer is lost, and is told that its own success came first.
      try {
        return (await orAbsent(bucket.file(fullName(name)).getMetadata()))?.[0].metadata?.['mark'] === mark
      } catch (error) {
        return fail(name, error)
      }
    },
    list: async (folder) => {
      const prefix = `${fullName(folder)}/`
      try {
        const [files] = await bucket.getFiles({ prefix, delimiter: '/' })
        return files.map(({ name }) => name.slice(prefix.length))
      } catch (error) {
        return fail(folder, error)
      }
    },
    place,
    close: async () => undefined,
  }
}
