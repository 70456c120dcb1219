/** One client's socket: the greeting, then messages both ways in frames. */
import type { Socket } from 'node:net'
import type { Delivery } from './delivery.ts'
import { createOutlet, type Frames } from './outlet.ts'
import { createFrameReader, encodeFrame, type Field, type Incoming, MalformedFrame } from './wire.ts'

export type Connection = {
  readonly serverVersion: number
  /** Set by START_API. */
  clientId?: number
  send: (fields: readonly Field[]) => void
  /** Sends what was held back and may go now. */
  release: () => void
  /** Ends it after all that was sent has left. */
  close: () => void
  /** Breaks it off as a failing network would, the client sees ECONNRESET: at once, or after what was sent has left. */
  breakOff: (afterSent: boolean) => void
  destroy: () => void
  /** How its bytes leave from now on; undefined is whole frames at once. */
  shape: (frames: Frames | undefined) => void
  /** While on, nothing leaves and nothing is read, not even that the client has gone; off goes on with what was kept on either side. */
  freeze: (on: boolean) => void
  /** Resolves when all that was sent has left, the socket is frozen, or gone. */
  flushed: () => Promise<void>
  isOpen: () => boolean
}

export type ConnectionHandlers = {
  /** The version to speak, from the client's range; undefined closes the connection. */
  negotiate: (from: number, to: number) => { serverVersion: number; time: string } | undefined
  message: (connection: Connection, fields: string[]) => void
  closed: (connection: Connection) => void
}

/** Whatever goes wrong on a socket ends this socket and nothing else. `random` cuts frames into pieces where that is wanted. */
export const openConnection = (socket: Socket, delivery: Delivery, random: () => number, handlers: ConnectionHandlers): Connection => {
  const readFrames = createFrameReader()
  const outlet = createOutlet(socket, random)
  const unread: Incoming[] = []
  let serverVersion = 0
  let open = true
  let frozen = false
  let gone = false
  const end = (): void => {
    open = false
    handlers.closed(connection)
  }
  const write = (fields: readonly Field[]): void => {
    if (open) outlet.write(encodeFrame(fields))
  }
  const connection: Connection = {
    get serverVersion() {
      return serverVersion
    },
    send: (fields) => {
      if (open) for (const message of delivery.pass(fields)) write(message)
    },
    release: () => {
      for (const message of delivery.released()) write(message)
    },
    close: () => {
      open = false
      void outlet.drained().then(() => socket.end(() => socket.destroy()))
    },
    breakOff: (afterSent) => {
      open = false
      if (afterSent) void outlet.drained().then(() => socket.resetAndDestroy())
      else socket.resetAndDestroy()
    },
    destroy: () => {
      open = false
      socket.destroy()
    },
    shape: outlet.shape,
    freeze: (on) => {
      if (on === frozen) return
      frozen = on
      outlet.stop(on)
      if (on) socket.pause()
      else {
        socket.resume()
        setImmediate(() => {
          readOn()
          if (gone && !frozen) end()
        })
      }
    },
    flushed: outlet.drained,
    isOpen: () => open,
  }

  const greet = (from: number, to: number): void => {
    const agreed = handlers.negotiate(from, to)
    serverVersion = agreed?.serverVersion ?? 0
    if (agreed) write([agreed.serverVersion, agreed.time])
    else connection.close()
  }

  const receive = (incoming: Incoming): void => {
    if (incoming.kind === 'hello') greet(incoming.from, incoming.to)
    else handlers.message(connection, incoming.fields)
  }

  /** What is frozen in the middle of a segment leaves the rest of it for later. */
  const readOn = (): void => {
    while (open && !frozen && unread.length > 0) receive(unread.shift()!)
  }

  socket.setNoDelay(true)
  socket.on('data', (chunk) => {
    try {
      unread.push(...readFrames(chunk))
      readOn()
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      connection.destroy()
    }
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (frozen && open) gone = true
    else end()
  })
  return connection
}
