import { Command, Option } from 'commander'
import { compose, type Role, roles } from '../compose.ts'
import { openProcessLog } from '../log.ts'
import { environment } from './arguments.ts'
import { printProblem } from './output.ts'

const signalled = (): Promise<'signalled'> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve('signalled'))
  })

/** Ends the process itself: whatever still waits, such as for a lease that another engine holds, must not keep it. */
const run = async (role: Role): Promise<void> => {
  const where = environment()
  const decides = role === 'all' || role === 'engine'
  if (where.mode === 'live' && decides && where.gateway.account === undefined)
    throw new Error('IB_ACCOUNT: live trading needs the account to be named')
  const log = await openProcessLog(where)
  const asked = signalled()
  const composed = await compose(where, { log, http: true })
  const failed = composed.start(role).then(
    () => composed.stopped,
    (error: Error) => error,
  )
  const { mode, dataDirectory, gateway } = where
  log.info({ mode, role, dataDirectory, gateway: decides ? gateway : undefined }, 'starting')
  const ended = await Promise.race([asked, failed])
  void signalled().then(() => process.exit(1)) // asked twice: at once
  await composed.stop()
  if (ended === 'signalled') {
    log.info({}, 'stopped; orders stay at the broker')
    process.exit(0)
  }
  printProblem(ended.message)
  process.exit(1)
}

export const start = (): Command =>
  new Command('start')
    .description('Run the engine, the projections and the HTTP server until SIGTERM or SIGINT. Orders stay at the broker.')
    .addOption(new Option('--role <role>', 'what this process does').choices([...roles]).default('all'))
    .addHelpText(
      'after',
      `
The engine takes the journal over, connects to the gateway and carries out commands; projections keep the documents in step;
api serves HTTP on PORT, on this machine alone unless an issuer of tokens is configured (AUTH_AUDIENCE).
Trading is off until the first resume of a journal. Exits with an error when the engine stops by itself: another engine took
over, or the account is not the right one.

Examples:
  $ npx ibt start
  $ TRADING_MODE=paper IB_HOST=127.0.0.1 IB_PORT=4002 DATA_DIR=./data npx ibt start
  $ TRADING_MODE=live IB_ACCOUNT=U7654321 npx ibt start
  $ npx ibt start --role projections
  $ PORT=8081 npx ibt start --role api`,
    )
    .action(({ role }: { role: Role }) => run(role))
