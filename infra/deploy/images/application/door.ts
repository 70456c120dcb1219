/**
 * The door of a group of containers that share one network: without an issuer of tokens the HTTP server listens on loopback alone, as
 * does the gateway, and a published port does not reach that. This passes connections from DOOR_PORT on to PORT, and does nothing else.
 * Whoever publishes DOOR_PORT says who may come in: docker-compose.yml binds it to 127.0.0.1 of the machine.
 */
import { connect, createServer, type Socket } from 'node:net'

const portOf = (name: string, usual: number, least: number): number => {
  const given = process.env[name]?.trim() || String(usual)
  if (!/^\d{1,5}$/.test(given) || Number(given) < least || Number(given) > 65_535)
    throw new Error(`${name}: must be a port, got ${JSON.stringify(given)}`)
  return Number(given)
}

const open = new Set<Socket>()
const keep = (socket: Socket, other: Socket): void => {
  open.add(socket)
  socket.on('error', () => other.destroy())
  socket.on('close', () => {
    open.delete(socket)
    other.destroy()
  })
}

const run = (): void => {
  const to = portOf('PORT', 8080, 1)
  const server = createServer({ allowHalfOpen: true }, (caller) => {
    const inside = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true })
    keep(caller, inside)
    keep(inside, caller)
    caller.pipe(inside)
    inside.pipe(caller)
  })
  server.on('error', ({ message }) => {
    process.stderr.write(`door: DOOR_PORT: ${message}\n`)
    process.exit(1)
  })
  server.listen(portOf('DOOR_PORT', 8081, 0), '0.0.0.0', () => {
    process.stdout.write(`${JSON.stringify({ door: (server.address() as { port: number }).port, to })}\n`)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      server.close()
      for (const socket of open) socket.destroy()
    })
}

try {
  run()
} catch (error) {
  process.stderr.write(`door: ${(error as Error).message}\n`)
  process.exitCode = 1
}
