/** Documents to look at, one or a whole collection, and the strategies with what is known of them. Read-only. */
import type { FastifyInstance } from 'fastify'
import { refuse } from '../../domain/errors.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { viewDocuments } from '../../domain/view-documents.ts'
import { sendRefusal } from './access.ts'
import type { HttpContext } from './context.ts'
import { byId, describeView, documentSchema, listOf } from './descriptions.ts'

type Pattern = readonly string[]

const fits = (pattern: Pattern, segments: readonly string[]): boolean =>
  pattern.length === segments.length &&
  segments.every((segment, place) => segment !== '' && !/^\.{1,2}$/.test(segment) && (pattern[place] === '*' || pattern[place] === segment))

/** Of a collection: so many at once, and no more. */
const usualPage = 500
const largestPage = 1_000

type Asked = { limit: number; after?: string }

/** @returns in words what is wrong with the address: a parameter that is silently ignored could be the one that matters */
const pageOf = (query: Readonly<Record<string, unknown>>): Asked | string => {
  const { limit = String(usualPage), after, ...others } = query
  const [other] = Object.keys(others)
  if (other !== undefined) return `"${other}" is not a parameter here; there are limit and after`
  const count = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0
  if (count < 1 || count > largestPage) return `limit must be a whole number from 1 to ${largestPage}`
  if (after === undefined) return { limit: count }
  const isId = typeof after === 'string' && after !== '' && !after.includes('/') && after.length <= 256
  return isId ? { limit: count, after } : 'after must be the id of a document, the last part of its path'
}

/** What others keep in the same store is nobody's business here: only what views write, and where projections stand. */
const patternsOf = (mode: 'paper' | 'live'): Pattern[] => [...viewDocuments(mode), 'checkpoints/*'].map((pattern) => pattern.split('/'))

export const registerViews = (app: FastifyInstance, { documents, where, strategies }: HttpContext): void => {
  const patterns = patternsOf(where.mode)
  const isDocument = (segments: readonly string[]): boolean => patterns.some((pattern) => fits(pattern, segments))
  const isCollection = (segments: readonly string[]): boolean => patterns.some((pattern) => fits(pattern.slice(0, -1), segments))
  const role = 'viewer' as const

  app.get<{ Params: { '*': string } }>(
    '/documents/*',
    {
      config: { role },
      schema: {
        ...describeView('documents', 'One document, or by a path with an odd number of segments all of a collection', {
          anyOf: [documentSchema, listOf({ type: 'object', properties: { path: { type: 'string' }, data: documentSchema } })],
        }),
        params: { type: 'object', properties: { path: { type: 'string', examples: [`status/${where.mode}`, 'activity'] } } },
        querystring: {
          type: 'object',
          properties: {
            limit: {
              type: 'integer',
              ...{ minimum: 1, maximum: largestPage, default: usualPage },
              description: 'of a collection: so many documents at most, by id; the header Link says where the next ones are',
            },
            after: {
              type: 'string',
              description: 'of a collection: begins behind this id; of activity that is a position of the journal in twelve digits',
              examples: ['000000001200'],
            },
          },
        },
      },
    },
    async (request, reply) => {
      const path = request.params['*']
      const segments = path.split('/')
      const page = pageOf(request.query as Record<string, unknown>)
      if (typeof page === 'string') return sendRefusal(reply, refuse('REQUEST_INVALID', page))
      if (isCollection(segments)) {
        const found = await documents.list(path, { ...page, limit: page.limit + 1 })
        const shown = found.slice(0, page.limit)
        const last = shown.at(-1)?.path.split('/').at(-1)
        if (found.length > shown.length && last !== undefined)
          reply.header('link', `</documents/${path}?limit=${page.limit}&after=${encodeURIComponent(last)}>; rel="next"`)
        return reply.send(shown.filter((each) => isDocument(each.path.split('/'))))
      }
      const found = isDocument(segments) ? await documents.get(path) : undefined
      return found === undefined ? sendRefusal(reply, refuse('NOTHING_HERE', `no document ${JSON.stringify(path)}`)) : reply.send(found)
    },
  )

  /** What its file declares, and what the documents know; a book or setting whose strategy is gone is shown as not known. */
  const shown = (id: string, document: Document | undefined): Document => {
    const strategy = strategies[id]
    const declared =
      strategy === undefined
        ? { known: false, description: null, aliases: [], instruments: [] }
        : {
            known: true,
            description: strategy.description,
            aliases: [...(strategy.aliases ?? [])],
            instruments: Object.values(strategy.instruments).map((instrument) => ({ ...instrument })),
          }
    return { enabled: true, capital_allocation: 0, ...document, id, name: strategy?.name ?? id, ...declared }
  }

  app.get(
    '/strategies',
    { config: { role }, schema: describeView('strategies', 'All strategies, with what is configured for them', listOf(documentSchema)) },
    async () => {
      const known = new Map((await documents.list('strategies')).map(({ path, data }) => [path.split('/')[1]!, data]))
      const ids = [...new Set([...Object.keys(strategies), ...known.keys()])].sort()
      return ids.map((id) => shown(id, known.get(id)))
    },
  )
  app.get<{ Params: { id: string } }>(
    '/strategies/:id',
    { config: { role }, schema: describeView('strategy', 'One strategy, its last word and its book', documentSchema, byId) },
    async (request, reply) => {
      const id = request.params.id.toLowerCase()
      const readable = isDocument(['strategies', id])
      const [document, intent, holdings] = readable
        ? await Promise.all(
            [`strategies/${id}`, `strategies/${id}/intent/latest`, `positions/${where.mode}/holdings/${id}`].map((path) =>
              documents.get(path),
            ),
          )
        : []
      if (document === undefined && !Object.hasOwn(strategies, id))
        return sendRefusal(reply, refuse('STRATEGY_UNKNOWN', `${JSON.stringify(id)}; there are ${Object.keys(strategies).join(', ')}`))
      return reply.send({ ...shown(id, document), intent: intent ?? null, holdings: holdings ?? null })
    },
  )
}
