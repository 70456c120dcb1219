/** A line between a client and a server that a test can spoil: answers that get lost, connections that break, a server out of reach. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type ProxyMode =
  | 'pass'
  /** Existing connections break, new ones are refused. */
  | 'refuse'
  /** What the client says is kept back until the line passes again. */
  | 'holdQuestions'
  /** What the client says arrives; what the server says is lost. A connection that lost something is never whole again, and breaks when it should pass. */
  | 'swallowAnswers'
  /** The next answer is lost together with its connection; afterwards the line passes again. */
  | 'resetOnAnswer'

export type TcpProxy = {
  /** `127.0.0.1:port`. */
  host: string
  port: number
  /** @param question where given, only from the first question on that contains this text */
  setMode(mode: ProxyMode, question?: string): void
  mode(): ProxyMode
  /** Bytes that went from clients to the server so far, and of answers that reached a client or were lost on the way. */
  bytes(): { sent: number; answered: number; lost: number }
  close(): Promise<void>
}

const breakOff = (...sockets: Socket[]): void => {
  for (const socket of sockets) if (!socket.destroyed) socket.resetAndDestroy()
}

/** @param target `host:port` of the server */
export const startTcpProxy = async (target: string): Promise<TcpProxy> => {
  const [targetHost, targetPort] = target.split(':')
  const pairs = new Set<{ client: Socket; server: Socket; spoiled: boolean; held: Buffer[] }>()
  const bytes = { sent: 0, answered: 0, lost: 0 }
  let mode: ProxyMode = 'pass'
  let awaited: { mode: ProxyMode; question: string } | undefined

  const pass = (server: Socket, question: Buffer): void => {
    bytes.sent += question.length
    server.write(question)
  }
  const setMode = (next: ProxyMode, question?: string): void => {
    awaited = question === undefined ? undefined : { mode: next, question }
    if (awaited !== undefined) return
    mode = next
    for (const { client, server, spoiled, held } of pairs) {
      if (mode === 'refuse' || (mode === 'pass' && spoiled)) breakOff(client, server)
      else if (mode !== 'holdQuestions') for (const data of held.splice(0)) pass(server, data)
    }
  }
  const listener = createServer({ noDelay: true }, (client) => {
    client.on('error', () => undefined)
    if (mode === 'refuse') return breakOff(client)
    const server = connect({ host: targetHost!, port: Number(targetPort), noDelay: true })
    const pair = { client, server, spoiled: false, held: [] as Buffer[] }
    pairs.add(pair)
    server.on('error', () => breakOff(client))
    server.on('close', () => client.end())
    client.on('close', () => {
      server.end()
      pairs.delete(pair)
    })
    client.on('data', (data) => {
      if (awaited !== undefined && data.includes(awaited.question)) setMode(awaited.mode)
      if (mode === 'holdQuestions') {
        pair.held.push(data)
        return
      }
      pass(server, data)
    })
    server.on('data', (data) => {
      if ((mode === 'pass' || mode === 'holdQuestions') && !pair.spoiled) {
        bytes.answered += data.length
        client.write(data)
        return
      }
      bytes.lost += data.length
      pair.spoiled = true
      if (mode === 'swallowAnswers') return
      breakOff(client, server)
      if (mode === 'resetOnAnswer') mode = 'pass'
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return {
    host: `127.0.0.1:${address.port}`,
    port: address.port,
    mode: () => mode,
    setMode,
    bytes: () => ({ ...bytes }),
    close: async () => {
      for (const { client, server } of pairs) breakOff(client, server)
      listener.close()
      await once(listener, 'close')
    },
  }
}
