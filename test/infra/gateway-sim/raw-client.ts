/** A socket without the library: to say what the library never would, and to keep every byte that comes. */
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { createFrameReader, encodeFrame, type Field } from '../../../infra/gateway-sim/wire.ts'

const patience = 5000
const greeting = Buffer.concat([Buffer.from('API\0'), Buffer.from([0, 0, 0, 9]), Buffer.from('v100..193')])

export type RawClient = {
  socket: Socket
  /** All that came, a list a read of the socket. */
  chunks: Buffer[]
  bytes: () => Buffer
  /** The fields of each message that came, the greeting's among them. */
  frames: () => string[][]
  say: (...fields: Field[]) => void
  /** Resolves when a message came that begins with these fields, now or soon. */
  hears: (...fields: Field[]) => Promise<string[]>
  closed: () => Promise<void>
}

/** Greets, and with a client id logs in. */
export const rawClient = async (port: number, clientId?: number): Promise<RawClient> => {
  const socket = connectSocket(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.setNoDelay(true)
  const bytes = (): Buffer => Buffer.concat(chunks)
  const frames = (): string[][] =>
    createFrameReader()(Buffer.concat([greeting, bytes()])).flatMap((incoming) => (incoming.kind === 'message' ? [incoming.fields] : []))
  const say: RawClient['say'] = (...fields) => {
    socket.write(encodeFrame(fields))
  }
  socket.write(greeting)
  if (clientId !== undefined) say(71, 2, clientId, '')
  return {
    ...{ socket, chunks, bytes, frames, say },
    hears: async (...fields) => {
      const find = () => frames().find((frame) => fields.every((field, place) => frame[place] === String(field)))
      const limit = AbortSignal.timeout(patience)
      for (let found = find(); ; found = find()) {
        if (found) return found
        await once(socket, 'data', { signal: limit })
      }
    },
    closed: async () => {
      if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(patience) })
    },
  }
}
