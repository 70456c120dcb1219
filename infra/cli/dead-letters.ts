import { Command } from 'commander'
import { type Command as Asked, readEnvelope } from '../../domain/commands.ts'
import { decode } from '../../domain/decode.ts'
import type { Bus, DeadLetter } from '../../domain/ports/bus.ts'
import { nameFor, type Topics } from '../../domain/topics.ts'
import { type Handlers, handlersFor } from '../../handlers/handlers.ts'
import { slotOfJob } from '../../handlers/job.ts'
import { findStrategies } from '../compose.ts'
import type { Data } from '../data.ts'
import { readTopics } from '../topics-file.ts'
import { printLine } from './output.ts'
import { withData } from './reading.ts'

// ── Finding ──

type Which = { subscription?: string }

/** @throws Error when there is none, or one of several subscriptions would have to be guessed */
const find = async (bus: Bus, id: string, { subscription }: Which): Promise<DeadLetter> => {
  const letters = (await bus.deadLetters(subscription)).filter((letter) => letter.id === id)
  const [letter, ...others] = letters
  if (letter === undefined) throw new Error(`there is no dead letter ${id}; ibt dead-letters lists them by id`)
  if (others.length > 0) {
    const names = letters.map((each) => each.subscription).join(', ')
    throw new Error(`${id} was given up by several subscriptions: choose one of ${names} with --subscription`)
  }
  return letter
}

// ── Asking again ──

type Asking = { topics: Topics; mode: string; handlers: Handlers }
type Message = { topic: string; data: string; attributes: Record<string, string> }

const topicOfLetter = ({ id, subscription }: DeadLetter, { topics, mode }: Asking): { topic: string; isCommand: boolean } => {
  const found = Object.entries(topics.subscriptions).find(([name]) => nameFor(name, mode) === subscription)
  if (found === undefined) throw new Error(`${id} was given up by the subscription "${subscription}", which topics.yaml does not name`)
  const [, { topic }] = found
  return { topic: nameFor(topic, mode), isCommand: topics.topics[topic]?.kind === 'command' }
}

/** The command that the engine would take from it. @throws Error when it would only give it up, or refuse it, again */
const commandOf = (letter: DeadLetter, { topics, handlers }: Asking): Asked => {
  const read = readEnvelope(letter, (job, publishedAt) => slotOfJob(topics, job, publishedAt))
  const dead = (problem: string) => new Error(`${letter.id} would only be given up again: ${problem}`)
  if (!read.ok) throw dead(`${read.problem} (a body can be put right with --data; all else by a new ibt publish)`)
  const found = handlers.published(read.value.type)
  if (found === undefined) throw dead(`there is no command "${read.value.type}"`)
  const body = decode(found.handler.body, read.value.body)
  if (!body.ok) throw new Error(`${letter.id} would be refused: ${body.problem} (another body can be given with --data)`)
  return read.value
}

/** The message that asks again. Its id is the one that the engine would have taken, so that asking twice is asking once. */
const anew = (letter: DeadLetter, asking: Asking): Message => {
  const { topic, isCommand } = topicOfLetter(letter, asking)
  const { publishedAt: _, ...attributes } = letter.attributes
  return { topic, data: letter.data, attributes: isCommand ? { ...attributes, id: commandOf(letter, asking).id } : attributes }
}

/** Publishes first and lets go of the letter then: what fails between leaves one letter too many, never one too few. */
const republishOne = async ({ bus, journal }: Data, letter: DeadLetter, asking: Asking): Promise<void> => {
  const { topic, data, attributes } = anew(letter, asking)
  const decided = attributes['id'] === undefined ? undefined : await journal.marker(attributes['id'])
  if (decided !== undefined)
    throw new Error(`${letter.id} asks for ${attributes['id']}, which was decided at position ${decided.position} already: discard it`)
  const message = await bus.publish(topic, { data, attributes })
  await bus.discard(letter)
  printLine(JSON.stringify({ letter: letter.id, id: attributes['id'], type: attributes['type'], topic, message }))
}

type RepublishOptions = Which & { all?: true; data?: string }

const republish = (id: string | undefined, { all, data, subscription }: RepublishOptions): Promise<void> =>
  withData(async (store, where) => {
    if ((id === undefined) === (all === undefined)) throw new Error('either the ID of a letter or --all must be given')
    if (all && data !== undefined) throw new Error('--data: is the body of one command; name the letter by its ID')
    const asking = { topics: readTopics(), mode: where.mode, handlers: handlersFor(await findStrategies(where)) }
    if (id !== undefined) {
      const letter = await find(store.bus, id, { ...(subscription === undefined ? {} : { subscription }) })
      return republishOne(store, data === undefined ? letter : { ...letter, data }, asking)
    }
    const letters = await store.bus.deadLetters(subscription)
    let left = 0
    for (const letter of letters)
      await republishOne(store, letter, asking).catch((error: Error) => {
        process.stderr.write(`ibt: ${error.message}\n`)
        left += 1
      })
    if (left > 0) throw new Error(`${left} of ${letters.length} dead letters are left where they are`)
  })

// ── The verb ──

const fromSubscription = ['--subscription <name>', 'only what this subscription gave up, such as paper-commands-engine'] as const

const list = (): Command =>
  new Command('list')
    .description('Print the messages that were given up, the default.')
    .option(...fromSubscription)
    .action(({ subscription }: Which) =>
      withData(async ({ bus }) => {
        for (const letter of await bus.deadLetters(subscription)) printLine(JSON.stringify(letter))
      }),
    )

const republishVerb = (): Command =>
  new Command('republish')
    .description('Publish a dead letter again, and let go of it.')
    .argument('[id]', 'id of the letter, as listed')
    .option('--all', 'all of them, one after the other')
    .option('--data <json>', 'another body, where the one it has cannot be read')
    .option(...fromSubscription)
    .addHelpText(
      'after',
      `
The command keeps its id, so asking again and again is asking once; what was decided already is not published.
It counts as published now: its validFor begins anew, and a resume asked again resumes trading even where a halt came between.
The command of a schedule still belongs to its slot: when that is too long ago it is refused (EXPIRED, OTHER_CLOSE); publish it yourself.
What could only die again is left where it is, with the reason.

Examples:
  $ npx ibt dead-letters republish m7
  $ npx ibt dead-letters republish m7 --data '{"dryRun": true}'
  $ npx ibt dead-letters republish --all`,
    )
    .action((id: string | undefined, options: RepublishOptions) => republish(id, options))

const discard = (): Command =>
  new Command('discard')
    .description('Let go of a dead letter for good, and print it a last time.')
    .argument('<id>', 'id of the letter, as listed')
    .option(...fromSubscription)
    .addHelpText('after', '\nExample:\n  $ npx ibt dead-letters discard m7')
    .action((id: string, which: Which) =>
      withData(async ({ bus }) => {
        const letter = await find(bus, id, which)
        if (!(await bus.discard(letter))) throw new Error(`${id} was let go of by somebody else meanwhile`)
        printLine(JSON.stringify(letter))
      }),
    )

export const deadLetters = (): Command =>
  new Command('dead-letters')
    .description('The messages that were given up, one line of JSON each, with the reason; publish them again, or let go of them.')
    .addCommand(list(), { isDefault: true })
    .addCommand(republishVerb())
    .addCommand(discard())
    .addHelpText(
      'after',
      `
Examples:
  $ npx ibt dead-letters | jq -r '[.id, .deadAt, .attributes.type, .reason] | @tsv'
  $ npx ibt dead-letters republish m7
  $ npx ibt dead-letters discard m7`,
    )
