/** The command line: one verb a file, data on standard output, everything else on standard error, exit 0 only on success. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { variables } from '../environment.ts'
import { agree } from './agree.ts'
import { alerts } from './alerts.ts'
import { backup } from './backup.ts'
import { checklist } from './checklist.ts'
import { compare } from './compare.ts'
import { config } from './config.ts'
import { deadLetters } from './dead-letters.ts'
import { demo } from './demo/demo.ts'
import { document } from './document.ts'
import { documents } from './documents.ts'
import { gatewaySim } from './gateway-sim.ts'
import { journal } from './journal.ts'
import { printProblem } from './output.ts'
import { publish } from './publish.ts'
import { rebuild } from './rebuild.ts'
import { replay } from './replay.ts'
import { signal } from './signal.ts'
import { start } from './start.ts'
import { topics } from './topics.ts'
import { verify } from './verify.ts'

const width = Math.max(...Object.keys(variables).map((name) => name.length))
const environmentHelp = Object.entries(variables).map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`)

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version

const program = new Command('ibt')
  .description('An automated trading engine for Interactive Brokers that can explain, replay and prove every decision.')
  .version(version(), '--version', 'print the version')
  .addHelpText(
    'after',
    `
Environment (default):
${environmentHelp.join('\n')}

Begin with:
  $ npx ibt demo                          months of simulated trading, then the proofs
  $ npx ibt gateway-sim --port 4002       a gateway to try things out on
  $ npx ibt start                         the engine; another terminal for what follows
  $ npx ibt publish configure --data '{"changes": {"strategies.dummy.allocation": 0.5}}'
  $ npx ibt publish resume                trading is off until the first resume
  $ npx ibt publish orchestrator          signals, reconcile, decision, orders
  $ npx ibt document status/paper         what came of it`,
  )

for (const verb of [
  demo,
  start,
  gatewaySim,
  publish,
  journal,
  document,
  documents,
  replay,
  rebuild,
  verify,
  agree,
  backup,
  checklist,
  compare,
  config,
  alerts,
  deadLetters,
  topics,
  signal,
])
  program.addCommand(verb())

/** What is wrong with the words of a line is said as everything else that is wrong. */
const speakAsOne = (command: Command): void => {
  command.showHelpAfterError('(add --help for what is possible)')
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ibt: ')) })
  for (const verb of command.commands) speakAsOne(verb)
}
speakAsOne(program)

/** A reader that has seen enough, such as head, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

/** What the user can put right is one line; only our own mistakes show where they happened. */
const lineOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const isBug = error instanceof TypeError || error instanceof ReferenceError
  return isBug || process.env['LOG_LEVEL'] === 'debug' ? (error.stack ?? error.message) : error.message
}

program.parseAsync().catch((error: unknown) => {
  printProblem(lineOf(error))
  process.exitCode = 1
})
