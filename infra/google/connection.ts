/** The genuine clients of Firestore and Pub/Sub, for one project and one database; both connect at the first call. */
import { Firestore } from '@google-cloud/firestore'
import { PubSub } from '@google-cloud/pubsub'
import type { EmulatorHosts } from './emulators.ts'

export type GoogleStore = {
  project: string
  /** Name of the Firestore database; one a trading mode. */
  database: string
  /** Both or none: half a real project and half an emulator would be neither. */
  emulators?: EmulatorHosts
}

export type Connection = { firestore: Firestore; pubsub: PubSub; close(): Promise<void> }

/** Said by itself, since FIRESTORE_EMULATOR_HOST goes before the client's `host`, but not before its `port`. */
const portOf = (host: string): number => Number(host.slice(host.lastIndexOf(':') + 1))

/** Says the domain itself, so that nobody looks for credentials or for Google's metadata server. */
const withoutCredentials = { clientOptions: { universeDomain: 'googleapis.com' } }

/** A line that died without a word is noticed, and one that was away for long is tried again every few seconds, not after two minutes. */
const line = { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 5_000, 'grpc.max_reconnect_backoff_ms': 5_000 }

/**
 * Closed over a listener that just begins, or a read that is being repeated, the client lets a promise fail that nobody can hear: the
 * process would end with a stack, in place of its own last words. So its pool of lines is heard here.
 */
const hearWhatEnds = (firestore: Firestore): void => {
  const { _clientPool: pool } = firestore as unknown as { _clientPool: { run(...given: unknown[]): Promise<unknown> } }
  const run = pool.run.bind(pool)
  pool.run = (...given) => {
    const running = run(...given)
    running.catch(() => undefined)
    return running
  }
}

/** Credentials are the application default ones, as Google's libraries find them; the emulators need none. */
export const openConnection = ({ project, database, emulators }: GoogleStore): Connection => {
  const firestore = new Firestore({
    projectId: project,
    databaseId: database,
    ...line,
    ...(emulators === undefined ? {} : { host: emulators.firestore, port: portOf(emulators.firestore), ssl: false, ...withoutCredentials }),
  })
  hearWhatEnds(firestore)
  const pubsub = new PubSub({
    projectId: project,
    ...line,
    ...(emulators === undefined ? {} : { apiEndpoint: emulators.pubsub, emulatorMode: true, ...withoutCredentials }),
  })
  return {
    firestore,
    pubsub,
    close: async () => {
      await Promise.all([firestore.terminate(), pubsub.close()])
    },
  }
}

/** To be asked before all else: without credentials the clients also fail where nobody can catch it. @throws Error in one line */
export const checkCredentials = async ({ pubsub }: Pick<Connection, 'pubsub'>): Promise<void> => {
  if (pubsub.isEmulator) return
  try {
    await pubsub.auth.getClient()
  } catch (error) {
    throw new Error(
      `there are no Google credentials here (${(error as Error).message}): run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS`,
      { cause: error },
    )
  }
}
