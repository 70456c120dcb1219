import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EventName, OrderType } from '@stoqey/ib'
import { expect } from 'chai'
import { gatewaySimulatorOptions } from '../../../infra/gateway-sim/main.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy } from './client.ts'
import { rawClient } from './raw-client.ts'

describe('gateway simulator, clock', () => {
  afterEach(closeAll)

  it('names the next event: the open, half hours while an order works, the close, midnight', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    const events: string[] = []
    const run = async (count: number): Promise<void> => {
      for (let event = 0; event < count; event++) {
        const { nextEventAt } = await simulator.state()
        events.push(nextEventAt.slice(8, 16))
        await simulator.clock(nextEventAt)
      }
    }
    await run(3)
    client.api.placeOrder(1, spy, limit('BUY', 1, 50))
    await client.settled()
    await run(3)
    expect(events).to.deep.equal(['03T13:30', '03T20:00', '04T04:00', '04T13:30', '04T14:00', '04T14:30'])
  })

  it('runs everything due in the order of time, and answers when it is written', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.placeOrder(2, spy, limit('SELL', 10, 107.5, { tif: 'GTC' }))
    client.api.placeOrder(3, spy, limit('BUY', 10, 95, { tif: 'GTC' }))
    await client.settled()
    const answer = await simulator.clock(on(7, '20:00'))
    expect(answer.clock).to.equal('2019-06-08T00:00:00.000Z')
    await client.settled()
    const times = client.all(EventName.execDetails).map(([, , execution]) => (execution as { time: string; orderId: number }).orderId)
    expect(times).to.deep.equal([1, 2, 3])
    const state = await simulator.state()
    expect(state.executions.map(({ at }: { at: string }) => at.slice(0, 10))).to.deep.equal(['2019-06-03', '2019-06-04', '2019-06-06'])
  })

  it('comes to the same in one stride as in many', async () => {
    const run = async (strides: readonly string[]): Promise<unknown> => {
      const simulator = await simulate()
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 100.4, { tif: 'GTC' }))
      client.api.placeOrder(2, spy, limit('SELL', 10, 107.3, { tif: 'GTC' }))
      await client.settled()
      for (const to of strides) await simulator.clock(to)
      const { executions, cash } = await simulator.state()
      return { executions, cash }
    }
    const many = ['09:31', '10:17', '11:00', '13:59', '15:59', '16:00'].flatMap((time) => [on(3, time)])
    expect(await run([...many, on(4, '12:00'), on(5, '00:00')])).to.deep.equal(await run([on(5, '00:00')]))
  })

  it('runs by the wall clock, faster if told, and stops again', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(await simulator.post('/clock', { mode: 'real', speed: 1_000_000 })).to.include({ status: 200, mode: 'real', speed: 1_000_000 })
    await client.next(EventName.execDetails)
    const { clock } = await simulator.post('/clock', { mode: 'step' })
    expect(Date.parse(clock)).to.be.greaterThan(Date.parse(monday('09:30')))
    expect((await simulator.state()).clock).to.equal(clock)
  })

  it('goes on by the wall clock from where it was moved to', async () => {
    const simulator = await simulate()
    await simulator.post('/clock', { mode: 'real', speed: 1 })
    await simulator.clock(monday('12:00'))
    const { clock, mode } = await simulator.state()
    expect(mode).to.equal('real')
    while ((await simulator.state()).clock <= clock) await setImmediate()
    const later = (await simulator.state()).clock
    expect(Date.parse(later)).to.be.within(Date.parse(monday('12:00')), Date.parse(monday('12:01')))
  })

  it('moves by seconds, to the next event, open, close and midnight, over weekends and changes of the clocks', async () => {
    const simulator = await simulate({ start: '2019-03-08T15:00:00-05:00' })
    const times: string[] = []
    for (const body of [{ by: 90 }, ...['close', 'open', 'next', 'midnight', 'open'].map((to) => ({ to }))])
      times.push((await simulator.post('/clock', body)).newYork)
    expect(times).to.deep.equal([
      ...['2019-03-08 15:01:30', '2019-03-08 16:00:00', '2019-03-11 09:30:00', '2019-03-11 16:00:00'],
      ...['2019-03-12 00:00:00', '2019-03-12 09:30:00'],
    ])
    expect(await (await fetch(`http://127.0.0.1:${simulator.controlPort}/clock`)).json()).to.deep.equal({
      ...{ clock: '2019-03-12T13:30:00.000Z', newYork: '2019-03-12 09:30:00', nextEventAt: '2019-03-12T20:00:00.000Z', mode: 'step' },
      ...{ inSession: true, session: { date: '2019-03-12', open: '2019-03-12T13:30:00.000Z', close: '2019-03-12T20:00:00.000Z' } },
    })
  })

  it('opens an hour later by Greenwich when New York has put its clocks back, and forgets at its midnight', async () => {
    const simulator = await simulate({ start: '2019-11-01T12:00:00-04:00', bars: {} })
    const client = await connect(simulator.port, 7)
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.execDetails)
    const told = async (): Promise<number> => {
      client.listenAnew()
      client.api.reqExecutions(1, {})
      await client.next(EventName.execDetailsEnd)
      return client.all(EventName.execDetails).length
    }
    await simulator.clock('2019-11-02T03:59:59Z')
    expect(await told()).to.equal(1)
    await simulator.clock('2019-11-02T04:00:00Z')
    expect(await told()).to.equal(0)
    client.api.placeOrder(2, spy, market('BUY', 10))
    await client.settled()
    expect((await simulator.post('/clock', { to: 'open' })).clock).to.equal('2019-11-04T14:30:00.000Z')
    await client.next(EventName.execDetails)
  })

  it('answers when every client was told all of it: frictions, stops, brackets and quotes', async () => {
    const simulator = await simulate({ frictions: { spread: 2, slippage: 5, participation: 0.001 } })
    const clients = [await connect(simulator.port, 7), await connect(simulator.port, 8), await connect(simulator.port, 9)]
    for (const [place, { api }] of clients.entries()) {
      api.reqMktData(1, spy, '', false, false)
      api.reqPositions()
      api.placeOrder(1, spy, market('BUY', 100 + place))
      api.placeOrder(2, spy, limit('BUY', 50, 100.5, { transmit: false }))
      api.placeOrder(3, spy, limit('SELL', 50, 103, { parentId: 2 }))
      api.placeOrder(4, spy, market('SELL', 20, { orderType: OrderType.STP, auxPrice: 100.4 }))
    }
    await Promise.all(clients.map((client) => client.settled()))
    for (const client of clients) client.listenAnew()
    expect(await simulator.clock(monday('16:00'))).not.to.have.property('unread')
    const { executions } = await simulator.state()
    expect(executions.length).to.be.greaterThan(20)
    for (const [place, client] of clients.entries()) {
      const due = executions.filter(({ clientId }: Loose) => clientId === 7 + place).length
      await client.next(EventName.commissionReport, () => client.all(EventName.commissionReport).length === due)
      expect(client.all(EventName.tickPrice).length).to.be.greaterThan(due)
    }
  })

  it('does not wait for ever for a client that does not read, and says how many there are', async function () {
    this.timeout(180_000)
    const simulator = await simulate()
    const raw = await rawClient(simulator.port, 3)
    await raw.hears(9, 1, 1)
    raw.socket.pause()
    await simulator.fault('notice', { code: 2100, text: 'x'.repeat(60_000), count: 300 })
    expect(await simulator.post('/clock', { by: 60 })).to.include({ status: 200, unread: 1 })
    raw.socket.destroy()
  })

  it('names in one line what is wrong with a request', async () => {
    const simulator = await simulate()
    const wrong = async (path: string, body: unknown): Promise<unknown[]> => {
      const { status, error } = await simulator.post(path, body)
      return [status, error]
    }
    expect(await wrong('/clock', {})).to.deep.equal([400, 'the body needs one of "to", "by" and "mode"'])
    expect(await wrong('/clock', 5)).to.deep.equal([400, 'the body needs one of "to", "by" and "mode"'])
    const neither = 'is neither a date nor an ISO time with its zone, nor next, open, close, midnight'
    expect(await wrong('/clock', { to: 'noon' })).to.deep.equal([400, `to: "noon" ${neither}`])
    expect(await wrong('/clock', { to: '2019-02-30' })).to.deep.equal([400, `to: "2019-02-30" ${neither}`])
    expect(await wrong('/clock', { by: 0 })).to.deep.equal([400, 'by: expected a positive number of seconds, got 0'])
    expect(await wrong('/clock', { by: 60, to: 'next' })).to.deep.equal([400, 'the body needs one of "to", "by" and "mode"'])
    expect((await wrong('/clock', { to: '2019-06-01' }))[1]).to.contain('is before the clock, 2019-06-03T13:00:00.000Z')
    expect((await wrong('/clock', { to: '9999-01-01' }))[1]).to.contain('more than ten years after the clock')
    expect((await wrong('/clock', { mode: 'slow' }))[1]).to.contain('mode: expected "step" or "real"')
    expect((await wrong('/clock', { mode: 'real', speed: 0 }))[1]).to.contain('speed: expected a positive number')
    expect((await wrong('/nothing', {}))[0]).to.equal(404)
    expect((await simulator.state()).clock).to.equal('2019-06-03T13:00:00.000Z')
  })
})

