/** The HTTP server, put together: the door, the routes of commands and views, the signs of life, the description. */
import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type ErrorCode, refuse } from '../../domain/errors.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import packageFile from '../../package.json' with { type: 'json' }
import type { CommandCheck } from '../publication.ts'
import { type AccessSettings, bodyLimit, registerAccess, sendRefusal } from './access.ts'
import { requestIdOf } from './answers.ts'
import { registerCommands } from './command-routes.ts'
import type { HttpContext } from './context.ts'
import { registerDeadLetters } from './dead-letter-routes.ts'
import { commonSchemas, describeProbe } from './descriptions.ts'
import { registerEvents } from './event-stream.ts'
import { createHealth } from './health.ts'
import { registerMetrics } from './metrics.ts'
import { registerViews } from './view-routes.ts'

export type HttpOptions = Omit<HttpContext, 'leaving'> & { access: AccessSettings }

export type HttpServer = {
  /** For tests that ask without a socket. */
  app: FastifyInstance
  /** @param port 0: any that is free. @returns the port. @throws Error in one line when it is taken */
  listen(port: number): Promise<number>
  /** Nobody new is let in; whoever waits for an outcome is told where to look, streams end. */
  stop(): Promise<void>
}

const closesWithinMs = 2_000
const sweepsEveryMs = 20

/** What fastify finds wrong before a route is reached, in our words. */
const wrongs: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_UNSUPPORTED',
  FST_ERR_CTP_INVALID_JSON_BODY: 'JSON_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'REQUEST_INVALID',
}

const answerErrors = (app: FastifyInstance, { log }: Pick<HttpContext, 'log'>): void => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof StoreUnavailable) return sendRefusal(reply, refuse('STORE_UNAVAILABLE', error.message))
    const wrong = wrongs[error.code] ?? (error instanceof SyntaxError ? 'JSON_INVALID' : undefined)
    if (wrong === 'BODY_TOO_LARGE') return sendRefusal(reply, refuse(wrong, `at most ${bodyLimit} bytes are taken`))
    if (wrong === 'MEDIA_UNSUPPORTED') return sendRefusal(reply, refuse(wrong))
    if (wrong !== undefined) return sendRefusal(reply, refuse(wrong, error.message))
    const status = error.statusCode ?? 500
    if (status < 500) return reply.code(status).send({ code: error.code ?? 'REQUEST_INVALID', text: error.message })
    log.error({ correlationId: request.id, err: error }, `the request failed: ${error.message}`)
    return reply.code(status).send({ code: error.code ?? 'UNEXPECTED', text: 'the request failed; the log says why' })
  })
}

/** An intent that is asked in another way exists; another name does not. */
const answerStrangers = (app: FastifyInstance, { known, typeOf }: CommandCheck): void => {
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const [path = ''] = request.url.slice(1).split('?')
    const type = /^[A-Za-z0-9_-]{1,64}$/.test(path) ? typeOf(path) : undefined
    if (type !== undefined) return sendRefusal(reply.header('allow', 'POST'), refuse('METHOD_NOT_ALLOWED', `${type} is a POST`))
    if (request.method !== 'POST')
      return sendRefusal(reply, refuse('NOTHING_HERE', `${request.method} /${path.slice(0, 100)}; what there is stands at /docs`))
    return sendRefusal(reply, refuse('COMMAND_UNKNOWN', `/${path.slice(0, 100)}; there are ${known.join(', ')}`))
  })
}

const registerProbes = (app: FastifyInstance, context: HttpContext): void => {
  const health = createHealth(context)
  const config = { role: 'open' as const }
  app.get('/healthz', { config, schema: describeProbe('healthz', 'Alive', false) }, async () => ({ status: 'alive' }))
  const answerReadiness = async (_request: FastifyRequest, reply: FastifyReply) => {
    const { ready, parts } = await health()
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'not ready', parts })
  }
  app.get('/readyz', { config, schema: describeProbe('readyz', 'Ready, and why not', true) }, answerReadiness)
  // From outside, Cloud Run keeps paths that end in z to itself.
  app.get('/ready', { config, schema: describeProbe('ready', 'Ready, and why not, as /readyz', true) }, answerReadiness)
}

type Described = { paths?: Record<string, { post?: { requestBody?: object } }> }

