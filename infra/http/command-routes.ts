/**
 * Every intent and every strategy as a route of its own, by `intents` and the strategies that were found. What is asked becomes a command on
 * its topic, and whoever asked waits for its document. Nobody's going away stops a command; asking again under the same key is asking once.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isCommandId } from '../../domain/commands.ts'
import { refuse } from '../../domain/errors.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { intents } from '../../handlers/handlers.ts'
import { isUnderWay, outcome, silence } from '../outcome.ts'
import { type CommandCheck, createCommandCheck } from '../publication.ts'
import { sendRefusal } from './access.ts'
import { commandIdOf, digestOf, statusOf, waitSecondsOf } from './answers.ts'
import type { HttpContext } from './context.ts'
import { describeCommand, describeCommandById } from './descriptions.ts'
import { atLeast, roleForCommand, roleForIntent } from './roles.ts'

/** Asking for these is reading, so a browser may do it too. */
const alsoGet: ReadonlySet<string> = new Set(['reconcile', 'summary'])
/** What this process published, so that it is known before the engine has decided it. */
const mostRemembered = 10_000

type Asked = { type: string; digest: string }

export type CommandRoutes = {
  check: CommandCheck
  /** Somebody else here has published a command: until it is decided, it is known by that. */
  published(id: string, type: string, body: object): void
}