describe('gateway simulator, options', () => {
  it('start with built-in bars for SPY and VIXY, and take others from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-sim-'))
    try {
      writeFileSync(join(folder, 'own.csv'), 'date,open,high,low,close,volume\n2019-06-03,10,12,9,11,1000\n')
      const simulator = await startGatewaySimulator({ bars: { OWN: join(folder, 'own.csv') }, start: '2019-06-03T14:00:00Z' })
      const client = await connect(simulator.port, 7)
      for (const [requestId, symbol] of [
        [1, 'OWN'],
        [2, 'SPY'],
        [3, 'VIXY'],
      ] as const)
        client.api.reqMktData(requestId, { ...spy, symbol }, '', true, false)
      for (const requestId of [1, 2, 3]) await client.next(EventName.tickPrice, (id, type) => id === requestId && type === 4)
      await simulator.close()
    } finally {
      rmSync(folder, { recursive: true })
      await closeAll()
    }
  })

  it('are refused by name', async () => {
    const refusal = async (options: object): Promise<string> => {
      const simulator = await startGatewaySimulator(options).catch((error: Error) => error.message)
      if (typeof simulator === 'string') return simulator
      await simulator.close()
      return 'nothing'
    }
    expect(await refusal({ start: 'tomorrow' })).to.contain('start: "tomorrow"')
    expect(await refusal({ start: '1989-06-01' })).to.contain('start: the trading calendar begins')
    expect(await refusal({ maxServerVersion: 177 })).to.contain('maxServerVersion: expected 178 to 193, got 177')
    expect(await refusal({ seed: 0.5 })).to.contain('seed')
    expect(await refusal({ cash: Number.NaN })).to.contain('cash')
    expect(await refusal({ account: '' })).to.contain('account')
    expect(await refusal({ bars: { SPY: '/nowhere.csv' } })).to.contain('/nowhere.csv')
    expect(await refusal({})).to.equal('nothing')
    expect(() => gatewaySimulatorOptions(['--port', 'x'])).to.throw('--port: not a valid number: "x"')
    expect(() => gatewaySimulatorOptions(['--bars', 'SPY'])).to.throw('--bars: expected SYMBOL=FILE')
    expect(() => gatewaySimulatorOptions(['--prot', '1'])).to.throw('--prot')
    expect(gatewaySimulatorOptions(['--port', '1', '--bars', 'A=b=c', '--seed', '3'])).to.deep.equal({
      port: 1,
      seed: 3,
      bars: { A: 'b=c' },
    })
  })
})

