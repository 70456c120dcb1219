/** Documents, journal and clients on an emulator, closed together. */
import type { Firestore } from '@google-cloud/firestore'
import { systemClock } from '../../../infra/clock.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'

export type Connected = { firestore: Firestore; documents: ReturnType<typeof openDocuments> }

/** @param host of Firestore, where it is not the emulator itself */
export const connections = () => {
  const closing: (() => Promise<void>)[] = []
  return {
    open: (store: GoogleStore, options: { host?: string; deadlineMs?: number } = {}): Connected => {
      const { host, ...others } = options
      const emulators = host === undefined ? store.emulators! : { ...store.emulators!, firestore: host }
      const connection = openConnection({ ...store, emulators })
      const documents = openDocuments({ firestore: connection.firestore, mode: 'paper', clock: systemClock, ...others })
      closing.push(async () => {
        documents.close()
        await connection.close()
      })
      return { firestore: connection.firestore, documents }
    },
    close: async (): Promise<void> => {
      for (const close of closing.splice(0)) await close()
    },
  }
}
