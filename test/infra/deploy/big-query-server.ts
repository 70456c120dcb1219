/**
 * BigQuery as Google's own `bq` meets it: a server on loopback that gives `bq` the description of the API which it was installed with, keeps
 * datasets and tables, and takes only what that description knows.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { sdk } from './cloud-gcloud.ts'
import type { World } from './cloud-world.ts'
import { hasTool } from './images-tools.ts'

const description = (): string => join(sdk().root, 'platform/bq/discovery_next/bigquery.json')

/** Why nobody can be asked here; undefined where `bq` and its description are. */
export const whyNoBq = (): string | undefined => {
  const missing = ['gcloud', 'bq'].find((name) => !hasTool(name))
  if (missing !== undefined) return `${missing} is not installed here`
  return existsSync(description()) ? undefined : 'this bq brings no description of its API'
}

type Schema = { $ref?: string; type?: string; properties?: Record<string, Schema>; items?: Schema; additionalProperties?: Schema }

/** Fields that the description of the API has not, by their path. */
const unknownIn = (schemas: Record<string, Schema>, schema: Schema, value: unknown, path: string): string[] => {
  const known = schema.$ref === undefined ? schema : schemas[schema.$ref]!
  if (Array.isArray(value)) return value.flatMap((each, place) => unknownIn(schemas, known.items ?? {}, each, `${path}[${place}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = known.properties?.[name] ?? known.additionalProperties
    return own === undefined ? [`${path}.${name}`] : unknownIn(schemas, own, inner, `${path}.${name}`)
  })
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const part of request) text += part
  return text
}

export type Resource = Record<string, unknown>

export const startBigQuery = async () => {
  const described = readFileSync(description(), 'utf8')
  const { schemas } = JSON.parse(described) as { schemas: Record<string, Schema> }
  /** Datasets and tables by their path, and who may do what there. */
  const kept = new Map<string, Resource>()
  const asked: { method: string; path: string; body: Resource }[] = []

  const schemaOf = (path: string): string =>
    path.endsWith(':setIamPolicy') ? 'SetIamPolicyRequest' : path.endsWith('/jobs') ? 'Job' : path.endsWith('/tables') ? 'Table' : 'Dataset'
  const answer = (method: string, path: string, body: Resource): [number, unknown] => {
    if (path.endsWith(':getIamPolicy')) return [200, kept.get(path.replace(':get', ':set')) ?? { etag: 'first' }]
    if (method === 'GET') {
      const found = kept.get(path)
      return found === undefined ? [404, 'notFound'] : [200, found]
    }
    const unknown = unknownIn(schemas, { $ref: schemaOf(path) }, body, schemaOf(path))
    if (unknown.length > 0) return [400, `unknown: ${unknown.join(', ')}`]
    if (path.endsWith('/jobs')) return [400, 'invalidQuery'] // that it came is all that is wanted of it
    if (path.endsWith(':setIamPolicy')) {
      kept.set(path, body['policy'] as Resource)
      return [200, body['policy']]
    }
    const { tableId, datasetId } = (body['tableReference'] ?? body['datasetReference']) as { tableId?: string; datasetId: string }
    // What BigQuery itself adds, and bq reads.
    const added = tableId === undefined ? {} : { type: body['view'] === undefined ? 'TABLE' : 'VIEW', numRows: '0', numBytes: '0' }
    kept.set(`${path}/${tableId ?? datasetId}`, { ...body, ...added, creationTime: '1', lastModifiedTime: '1' })
    return [200, body]
  }

  const server = createServer(async (request, response) => {
    const path = request.url!.split('?')[0]!
    const text = await textOf(request)
    response.setHeader('content-type', 'application/json')
    if (path === '/$discovery/rest') return void response.end(described)
    const body = (text === '' ? {} : JSON.parse(text)) as Resource
    asked.push({ method: request.method!, path, body })
    const [code, said] = answer(request.method!, path, body)
    const error = { error: { code, message: said, errors: [{ reason: code === 404 ? 'notFound' : 'invalid', message: said }] } }
    response.writeHead(code).end(JSON.stringify(code === 200 ? said : error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    kept,
    asked,
    /** From now on the `bq` of this world is the real one, and this server is BigQuery to it. */
    serve: (world: World): void => {
      const { python, root } = sdk()
      const bq = join(world.path, 'bin/bq')
      // Without the wrapper of gcloud around it, which takes as long again and asks for a login.
      const program = `${python} -B ${join(root, 'platform/bq/bq.py')}`
      writeFileSync(bq, `#!/bin/sh\nexec ${program} --api=http://127.0.0.1:${port} --oauth_access_token=a-token "$@"\n`)
      chmodSync(bq, 0o755)
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
