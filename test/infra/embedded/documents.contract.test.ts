import { openDocuments } from '../../../infra/embedded/documents.ts'
import { documentsContract } from '../../contract/documents.contract.ts'
import { storeWorld } from './world.ts'

documentsContract('SQLite', async () => {
  const world = storeWorld()
  return { documents: openDocuments(world.open()), another: async () => openDocuments(world.open()), close: world.close }
})
