import { systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/google/bus.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { relayContract, relayTopics } from '../../contract/relay.contract.ts'
import { usesEmulators } from '../../emulators.ts'
import { createTopics } from './bus-world.ts'
import { googleClients } from './clients.ts'

describe("on Google's emulators", () => {
  const { store } = usesEmulators()

  relayContract('Google Firestore and Pub/Sub', async () => {
    const clients = googleClients(store())
    const abandonment = new AbortController()
    const abandoned = abandonment.signal
    await createTopics(clients.connect().pubsub, relayTopics)
    return {
      open: async () => {
        const { firestore, pubsub } = clients.connect()
        return {
          journal: openJournal({ firestore, mode: 'paper', abandoned }),
          documents: openDocuments({ firestore, mode: 'paper', clock: systemClock }),
          bus: openBus({ pubsub, topics: relayTopics, mode: 'paper', clock: systemClock }),
        }
      },
      close: async () => {
        abandonment.abort()
        await clients.close()
      },
    }
  })
})
