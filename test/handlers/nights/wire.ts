/**
 * A line between client and gateway that knows where a message ends: a test can be told of each one before it goes on,
 * hold it for as long as it likes, and let the whole line go silent in both directions, as a half-open one does.
 */
import { connect, createServer, type Socket } from 'node:net'

export type Direction = 'toGateway' | 'toClient'
/** Numbers of TWS messages, by what they are to this suite. */
export const messages = {
  toGateway: { placeOrder: 3, cancelOrder: 4, account: 6, executions: 7, contracts: 9, open: 16, bars: 20, positions: 61, completed: 99 },
  toClient: {
    orderStatus: 3,
    error: 4,
    openOrder: 5,
    nextValidId: 9,
    execution: 11,
    bars: 17,
    openEnd: 53,
    executionsEnd: 55,
    commission: 59,
    completedEnd: 102,
  },
} as const

export type Wire = {
  port: number
  /** Called with every whole message before it goes on; the line waits for it. */
  watch(seen: ((direction: Direction, message: number) => Promise<void> | void) | undefined): void
  /** What the gateway says is replaced, message by message, by what this makes of its fields; the first field is the message's number. */
  alter(change: ((fields: string[]) => string[][]) | undefined): void
  /** While on, what the gateway says comes byte by byte. */
  fragment(on: boolean): void
  /** Frozen, nothing goes on and nobody is told of an end. Thawed, what lay on the line arrives late, and then the ends do. */
  freeze(on: boolean): void
  close(): Promise<void>
}

/** Takes whole messages off the front of what has come; the client's first words are `API`, then one message without a number. */
const createReader = (direction: Direction) => {
  let buffered = Buffer.alloc(0)
  let prefix = direction === 'toGateway' ? 4 : 0
  let handshake = true
  return (bytes: Buffer): { bytes: Buffer; message: number }[] => {
    buffered = Buffer.concat([buffered, bytes])
    const whole: { bytes: Buffer; message: number }[] = []
    while (buffered.length >= prefix + 4) {
      const length = prefix + 4 + buffered.readInt32BE(prefix)
      if (buffered.length < length) break
      const frame = buffered.subarray(0, length)
      const message = handshake ? -1 : Number(frame.toString('latin1', 4, frame.indexOf(0, 4)))
      whole.push({ bytes: frame, message })
      buffered = buffered.subarray(length)
      prefix = 0
      handshake = false
    }
    return whole
  }
}

const frameOf = (fields: readonly string[]): Buffer => {
  const text = Buffer.from(`${fields.join('\0')}\0`, 'utf8')
  const length = Buffer.alloc(4)
  length.writeInt32BE(text.length)
  return Buffer.concat([length, text])
}
const fieldsOf = (frame: Buffer): string[] => frame.toString('utf8', 4, frame.length - 1).split('\0')

/** @param target the gateway's port */
export const startWire = async (target: number): Promise<Wire> => {
  const sockets = new Set<Socket>()
  let watcher: Parameters<Wire['watch']>[0]
  let change: Parameters<Wire['alter']>[0]
  let fragments = false
  let frozen: Promise<void> | undefined
  let thaw = () => {}

  const write = (to: Socket, direction: Direction, { bytes, message }: { bytes: Buffer; message: number }): void => {
    if (direction === 'toGateway' || message < 0) {
      to.write(bytes)
      return
    }
    const altered = change === undefined ? [bytes] : change(fieldsOf(bytes)).map(frameOf)
    for (const frame of altered)
      if (fragments) for (const byte of frame) to.write(Buffer.from([byte]))
      else to.write(frame)
  }

  const carry = (from: Socket, to: Socket, direction: Direction): void => {
    const read = createReader(direction)
    let last: Promise<unknown> = Promise.resolve()
    const inTurn = (work: () => void | Promise<void>): void => {
      last = last.then(work).catch(() => undefined)
    }
    from.on('data', (bytes: Buffer) => {
      for (const frame of read(bytes))
        inTurn(async () => {
          await watcher?.(direction, frame.message)
          await frozen
          if (!to.destroyed) write(to, direction, frame)
        })
    })
    from.on('error', () => undefined)
    from.on('close', (reset: boolean) => {
      const end = async () => {
        await frozen
        to.destroySoon()
      }
      if (reset && frozen === undefined)
        to.destroy() // whatever was on its way is lost with the line
      else inTurn(end)
    })
  }

  const server = createServer({ noDelay: true }, (client) => {
    const gateway = connect({ port: target, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, gateway]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    carry(client, gateway, 'toGateway')
    carry(gateway, client, 'toClient')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    watch: (seen) => {
      watcher = seen
    },
    alter: (by) => {
      change = by
    },
    fragment: (on) => {
      fragments = on
    },
    freeze: (on) => {
      if (on)
        frozen ??= new Promise((resolve) => {
          thaw = resolve
        })
      else {
        frozen = undefined
        thaw()
      }
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      thaw()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
