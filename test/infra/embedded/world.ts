/** Store files of one test, removed with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore, type Store } from '../../../infra/embedded/store.ts'

export const storeWorld = () => {
  const directory = mkdtempSync(join(tmpdir(), 'ib-trading-'))
  const path = join(directory, 'data', 'paper.sqlite')
  const stores: Store[] = []
  return {
    path,
    open: (): Store => {
      const store = openStore(path)
      stores.push(store)
      return store
    },
    close: async (): Promise<void> => {
      for (const store of stores) store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
