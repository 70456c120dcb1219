/** What `/docs` says of each route: bodies from the codecs that decode them, answers as they are given. */
import type { Strategy } from '../../domain/strategy.ts'
import { handlersFor } from '../../handlers/handlers.ts'
import { partNames } from './health.ts'
import { type JsonSchema, schemaOf } from './schema.ts'

/** One line an intent; one that is missing here is described by its name. */
const summaries: Readonly<Record<string, string>> = {
  reconcile: 'What the broker really holds: executions, orders, positions, account values',
  allocation: 'All signals and the reconciled account become one decision, and its orders',
  orchestrator: 'Signals side by side, then reconcile, then allocation',
  summary: 'Account values, positions, open orders and fills of the day, fresh from the broker',
  'close-all': 'Standing targets to 0, cancels, and the named books flat',
  'cash-balancer': 'Cash in other currencies over the threshold goes back to base',
  'collect-market-data': 'Bars into the catalogue, once',
  'trade-reconciliation': 'Every fill of the day against orders and books',
  'risk-check': 'Drawdown since the day began and from the peak, against the limits',
  'eod-check': 'Open orders, mismatches, flat if enforced, the profit of the day by book',
  halt: 'Stops all trading at once',
  resume: 'Trading on again',
  configure: 'A partial change of the settings, refused whole if anything in it is wrong',
  'cancel-order': 'Cancels one order',
  'resolve-order': 'Says by hand what became of an unresolved order',
  explain: 'Says by hand what an unexplained difference is',
}

const ref = (name: string): JsonSchema => ({ $ref: `${name}#` })
const json = (description: string, schema: JsonSchema): JsonSchema => ({ description, content: { 'application/json': { schema } } })
const refusal = (description: string): JsonSchema => json(description, ref('Refusal'))

