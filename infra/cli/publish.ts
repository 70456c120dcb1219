import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import type { Topics } from '../../domain/topics.ts'
import { findStrategies } from '../compose.ts'
import type { Environment } from '../environment.ts'
import { outcome, silence } from '../outcome.ts'
import { createCommandCheck, type Publication, type Wish } from '../publication.ts'
import { openData } from '../store.ts'
import { readTopics } from '../topics-file.ts'
import { environment, wholeNumber } from './arguments.ts'
import { printJson } from './output.ts'

type Options = { data: string; id?: string; wait: number }

const parsed = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch (error) {
    throw new Error(`--data: not JSON: ${(error as Error).message}`)
  }
}

/** What goes onto the topic. @throws Error naming the option that is wrong, or the command that nobody would understand */
const checked = async (wish: Wish, topics: Topics, where: Environment): Promise<Publication> => {
  const strategies = await findStrategies(where)
  const found = createCommandCheck({ topics, mode: where.mode, strategies }).check(wish)
  if (found.ok) return found
  const hint = where.strategiesDirectory === undefined ? ' (STRATEGIES_DIR, which adds strategies of your own, is not set)' : ''
  if (found.code === 'COMMAND_UNKNOWN') throw new Error(`${found.problem}${hint}`)
  throw new Error(`${found.code === 'ID_INVALID' ? '--id' : '--data'}: ${found.problem}`)
}

const publishOne = async (name: string, { data, id = `cli-${randomUUID()}`, wait }: Options): Promise<void> => {
  const where = environment()
  const topics = readTopics()
  const actor = process.env['USER']
  const wish = { type: name, body: parsed(data), id, source: 'cli', ...(actor === undefined ? {} : { actor }) }
  const { type, topic, message } = await checked(wish, topics, where)
  const store = await openData(where, topics)
  try {
    const published = await store.bus.publish(topic, message)
    if (wait === 0) return printJson({ id, type, topic, message: published })
    const document = await outcome(store.documents, id, { milliseconds: wait * 1_000 })
    if (document === undefined)
      throw new Error(`${id} is published, but was not decided within ${wait} s: ${await silence(store.documents, where)}`)
    printJson(document)
    const { status, code, text } = document
    if (status === 'accepted') throw new Error(`${id} is still under way after ${wait} s; look again with ibt document commands/${id}`)
    if (status !== 'completed') throw new Error(`${id} ended ${status}: ${[code, text].filter((part) => part !== null).join(': ')}`)
  } finally {
    await store.close()
  }
}

export const publish = (): Command =>
  new Command('publish')
    .description('Publish a command, wait for what becomes of it, and print its document.')
    .argument('<type>', 'an intent (orchestrator, reconcile, halt …) or the id of a strategy')
    .option('--data <json>', 'body of the command', '{}')
    .option('--id <id>', 'id of the command: what has been decided once is not decided again (default: a new one)')
    .option('--wait <seconds>', 'how long to wait for its end; 0 does not wait', wholeNumber(0, 86_400), 30)
    .addHelpText(
      'after',
      `
Type and body are checked before anything is published. Exits 0 when the command was completed, otherwise with its code.

Examples:
  $ npx ibt publish reconcile
  $ npx ibt publish spymacdvixy --data '{"dryRun": true}'
  $ npx ibt publish orchestrator --id orchestrator-2026-11-20 --wait 120
  $ npx ibt publish configure --data '{"changes": {"strategies.spymacdvixy.allocation": 0.5}}'
  $ npx ibt publish resume --data '{"reason": "checked by hand"}'
  $ npx ibt publish halt --data '{"reason": "the news", "cancelWorking": true}' --wait 0`,
    )
    .action((type: string, options: Options) => publishOne(type, options))
