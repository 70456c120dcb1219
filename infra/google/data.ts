/** Firestore and Pub/Sub as the store of one trading mode. */
import type { Firestore } from '@google-cloud/firestore'
import type { Clock } from '../../domain/ports/clock.ts'
import type { Topics } from '../../domain/topics.ts'
import type { Data } from '../data.ts'
import { openBus } from './bus.ts'
import { checkCredentials, type GoogleStore, openConnection } from './connection.ts'
import { openDocuments } from './documents.ts'
import { insist, type Patience } from './firestore-calls.ts'
import { openJournal } from './journal.ts'
import { openLease } from './lease.ts'
import { openSnapshots } from './snapshots.ts'
import { ensureTopics } from './topics/ensure.ts'

export type GoogleDataOptions = {
  store: GoogleStore
  mode: 'paper' | 'live'
  topics: Topics
  clock: Clock
  warn: (fields: object, text: string) => void
  /** Told of what time does not heal, such as a subscription that is not there. */
  failed: (error: Error) => void
}

const closesWithinMs = 2_000
const checksWithinMs = 10_000

/** Two modes in one database would write over each other's documents. Costs one read. */
const checkDatabase = async (
  firestore: Firestore,
  database: string,
  mode: 'paper' | 'live',
  patience: Omit<Patience, 'what'>,
): Promise<void> => {
  const other = mode === 'paper' ? 'live' : 'paper'
  const beginning = firestore.doc(`journals/${other}/commits/000000000001`)
  const { exists } = await insist(() => beginning.get(), { what: `opening the database ${database}`, ...patience }, 1)
  if (exists)
    throw new Error(`FIRESTORE_DATABASE: ${database} holds the journal of ${other} trading; each trading mode needs a database of its own`)
}

/** Connects at the first question. On emulators, which begin empty, the topics are made. @throws Error in one line */
export const openGoogle = async ({ store, mode, topics, clock, warn, failed }: GoogleDataOptions): Promise<Data> => {
  const connection = openConnection(store)
  const { firestore, pubsub, close } = connection
  await checkCredentials(connection)
  const leaving = new AbortController()
  const abandoned = leaving.signal
  try {
    await checkDatabase(firestore, store.database, mode, { deadlineMs: checksWithinMs, clock, abandoned })
    if (store.emulators !== undefined) await ensureTopics({ pubsub, topics, mode, project: store.project })
  } catch (error) {
    await close()
    throw error
  }
  const documents = openDocuments({ firestore, mode, clock, abandoned })
  return {
    journal: openJournal({ firestore, mode, clock, abandoned }),
    bus: openBus({ pubsub, topics, mode, clock, onError: failed, warn }),
    documents,
    lease: openLease({ firestore, mode, clock, abandoned }),
    snapshots: openSnapshots({ firestore, mode, clock, abandoned }),
    abandon: () => leaving.abort(),
    close: async () => {
      leaving.abort()
      documents.close()
      let callOff = () => {}
      const longEnough = new Promise<void>((resolve) => {
        callOff = clock.after(closesWithinMs, resolve) // the clients wait for calls under way, on a dead line for ever
      })
      await Promise.race([close(), longEnough])
      callOff()
    },
  }
}
