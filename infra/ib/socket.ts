/** The library's socket, of which it tells too little: how far a connection came, how it failed, and who closed it. */
import type { Socket } from 'node:net'
import type { IBApi } from '@stoqey/ib'
import type { Clock } from '../../domain/ports/clock.ts'

/** How long the other side may take to answer our FIN. */
const farewell = 1000

export type WatchedSocket = {
  opened(): boolean
  /** `ECONNREFUSED`, `ETIMEDOUT` …; of several addresses that failed, only what all of them said. */
  error(): string | undefined
  closedByPeer(): boolean
  /** Says goodbye and waits for the other side to do the same; without an answer it just ends. */
  end(): void
  /** Resolves when the socket is gone. */
  closed: Promise<void>
}

/** A gateway is known to be gone only when every address of its name says so. */
export const codeOf = (error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }): string | undefined => {
  const codes = new Set((error.errors ?? [error]).map(({ code }) => code))
  return codes.size === 1 ? [...codes][0] : 'SEVERAL'
}

/** Right after `connect()`; before that there is no socket. */
export const watchSocket = (api: IBApi, clock: Pick<Clock, 'after'>): WatchedSocket => {
  const { controller } = api as unknown as { controller: { socket: { client: Socket } } }
  const { client } = controller.socket
  let opened = false
  let closedByPeer = false
  let error: string | undefined

  // Small frames, each waited for: held back until the last one is acknowledged, every question would take 40 ms.
  client.setNoDelay(true)
  client.prependListener('connect', () => {
    opened = true
  })
  client.prependListener('end', () => {
    closedByPeer = true
  })
  client.prependListener('error', (raised) => {
    error = codeOf(raised)
    if ((error === 'ECONNRESET' || error === 'EPIPE') && opened) closedByPeer = true
  })
  const closed = new Promise<void>((resolve) => void client.once('close', () => resolve()))

  return {
    opened: () => opened,
    error: () => error,
    closedByPeer: () => closedByPeer,
    end: () => {
      if (!opened) {
        client.destroy()
        return
      }
      client.end()
      const giveUp = clock.after(farewell, () => client.destroy())
      void closed.then(giveUp)
    },
    closed,
  }
}
