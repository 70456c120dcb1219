/**
 * Who may, and how much: what every request passes before its route is reached. In this order: security headers, other origins,
 * who asks, how often, and whether his role is enough. A route that names no role is for admins: what was forgotten is closed.
 */
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errors, isRefusal, type Refusal, refuse } from '../../domain/errors.ts'
import { withoutSecrets } from '../../domain/secrets.ts'
import { createIdentity, type Identity, type IdentitySettings } from './identity.ts'
import { strangeness } from './origin.ts'
import { atLeast, type Caller, type Role } from './roles.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. On an open route that nobody signed: an anonymous viewer. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** What the caller must be at least; `open` asks nobody. Left out: `admin`. */
    role?: Role | 'open'
    /** A route that holds its answer back by intent, such as a stream or a wait: no time-out but its own. */
    patient?: boolean
  }
}

export type AccessSettings = {
  /** Absent: no tokens; only this machine may ask, and may do everything. */
  identity?: IdentitySettings
  /** Pages of these origins may ask from a browser. */
  corsOrigins: readonly string[]
  /** Of one caller, or where nobody said who he is, of one address. */
  requestsPerMinute: number
}

export type AccessOptions = AccessSettings & {
  log: Record<'info' | 'warn', (fields: object, text: string) => void>
  /** Routes of plugins that name no role themselves, by the beginning of their path. By default the page with the documentation. */
  openPaths?: readonly string[]
  /** In place of one made from the settings. */
  verifier?: Identity
}

/** Bytes; a command may not be larger either. */
export const bodyLimit = 65_536
/** So long may a request take to arrive, and a route that is not patient to answer. */
const arrivesWithinMs = 15_000
const headersWithinMs = 10_000
const answersWithinMs = 60_000

const local: Caller = { actor: 'local', role: 'admin' }
const anonymous: Caller = { actor: 'anonymous', role: 'viewer' }

/** The answer to a refusal: its status, its code, and what it was about. */
export const sendRefusal = (reply: FastifyReply, { refusal, text }: Refusal): FastifyReply => {
  const status = errors[refusal].http
  if (status === 401) reply.header('www-authenticate', refusal === 'TOKEN_MISSING' ? 'Bearer' : 'Bearer error="invalid_token"')
  return reply.code(status).send({ code: refusal, text: withoutSecrets(text) })
}

/** Nothing is loaded from elsewhere; a page over plain HTTP on one's own machine must not be sent to HTTPS. */
const contentSecurityPolicy = {
  directives: {
    ...{ 'font-src': ["'self'", 'data:'], 'style-src': ["'self'", "'unsafe-inline'"], 'frame-ancestors': ["'none'"] },
    'upgrade-insecure-requests': null,
  },
}

const corsWith = (origins: readonly string[]) => ({
  origin: [...origins],
  methods: ['GET', 'HEAD', 'POST'],
  allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'prefer', 'traceparent', 'x-request-id'],
  exposedHeaders: ['location', 'preference-applied', 'retry-after', 'x-request-id'],
  maxAge: 600,
})

/** What the request may be counted under, and who asks; refused: why. */
const callerOf = async (request: FastifyRequest, identity: Identity | undefined, origins: readonly string[]): Promise<Caller | Refusal> =>
  identity === undefined ? (strangeness(request.headers, request.ip, origins) ?? local) : identity.identify(request.headers.authorization)

/**
 * Adds to the application what this page says; await it before the routes are added. Afterwards `request.caller` names who asks.
 * @throws KeysUnavailable when the issuer's keys are in a file that is none
 */
export const registerAccess = async (app: FastifyInstance, options: AccessOptions): Promise<void> => {
  const { corsOrigins, requestsPerMinute, log, openPaths = ['/docs'] } = options
  const identity = options.verifier ?? (options.identity === undefined ? undefined : createIdentity(options.identity))
  if (identity === undefined)
    log.warn({}, 'no issuer of tokens is configured (AUTH_AUDIENCE): only this machine may ask, and everybody on it may do everything')

  app.decorateRequest('caller')
  app.server.requestTimeout = arrivesWithinMs
  app.server.headersTimeout = headersWithinMs
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= bodyLimit
    if (route.config?.patient !== true) route.handlerTimeout ??= answersWithinMs
  })

  await app.register(helmet, { contentSecurityPolicy })
  if (corsOrigins.length > 0) await app.register(cors, corsWith(corsOrigins))
  await app.register(rateLimit, { global: false })
  const count = app.createRateLimit({
    max: requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: ({ caller, ip }: FastifyRequest) => (caller === anonymous ? `address ${ip}` : `caller ${caller.actor}`),
  })

  const refuseWith = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply => {
    const { id, method, ip: address, caller } = request
    const path = request.url.split('?')[0]
    log.warn({ correlationId: id, code: refusal.refusal, method, path, address, actor: caller.actor }, refusal.text)
    return sendRefusal(reply, refusal)
  }

  /** A caller that is known is counted by his name: what strangers do at the same address never locks him out. */
  const tooMany = async (request: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return false
    reply.header('retry-after', String(counted.ttlInSeconds))
    return true
  }

  const roleOf = ({ routeOptions: { config, url } }: FastifyRequest): Role | 'open' => {
    if (url === undefined) return 'viewer' // no such route: said only to those who may read
    if (config.role !== undefined) return config.role
    return openPaths.some((path) => url === path || url.startsWith(`${path}/`)) ? 'open' : 'admin'
  }

  app.addHook('onRequest', async (request, reply) => {
    const needed = roleOf(request)
    if (needed !== 'open') reply.header('cache-control', 'no-store') // what an account holds is nobody's to keep on the way
    const asked = needed === 'open' ? anonymous : await callerOf(request, identity, corsOrigins)
    request.caller = isRefusal(asked) ? anonymous : asked
    if (await tooMany(request, reply)) return refuseWith(request, reply, refuse('TOO_MANY_REQUESTS', `${requestsPerMinute} a minute`))
    if (isRefusal(asked)) return refuseWith(request, reply, asked)
    if (needed !== 'open' && !atLeast(request.caller.role, needed))
      return refuseWith(request, reply, refuse('ROLE_TOO_LOW', `it needs ${needed}, ${request.caller.actor} is ${request.caller.role}`))
  })
}
