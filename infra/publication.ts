/** How a command gets onto its topic, whoever publishes it: type and body are checked before, so that no mistake reaches a topic. */
import { isCommandId, longestBody, readEnvelope } from '../domain/commands.ts'
import { decode } from '../domain/decode.ts'
import type { Strategy } from '../domain/strategy.ts'
import { type Topics, topicOf } from '../domain/topics.ts'
import { handlersFor, intents } from '../handlers/handlers.ts'

/** What somebody asks for. `body`: parsed JSON of any kind. */
export type Wish = { type: string; body: unknown; id: string; source: string; actor?: string; correlationId?: string }

/** Why nothing may be published. `problem` is one line for whoever asked. */
export type Wrong = { ok: false; code: 'BODY_INVALID' | 'COMMAND_UNKNOWN' | 'BODY_TOO_LARGE' | 'ID_INVALID'; problem: string }

export type Publication = {
  ok: true
  /** The canonical type: aliases are understood, and not published. */
  type: string
  topic: string
  message: { data: string; attributes: Record<string, string> }
}

export type CommandCheck = {
  /** Types and ids of strategies that are understood, ascending. */
  known: readonly string[]
  /** The canonical type of a name or alias. */
  typeOf(name: string): string | undefined
  check(wish: Wish): Publication | Wrong
}

export const createCommandCheck = ({
  topics,
  mode,
  strategies,
}: {
  topics: Topics
  mode: 'paper' | 'live'
  strategies: Readonly<Record<string, Strategy>>
}): CommandCheck => {
  const handlers = handlersFor(strategies)
  const known = [...Object.keys(intents), ...Object.keys(strategies)].sort()

  const check = ({ type: name, body, id, ...about }: Wish): Publication | Wrong => {
    const found = handlers.published(name)
    if (found === undefined)
      return { ok: false, code: 'COMMAND_UNKNOWN', problem: `there is no command "${name}"; there are ${known.join(', ')}` }
    if (!isCommandId(id)) {
      const problem = `${JSON.stringify(id)} must begin with a letter or digit and have at most 96 letters, digits and ._@:-`
      return { ok: false, code: 'ID_INVALID', problem }
    }
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return { ok: false, code: 'BODY_INVALID', problem: 'must be a JSON object' }
    const decoded = decode(found.handler.body, body)
    if (!decoded.ok) return { ok: false, code: 'BODY_INVALID', problem: decoded.problem }
    const { type } = found
    const given = Object.entries(about).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')
    const message = { data: JSON.stringify(body), attributes: { type, id, ...Object.fromEntries(given) } }
    // The engine's own reading of it: what it could not take would only become a dead letter.
    const envelope = readEnvelope({ id, publishedAt: '1970-01-01T00:00:00.000Z', ...message }, () => undefined)
    if (!envelope.ok)
      return { ok: false, code: message.data.length > longestBody ? 'BODY_TOO_LARGE' : 'BODY_INVALID', problem: envelope.problem }
    const fault = found.handler.faultIn?.(decoded.value)
    if (fault !== undefined) return { ok: false, code: 'BODY_INVALID', problem: fault }
    return { ok: true, type, topic: topicOf(topics, type, mode), message }
  }
  return { known, typeOf: (name) => handlers.published(name)?.type, check }
}
