/** One client's socket: the greeting, then messages both ways in frames. */
import type { Socket } from 'node:net'
import { createFrameReader, encodeFrame, type Field, type Incoming, MalformedFrame } from './wire.ts'

export type Connection = {
  readonly serverVersion: number
  /** Set by START_API. */
  clientId?: number
  send: (fields: readonly Field[]) => void
  /** Ends it after all that was sent has left. */
  close: () => void
  /** Breaks it off as a failing network would, the client sees ECONNRESET: at once, or after what was sent has left. */
  breakOff: (afterSent: boolean) => void
  destroy: () => void
  /** Resolves when all that was sent has left or the socket is gone. */
  flushed: () => Promise<void>
  isOpen: () => boolean
}

export type ConnectionHandlers = {
  /** The version to speak, from the client's range; undefined closes the connection. */
  negotiate: (from: number, to: number) => { serverVersion: number; time: string } | undefined
  message: (connection: Connection, fields: string[]) => void
  closed: (connection: Connection) => void
}

/** Whatever goes wrong on a socket ends this socket and nothing else. */
export const openConnection = (socket: Socket, handlers: ConnectionHandlers): Connection => {
  const readFrames = createFrameReader()
  let serverVersion = 0
  let open = true
  const connection: Connection = {
    get serverVersion() {
      return serverVersion
    },
    send: (fields) => {
      if (open) socket.write(encodeFrame(fields))
    },
    close: () => {
      open = false
      socket.end(() => socket.destroy())
    },
    breakOff: (afterSent) => {
      open = false
      if (afterSent) socket.write('', () => socket.resetAndDestroy())
      else socket.resetAndDestroy()
    },
    destroy: () => {
      open = false
      socket.destroy()
    },
    flushed: () =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writable) return resolve()
        socket.once('close', resolve)
        socket.write('', () => {
          socket.off('close', resolve)
          resolve()
        })
      }),
    isOpen: () => open,
  }

  const greet = (from: number, to: number): void => {
    const agreed = handlers.negotiate(from, to)
    serverVersion = agreed?.serverVersion ?? 0
    if (agreed) connection.send([agreed.serverVersion, agreed.time])
    else connection.close()
  }

  const receive = (incoming: Incoming): void => {
    if (incoming.kind === 'hello') greet(incoming.from, incoming.to)
    else handlers.message(connection, incoming.fields)
  }

  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    try {
      for (const incoming of readFrames(chunk)) if (open) receive(incoming)
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      connection.destroy()
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    open = false
    handlers.closed(connection)
  })
  return connection
}