export const registerCommands = (app: FastifyInstance, context: HttpContext): CommandRoutes => {
  const { documents, bus, clock, log, leaving, where } = context
  const check = createCommandCheck({ ...context, mode: where.mode })
  const published = new Map<string, Asked>()
  const remember = (id: string, asked: Asked): void => {
    published.set(id, asked)
    if (published.size > mostRemembered) published.delete(published.keys().next().value!)
  }

  /** Ends when the command has, the time is over, the caller is gone, or the server is to stop. */
  const waited = async (reply: FastifyReply, id: string, seconds: number): Promise<Document | undefined> => {
    const gone = new AbortController()
    const leave = () => gone.abort()
    reply.raw.once('close', leave)
    try {
      return await outcome(documents, id, { milliseconds: seconds * 1_000, clock, leaving: AbortSignal.any([leaving, gone.signal]) })
    } finally {
      reply.raw.off('close', leave)
    }
  }

  const answer = async (
    reply: FastifyReply,
    id: string,
    { type }: Pick<Asked, 'type'>,
    document: Document | undefined,
    why = '',
  ): Promise<unknown> => {
    reply.header('location', `/commands/${id}`)
    if (document !== undefined && !isUnderWay(document)) return reply.code(statusOf(document)).send({ id, ...document })
    reply.code(202)
    if (document !== undefined) return reply.send({ id, ...document })
    const text = why === '' ? `not decided yet: ${await silence(documents, where).catch(() => 'the store cannot be read now')}` : why
    return reply.send({ id, type, status: 'published', text })
  }

  const ask = (type: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    const refused = parametersOf(request)
    if (refused !== undefined) return sendRefusal(reply, refuse('REQUEST_INVALID', refused))
    const body = request.body === undefined ? {} : request.body
    const key = request.headers['idempotency-key']
    const id = key === undefined ? `http-${randomUUID()}` : commandIdOf(request.caller.actor, String(key))
    if (id === undefined) return sendRefusal(reply, refuse('REQUEST_INVALID', 'Idempotency-Key must have 1 to 255 characters'))
    const { actor, role } = request.caller
    const needed = roleForCommand(type, body)
    if (!atLeast(role, needed)) return sendRefusal(reply, refuse('ROLE_TOO_LOW', `it needs ${needed}, ${actor} is ${role}`))
    const publication = check.check({ type, body, id, source: 'http', actor, correlationId: request.id })
    if (!publication.ok)
      return sendRefusal(reply, refuse(publication.code === 'ID_INVALID' ? 'REQUEST_INVALID' : publication.code, publication.problem))

    const digest = digestOf(type, body as object)
    const seconds = waitSecondsOf(request.headers['prefer'])
    if (request.headers['prefer'] !== undefined) reply.header('preference-applied', seconds === 0 ? 'respond-async' : `wait=${seconds}`)
    const isOther = (earlier: { digest?: unknown } | undefined): boolean => earlier !== undefined && earlier.digest !== digest
    const known = key === undefined ? undefined : await documents.get(`commands/${id}`)
    if (isOther(known) || isOther(published.get(id))) return sendRefusal(reply, refuse('KEY_REUSED', `it is the command ${id}`))
    if (known === undefined) {
      remember(id, { type, digest })
      const about = { command: id, type, actor, correlationId: request.id }
      try {
        await bus.publish(publication.topic, { ...publication.message, attributes: { ...publication.message.attributes, digest } })
        log.info(about, `${type} is published`)
      } catch (error) {
        published.delete(id)
        log.error({ ...about, err: error }, `${type} could not be published: ${(error as Error).message}`)
        return sendRefusal(
          reply,
          refuse('STORE_UNAVAILABLE', `it is not certain that ${id} was published; with an Idempotency-Key ask again`),
        )
      }
    }
    try {
      const found = isUnderWay(known) ? await waited(reply, id, seconds) : known
      // Two requests under one key at two servers at once: one of them was decided, and only now it is known which.
      if (isOther(found)) return sendRefusal(reply, refuse('KEY_REUSED', `it is the command ${id}`))
      return await answer(
        reply,
        id,
        { type },
        found,
        seconds === 0 ? `nobody waited for it, as asked: GET /commands/${id} says what became of it` : '',
      )
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      return answer(reply, id, { type }, undefined, `published, but what became of it cannot be read now: ${error.message}`)
    }
  }

  const routed = new Set<string>()
  const route = (method: 'GET' | 'POST', type: string, name: string): void => {
    const url = `/${name.toLowerCase()}`
    if (routed.has(`${method} ${url}`)) return
    routed.add(`${method} ${url}`)
    const schema = { ...describeCommand(method, type, context.strategies), hide: name !== type }
    app.route({ method, url, schema, config: { role: roleForIntent(type), patient: true }, handler: ask(type) })
  }
  const ways = (type: string, names: readonly string[]): void => {
    for (const name of names) {
      if (alsoGet.has(type)) route('GET', type, name)
      route('POST', type, name)
    }
  }
  for (const type of Object.keys(intents)) ways(type, [type, type.replaceAll('-', '_')])
  for (const [id, { aliases = [] }] of Object.entries(context.strategies)) ways(id, [id, ...aliases])

  app.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/commands/:id',
    schema: describeCommandById,
    config: { role: 'viewer', patient: true },
    handler: async (request, reply) => {
      const { id } = request.params
      if (!isCommandId(id)) return sendRefusal(reply, refuse('REQUEST_INVALID', `${JSON.stringify(id)} is not the id of a command`))
      const found = await waited(reply, id, waitSecondsOf(request.headers['prefer'], 0))
      if (found !== undefined) return { id, ...found }
      const asked = published.get(id)
      if (asked === undefined)
        return sendRefusal(reply, refuse('NOTHING_HERE', `the command ${id} was not decided, and not published here`))
      return { id, type: asked.type, status: 'published', text: `not decided yet: ${await silence(documents, where)}` }
    },
  })
  return { check, published: (id, type, body) => remember(id, { type, digest: digestOf(type, body) }) }
}

/** A parameter that is silently ignored could be the one that says dryRun. */
export const parametersOf = (request: FastifyRequest): string | undefined => {
  const [parameter] = Object.keys(request.query ?? {})
  if (parameter !== undefined) return `"${parameter}" stands in the address; what a command is to know stands in its body`
  const length = request.headers['content-length']
  if (request.method === 'GET' && ((length !== undefined && length !== '0') || request.headers['transfer-encoding'] !== undefined))
    return 'a GET takes no body'
  return undefined
}
