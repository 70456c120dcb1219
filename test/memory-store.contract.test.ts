import { documentsContract } from './contract/documents.contract.ts'
import { journalContract } from './contract/journal.contract.ts'
import { snapshotsContract } from './contract/snapshots.contract.ts'
import { createMemory, memoryDocuments, memoryJournal, memorySnapshots } from './memory-store.ts'

journalContract('memory', async () => {
  const memory = createMemory()
  return {
    journal: memoryJournal(memory),
    another: async () => memoryJournal(memory),
    tamper: async (stored) => {
      memory.commits[memory.commits.findIndex(({ position }) => position === stored.position)] = stored
    },
    remove: async (position) => {
      memory.commits.splice(
        memory.commits.findIndex((stored) => stored.position === position),
        1,
      )
    },
    close: async () => undefined,
  }
})

documentsContract('memory', async () => {
  const memory = createMemory()
  return { documents: memoryDocuments(memory), another: async () => memoryDocuments(memory), close: async () => undefined }
})

snapshotsContract('memory', async () => {
  const memory = createMemory()
  return {
    snapshots: memorySnapshots(memory),
    another: async () => memorySnapshots(memory),
    damage: async (position) => {
      for (const snapshot of memory.snapshots) if (snapshot.position === position) snapshot.json = snapshot.json.replace('note', 'nota')
    },
    kept: async () => memory.snapshots.map(({ position }) => position).sort((left, right) => left - right),
    close: async () => undefined,
  }
})