describe('gateway simulator, as a process', () => {
  const main = fileURLToPath(new URL('../../../infra/gateway-sim/main.ts', import.meta.url))
  const output = async (child: ChildProcess): Promise<{ out: string; complaint: string; code: number | null }> => {
    const [out, complaint] = ['', '']
    const heard = { out, complaint }
    child.stdout!.on('data', (chunk) => {
      heard.out += chunk
    })
    child.stderr!.on('data', (chunk) => {
      heard.complaint += chunk
    })
    const [code] = await once(child, 'close')
    return { ...heard, code }
  }

  it('prints its ports on one line, serves, and ends cleanly on SIGTERM', async () => {
    const child = spawn(process.execPath, [main, '--start', '2019-06-03', '--account', 'DU7654321'])
    const ended = output(child)
    const [line] = await once(child.stdout, 'data')
    const { port, controlPort } = JSON.parse(String(line))
    const client = await connect(port, 3)
    expect(client.all(EventName.managedAccounts)).to.deep.equal([['DU7654321']])
    expect(await (await fetch(`http://127.0.0.1:${controlPort}/state`)).json()).to.include({
      account: 'DU7654321',
      clock: '2019-06-03T04:00:00.000Z',
    })
    child.kill('SIGTERM')
    await client.next(EventName.disconnected)
    expect(await ended).to.deep.include({ code: 0, complaint: '' })
    await closeAll()
  })

  it('says in one line what is wrong, and fails', async () => {
    const { out, complaint, code } = await output(spawn(process.execPath, [main, '--cash', 'much']))
    expect([out, complaint, code]).to.deep.equal(['', 'gateway-sim: --cash: expected a number or USD=N,EUR=N, got "much"\n', 1])
  })
})