export const commonSchemas: readonly JsonSchema[] = [
  {
    $id: 'Command',
    type: 'object',
    description: 'What became of a command, as in the document commands/{id}',
    required: ['id', 'type', 'status'],
    properties: {
      id: { type: 'string' },
      type: { type: 'string', description: 'the canonical name of the intent, or the id of a strategy' },
      status: { type: 'string', enum: ['published', 'accepted', 'completed', 'partial_success', 'refused', 'failed', 'expired'] },
      code: { type: ['string', 'null'], description: 'why it was refused or failed' },
      text: { type: ['string', 'null'] },
      result: { description: 'what the command gave; its shape is that of the intent' },
      steps: { type: 'array', items: { type: 'object' }, description: 'of a pipeline, as far as it has come' },
      source: { type: 'string' },
      actor: { type: ['string', 'null'], description: 'who asked' },
      correlationId: { type: ['string', 'null'], description: 'the X-Request-Id with which it was asked' },
      position: { type: 'integer', description: 'of its commit in the journal' },
      publishedAt: { type: 'string', format: 'date-time' },
      decided_at: { type: 'string', format: 'date-time' },
      ended_at: { type: ['string', 'null'], format: 'date-time' },
    },
  },
  {
    $id: 'Refusal',
    type: 'object',
    required: ['code', 'text'],
    properties: { code: { type: 'string', examples: ['BODY_INVALID'] }, text: { type: 'string', description: 'names what is wrong' } },
  },
  {
    $id: 'DeadLetter',
    type: 'object',
    description: 'a message that was given up, and why',
    required: ['id', 'subscription', 'reason', 'attempts', 'deadAt', 'publishedAt', 'data', 'attributes'],
    properties: {
      id: { type: 'string', description: 'of the message, the same for as long as it is kept' },
      subscription: { type: 'string', description: 'who gave it up', examples: ['paper-commands-engine'] },
      reason: { type: 'string' },
      attempts: { type: 'integer' },
      deadAt: { type: 'string', format: 'date-time' },
      publishedAt: { type: 'string', format: 'date-time' },
      data: { type: 'string', description: 'its body; what looks like a secret is hidden' },
      attributes: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
  {
    $id: 'Document',
    type: 'object',
    additionalProperties: true,
    description: 'a view of the journal; its fields are those of the view',
  },
]

const atTheDoor: JsonSchema = {
  401: refusal('no token, or one that is not valid'),
  403: refusal('the role of the caller is not enough'),
  429: refusal('too many requests'),
}
const errorsOfReading: JsonSchema = { ...atTheDoor, 503: refusal('the store cannot be reached') }

const askingHeaders: JsonSchema = {
  type: 'object',
  properties: {
    'Idempotency-Key': {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'the same key and body: the same command and its answer',
    },
    Prefer: {
      type: 'string',
      examples: ['wait=30', 'respond-async'],
      description: 'how long to wait for the outcome; 30 seconds by default',
    },
    'X-Request-Id': { type: 'string', maxLength: 128, description: 'goes with the command through its events and orders to the log' },
  },
}

export const describeCommand = (method: 'GET' | 'POST', type: string, strategies: Readonly<Record<string, Strategy>>): JsonSchema => {
  const strategy = strategies[type]
  const { handler } = handlersFor(strategies).published(type)!
  return {
    operationId: method === 'GET' ? `${type}-get` : type,
    summary: strategy === undefined ? (summaries[type] ?? type) : `The signal of ${strategy.name}: ${strategy.description}`,
    tags: [strategy === undefined ? 'intents' : 'strategies'],
    headers: askingHeaders,
    ...(method === 'GET' ? {} : { body: schemaOf(handler.body) }),
    response: {
      200: json('ended: `status` says whether it is completed, in part or failed, and `code` why', ref('Command')),
      202: json('under way; `Location` says where to look', ref('Command')),
      400: refusal('the body is not what it must be, and reached no topic'),
      404: json('what the command names does not exist', ref('Command')),
      409: json('refused, with its code; or expired', ref('Command')),
      413: refusal('more than 64 kB'),
      415: refusal('the body is not application/json'),
      422: refusal('the Idempotency-Key belongs to another request'),
      500: json('failed by a mistake of this program', ref('Command')),
      ...errorsOfReading,
    },
  }
}

const idParameter: JsonSchema = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }

export const describeCommandById: JsonSchema = {
  operationId: 'command',
  summary: 'What became of a command',
  tags: ['views'],
  params: idParameter,
  headers: {
    type: 'object',
    properties: { Prefer: { type: 'string', description: 'wait=30 waits for its end; by default nobody waits' } },
  },
  response: { 200: json('as it stands', ref('Command')), 404: refusal('no such command'), ...errorsOfReading },
}

export const describeView = (operationId: string, summary: string, schema: JsonSchema, parameter?: JsonSchema): JsonSchema => ({
  operationId,
  summary,
  tags: ['views'],
  ...(parameter === undefined ? {} : { params: parameter }),
  response: { 200: json('as it stands', schema), 404: refusal('there is none'), ...errorsOfReading },
})
export const documentSchema = ref('Document')
export const listOf = (schema: JsonSchema): JsonSchema => ({ type: 'array', items: schema })
export const byId = idParameter

export const letterSchema = ref('DeadLetter')

export const describeLetters = (operationId: string, summary: string, more: JsonSchema, answer: [status: number, schema: JsonSchema]) => ({
  operationId,
  summary,
  tags: ['operation'],
  ...more,
  response: {
    [answer[0]]: json(answer[0] === 202 ? 'published; `Location` says where to look' : 'done', answer[1]),
    400: refusal('the request is not what it must be'),
    404: refusal('there is no such letter (any more)'),
    409: refusal('not without saying more, or not at all: the code says which'),
    ...errorsOfReading,
  },
})

const readiness: JsonSchema = {
  type: 'object',
  required: ['status', 'parts'],
  properties: {
    status: { type: 'string', enum: ['ready', 'not ready'] },
    parts: {
      type: 'object',
      required: [...partNames],
      additionalProperties: {
        type: 'object',
        required: ['ok', 'reason'],
        properties: {
          ok: { type: 'boolean' },
          reason: { type: 'string' },
          heartbeat: { type: 'string', format: 'date-time', description: 'its last sign of life that can be seen from here' },
        },
      },
    },
  },
}

export const describeProbe = (operationId: string, summary: string, notReady: boolean): JsonSchema => ({
  operationId,
  summary,
  tags: ['operation'],
  response: {
    200: json('well', notReady ? readiness : { type: 'object', properties: { status: { const: 'alive' } } }),
    ...(notReady ? { 503: json('not ready; each part says why', readiness) } : {}),
  },
})

export const describeText = (operationId: string, summary: string, mediaType: string, more: JsonSchema = {}): JsonSchema => ({
  operationId,
  summary,
  tags: ['operation'],
  ...more,
  response: { 200: { description: 'text', content: { [mediaType]: { schema: { type: 'string' } } } }, ...errorsOfReading },
})
