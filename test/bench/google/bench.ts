/** `npm run bench -- google`: the engine on Pub/Sub and Firestore, on Google's emulators, which are started and ended here. */
import { startEmulators } from '../../../infra/google/emulators.ts'
import { tableOf } from '../row.ts'
import { benchGoogleAppend } from './append.ts'
import { benchGoogleCosts } from './costs.ts'
import { benchGoogleLatency } from './latency.ts'
import { benchGoogleRebuild } from './rebuild.ts'

export type GoogleOptions = { events: number; days: number }

/** The clients would obey these against what they are told: to the lines on which is counted, and to the emulators of this run alone. */
const named = ['FIRESTORE_EMULATOR_HOST', 'PUBSUB_EMULATOR_HOST']

/** @returns the tables, in Markdown @throws Error in one line where the emulators are missing */
export const benchGoogle = async ({ events, days }: GoogleOptions): Promise<string> => {
  const tell = (what: string): void => console.error(`${what} …`)
  for (const variable of named) delete process.env[variable]
  tell("starting Google's emulators of Pub/Sub and Firestore")
  const emulators = await startEmulators()
  try {
    tell('append')
    const rows = await benchGoogleAppend(emulators)
    tell('publish to the marker in the journal')
    rows.push(...(await benchGoogleLatency(emulators)))
    const counts = await benchGoogleCosts(emulators, days, tell)
    rows.push(...(await benchGoogleRebuild(emulators, events, tell)))
    return [tableOf(rows), ...counts].join('\n\n')
  } finally {
    await emulators.end()
  }
}
