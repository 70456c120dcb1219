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
      },
    },
    async (request, reply) => {
      const path = request.params['*']
      const segments = path.split('/')
      if (isCollection(segments)) {
        const found = await documents.list(path)
        return reply.send(found.filter((each) => isDocument(each.path.split('/'))))
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
