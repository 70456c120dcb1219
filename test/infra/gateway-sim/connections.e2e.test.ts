import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import fc from 'fast-check'
import { requests } from '../../../infra/gateway-sim/requests.ts'
import { encodeFrame, type Field } from '../../../infra/gateway-sim/wire.ts'
import { closeAll, connect, limit, market, monday, simulate, spy } from './client.ts'

/** A socket without the library, to say what the library never would. */
const rawClient = async (port: number) => {
  const socket: Socket = connectSocket(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const heard = (): string => Buffer.concat(chunks).toString('utf8').replaceAll('\0', '|')
  const greeting = Buffer.concat([Buffer.from('API\0'), Buffer.from([0, 0, 0, 9]), Buffer.from('v100..193')])
  return {
    socket,
    heard,
    greeting,
    write: (...bytes: Buffer[]) => socket.write(Buffer.concat(bytes)),
    frame: (...fields: Field[]) => encodeFrame(fields),
    hears: async (text: string) => {
      while (!heard().includes(text)) await once(socket, 'data', { signal: AbortSignal.timeout(5000) })
    },
    closed: async () => {
      if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(5000) })
    },
  }
}

describe('gateway simulator, connections', () => {
  afterEach(closeAll)

  it('turns away a second client with an id in use, and keeps the first', async () => {
    const simulator = await simulate()
    const first = await connect(simulator.port, 7)
    const second = await connect(simulator.port, 7, { started: false })
    await second.next(EventName.info, (_, code) => code === 326)
    await second.next(EventName.disconnected)
    expect(second.all(EventName.error)).to.deep.equal([])
    await first.settled()
    expect((await simulator.state()).connections).to.deep.equal([{ clientId: 7, serverVersion: 193 }])
  })

  it('lets an id be used again as soon as its connection is gone', async () => {
    const simulator = await simulate()
    for (let round = 0; round < 5; round++) {
      const client = await connect(simulator.port, 7)
      await simulator.fault('dropConnections', { when: 'now' })
      await client.next(EventName.disconnected)
    }
    await connect(simulator.port, 7)
  })

  it('keeps orders while nobody is connected, and tells them to the next connection that asks', async () => {
    const simulator = await simulate()
    const before = await connect(simulator.port, 7)
    before.api.placeOrder(4, spy, limit('BUY', 10, 90, { orderRef: 'kept' }))
    before.api.placeOrder(5, spy, market('BUY', 10, { orderRef: 'filled' }))
    await before.settled()
    await before.disconnect()
    while ((await simulator.state()).connections.length > 0) await setImmediate()
    await simulator.clock(monday('10:00'))

    const after = await connect(simulator.port, 7)
    expect(after.all(EventName.nextValidId)).to.deep.equal([[6]])
    after.api.reqAllOpenOrders()
    after.api.reqExecutions(1, {})
    await after.next(EventName.execDetailsEnd)
    expect(after.all(EventName.openOrder).map(([id, , order]) => [id, (order as { orderRef: string }).orderRef])).to.deep.equal([
      [4, 'kept'],
    ])
    expect(after.all(EventName.execDetails).map(([, , execution]) => (execution as { orderRef: string }).orderRef)).to.deep.equal([
      'filled',
    ])
    after.api.cancelOrder(4)
    await after.next(EventName.error, (_, code) => code === 202)
  })

  it('counts order ids for each client apart', async () => {
    const simulator = await simulate()
    const [first, second] = [await connect(simulator.port, 1), await connect(simulator.port, 2)]
    first.api.placeOrder(100, spy, limit('BUY', 1, 90))
    await first.settled()
    first.api.reqIds()
    second.api.reqIds()
    await first.next(EventName.nextValidId, (id) => id === 101)
    await second.settled()
    expect(second.all(EventName.nextValidId)).to.deep.equal([[1], [1]])
    second.api.cancelOrder(100)
    await second.next(EventName.error, (_, code, id) => code === 10147 && id === 100)
  })

  it('understands frames cut into single bytes, and several in one segment', async () => {
    const simulator = await simulate()
    const client = await rawClient(simulator.port)
    const all = Buffer.concat([client.greeting, client.frame(71, 2, 3, ''), client.frame(49, 1)])
    for (const byte of all) client.write(Buffer.from([byte]))
    await client.hears('49|1|1559566800|')
    const joined = await rawClient(simulator.port)
    joined.write(joined.greeting, joined.frame(71, 2, 4, ''), joined.frame(49, 1), joined.frame(17, 1))
    await joined.hears('49|1|1559566800|')
    client.socket.destroy()
    joined.socket.destroy()
  })

  it('answers 321 to a message it does not know, and 320 to one it cannot read, and goes on', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    client.api.reqNewsProviders()
    await client.next(EventName.info, (text, code) => code === 321 && /message 85/.test(text))
    client.api.reqHistoricalNews(1, 1, 'BRFG', '', '', 10)
    await client.next(EventName.info, (text, code) => code === 321 && /message 86/.test(text))
    await client.settled()

    const raw = await rawClient(simulator.port)
    raw.write(raw.greeting, raw.frame(71, 2, 4, ''))
    await raw.hears('9|1|1|')
    raw.write(raw.frame(7, 3), raw.frame(9, 8, 'x'), raw.frame(3, 1, 2), raw.frame(''), raw.frame('constructor'), raw.frame(49, 1))
    await raw.hears('49|1|1559566800|')
    expect(raw.heard()).to.contain('message 7, it ends after 2 fields')
    expect(raw.heard()).to.contain('message 9, field 2 is "x"')
    expect(raw.heard()).to.contain('message 3, it ends')
    expect(raw.heard()).to.contain('does not support message constructor')
    raw.socket.destroy()
  })

  it('survives whatever a client may send in a frame', async () => {
    const simulator = await simulate()
    const good = await connect(simulator.port, 7)
    const raw = await rawClient(simulator.port)
    raw.write(raw.greeting, raw.frame(71, 2, 4, ''))
    await raw.hears('9|1|1|')
    const number = fc.oneof(fc.constantFrom(...Object.keys(requests).filter((id) => id !== '71')), fc.string())
    const field = fc.oneof(
      fc.constantFrom(
        '',
        '0',
        '1',
        '2',
        '-1',
        '1e9',
        'SPY',
        'STK',
        'SMART',
        'USD',
        'BUY',
        'LMT',
        'MKT',
        'DAY',
        'GTC',
        '100.5',
        'NaN',
        'Infinity',
      ),
      fc.constantFrom('1 D', '99999 Y', '1 day', '30 mins', 'TRADES', '18000101 00:00:00', '20190231', '20190603-24:00:00', '__proto__'),
      fc.string().map((text) => text.replaceAll('\0', '')),
    )
    const contract = ['', 'SPY', 'STK', '', '0', '', '', 'SMART', '', 'USD', '', '']
    const beginning = (...head: string[]) => fc.array(field, { maxLength: 110 }).map((rest) => [...head, ...rest])
    const frame = fc.oneof(
      fc.tuple(number, fc.array(field, { maxLength: 20 })).map(([id, rest]) => [id.replaceAll('\0', ''), ...rest]),
      beginning('3', '5', ...contract),
      beginning('3', '5', ...contract, '', '', 'BUY', '1', 'LMT', '90'),
      beginning('1', '11', '5', ...contract),
      fc
        .tuple(fc.constantFrom('', '18000101 00:00:00', '20190231', '20190231 10:00:00', '20190603-24:00:00'), field, field)
        .map(([end, size, duration]) => ['20', '5', ...contract, '0', end, size, duration, '1', 'TRADES', '1', '0', '']),
    )
    fc.assert(
      fc.property(frame, (fields) => {
        raw.write(raw.frame(...fields))
      }),
      { numRuns: 2000 },
    )
    raw.write(raw.frame(49, 1))
    await raw.hears('49|1|1559566800|')
    await simulator.clock(monday('16:00'))
    await good.settled()
    raw.socket.destroy()
  })

  it('closes a connection that sends no frames, is too old, or asks before it starts; the others go on', async () => {
    const simulator = await simulate()
    const good = await connect(simulator.port, 7)
    const speaking = async (bytes: (raw: Awaited<ReturnType<typeof rawClient>>) => Buffer[]): Promise<void> => {
      const raw = await rawClient(simulator.port)
      raw.write(...bytes(raw))
      await raw.closed()
    }
    await speaking(() => [Buffer.from('GET / HTTP/1.1\r\n\r\n')])
    await speaking((raw) => [raw.greeting, raw.frame(71, 2, 9, ''), Buffer.from([0x80, 0, 0, 0])])
    await speaking(() => [Buffer.from('API\0\0\0\0\x09v100..150')])
    await speaking((raw) => [raw.greeting, raw.frame(49, 1)])
    await good.settled()
    expect((await simulator.state()).connections.map(({ clientId }: { clientId: number }) => clientId)).to.deep.equal([7])
  })

  it('speaks the older version with a client that knows no newer one', async () => {
    const simulator = await simulate()
    const raw = await rawClient(simulator.port)
    raw.write(Buffer.from('API\0\0\0\0\x09v157..178'))
    await raw.hears('178|20190603 13:00:00 UTC|')
    raw.socket.destroy()
  })
})
