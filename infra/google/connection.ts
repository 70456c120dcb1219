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

/** Credentials are the application default ones, as Google's libraries find them; the emulators need none. */
export const openConnection = ({ project, database, emulators }: GoogleStore): Connection => {
  const firestore = new Firestore({
    projectId: project,
    databaseId: database,
    ...(emulators === undefined ? {} : { host: emulators.firestore, ssl: false }),
  })
  const pubsub = new PubSub({
    projectId: project,
    ...(emulators === undefined ? {} : { apiEndpoint: emulators.pubsub, emulatorMode: true }),
  })
  return {
    firestore,
    pubsub,
    close: async () => {
      await Promise.all([firestore.terminate(), pubsub.close()])
    },
  }
}
