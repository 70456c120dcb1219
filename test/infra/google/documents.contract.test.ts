import { systemClock } from '../../../infra/clock.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { documentsContract } from '../../contract/documents.contract.ts'
import { usesEmulators } from '../../emulators.ts'

describe('on Google', () => {
  const emulators = usesEmulators()
  documentsContract('Google Firestore', async () => {
    const store = emulators.store()
    const closing: (() => Promise<void>)[] = []
    const open = () => {
      const connection = openConnection(store)
      const documents = openDocuments({ firestore: connection.firestore, mode: 'paper', clock: systemClock })
      closing.push(async () => {
        documents.close()
        await connection.close()
      })
      return documents
    }
    return {
      documents: open(),
      another: async () => open(),
      close: async () => {
        for (const close of closing) await close()
      },
    }
  })
})
