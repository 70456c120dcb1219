/** The HTTP server on a store in memory, with nobody behind the bus: what is published is kept, what became of it a test says itself. */
import type { LightMyRequestResponse } from 'fastify'
import type { DeadLetter } from '../../../domain/ports/bus.ts'
import type { Document } from '../../../domain/ports/documents.ts'
import { systemClock } from '../../../infra/clock.ts'
import type { AccessSettings } from '../../../infra/http/access.ts'
import { createHttpServer, type HttpServer } from '../../../infra/http/server.ts'
import type { Log } from '../../../infra/log.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../../memory-store.ts'
import { wanting } from '../../rig.ts'

export type Published = { topic: string; data: string; attributes: Readonly<Record<string, string>> }
export type Ask = { method?: 'GET' | 'POST' | 'HEAD'; url: string; headers?: Record<string, string>; body?: unknown; raw?: string | Buffer }

export type ServerInHand = {
  server: HttpServer
  memory: Memory
  published: Published[]
  /** What the bus has given up. */
  letters: DeadLetter[]
  lines: { fields: object; text: string }[]
  /** Called at each publication; may throw as a bus does. */
  onPublish(then: ((message: Published) => Promise<void> | void) | undefined): void
  /** Writes the document of a command, as a projection does. */
  became(id: string, document: Document): Promise<void>
  ask(request: Ask): Promise<LightMyRequestResponse>
  /** Whether somebody holds the lease. */
  engine(epoch: number | undefined): void
  documents: ReturnType<typeof memoryDocuments>
}

/** @param hears where its lines go, beside being kept @param memory of an earlier server, for one that is started anew */
export const startServer = async (
  access: Partial<AccessSettings> = {},
  hears?: Log,
  memory: Memory = createMemory(),
): Promise<ServerInHand> => {
  const documents = memoryDocuments(memory)
  const published: Published[] = []
  const letters: DeadLetter[] = []
  const lines: ServerInHand['lines'] = []
  const keep = (level: keyof Log) => (fields: object, text: string) => {
    lines.push({ fields, text })
    hears?.[level](fields, text)
  }
  let then: ((message: Published) => Promise<void> | void) | undefined
  let epoch: number | undefined = 1
  const server = await createHttpServer({
    journal: memoryJournal(memory),
    documents,
    bus: {
      publish: async (topic, message) => {
        await then?.({ topic, ...message })
        published.push({ topic, ...message })
        return `m${published.length}`
      },
      subscribe: () => ({ close: async () => undefined }),
      deadLetters: async (subscription) => letters.filter((letter) => subscription === undefined || letter.subscription === subscription),
      onDeadLetter: () => ({ close: async () => undefined }),
      discard: async ({ id, subscription }) => {
        const found = letters.findIndex((letter) => letter.id === id && letter.subscription === subscription)
        return found >= 0 && letters.splice(found, 1).length > 0
      },
      nextDueAt: async () => undefined,
      idle: async () => true,
      reachable: async () => undefined,
    },
    lease: {
      acquire: async () => ({ heldFor: 1_000 }),
      renew: async () => false,
      release: async () => undefined,
      current: async () => (epoch === undefined ? undefined : { epoch, heldFor: 30_000 }),
    },
    where: { mode: 'paper', dataDirectory: './data', store: { kind: 'embedded' } },
    topics: readTopics(),
    strategies: { trend: { ...wanting('Trend'), aliases: ['the_trend'] } },
    clock: systemClock,
    log: { debug: () => undefined, info: keep('info'), warn: keep('warn'), error: keep('error') },
    access: { corsOrigins: [], requestsPerMinute: 1_000_000, ...access },
    relayed: false,
  })
  return {
    server,
    memory,
    published,
    letters,
    lines,
    documents,
    onPublish: (next) => {
      then = next
    },
    became: async (id, document) => {
      const next = { position: 1, hash: 'h' }
      await documents.write('views', [{ kind: 'set', path: `commands/${id}`, data: document }], next, await documents.checkpoint('views'))
    },
    ask: ({ method = 'POST', url, headers = {}, body, raw }) =>
      server.app.inject({
        method,
        url,
        headers: {
          host: 'localhost:8080',
          ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(raw !== undefined ? { payload: raw } : body === undefined ? {} : { payload: JSON.stringify(body) }),
      }),
    engine: (next) => {
      epoch = next
    },
  }
}

export const ended = (more: Document = {}): Document => ({
  type: 'halt',
  status: 'completed',
  code: null,
  text: null,
  result: null,
  ...more,
})
