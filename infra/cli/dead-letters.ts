import { Command } from 'commander'
import type { DeadLetter } from '../../domain/ports/bus.ts'
import { findStrategies } from '../compose.ts'
import { type Answered, type LetterRefusal, openDeadLetterDesk } from '../dead-letters.ts'
import { readTopics } from '../topics-file.ts'
import { printLine } from './output.ts'
import { withData } from './reading.ts'

/** What can be done about a refusal, as it is typed here. */
const hints: Readonly<Record<NonNullable<LetterRefusal['hint']>, string>> = {
  list: '; ibt dead-letters lists them by id',
  subscription: ' with --subscription',
  body: ' (another body can be given with --data)',
  bodyOnly: ' (a body can be put right with --data; all else by a new ibt publish)',
}

/** @throws Error in one line where it was refused */
const granted = <T>(answered: Answered<T>): T => {
  if (answered.ok) return answered.value
  throw new Error(`${answered.problem}${answered.hint === undefined ? '' : hints[answered.hint]}`)
}

type Which = { subscription?: string }

// ── Asking again ──

type RepublishOptions = Which & { all?: true; data?: string }

const republish = (id: string | undefined, { all, data, subscription }: RepublishOptions): Promise<void> =>
  withData(async (store, where) => {
    if ((id === undefined) === (all === undefined)) throw new Error('either the ID of a letter or --all must be given')
    if (all && data !== undefined) throw new Error('--data: is the body of one command; name the letter by its ID')
    const desk = openDeadLetterDesk({ ...store, topics: readTopics(), mode: where.mode, strategies: await findStrategies(where) })
    const republishOne = async (letter: DeadLetter) => printLine(JSON.stringify(granted(await desk.republish(letter, { data }))))
    if (id !== undefined) return republishOne(granted(await desk.find({ id, subscription })))
    const letters = await desk.list(subscription)
    let left = 0
    for (const letter of letters)
      await republishOne(letter).catch((error: Error) => {
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
    .action((id: string, { subscription }: Which) =>
      withData(async (store, where) => {
        const desk = openDeadLetterDesk({ ...store, topics: readTopics(), mode: where.mode, strategies: {} })
        printLine(JSON.stringify(granted(await desk.discard({ id, subscription }))))
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
