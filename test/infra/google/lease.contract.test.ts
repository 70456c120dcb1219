import { openLease } from '../../../infra/google/lease.ts'
import { leaseContract } from '../../contract/lease.contract.ts'
import { usesEmulators } from '../../emulators.ts'
import { googleClients } from './clients.ts'

describe("on Google's emulator", () => {
  const { store } = usesEmulators()

  leaseContract('Google Firestore', async () => {
    const clients = googleClients(store())
    const open = () => openLease({ firestore: clients.connect().firestore, mode: 'paper' })
    return {
      lease: open(),
      another: async () => open(),
      ttlMs: 1_000,
      // Firestore's time is nobody's to move: it really has to go by.
      pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      close: clients.close,
    }
  })
})
