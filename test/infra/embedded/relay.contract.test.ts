import { systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/embedded/bus.ts'
import { openDocuments } from '../../../infra/embedded/documents.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { relayContract, relayTopics } from '../../contract/relay.contract.ts'
import { storeWorld } from './world.ts'

relayContract('SQLite', async () => {
  const world = storeWorld()
  const open = async () => {
    const store = world.open()
    return {
      journal: openJournal(store),
      documents: openDocuments(store),
      bus: openBus({ store, topics: relayTopics, mode: 'paper', clock: systemClock }),
    }
  }
  return { open, close: world.close }
})
