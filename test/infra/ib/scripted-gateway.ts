/**
 * A gateway that says exactly what a test tells it to, and nothing else: half-open lines, missing end markers and
 * stale frames cannot be had from one that behaves. Fields are those of the socket protocol at server version 178.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export type GatewayConnection = {
  clientId: string | undefined
  /** Every message received after the version, START_API included, as its fields. */
  messages: string[][]
  send(...fields: (string | number)[]): void
  /** Bytes as they are, for what is no message. */
  write(bytes: Buffer): void
  drop(): void
  isOpen(): boolean
}
type Answer = (fields: string[], connection: GatewayConnection) => void

export const frame = (fields: readonly (string | number)[]): Buffer => {
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(''))
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

export const startScriptedGateway = async ({
  accounts = 'DU1',
  nextValidId = 1,
  serverVersion = 178,
  port = 0,
  answersGoodbye = true,
}: {
  accounts?: string
  nextValidId?: number
  serverVersion?: number
  port?: number
  /** Without it the end of a client is not answered, as by a machine that hangs. */
  answersGoodbye?: boolean
} = {}) => {
  const connections: GatewayConnection[] = []
  const answers = new Map<string, Answer>()
  const sockets = new Set<Socket>()
  let speaks = true
  let greet: Answer = (_fields, connection) => {
    connection.send(15, 1, accounts)
    connection.send(9, 1, nextValidId)
  }

  const serve = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    let buffer = Buffer.alloc(0)
    let versioned = false
    const connection: GatewayConnection = {
      clientId: undefined,
      messages: [],
      send: (...fields) => void socket.write(frame(fields)),
      write: (bytes) => void socket.write(bytes),
      drop: () => socket.resetAndDestroy(),
      isOpen: () => !socket.destroyed,
    }
    connections.push(connection)
    const take = (fields: string[]) => {
      connection.messages.push(fields)
      if (fields[0] === '71') {
        connection.clientId = fields[2]
        greet(fields, connection)
      }
      answers.get(fields[0]!)?.(fields, connection)
    }
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => {
      if (!speaks) return
      buffer = Buffer.concat([buffer, data])
      for (;;) {
        const start = versioned ? 0 : 4
        if (buffer.length < start + 4) return
        const end = start + 4 + buffer.readInt32BE(start)
        if (buffer.length < end) return
        const body = buffer.subarray(start + 4, end)
        buffer = buffer.subarray(end)
        if (versioned) take(body.toString().split('\0').slice(0, -1))
        else connection.send(serverVersion, '20261121 09:30:00 UTC')
        versioned = true
      }
    })
  }

  const server = createServer({ allowHalfOpen: !answersGoodbye }, serve)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    port: address.port,
    connections,
    last: (): GatewayConnection => connections.at(-1)!,
    /** What follows START_API instead of accounts and id. */
    greetWith: (answer: Answer) => {
      greet = answer
    },
    /** From now on nothing is read or answered, and no connection is closed. */
    fallSilent: () => {
      speaks = false
    },
    answer: (messageId: number, answer: Answer) => void answers.set(String(messageId), answer),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
export type ScriptedGateway = Awaited<ReturnType<typeof startScriptedGateway>>

/** Message ids, as a client sends them. */
export const sent = {
  placeOrder: 3,
  cancelOrder: 4,
  accountUpdates: 6,
  executions: 7,
  contractDetails: 9,
  marketData: 1,
  cancelMarketData: 2,
  allOpenOrders: 16,
  historicalData: 20,
  cancelHistoricalData: 25,
  currentTime: 49,
  positions: 61,
  cancelPositions: 64,
  completedOrders: 99,
} as const

export const contractFields = [756733, 'SPY', 'STK', '', 0, '', '', 'SMART', 'USD', 'SPY', 'SPY']

export const executionMessage = (
  requestId: number,
  execution: { id: string; side?: string; shares?: number | string; price?: number; account?: string; time?: string; orderRef?: string },
): (string | number)[] => [
  11,
  requestId,
  5,
  ...contractFields,
  execution.id,
  execution.time ?? '20261120 09:30:01 US/Eastern',
  execution.account ?? 'DU1',
  'ARCA',
  execution.side ?? 'BOT',
  execution.shares ?? 10,
  execution.price ?? 450.25,
  900,
  7,
  0,
  execution.shares ?? 10,
  execution.price ?? 450.25,
  execution.orderRef ?? 'abc-1',
  '',
  '',
  '',
  1,
  0,
]
export const commissionMessage = (
  executionId: string,
  commission: number | string,
  realized: number | string = '1.7976931348623157E308',
) => [59, 1, executionId, commission, 'USD', realized, '', '']
export const statusMessage = (orderId: number, status: string, filled = 0, remaining = 10) =>
  [3, orderId, status, filled, remaining, 0, 900, 0, 0, 7, '', 0] as const

/** All questions of a snapshot, each answered with nothing but its end marker. */
export const answerEmptySnapshot = (gateway: ScriptedGateway): void => {
  gateway.answer(sent.executions, ([, , requestId], connection) => connection.send(55, 1, requestId!))
  gateway.answer(sent.allOpenOrders, (_fields, connection) => connection.send(53, 1))
  gateway.answer(sent.completedOrders, (_fields, connection) => connection.send(102))
  gateway.answer(sent.positions, (_fields, connection) => connection.send(62, 1))
  gateway.answer(sent.accountUpdates, ([, , subscribe, account], connection) => {
    if (subscribe === '1') connection.send(54, 1, account!)
  })
}

/** Resolves as soon as the condition holds; fails, naming it, after five seconds. */
export const until = async (what: string, holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within five seconds: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
