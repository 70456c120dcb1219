/**
 * What a person does with a message that was given up: looks at it, has it published again, or lets go of it. Of the command line and of
 * HTTP alike. A letter is named by the id of its message, which is the same in every look, and where several subscriptions gave that
 * message up, by its subscription too.
 */
import { type Command, readEnvelope } from '../domain/commands.ts'
import { decode } from '../domain/decode.ts'
import type { ErrorCode } from '../domain/errors.ts'
import type { DeadLetter } from '../domain/ports/bus.ts'
import { nameFor, type Topics } from '../domain/topics.ts'
import { type Handlers, handlersFor } from '../handlers/handlers.ts'
import { slotOfJob } from '../handlers/job.ts'
import type { Data } from './data.ts'

export type WhichLetter = { id: string; subscription?: string | undefined }

/** `hint`: what the person who asked can do about it, for whoever knows how that is said to him. */
export type LetterRefusal = {
  ok: false
  code: Extract<ErrorCode, 'NOTHING_HERE' | 'LETTER_AMBIGUOUS' | 'LETTER_UNFIT' | 'ALREADY_DECIDED'>
  problem: string
  hint?: 'list' | 'subscription' | 'body' | 'bodyOnly'
}
export type Answered<T> = { ok: true; value: T } | LetterRefusal

/** `id`: of the command that is asked for once more; a letter that is no command has none. `message`: as the bus calls it now. */
export type Republished = { letter: string; id: string | undefined; type: string | undefined; topic: string; message: string }

/** `data`: another body in place of the one it has. `actor`: who asks now, where that is known better than by the letter. */
export type Anew = { data?: string | undefined; actor?: string }

export type DeadLetterDesk = {
  /** The oldest first. */
  list(subscription?: string): Promise<DeadLetter[]>
  find(which: WhichLetter): Promise<Answered<DeadLetter>>
  /**
   * Publishes it again under the id that the engine would have taken, so that asking twice is asking once, and lets go of it then: what
   * fails between leaves one letter too many, never one too few.
   */
  republish(letter: DeadLetter, anew?: Anew): Promise<Answered<Republished>>
  /** For good. @returns the letter, a last time */
  discard(which: WhichLetter): Promise<Answered<DeadLetter>>
}

type DeskOptions = Pick<Data, 'bus' | 'journal'> & {
  topics: Topics
  mode: 'paper' | 'live'
  strategies: Parameters<typeof handlersFor>[0]
}

const no = (code: LetterRefusal['code'], problem: string, hint?: LetterRefusal['hint']): LetterRefusal => ({
  ...{ ok: false, code, problem },
  ...(hint === undefined ? {} : { hint }),
})

/** The command that the engine would take from it; refused when it would only give it up, or refuse it, again. */
const commandOf = (letter: DeadLetter, topics: Topics, handlers: Handlers): Answered<Command> => {
  const read = readEnvelope(letter, (job, publishedAt) => slotOfJob(topics, job, publishedAt))
  const dead = (problem: string, hint?: LetterRefusal['hint']) =>
    no('LETTER_UNFIT', `${letter.id} would only be given up again: ${problem}`, hint)
  if (!read.ok) return dead(read.problem, 'bodyOnly')
  const found = handlers.published(read.value.type)
  if (found === undefined) return dead(`there is no command "${read.value.type}"`)
  const body = decode(found.handler.body, read.value.body)
  return body.ok ? { ok: true, value: read.value } : no('LETTER_UNFIT', `${letter.id} would be refused: ${body.problem}`, 'body')
}

export const openDeadLetterDesk = ({ bus, journal, topics, mode, strategies }: DeskOptions): DeadLetterDesk => {
  const handlers = handlersFor(strategies)

  const find = async ({ id, subscription }: WhichLetter): Promise<Answered<DeadLetter>> => {
    const letters = (await bus.deadLetters(subscription)).filter((letter) => letter.id === id)
    const [letter, ...others] = letters
    if (letter === undefined) return no('NOTHING_HERE', `there is no dead letter ${id}`, 'list')
    if (others.length === 0) return { ok: true, value: letter }
    const names = letters.map((each) => each.subscription).join(', ')
    return no('LETTER_AMBIGUOUS', `${id} was given up by several subscriptions: choose one of ${names}`, 'subscription')
  }

  return {
    list: (subscription) => bus.deadLetters(subscription),
    find,
    republish: async (given, { data = given.data, actor } = {}) => {
      const letter = { ...given, data }
      const { id, subscription } = letter
      const [, from] = Object.entries(topics.subscriptions).find(([name]) => nameFor(name, mode) === subscription) ?? []
      if (from === undefined)
        return no('LETTER_UNFIT', `${id} was given up by the subscription "${subscription}", which topics.yaml does not name`)
      const { publishedAt: _, digest, ...original } = letter.attributes
      // The digest is of the body that was first asked for.
      const kept = digest === undefined || data !== given.data ? original : { ...original, digest }
      const command = topics.topics[from.topic]?.kind === 'command' ? commandOf(letter, topics, handlers) : undefined
      if (command?.ok === false) return command
      const attributes: Record<string, string> = {
        ...kept,
        ...(command === undefined ? {} : { id: command.value.id }),
        ...(actor === undefined ? {} : { actor }),
      }
      const decided = attributes['id'] === undefined ? undefined : await journal.marker(attributes['id'])
      if (decided !== undefined)
        return no(
          'ALREADY_DECIDED',
          `${id} asks for ${attributes['id']}, which was decided at position ${decided.position} already: discard it`,
        )
      const topic = nameFor(from.topic, mode)
      const message = await bus.publish(topic, { data, attributes })
      await bus.discard(letter)
      return { ok: true, value: { letter: id, id: attributes['id'], type: attributes['type'], topic, message } }
    },
    discard: async (which) => {
      const found = await find(which)
      if (!found.ok || (await bus.discard(found.value))) return found
      return no('NOTHING_HERE', `${which.id} was let go of by somebody else meanwhile`)
    },
  }
}
