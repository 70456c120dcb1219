import { systemClock } from '../../../infra/clock.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { openDocuments } from '../../../infra/google/documents.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy } from '../../tcp-proxy.ts'
import { googleClients } from './clients.ts'

/** Long enough for the client to find out that it is closed; the root hooks fail a test in which a promise failed unheard. */
const lasting = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('a connection to Google', () => {
  const { hosts, store } = usesEmulators()

  it('is closed over a listener that just begins, and nothing fails unheard', async () => {
    for (const after of [0, 2, 4]) {
      const { firestore, close } = openConnection(store())
      const documents = openDocuments({ firestore, mode: 'paper', clock: systemClock })
      await documents.get('status/paper')
      documents.watch('status/paper', () => undefined)
      await lasting(after)
      documents.close()
      await close()
      await lasting(100)
    }
  })

  it('is closed over a read that is repeated, and nothing fails unheard', async () => {
    const line = await startTcpProxy(hosts().firestore)
    const clients = googleClients(store())
    const { firestore } = clients.connect(line.host)
    await firestore.doc('status/paper').get()
    line.setMode('refuse')
    void firestore.doc('status/paper').get()
    await lasting(500)
    await clients.close()
    await lasting(3_000)
    await line.close()
  })
})
