import { openJournal } from '../../../infra/google/journal.ts'
import { journalContract } from '../../contract/journal.contract.ts'
import { usesEmulators } from '../../emulators.ts'
import { googleClients } from './clients.ts'

describe("on Google's emulator", () => {
  const { store } = usesEmulators()

  journalContract('Google Firestore', async () => {
    const clients = googleClients(store())
    const abandonment = new AbortController()
    const open = () => openJournal({ firestore: clients.connect().firestore, mode: 'paper', abandoned: abandonment.signal })
    const commits = clients.connect().firestore.collection('journals').doc('paper').collection('commits')
    const id = (position: number) => String(position).padStart(12, '0')
    return {
      journal: open(),
      another: async () => open(),
      tamper: async (stored) => {
        await commits.doc(id(stored.position)).set(stored)
      },
      remove: async (position) => {
        await commits.doc(id(position)).delete()
      },
      close: async () => {
        abandonment.abort()
        await clients.close()
      },
    }
  })
})
