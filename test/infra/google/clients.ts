/** Genuine clients on one project of the emulators, each with a connection of its own, closed with the test. */
import { type Connection, type GoogleStore, openConnection } from '../../../infra/google/connection.ts'

const variable = 'FIRESTORE_EMULATOR_HOST'

export const googleClients = (store: GoogleStore) => {
  const open: Connection[] = []
  return {
    /** @param host where Firestore is reached, when not directly: a proxy */
    connect: (host?: string): Connection => {
      const given = process.env[variable]
      if (host !== undefined) delete process.env[variable] // the client obeys it against what it is told
      try {
        const emulators = store.emulators && { ...store.emulators, firestore: host ?? store.emulators.firestore }
        const connection = openConnection({ ...store, ...(emulators && { emulators }) })
        open.push(connection)
        return connection
      } finally {
        if (given !== undefined) process.env[variable] = given
      }
    },
    close: async (): Promise<void> => {
      await Promise.all(open.map((connection) => connection.close()))
    },
  }
}
