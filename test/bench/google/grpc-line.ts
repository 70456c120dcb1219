/**
 * A line between a gRPC client and a server without encryption that reads along: who said which message in which call, and how each
 * call ended. It changes nothing and relies on nothing inside the clients; it costs time, so nothing is timed over it.
 */
import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants, createServer, type Http2Session, type IncomingHttpHeaders } from 'node:http2'

/** Of one call; `method` is the last part of its path: `Commit`. */
export type Listener = {
  said(who: 'client' | 'server', message: Buffer): void
  /** gRPC's status, 0 when all went well; undefined where the call was cut off. Once a call, and before the client can know. */
  ended(status: number | undefined): void
}

export type GrpcLine = {
  /** `127.0.0.1:port`. */
  host: string
  close(): Promise<void>
}

/** Cuts a stream of bytes into gRPC's messages, each behind five bytes: compressed or not, and its length. */
const messagesTo = (tell: (message: Buffer) => void): ((bytes: Buffer) => void) => {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    while (rest.length >= 5) {
      const end = 5 + rest.readUInt32BE(1)
      if (rest.length < end) return
      if (rest[0] !== 0) throw new Error('this line cannot read compressed messages')
      tell(rest.subarray(5, end))
      rest = rest.subarray(end)
    }
  }
}

const statusIn = (headers: IncomingHttpHeaders): number | undefined => {
  const status = headers['grpc-status']
  return status === undefined ? undefined : Number(status)
}

/** @param target `host:port` of the server */
export const startGrpcLine = async (target: string, listen: (method: string) => Listener): Promise<GrpcLine> => {
  const sessions = new Map<Http2Session, ClientHttp2Session>()
  const server = createServer()
  server.on('sessionError', () => undefined)
  server.on('session', (session) => {
    const upstream = connect(`http://${target}`)
    sessions.set(session, upstream)
    upstream.on('error', () => session.destroy())
    upstream.on('close', () => session.destroy())
    session.on('error', () => upstream.destroy())
    session.on('close', () => {
      sessions.delete(session)
      upstream.destroy()
    })
  })
  server.on('stream', (client, headers) => {
    const upstream = client.session && sessions.get(client.session)
    if (upstream === undefined || upstream.destroyed) return client.close(constants.NGHTTP2_REFUSED_STREAM)
    const listener = listen(String(headers[':path']).split('/').at(-1)!)
    const call = upstream.request(headers)
    let status: number | undefined
    let trailers: IncomingHttpHeaders = {}
    let isOpen = true
    const ended = (): void => {
      if (isOpen) listener.ended(status)
      isOpen = false
    }
    client.on(
      'data',
      messagesTo((message) => listener.said('client', message)),
    )
    call.on(
      'data',
      messagesTo((message) => listener.said('server', message)),
    )
    // Behind the last message and before the end is passed on: what the client knows, the listener knew before.
    call.on('end', ended)
    client.pipe(call)
    call.on('response', (answer, flags) => {
      status = statusIn(answer)
      if (client.destroyed) return
      const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      client.respond(answer, isAll ? { endStream: true } : { waitForTrailers: true })
      if (!isAll) call.pipe(client)
    })
    call.on('trailers', (found) => {
      status = statusIn(found)
      trailers = found
    })
    client.on('wantTrailers', () => client.sendTrailers(trailers))
    client.on('error', () => undefined)
    call.on('error', () => undefined)
    client.on('close', () => {
      if (!call.closed) call.close(client.rstCode === 0 ? constants.NGHTTP2_CANCEL : client.rstCode)
    })
    call.on('close', () => {
      ended()
      if (!client.closed && call.rstCode !== 0) client.close(call.rstCode)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return {
    host: `127.0.0.1:${address.port}`,
    close: async () => {
      for (const session of sessions.keys()) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
