/** Documents on an emulator, each with a client of its own, closed together. */
import type { Firestore } from '@google-cloud/firestore'
import { systemClock } from '../../../infra/clock.ts'
import type { GoogleStore } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { googleClients } from './clients.ts'

export type Connected = { firestore: Firestore; documents: ReturnType<typeof openDocuments> }

export const connections = () => {
  const closing: (() => unknown)[] = []
  return {
    /** `host` of Firestore, where it is not the emulator itself but a line to it. */
    open: (store: GoogleStore, { host, ...options }: { host?: string; deadlineMs?: number } = {}): Connected => {
      const clients = googleClients(store)
      const { firestore } = clients.connect(host)
      const documents = openDocuments({ firestore, mode: 'paper', clock: systemClock, ...options })
      closing.push(documents.close, clients.close)
      return { firestore, documents }
    },
    close: async (): Promise<void> => {
      for (const close of closing.splice(0)) await close()
    },
  }
}