/** Where no field is required, no body is. */
const withOptionalBodies = <D extends object>(described: D): D => {
  for (const { post } of Object.values((described as Described).paths ?? {})) {
    const body = post?.requestBody as { required?: boolean; content?: Record<string, { schema?: { required?: unknown } }> } | undefined
    if (body !== undefined) body.required = body.content?.['application/json']?.schema?.required !== undefined
  }
  return described
}

const describeItself = async (app: FastifyInstance, guarded: boolean): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ib-trading',
        version: packageFile.version,
        description: 'Every request is a command, every fact an event, every view can be rebuilt from the events.',
      },
      tags: [
        { name: 'intents', description: 'What the engine can be asked' },
        { name: 'strategies', description: 'The signal of each strategy; none trades by itself' },
        { name: 'views', description: 'What the journal says' },
        { name: 'operation', description: 'Signs of life, metrics, events' },
      ],
      ...(guarded
        ? {
            components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
            security: [{ bearer: [] }],
          }
        : {}),
    },
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({ schema, url: url.replace('*', ':path') }),
    transformObject: (described) => withOptionalBodies('openapiObject' in described ? described.openapiObject : {}),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, number) => (typeof json['$id'] === 'string' ? json['$id'] : `schema${number}`),
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: false })
}

/** Everything but the port. */
export const createHttpServer = async ({ access, ...given }: HttpOptions): Promise<HttpServer> => {
  const leaving = new AbortController()
  const context: HttpContext = { ...given, leaving: leaving.signal }
  const { log, clock } = context
  const app = fastify({
    bodyLimit,
    exposeHeadRoutes: false, // a HEAD must not publish what a GET does
    forceCloseConnections: 'idle',
    genReqId: (request) => requestIdOf(request.headers) ?? randomUUID(),
    routerOptions: { caseSensitive: false, maxParamLength: 200 },
    return503OnClosing: true,
    frameworkErrors: (error, _request, reply) => void sendRefusal(reply, refuse('REQUEST_INVALID', error.message)),
  })
  // The codecs decide; the schemas only describe.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  for (const schema of commonSchemas) app.addSchema(schema)
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (String(body).trim() === '') done(null, {})
    else parseJson(request, String(body), done)
  })
  answerErrors(app, context)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  await registerAccess(app, { ...access, log })
  await describeItself(app, access.identity !== undefined)
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, caller } = request
    const about = { correlationId: request.id, method, route: routeOptions.url, status: reply.statusCode, actor: caller?.actor }
    // What a monitor counts. That a part is not ready is what the probes are for, which are open to all, and no failure.
    const failed = reply.statusCode >= 500 && routeOptions.config.role !== 'open'
    const level = failed ? 'warn' : method === 'GET' ? 'debug' : 'info'
    log[level]({ ...about, milliseconds: Math.round(reply.elapsedTime) }, 'answered')
  })
  const { check, published } = registerCommands(app, context)
  registerDeadLetters(app, context, published)
  registerViews(app, context)
  const { readers } = registerEvents(app, context)
  const metrics = registerMetrics(app, context, readers)
  registerProbes(app, context)
  answerStrangers(app, check)
  await app.ready()

  return {
    app,
    listen: async (port) => {
      const host = access.identity === undefined ? '127.0.0.1' : '0.0.0.0'
      try {
        await app.listen({ port, host })
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        await app.close()
        if (code === 'EADDRINUSE') throw new Error(`PORT: ${port} is in use by another program`)
        throw new Error(`PORT: ${port} cannot be listened on: ${message}`)
      }
      await metrics.begin()
      const { port: taken } = app.server.address() as { port: number }
      log.info(
        { host, port: taken },
        `HTTP is served on http://${host === '0.0.0.0' ? 'localhost' : host}:${taken}; its description at /docs`,
      )
      return taken
    },
    stop: async () => {
      leaving.abort()
      const callOff = clock.after(closesWithinMs, () => app.server.closeAllConnections())
      // A line becomes idle when its last answer is out: those that wait for no other one must not hold the server up.
      const sweeping = setInterval(() => app.server.closeIdleConnections(), sweepsEveryMs)
      await app.close()
      clearInterval(sweeping)
      callOff()
    },
  }
}
