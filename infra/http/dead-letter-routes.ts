/**
 * Messages that were given up: to look at, to publish again, to let go of. For admins, since a command that is published again trades, and
 * what is let go of is gone. A letter is named by the id of its message; where several subscriptions gave that up, by its subscription too.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as t from 'io-ts'
import { body } from '../../domain/commands.ts'
import { decode } from '../../domain/decode.ts'
import { refuse } from '../../domain/errors.ts'
import type { DeadLetter } from '../../domain/ports/bus.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import { withoutSecrets } from '../../domain/secrets.ts'
import { nameFor } from '../../domain/topics.ts'
import { type LetterRefusal, openDeadLetterDesk } from '../dead-letters.ts'
import { sendRefusal } from './access.ts'
import { type CommandRoutes, parametersOf } from './command-routes.ts'
import type { HttpContext } from './context.ts'
import { byId, describeLetters, letterSchema, listOf } from './descriptions.ts'
import { schemaOf } from './schema.ts'

const WhichBody = body({}, { subscription: t.string })
/** `data`: another body of the command, in place of one that cannot be read or would be refused. */
const RepublishBody = body({}, { subscription: t.string, data: t.UnknownRecord })

const hints: Readonly<Record<NonNullable<LetterRefusal['hint']>, string>> = {
  list: '; GET /dead-letters lists them, and while somebody else looks at them they are with him: ask again',
  subscription: ', as {"subscription": …} in the body',
  body: ' (another body can be given as {"data": {…}})',
  bodyOnly: ' (a body can be put right with {"data": {…}}; all else by a new command)',
}

const shown = ({ data, reason, ...letter }: DeadLetter): DeadLetter => ({
  ...letter,
  reason: withoutSecrets(reason),
  data: withoutSecrets(data),
})

const republishedSchema = {
  type: 'object',
  required: ['letter', 'topic', 'message'],
  properties: {
    letter: { type: 'string', description: 'the id by which it was asked for' },
    id: { type: 'string', description: 'of the command that is asked for once more: /commands/{id}' },
    type: { type: 'string' },
    topic: { type: 'string' },
    message: { type: 'string', description: 'the id of the new message' },
  },
}

export const registerDeadLetters = (app: FastifyInstance, context: HttpContext, published: CommandRoutes['published']): void => {
  const { topics, where, log } = context
  const desk = openDeadLetterDesk({ ...context, mode: where.mode })
  const subscriptions = Object.keys(topics.subscriptions).map((name) => nameFor(name, where.mode))
  const config = { role: 'admin' as const }

  const refused = (reply: FastifyReply, { code, problem, hint }: LetterRefusal): FastifyReply =>
    sendRefusal(reply, refuse(code, `${problem}${hint === undefined ? '' : hints[hint]}`))
  /** One line in the log for each, with who did it: neither is in the journal. */
  const say = (request: FastifyRequest, { id, subscription, attributes, reason }: DeadLetter, what: string): void =>
    log.info(
      {
        correlationId: request.id,
        actor: request.caller.actor,
        letter: id,
        subscription,
        type: attributes['type'],
        askedBy: attributes['actor'],
      },
      `the dead letter ${id} is ${what}; it was given up because: ${withoutSecrets(reason)}`,
    )
  /** An admin is told what is wrong with the bus, such as a permission that is missing, and not only that something is. */
  const ask = async <T>(request: FastifyRequest, question: Promise<T>): Promise<T> => {
    try {
      return await question
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error
      const { message } = error as Error
      log.error({ correlationId: request.id, err: error }, `dead letters: ${message}`)
      throw new StoreUnavailable(message, { cause: error })
    }
  }
  const bodyOf = <A>(codec: t.Decoder<unknown, A>, request: FastifyRequest): { ok: true; value: A } | { ok: false; problem: string } => {
    const parameter = parametersOf(request)
    return parameter === undefined ? decode(codec, request.body ?? {}) : { ok: false, problem: parameter }
  }

  app.get<{ Querystring: Record<string, unknown> }>(
    '/dead-letters',
    {
      config,
      schema: describeLetters(
        'deadLetters',
        'The messages that were given up, the oldest first, each with its reason',
        { querystring: { type: 'object', properties: { subscription: { type: 'string', enum: subscriptions } } } },
        [200, listOf(letterSchema)],
      ),
    },
    async (request, reply) => {
      const { subscription, ...others } = request.query
      const [other] = Object.keys(others)
      if (other !== undefined)
        return sendRefusal(reply, refuse('REQUEST_INVALID', `"${other}" is not a parameter here; there is subscription`))
      if (subscription !== undefined && !subscriptions.some((name) => name === subscription))
        return sendRefusal(reply, refuse('REQUEST_INVALID', `subscription must be one of ${subscriptions.join(', ')}`))
      return (await ask(request, desk.list(subscription as string | undefined))).map(shown)
    },
  )

  app.post<{ Params: { id: string } }>(
    '/dead-letters/:id/republish',
    {
      config,
      schema: describeLetters(
        'republishDeadLetter',
        'Publishes it again under the id of its command, as asked now and by you, and lets go of it',
        { params: byId, body: schemaOf(RepublishBody) },
        [202, republishedSchema],
      ),
    },
    async (request, reply) => {
      const asked = bodyOf(RepublishBody, request)
      if (!asked.ok) return sendRefusal(reply, refuse('REQUEST_INVALID', asked.problem))
      const { subscription, data } = asked.value
      const found = await ask(request, desk.find({ id: request.params.id, subscription }))
      if (!found.ok) return refused(reply, found)
      const anew = { data: data === undefined ? undefined : JSON.stringify(data), actor: request.caller.actor }
      const done = await ask(request, desk.republish(found.value, anew))
      if (!done.ok) return refused(reply, done)
      const { id, type } = done.value
      say(request, found.value, `published again${id === undefined ? '' : ` as ${id}`}`)
      if (id !== undefined && type !== undefined) {
        published(id, type, JSON.parse(anew.data ?? found.value.data) as object)
        reply.header('location', `/commands/${id}`)
      }
      return reply.code(202).send(done.value)
    },
  )

  app.post<{ Params: { id: string } }>(
    '/dead-letters/:id/discard',
    {
      config,
      schema: describeLetters('discardDeadLetter', 'Lets go of it for good', { params: byId, body: schemaOf(WhichBody) }, [
        200,
        letterSchema,
      ]),
    },
    async (request, reply) => {
      const asked = bodyOf(WhichBody, request)
      if (!asked.ok) return sendRefusal(reply, refuse('REQUEST_INVALID', asked.problem))
      const done = await ask(request, desk.discard({ id: request.params.id, subscription: asked.value.subscription }))
      if (!done.ok) return refused(reply, done)
      say(request, done.value, 'let go of')
      return shown(done.value)
    },
  )
}
