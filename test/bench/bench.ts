/**
 * `npm run bench`: every figure beside its floor from the same run, as a table. Ratios, since machines differ and are shared.
 * `npm run bench -- google` does the same on Pub/Sub and Firestore, `npm run bench -- gateway` looks at session and simulator.
 */
import { Argument, Command } from 'commander'
import { wholeNumber } from '../../infra/cli/arguments.ts'
import type { GoogleOptions } from './google/bench.ts'

const embedded = async (): Promise<string> => {
  const { benchAppend } = await import('./append.ts')
  const { benchLatency } = await import('./latency.ts')
  const { benchReplay } = await import('./replay.ts')
  const { tableOf } = await import('./row.ts')
  const rows = []
  console.error('replay …')
  rows.push(benchReplay())
  console.error('durable append …')
  rows.push(await benchAppend())
  console.error('publish to the order on the socket …')
  rows.push(...(await benchLatency()))
  return tableOf(rows)
}

const google = async (options: GoogleOptions): Promise<string> => {
  const { benchGoogle } = await import('./google/bench.ts')
  return benchGoogle(options)
}

const gateway = async (): Promise<string> => {
  const { benchGateway } = await import('./gateway.ts')
  return benchGateway()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130)) // what was started ends with us

await new Command('bench')
  .addArgument(
    new Argument('[what]', 'where the data lives, or the gateway').choices(['embedded', 'google', 'gateway']).default('embedded'),
  )
  .option('--events <number>', 'google: length of the journal that is rebuilt', wholeNumber(1_000, 1_000_000), 100_000)
  .option('--days <number>', 'google: how many sessions are lived through', wholeNumber(2, 1_000), 30)
  .action(async (what: 'embedded' | 'google' | 'gateway', options: GoogleOptions) => {
    console.log(await { embedded, google: () => google(options), gateway }[what]())
  })
  .parseAsync()
  .catch((error: Error) => {
    console.error(`bench: ${error.message}`)
    process.exit(1) // what still runs after a failure is not waited for
  })
