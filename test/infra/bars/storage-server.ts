/**
 * The few calls of Cloud Storage's JSON API that the bars need, on loopback: metadata, download of a generation, multipart upload with a
 * precondition, and a listing. `answer` may fail requests: with a status in place of the work, or after the work was done.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CRC32C } from '@google-cloud/storage'

type StoredObject = { generation: number; bytes: Buffer; metadata: Record<string, string> }
export type Trouble = { method: string; path: RegExp; status: number; when: 'before' | 'after' }

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** The two parts of a `multipart/related` body: JSON and bytes. */
const partsOf = (
  contentType: string,
  body: Buffer,
): { resource: { name?: string; crc32c?: string; metadata?: Record<string, string> }; bytes: Buffer } => {
  const boundary = `--${/boundary="?([^";]+)/.exec(contentType)![1]}`
  const begins: number[] = []
  for (let at = body.indexOf(boundary); at !== -1; at = body.indexOf(boundary, at + 1)) begins.push(at)
  const part = (index: number): Buffer => {
    const whole = body.subarray(begins[index]! + boundary.length + 2, begins[index + 1]! - 2)
    return whole.subarray(whole.indexOf('\r\n\r\n') + 4)
  }
  return { resource: JSON.parse(part(0).toString()), bytes: Buffer.from(part(1)) }
}

export const startStorageServer = async () => {
  const objects = new Map<string, StoredObject>()
  const asked: string[] = []
  const troubles: Trouble[] = []
  let generations = 1_000

  const say = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const no = (response: ServerResponse, code: number, message: string): void =>
    say(response, code, { error: { code, message, errors: [] } })
  const resourceOf = (name: string, { generation, bytes, metadata }: StoredObject) => ({
    ...{ kind: 'storage#object', name, bucket: 'bars', generation: String(generation), size: String(bytes.length), metadata },
  })

  const upload = async (request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> => {
    const { resource, bytes } = partsOf(request.headers['content-type']!, await bodyOf(request))
    const name = query.get('name') ?? resource.name!
    const sum = new CRC32C()
    sum.update(bytes)
    if (resource.crc32c !== sum.toString()) return no(response, 400, `Provided CRC32C "${resource.crc32c}" doesn't match the bytes.`)
    const wanted = Number(query.get('ifGenerationMatch'))
    if ((objects.get(name)?.generation ?? 0) !== wanted)
      return no(response, 412, 'At least one of the pre-conditions you specified did not hold.')
    const stored = { generation: ++generations, bytes, metadata: resource.metadata ?? {} }
    objects.set(name, stored)
    say(response, 200, resourceOf(name, stored))
  }

  const work = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (url.pathname === '/upload/storage/v1/b/bars/o') return upload(request, response, url.searchParams)
    if (url.pathname === '/storage/v1/b/bars/o') {
      const prefix = url.searchParams.get('prefix') ?? ''
      return say(response, 200, {
        items: [...objects].flatMap(([name, each]) => (name.startsWith(prefix) ? [resourceOf(name, each)] : [])),
      })
    }
    const [, encoded] = /^\/storage\/v1\/b\/bars\/o\/(.+)$/.exec(url.pathname) ?? []
    if (encoded === undefined) return no(response, 404, 'The specified bucket does not exist.')
    const name = decodeURIComponent(encoded)
    const found = objects.get(name)
    const generation = url.searchParams.get('generation')
    if (found === undefined || (generation !== null && Number(generation) !== found.generation))
      return no(response, 404, `No such object: bars/${name}`)
    if (url.searchParams.get('alt') !== 'media') return say(response, 200, resourceOf(name, found))
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-goog-generation': String(found.generation) }).end(found.bytes)
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://localhost')
    asked.push(`${request.method} ${url.pathname}`)
    const place = troubles.findIndex(({ method, path }) => method === request.method && path.test(url.pathname))
    const [trouble] = place === -1 ? [] : troubles.splice(place, 1)
    if (trouble?.when === 'before') {
      await bodyOf(request)
      return no(response, trouble.status, 'told so by the test')
    }
    if (trouble === undefined) return work(request, response, url)
    const unheard = { writeHead: () => unheard, end: () => unheard } as unknown as ServerResponse
    await work(request, unheard, url)
    no(response, trouble.status, 'the answer was lost')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    asked,
    troubles,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
