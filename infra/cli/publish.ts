import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { isCommandId } from '../../domain/commands.ts'
import { decode } from '../../domain/decode.ts'
import type { Document, Documents } from '../../domain/ports/documents.ts'
import type { Strategy } from '../../domain/strategy.ts'
import { topicOf } from '../../domain/topics.ts'
import { handlersFor, intents } from '../../handlers/handlers.ts'
import { systemClock } from '../clock.ts'
import { findStrategies } from '../compose.ts'
import type { Environment } from '../environment.ts'
import { nameOfStore, openData } from '../store.ts'
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

/** The command's canonical type. @throws Error when nobody would understand it: a mistake reaches no topic */
const checked = async (type: string, body: unknown, where: Environment): Promise<string> => {
  const strategies: Readonly<Record<string, Strategy>> = await findStrategies(where)
  const found = handlersFor(strategies).published(type)
  if (found === undefined) {
    const known = [...Object.keys(intents), ...Object.keys(strategies)].sort()
    const hint = where.strategiesDirectory === undefined ? ' (STRATEGIES_DIR, which adds strategies of your own, is not set)' : ''
    throw new Error(`there is no command "${type}"; there are ${known.join(', ')}${hint}`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('--data: must be a JSON object')
  const decoded = decode(found.handler.body, body)
  if (!decoded.ok) throw new Error(`--data: ${decoded.problem}`)
  return found.type
}

/** The document of the command once it is no longer under way, or what there is of it when the time is over. */
const outcome = async (documents: Documents, id: string, milliseconds: number): Promise<Document | undefined> => {
  const path = `commands/${id}`
  const deadline = systemClock.monotonic() + milliseconds
  for (;;) {
    let changed = () => {}
    const change = new Promise<void>((resolve) => {
      changed = resolve
    })
    const unwatch = documents.watch(path, changed)
    const found = await documents.get(path)
    const left = deadline - systemClock.monotonic()
    const over = left <= 0 || (found !== undefined && found['status'] !== 'accepted')
    const callOff = over ? () => {} : systemClock.after(left, changed)
    if (!over) await change
    callOff()
    unwatch()
    if (over) return found
  }
}

/** Why nobody may have answered, with what there is to see. */
const silence = async (documents: Documents, where: Environment): Promise<string> => {
  const status = await documents.get(`status/${where.mode}`)
  const { connected, reason } = (status?.['gateway'] ?? {}) as { connected?: boolean; reason?: string | null }
  const gateway = connected === false ? `; its gateway is not connected${reason ? ` (${reason})` : ''}` : ''
  return `is an engine running on ${nameOfStore(where)} (ibt start), and are its projections?${gateway}`
}

const publishOne = async (type: string, { data, id = `cli-${randomUUID()}`, wait }: Options): Promise<void> => {
  const where = environment()
  if (!isCommandId(id))
    throw new Error(`--id: ${JSON.stringify(id)} must begin with a letter or digit and have at most 96 letters, digits and ._@:-`)
  const body = parsed(data)
  const name = await checked(type, body, where)
  const topics = readTopics()
  const store = await openData(where, topics)
  try {
    const topic = topicOf(topics, name, where.mode)
    const actor = process.env['USER']
    const attributes = { type: name, id, source: 'cli', ...(actor === undefined || actor === '' ? {} : { actor }) }
    const message = await store.bus.publish(topic, { data: JSON.stringify(body), attributes })
    if (wait === 0) return printJson({ id, type: name, topic, message })
    const document = await outcome(store.documents, id, wait * 1_000)
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
