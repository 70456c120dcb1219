import { setImmediate } from 'node:timers/promises'
import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient } from './client.ts'
import { rawClient } from './raw-client.ts'

const statuses = (client: TestClient): unknown[] => client.all(EventName.orderStatus).map(([, status, filled]) => [status, filled])
const shares = (client: TestClient): unknown[] => client.all(EventName.execDetails).map(([, , execution]: Loose) => execution.shares)
const notices = (client: TestClient): unknown[] => client.all(EventName.info).map(([, code]) => code)

describe('gateway simulator, faults of the line', () => {
  afterEach(closeAll)

  const inSession = async () => {
    const simulator = await simulate({ start: monday('10:00') })
    return { simulator, client: await connect(simulator.port, 7) }
  }

  const connectionsBecome = async (simulator: Awaited<ReturnType<typeof simulate>>, count: number): Promise<void> => {
    while ((await simulator.state()).connections.length !== count) await setImmediate()
  }

  it('dropConnections onOrder loses the order with the connection', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('dropConnections', { when: 'onOrder' })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.disconnected)
    const { orders, received } = await simulator.state()
    expect([orders, received]).to.deep.equal([[], { 7: [{ orderRef: 'ref', count: 1 }] }])
  })

  it('dropConnections beforeFill and afterFill: the status came, the execution not, or without its commission', async () => {
    for (const [when, told] of [
      ['beforeFill', []],
      ['afterFill', [10]],
    ] as const) {
      const { simulator, client } = await inSession()
      await simulator.fault('dropConnections', { when })
      client.api.placeOrder(1, spy, market('BUY', 10))
      await client.next(EventName.disconnected)
      expect(statuses(client).at(-1), when).to.deep.equal(['Filled', 10])
      expect(shares(client), when).to.deep.equal(told)
      expect(client.all(EventName.commissionReport)).to.deep.equal([])
      const again = await connect(simulator.port, 7)
      again.api.reqExecutions(1, {})
      await again.next(EventName.execDetailsEnd)
      expect(shares(again)).to.deep.equal([10])
      expect(again.all(EventName.commissionReport)).to.have.length(1)
    }
  })

  it('halfOpen: nothing comes and nothing is read; off, both sides go on with what was kept', async () => {
    const { simulator, client } = await inSession()
    const other = await connect(simulator.port, 8)
    await simulator.fault('halfOpen', { clientId: 7 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await simulator.fault('notice', { code: 2100, text: 'kept' })
    await other.next(EventName.info, (_, code) => code === 2100)
    await simulator.clock(monday('11:00'))
    expect((await simulator.state()).orders).to.deep.equal([])
    expect(notices(client)).not.to.contain(2100)
    expect(client.api.isConnected).to.equal(true)
    await simulator.fault('halfOpen', { clientId: 7, on: false })
    await client.next(EventName.info, (_, code) => code === 2100)
    await client.next(EventName.execDetails)
    expect((await simulator.state()).executions[0].at).to.equal('2019-06-03T15:00:00.000Z')
  })

  it('halfOpen keeps the client id of one that has gone: 326 until it is off', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('halfOpen', { clientId: 7 })
    await client.disconnect()
    const again = await connect(simulator.port, 7, { started: false })
    await again.next(EventName.info, (_, code) => code === 326)
    await simulator.fault('halfOpen', { clientId: 7, on: false })
    await connectionsBecome(simulator, 0)
    await connect(simulator.port, 7)
  })

  it('halfOpen reads nothing: who goes on sending fills the line until it takes no more', async () => {
    const simulator = await simulate()
    const raw = await rawClient(simulator.port, 3)
    await raw.hears(9, 1, 1)
    await simulator.fault('halfOpen')
    for (let megabyte = 0; megabyte < 32; megabyte++) raw.say(17, 'x'.repeat(1_000_000))
    for (let turn = 0; turn < 100; turn++) await simulator.state()
    expect(raw.socket.writableLength).to.be.greaterThan(0)
    raw.socket.destroy()
  })

  it('halfOpen for all takes a new connection and never greets it, until its time is over', async () => {
    const simulator = await simulate({ start: monday('10:00') })
    await simulator.fault('halfOpen', { seconds: 90 })
    const raw = await rawClient(simulator.port, 3)
    await simulator.clock(monday('10:01'))
    expect(raw.bytes()).to.have.length(0)
    await simulator.clock(monday('10:02'))
    await raw.hears(9, 1, 1)
    raw.socket.destroy()
  })

  for (const style of ['bytes', 'pieces', 'joined'] as const) {
    it(`frames, ${style}: the genuine client reads every message as from whole frames`, async () => {
      const simulator = await simulate({ start: monday('10:00') })
      await simulator.fault('frames', { style })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.reqAccountUpdates(true, 'DU1234567')
      await client.next(EventName.accountDownloadEnd)
      await client.settled()
      expect(statuses(client).at(-1)).to.deep.equal(['Filled', 10])
      expect(shares(client)).to.deep.equal([10])
      await simulator.fault('frames', { style, on: false })
      await client.settled()
    })
  }

  it('frames: cuts and joins as it says, and the bytes stay the same', async () => {
    const heard = async (style?: string): Promise<{ bytes: string; sizes: number[] }> => {
      const simulator = await simulate()
      const raw = await rawClient(simulator.port, 3)
      await raw.hears(4, 2, -1, 2158)
      const before = raw.chunks.length
      const start = raw.bytes().length
      if (style !== undefined) await simulator.fault('frames', { style, pauseMs: 1 })
      for (let request = 0; request < 4; request++) raw.say(17, 1)
      raw.say(49, 1)
      await raw.hears(49, 1)
      raw.socket.destroy()
      return { bytes: raw.bytes().subarray(start).toString('latin1'), sizes: raw.chunks.slice(before).map(({ length }) => length) }
    }
    const whole = await heard()
    const [bytes, pieces, joined] = [await heard('bytes'), await heard('pieces'), await heard('joined')]
    for (const cut of [bytes, pieces, joined]) expect(cut.bytes).to.equal(whole.bytes)
    expect(Math.max(...bytes.sizes)).to.be.lessThan(8)
    expect(pieces.sizes.length).to.be.greaterThan(4)
    expect(Math.max(...joined.sizes)).to.be.greaterThan(60)
  })

  it('POST /clock answers when slow bytes have left', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    const raw = await rawClient(simulator.port, 3)
    raw.say(61, 1)
    await raw.hears(62, 1)
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    await simulator.fault('frames', { style: 'pieces', pauseMs: 20, clientId: 3 })
    const sent = simulator.clock(monday('09:30'))
    await client.next(EventName.commissionReport)
    expect(raw.frames().filter(([id]) => id === '61')).to.deep.equal([])
    expect(await sent).not.to.have.property('unread')
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    expect(raw.frames().filter(([id]) => id === '61')).to.have.length(1)
  })

  it('closePort: nobody listens, connections stay; off, the same port is there again', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('closePort')
    const refused = await connect(simulator.port, 8, { started: false })
    const [problem] = await refused.next(EventName.error, (_, code) => code === 502)
    expect(String(problem)).to.contain('ECONNREFUSED')
    await client.settled()
    await simulator.fault('closePort', { on: false })
    await connect(simulator.port, 8)
  })

  it('restart: everyone is thrown out, nobody listens for a minute of the market, and nextValidId has gone back', async () => {
    const { simulator, client } = await inSession()
    for (const id of [38099, 38100, 38101]) client.api.placeOrder(id, spy, limit('BUY', 1, 90, { tif: 'GTC' }))
    await client.settled()
    await simulator.fault('restart', { seconds: 60, rollBack: 2 })
    await client.next(EventName.disconnected)
    const early = await connect(simulator.port, 7, { started: false })
    await early.next(EventName.error, (_, code) => code === 502)
    expect((await simulator.state()).nextEventAt).to.equal('2019-06-03T14:01:00.000Z')
    await simulator.clock(monday('10:01'))
    const again = await connect(simulator.port, 7)
    expect(again.all(EventName.nextValidId)).to.deep.equal([[38100]])
    again.api.reqOpenOrders()
    await again.next(EventName.openOrderEnd)
    expect(again.all(EventName.openOrder).map(([id]) => id)).to.deep.equal([38099, 38100, 38101])
  })

  it('portReset: 1300 with the new port, where the gateway goes on', async () => {
    const { simulator, client } = await inSession()
    const { port } = await simulator.fault('portReset', { port: 0 })
    expect(port).not.to.equal(simulator.port)
    await client.next(EventName.info, (text, code) => code === 1300 && String(text).endsWith(`- ${port}`))
    await client.next(EventName.disconnected)
    await connect(port, 7)
    const old = await connect(simulator.port, 7, { started: false })
    await old.next(EventName.error, (_, code) => code === 502)
  })

  it('clientIdInUse: 326 for an id that nobody holds', async () => {
    const simulator = await simulate()
    await simulator.fault('clientIdInUse', { clientId: 7 })
    const refused = await connect(simulator.port, 7, { started: false })
    await refused.next(EventName.info, (_, code) => code === 326)
    await refused.next(EventName.disconnected)
    await connect(simulator.port, 8)
    await simulator.fault('clientIdInUse', { clientId: 7, on: false })
    await connect(simulator.port, 7)
  })

  it('holdLogin: the version is answered, and for minutes nothing else, as while somebody looks for his phone', async () => {
    const simulator = await simulate({ start: monday('10:00') })
    await simulator.fault('holdLogin', { seconds: 180 })
    const client = await connect(simulator.port, 7, { started: false })
    await client.next(EventName.server)
    await simulator.clock(monday('10:02'))
    expect([...client.all(EventName.managedAccounts), ...client.all(EventName.nextValidId)]).to.deep.equal([])
    expect((await simulator.state()).connections).to.deep.equal([])
    await simulator.clock(monday('10:03'))
    await client.next(EventName.nextValidId)
    expect(client.all(EventName.managedAccounts)).to.deep.equal([['DU1234567']])
    await client.settled()
  })

  it('holdLogin before orderId: accounts come, the order id later; a second client of the same id is turned away', async () => {
    const simulator = await simulate()
    await simulator.fault('holdLogin', { before: 'orderId' })
    const raw = await rawClient(simulator.port, 7)
    await raw.hears(15, 1, 'DU1234567')
    raw.say(49, 1)
    const second = await connect(simulator.port, 7, { started: false })
    await second.next(EventName.info, (_, code) => code === 326)
    expect(raw.frames().map(([id]) => id)).not.to.include.members(['9', '49'])
    await simulator.fault('clear')
    await raw.hears(9, 1, 1)
    raw.say(49, 1)
    await raw.hears(49, 1)
    raw.socket.destroy()
  })

  it('managedAccounts: other accounts than the one there is, at the login and when asked', async () => {
    const simulator = await simulate()
    await simulator.fault('managedAccounts', { accounts: ['U7654321', 'U7654322'] })
    const client = await connect(simulator.port, 7)
    client.api.reqManagedAccts()
    await client.settled()
    expect(client.all(EventName.managedAccounts)).to.deep.equal([['U7654321,U7654322'], ['U7654321,U7654322']])
    await simulator.fault('managedAccounts', { accounts: [], on: false })
    client.listenAnew()
    client.api.reqManagedAccts()
    await client.settled()
    expect(client.all(EventName.managedAccounts)).to.deep.equal([['DU1234567']])
  })

  it('linkDown by 2110 comes back by itself; with data lost the subscriptions are gone', async () => {
    const { simulator, client } = await inSession()
    client.api.reqMktData(1, spy, '', false, false)
    await client.next(EventName.tickPrice)
    await simulator.fault('linkDown', { code: 2110, seconds: 60, dataLost: true })
    await simulator.clock(monday('10:05'))
    await client.next(EventName.info, (_, code) => code === 1101)
    expect(notices(client).slice(-2)).to.deep.equal([2110, 1101])
    client.listenAnew()
    await simulator.clock(monday('10:30'))
    await client.settled()
    expect(client.all(EventName.tickPrice)).to.deep.equal([])
    client.api.reqMktData(1, spy, '', false, false)
    await client.next(EventName.tickPrice)
  })

  it('farmDown and farmUp: 2103, no ticks, 2104; the farm for history leaves requests unanswered', async () => {
    const { simulator, client } = await inSession()
    client.api.reqMktData(1, spy, '', false, false)
    await client.next(EventName.tickPrice)
    client.listenAnew()
    await simulator.fault('farmDown', { farm: 'marketData', name: 'eurofarm' })
    await simulator.fault('farmDown', { farm: 'history', seconds: 1200 })
    client.api.reqHistoricalData(2, spy, '', '5 D', '1 day' as never, 'TRADES' as never, 1, 1, false)
    await simulator.clock(monday('10:10'))
    await client.settled()
    expect([...client.all(EventName.tickPrice), ...client.all(EventName.historicalData)]).to.deep.equal([])
    await simulator.fault('farmUp', { farm: 'marketData', name: 'eurofarm' })
    await simulator.clock(monday('10:20'))
    await client.next(EventName.tickPrice)
    await simulator.fault('farmIdle', { farm: 'marketData' })
    await client.settled()
    expect(notices(client)).to.deep.equal([2103, 2105, 2104, 2106, 2108])
    expect(client.all(EventName.info)[0]![0]).to.equal('Market data farm connection is broken:eurofarm')
  })

  it('clear says that the line and the farms are back', async () => {
    const { simulator, client } = await inSession()
    client.listenAnew()
    await simulator.fault('linkDown', { seconds: 600 })
    await simulator.fault('farmDown', { farm: 'definitions' })
    await simulator.fault('farmDown', { farm: 'history' })
    await simulator.fault('clear')
    await simulator.clock(monday('11:00'))
    client.api.reqContractDetails(1, spy)
    await client.next(EventName.contractDetailsEnd)
    expect(notices(client)).to.deep.equal([1100, 2157, 2105, 1102, 2158, 2106])
  })

  it('farmUp with dataLost: the subscription is silent for ever, without a word', async () => {
    const { simulator, client } = await inSession()
    client.api.reqMktData(1, spy, '', false, false)
    await client.next(EventName.tickPrice)
    await simulator.fault('farmDown', { farm: 'marketData', seconds: 1, dataLost: true })
    await simulator.clock(monday('10:01'))
    client.listenAnew()
    await simulator.clock(on(4, '16:00'))
    await client.settled()
    expect(client.heard.map(({ name }) => name).filter((name) => name !== 'currentTime')).to.deep.equal([])
  })

  it('notice: a burst of them, and errors about a request or an order, with or without the JSON of IB', async () => {
    const { simulator, client } = await inSession()
    const other = await connect(simulator.port, 8)
    client.listenAnew()
    await simulator.fault('notice', { code: 2119, text: 'Market data farm is connecting:usfarm', count: 500, clientId: 7 })
    await simulator.fault('notice', { code: 10197, text: 'No market data during competing live session', id: 42, advanced: { code: 1 } })
    await client.settled()
    await other.settled()
    expect(notices(client)).to.deep.equal(Array.from({ length: 500 }, () => 2119))
    expect(client.all(EventName.error).map(([, code, id, advanced]) => [code, id, advanced])).to.deep.equal([[10197, 42, { code: 1 }]])
    expect(notices(other)).not.to.contain(2119)
  })

  it('messageLimit: 100 when there are more than 50 in a second, and after the third warning the line is cut', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('messageLimit', { clock: 'market' })
    const ask = (count: number): void => {
      for (let request = 0; request < count; request++) client.api.reqCurrentTime()
    }
    ask(50)
    await client.next(EventName.currentTime, () => client.all(EventName.currentTime).length === 50)
    await simulator.post('/clock', { by: 1 })
    ask(50)
    await client.next(EventName.currentTime, () => client.all(EventName.currentTime).length === 100)
    expect(notices(client)).not.to.contain(100)
    ask(1)
    await client.next(EventName.info, (text, code) => code === 100 && /max=50 rec=51 \(1\)/.test(text))
    await simulator.post('/clock', { by: 1 })
    ask(102)
    await client.next(EventName.disconnected)
    expect(notices(client).filter((code) => code === 100)).to.have.length(3)
  })

  it('messageLimit counts seconds of the machine unless told otherwise, and each connection for itself', async () => {
    const { simulator, client } = await inSession()
    const other = await connect(simulator.port, 8)
    await simulator.fault('messageLimit', { perSecond: 5, warnings: 1 })
    for (let request = 0; request < 5; request++) other.api.reqCurrentTime()
    for (let request = 0; request < 6; request++) client.api.reqCurrentTime()
    await client.next(EventName.disconnected)
    await other.next(EventName.currentTime, () => other.all(EventName.currentTime).length === 5)
    expect(other.api.isConnected).to.equal(true)
  })

  it('historyLimits: 162 for the same within 15 seconds, six of a kind within two, and more than 60 in ten minutes', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('historyLimits')
    let requestId = 0
    const ask = (duration: string, whatToShow = 'TRADES'): void =>
      void client.api.reqHistoricalData(++requestId, spy, '', duration, '1 day' as never, whatToShow as never, 1, 1, false)
    const refused = async (): Promise<unknown[]> => {
      await client.settled()
      const told = client.all(EventName.error).map(([problem, code, id]) => [id, code, /violation: (.*)/.exec(String(problem))?.[1]])
      client.listenAnew()
      return told
    }
    ask('2 D')
    ask('2 D')
    expect(await refused()).to.deep.equal([[2, 162, 'the same request within 15 seconds']])
    await simulator.post('/clock', { by: 15 })
    for (const days of [2, 3, 4, 5, 6, 7]) ask(`${days} D`)
    expect(await refused()).to.deep.equal([[8, 162, 'six of the same contract and kind within two seconds']])
    for (let round = 0; round < 52; round++) {
      await simulator.post('/clock', { by: 2 })
      ask(`${10 + round} D`)
    }
    expect(await refused()).to.deep.equal([])
    await simulator.post('/clock', { by: 2 })
    ask('200 D')
    expect(await refused()).to.deep.equal([[61, 162, 'more than 60 in ten minutes']])
    await simulator.post('/clock', { by: 600 })
    ask('200 D')
    expect(await refused()).to.deep.equal([])
  })

  it('openHistories: 322 for one request too many, counting what is not answered and what is kept up to date', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('openHistories', { most: 3 })
    const ask = (requestId: number, keepUpToDate = false): void =>
      void client.api.reqHistoricalData(requestId, spy, '', '2 D', '1 day' as never, 'TRADES' as never, 1, 1, keepUpToDate)
    const refused = async (): Promise<unknown[]> => {
      await client.settled()
      const told = client.all(EventName.error).map(([, code, id]) => [id, code])
      client.listenAnew()
      return told
    }
    for (const id of [1, 2, 3, 4]) ask(id)
    expect(await refused(), 'answered at once').to.deep.equal([])
    ask(5, true)
    await simulator.fault('hangRequests', { messages: ['reqHistoricalData'], late: true })
    for (const id of [6, 7, 8]) ask(id)
    expect(await refused()).to.deep.equal([[8, 322]])
    client.api.cancelHistoricalData(6)
    await refused()
    ask(9)
    expect(await refused(), 'in the place of what was cancelled').to.deep.equal([])
    await simulator.fault('hangRequests', { messages: ['reqHistoricalData'], late: true, on: false })
    ask(10)
    expect(await refused(), 'what was late is answered').to.deep.equal([])
  })

  it('marketDataLines: 101 for one line too many; a number in use is 322 in any case', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('marketDataLines', { lines: 1 })
    client.api.reqMktData(1, spy, '', false, false)
    client.api.reqMktData(2, spy, '', false, false)
    client.api.reqMktData(3, spy, '', true, false)
    client.api.reqMktData(1, spy, '', false, false)
    await client.next(EventName.tickSnapshotEnd)
    await client.settled()
    expect(client.all(EventName.error).map(([, code, id]) => [id, code])).to.deep.equal([
      [2, 101],
      [1, 322],
    ])
    client.api.cancelMktData(1)
    client.api.reqMktData(2, spy, '', false, false)
    await client.next(EventName.tickPrice, (id) => id === 2)
  })
})
