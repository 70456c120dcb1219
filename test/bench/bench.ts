/**
 * `npm run bench`: every figure beside its floor from the same run, as a table. Ratios, since machines differ and are shared.
 * `npm run bench -- google` does the same on Pub/Sub and Firestore, `npm run bench -- gateway` looks at session and simulator,
 * `npm run bench -- recovery` at a start over a long journal.
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

type Options = Partial<Pick<GoogleOptions, 'events'>> & Pick<GoogleOptions, 'days'>

const google = async ({ events = 100_000, days }: Options): Promise<string> => {
  const { benchGoogle } = await import('./google/bench.ts')
  return benchGoogle({ events, days })
}

const gateway = async (): Promise<string> => {
  const { benchGateway } = await import('./gateway.ts')
  return benchGateway()
}

const recovery = async ({ events = 1_000_000 }: Options): Promise<string> => {
  const { benchRecovery } = await import('./recovery.ts')
  return benchRecovery(events)
}

const parts = { embedded, google, gateway, recovery }

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130)) // what was started ends with us

await new Command('bench')
  .description('Figures beside their floors from the same run, as tables in Markdown.')
  .addArgument(
    new Argument('[what]', 'a store, the simulated gateway, or a start over a long journal')
      .choices(Object.keys(parts))
      .default('embedded'),
  )
  .option('--events <number>', 'length of the journal: google (100,000 by default) and recovery (1,000,000)', wholeNumber(1_000, 1_000_000))
  .option('--days <number>', 'google: how many sessions are lived through', wholeNumber(2, 1_000), 30)
  .action(async (what: keyof typeof parts, options: Options) => {
    console.log(await parts[what](options))
  })
  .parseAsync()
  .catch((error: Error) => {
    console.error(`bench: ${error.message}`)
    process.exit(1) // what still runs after a failure is not waited for
  })
