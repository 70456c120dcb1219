import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import fc from 'fast-check'
import { checkFault } from '../../../infra/gateway-sim/faults.ts'
import { readScript, readScriptFile } from '../../../infra/gateway-sim/script.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient, week } from './client.ts'
import { rawClient } from './raw-client.ts'

const codes = (client: TestClient): unknown[] => client.all(EventName.error).map(([, code, id]) => [id, code])

describe('gateway simulator, scripts', () => {
  afterEach(closeAll)

  const told = async (simulator: { controlPort: number }): Promise<Loose[]> =>
    ((await (await fetch(`http://127.0.0.1:${simulator.controlPort}/faults`)).json()) as Loose).script

  it('at a time, after what the market does in that moment; time stops there, and waits go by the market', async () => {
    const script = [
      { at: monday('10:00'), do: [{ fault: 'linkDown' }, { wait: 90 }, { fault: 'linkUp', dataLost: true }] },
      { at: '2019-06-04', do: { fault: 'notice', code: 2100, text: 'midnight' } },
    ]
    const simulator = await simulate({ script })
    const client = await connect(simulator.port, 7)
    const times: string[] = []
    for (let event = 0; event < 4; event++) {
      const { nextEventAt } = await simulator.post('/clock', { to: 'next' })
      times.push(nextEventAt.slice(8, 19))
    }
    expect(times).to.deep.equal(['03T14:00:00', '03T14:01:30', '03T20:00:00', '04T04:00:00'])
    await simulator.clock('2019-06-04')
    await client.settled()
    expect(client.all(EventName.info).map(([, code]) => code)).to.deep.equal([2104, 2106, 2158, 1100, 1101, 2100])
  })

  it('goes by the wall clock too, when time does', async () => {
    const simulator = await simulate({ script: [{ at: monday('09:30'), do: { fault: 'linkDown', seconds: 3600 } }] })
    const client = await connect(simulator.port, 7)
    await simulator.post('/clock', { mode: 'real', speed: 100_000 })
    await client.next(EventName.info, (_, code) => code === 1102)
    await simulator.post('/clock', { mode: 'step' })
    expect(client.all(EventName.info).map(([, code]) => code)).to.deep.equal([2104, 2106, 2158, 1100, 1102])
    expect(Date.parse((await simulator.state()).clock)).to.be.at.least(Date.parse(monday('10:30')))
  })

  it('comes to the same in one stride as in many', async () => {
    const script = [
      { when: 'execution', do: [{ wait: 60 }, { fault: 'handTrade', symbol: 'SPY', quantity: 5 }] },
      { each: 1800, do: { fault: 'position', symbol: 'SPY', quantity: 1 } },
    ]
    const run = async (strides: readonly string[]): Promise<unknown> => {
      const simulator = await simulate({ script })
      const client = await connect(simulator.port, 7)
      client.api.placeOrder(1, spy, limit('BUY', 10, 100.4))
      await client.settled()
      for (const to of strides) await simulator.clock(to)
      const { executions, positions } = await simulator.state()
      expect(executions).to.have.length(2)
      expect(Date.parse(executions[1].at) - Date.parse(executions[0].at)).to.equal(60_000)
      return { executions, positions }
    }
    expect(await run(['09:45', '09:46', '11:11', '14:00', '17:00'].map(monday))).to.deep.equal(await run([monday('17:00')]))
  })

  it('at the n-th order: that one is meant, and none after it', async () => {
    const simulator = await simulate({ script: [{ when: 'order', nth: 2, do: { fault: 'rejectNext', code: 201, text: 'no' } }] })
    const client = await connect(simulator.port, 7)
    for (const id of [1, 2, 3, 4]) client.api.placeOrder(id, spy, limit('BUY', 1, 90))
    await client.settled()
    expect(codes(client).filter(([, code]: Loose) => code === 201)).to.deep.equal([[2, 201]])
    expect(await told(simulator)).to.deep.equal([
      { when: 'order', nth: 2, do: [{ fault: 'rejectNext', code: 201, text: 'no' }], came: 2, done: 1 },
    ])
  })

  it('at every third order with that ref, of that client, at most twice', async () => {
    const simulator = await simulate({
      start: monday('10:00'),
      script: [{ when: 'order', orderRef: 'mine', clientId: 7, every: 3, times: 2, do: { fault: 'swallowOrder' } }],
    })
    const [client, other] = [await connect(simulator.port, 7), await connect(simulator.port, 8)]
    for (let id = 1; id <= 12; id++) {
      client.api.placeOrder(2 * id, spy, limit('BUY', 1, 90, { orderRef: 'mine' }))
      client.api.placeOrder(2 * id + 1, spy, limit('BUY', 1, 90, { orderRef: 'other' }))
      other.api.placeOrder(id, spy, limit('BUY', 1, 90, { orderRef: 'mine' }))
    }
    await Promise.all([client.settled(), other.settled()])
    const ids = (await simulator.state()).orders.filter(({ clientId, orderRef }: Loose) => clientId === 7 && orderRef === 'mine')
    expect(ids.map(({ orderId }: Loose) => orderId / 2)).to.deep.equal([1, 2, 4, 5, 7, 8, 9, 10, 11, 12])
  })

  it('at an execution: the line breaks before it is told; what touches the broker waits until it is done', async () => {
    const simulator = await simulate({
      start: monday('10:00'),
      script: [
        { when: 'execution', nth: 1, do: { fault: 'correctExecution', price: 50 } },
        { when: 'execution', nth: 2, do: { fault: 'dropConnections', when: 'now' } },
      ],
    })
    const client = await connect(simulator.port, 7)
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.execDetails, (_, __, { execId, price }) => execId.endsWith('.02') && price === 50)
    client.api.placeOrder(2, spy, market('BUY', 20))
    await client.next(EventName.disconnected)
    expect(client.all(EventName.execDetails).map(([, , { shares, price }]: Loose) => [shares, price === 50])).to.deep.equal([
      [10, false],
      [10, true],
    ])
  })

  it('at every execution, those apart that a script brings about', async () => {
    const script = [{ when: 'execution', every: 1, do: { fault: 'handTrade', symbol: 'SPY', quantity: 1, clientId: 7 } }]
    const simulator = await simulate({ start: monday('10:00'), script })
    const client = await connect(simulator.port, 7)
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.placeOrder(2, spy, market('BUY', 20))
    await client.next(EventName.execDetails, () => client.all(EventName.execDetails).length === 4)
    expect((await simulator.state()).executions.map(({ shares }: Loose) => shares)).to.deep.equal([10, 1, 20, 1])
  })

  it('at the second connection, and at a request by its name', async () => {
    const simulator = await simulate({
      script: [
        { when: 'connection', nth: 2, do: { fault: 'holdLogin', seconds: 60 } },
        { when: 'message', request: 'reqPositions', do: { fault: 'dropConnections', when: 'now', clientId: 7 } },
      ],
    })
    const first = await connect(simulator.port, 7)
    const second = await connect(simulator.port, 8, { started: false })
    await second.next(EventName.server)
    first.api.reqAllOpenOrders()
    await first.next(EventName.openOrderEnd)
    first.api.reqPositions()
    await first.next(EventName.disconnected)
    expect([...first.all(EventName.positionEnd), ...second.all(EventName.nextValidId)]).to.deep.equal([])
    await simulator.clock('2019-06-03T13:01:00Z')
    await second.next(EventName.nextValidId)
  })

  it('every night in New York, whatever its clocks do', async () => {
    const script = [{ daily: '23:45', do: { fault: 'position', symbol: 'SPY', quantity: 1, price: 100 } }]
    const simulator = await simulate({ start: '2019-03-08T12:00:00-05:00', script })
    const times: string[] = []
    for (let day = 0; day < 3; day++) {
      const before = (await simulator.state()).positions[0]?.quantity ?? 0
      for (let count = before; count === before; count = (await simulator.state()).positions[0]?.quantity ?? 0)
        await simulator.post('/clock', { to: 'next' })
      times.push((await simulator.state()).clock)
    }
    expect(times).to.deep.equal(['2019-03-09T04:45:00.000Z', '2019-03-10T04:45:00.000Z', '2019-03-11T03:45:00.000Z'])
  })

  it('by chance: the seed decides, the same way each time', async () => {
    const script = [{ when: 'order', chance: 0.5, do: { fault: 'swallowOrder' } }]
    const kept = async (seed: number): Promise<string> => {
      const simulator = await simulate({ seed, script })
      const client = await connect(simulator.port, 7)
      for (let id = 1; id <= 40; id++) client.api.placeOrder(id, spy, limit('BUY', 1, 90))
      await client.settled()
      return (await simulator.state()).orders.map(({ orderId }: Loose) => orderId).join(' ')
    }
    const first = await kept(1)
    expect(await kept(1)).to.equal(first)
    expect(await kept(2)).not.to.equal(first)
    expect(first.split(' ').length).to.be.within(8, 32)
  })

  it('may be given and taken back on the control port', async () => {
    const simulator = await simulate()
    const client = await connect(simulator.port, 7)
    expect(await simulator.post('/script', [{ when: 'order', every: 1, do: { fault: 'swallowOrder' } }])).to.include({ status: 200 })
    client.api.placeOrder(1, spy, limit('BUY', 1, 90))
    await client.settled()
    await fetch(`http://127.0.0.1:${simulator.controlPort}/script`, { method: 'DELETE' })
    client.api.placeOrder(2, spy, limit('BUY', 1, 90))
    await client.settled()
    expect((await simulator.state()).orders.map(({ orderId }: Loose) => orderId)).to.deep.equal([2])
    expect(await simulator.post('/script', '- when: order\n  do: { fault: fire }')).to.include({ status: 400 })
    const yaml = await simulator.post('/script', '- each: 60\n  do: { fault: clear }\n')
    expect(yaml.script).to.deep.equal([{ each: 60, do: [{ fault: 'clear' }], came: 0, done: 0 }])
    const past = await simulator.post('/script', [{ at: '2019-06-03T08:00:00Z', do: { fault: 'clear' } }])
    expect([past.status, past.error]).to.deep.equal([
      400,
      'entry 1: at: 2019-06-03T08:00:00Z is before the clock, 2019-06-03T13:00:00.000Z',
    ])
  })

  it('tells what went wrong with an entry, and goes on', async () => {
    const script = [
      {
        at: monday('10:00'),
        do: [
          { fault: 'deactivate', orderRef: 'none' },
          { fault: 'notice', code: 2100, text: 'on' },
        ],
      },
    ]
    const simulator = await simulate({ script })
    const client = await connect(simulator.port, 7)
    await simulator.clock(monday('10:00'))
    await client.next(EventName.info, (_, code) => code === 2100)
    expect((await told(simulator))[0]).to.include({ came: 1, done: 1, problem: 'orderRef: no order with ref "none" works' })
  })

  it('names in one line the entry that is wrong', () => {
    const wrong = (entry: unknown): string => {
      try {
        readScript([{ at: monday('10:00'), do: { fault: 'clear' } }, entry], checkFault)
      } catch (error) {
        expect((error as Error).message).not.to.contain('\n')
        return (error as Error).message
      }
      return 'nothing'
    }
    const clear = { fault: 'clear' }
    expect(wrong({ each: 60, do: [clear, { wait: 5 }, clear] })).to.equal('nothing')
    expect(wrong('clear')).to.match(/^entry 2: expected/)
    expect(wrong({ do: clear })).to.equal('entry 2: it needs one of at, daily, each and when')
    expect(wrong({ at: 'noon', do: clear })).to.equal('entry 2: at: "noon" is neither a date nor an ISO time with its zone')
    expect(wrong({ at: monday('10:00'), each: 60, do: clear })).to.contain('it needs one of')
    expect(wrong({ when: 'order', nth: 0, do: clear })).to.equal('entry 2: nth: expected a whole number from 1, got 0')
    expect(wrong({ when: 'order', nth: 1, chance: 0.5, do: clear })).to.equal('entry 2: nth: goes neither with every nor with chance')
    expect(wrong({ when: 'order', chance: 1.5, do: clear })).to.contain('chance: expected a probability')
    expect(wrong({ when: 'fill', do: clear })).to.contain('when: expected connection, message, order or execution, got "fill"')
    expect(wrong({ daily: '24:00', do: clear })).to.contain('daily: expected a time in New York as 23:45, got "24:00"')
    expect(wrong({ each: 60, nth: 2, do: clear })).to.equal('entry 2: nth: goes with when')
    expect(wrong({ when: 'message', request: 'reqAll', do: clear })).to.contain('request: goes with when message, and is one of reqMktData')
    expect(wrong({ when: 'connection', orderRef: 'x', do: clear })).to.equal('entry 2: orderRef: goes with when order or execution')
    expect(wrong({ when: 'order' })).to.contain('do: expected a fault')
    expect(wrong({ when: 'order', does: clear, do: clear })).to.contain('does: there are at, daily')
    expect(wrong({ when: 'order', do: { fault: 'fire' } })).to.contain('do: fault: "fire" is not one of')
    expect(wrong({ when: 'order', do: [clear, { wait: -1 }] })).to.equal('entry 2: do: wait: expected a positive number, got -1')
    expect(wrong({ when: 'order', do: { fault: 'rejectNext', code: 201 } })).to.contain('do: text: expected string, got nothing')
    expect(() => readScript({ when: 'order' }, checkFault)).to.throw('a script is a list of entries')
  })

  it('comes from a file: YAML, JSON, or a JSON object a line; a wrong one stops the start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-sim-script-'))
    try {
      const entry = { when: 'order', nth: 3, do: [{ fault: 'linkDown' }, { wait: 30 }, { fault: 'linkUp' }] }
      const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text)
        return join(folder, name)
      }
      const yaml = '# a bad day\n- when: order\n  nth: 3\n  do:\n    - fault: linkDown\n    - wait: 30\n    - fault: linkUp\n'
      const line = JSON.stringify(entry)
      for (const path of [file('a.yaml', yaml), file('b.json', JSON.stringify([entry], null, 2)), file('c.jsonl', `${line}\n\n`)])
        expect(readScriptFile(path, checkFault)).to.deep.equal([entry])
      const bad = file('bad.yaml', '- when: order\n  do: { fault: fire }\n')
      const complaint = await startGatewaySimulator({ script: bad }).then(
        () => 'nothing',
        (error: Error) => error.message,
      )
      expect(complaint).to.match(new RegExp(`^script: ${bad}: entry 1: do: fault: "fire" is not one of [^\n]*$`))
      expect(() => readScriptFile(join(folder, 'none.yaml'), checkFault)).to.throw('none.yaml: ENOENT')
      expect(() => readScriptFile(file('half.yaml', '- when: [order'), checkFault)).to.throw(/half\.yaml: it is not YAML: [^\n]+$/)
      expect(() => readScriptFile(file('half.jsonl', `${line}\n{"when":`), checkFault)).to.throw(
        'half.jsonl: entry 2: the line is not JSON',
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('gateway simulator, repeatability', () => {
  afterEach(closeAll)

  const faultsAtRandom = [
    { when: 'order', chance: 0.2, do: { fault: 'swallowOrder' } },
    { when: 'order', chance: 0.2, do: { fault: 'partialFill', quantity: 3 } },
    {
      when: 'execution',
      chance: 0.3,
      do: [{ fault: 'commissions', when: 'first', seconds: 600 }, { wait: 300 }, { fault: 'correctExecution' }],
    },
    { when: 'execution', chance: 0.2, do: { fault: 'repeatMessages', messages: ['orderStatus', 'execDetails'], seconds: 900 } },
    { when: 'message', chance: 0.1, do: { fault: 'executionsFirst', seconds: 120 } },
    { each: 3600, chance: 0.5, do: { fault: 'linkDown', seconds: 240, dataLost: true } },
    { each: 1500, chance: 0.4, do: { fault: 'notice', code: 2119, text: 'connecting', count: 3 } },
    { daily: '12:00', do: { fault: 'farmDown', farm: 'marketData', seconds: 300 } },
  ]

  /** All that two clients are sent in two days of orders, with frames cut anywhere. */
  const bytesOf = async (seed: number): Promise<string> => {
    const frictions = { spread: 2, slippage: 5, participation: 0.05 }
    const script = [{ when: 'connection', do: { fault: 'frames', style: 'pieces' } }, ...faultsAtRandom]
    const simulator = await simulate({ bars: { SPY: [...week] }, seed, script, frictions })
    const clients = [await rawClient(simulator.port, 7), await rawClient(simulator.port, 8)]
    for (const client of clients) await client.hears(4, 2, -1, 2158)
    const contract = [0, 'SPY', 'STK', '', 0, '', '', 'SMART', '', 'USD', '', '']
    /** Everything after the exchange is empty but what an order must say. */
    const order = (id: number, action: string, type: string, price: string): (string | number)[] => {
      const fields = [3, id, ...contract, '', '', action, 10 + id, type, price, '', 'GTC', '', '', '', 0, `ref ${id}`, 1]
      return [
        ...fields,
        ...Array.from({ length: 118 - fields.length }, (_, place) =>
          place + fields.length === 81 || place + fields.length === 89 ? 0 : '',
        ),
      ]
    }
    const settled = async (): Promise<void> => {
      for (const [place, client] of clients.entries()) {
        const before = client.frames().filter(([id]) => id === '49').length
        client.say(49, 1)
        while (client.frames().filter(([id]) => id === '49').length === before)
          await new Promise((resolve) => client.socket.once('data', resolve))
        expect(client.socket.destroyed, `client ${place}`).to.equal(false)
      }
    }
    let id = 0
    for (const [stride, to] of ['09:31', '10:00', '11:30', '15:00', '16:00']
      .flatMap((time) => [on(3, time), on(4, time)])
      .sort()
      .entries()) {
      await simulator.clock(to)
      for (const client of clients) {
        client.say(...order(++id, stride % 3 === 2 ? 'SELL' : 'BUY', stride % 2 === 0 ? 'MKT' : 'LMT', stride % 2 === 0 ? '' : '104'))
        client.say(7, 3, id, '', '', '', '', '', '', '')
        await settled()
      }
    }
    await simulator.clock('2019-06-05')
    await settled()
    for (const client of clients) client.socket.destroy()
    return clients.map((client) => client.bytes().toString('latin1')).join('\n')
  }

  it('the same seed, script and requests give the same bytes on the sockets; another seed gives others', async function () {
    this.timeout(180_000)
    const first = await bytesOf(11)
    expect(await bytesOf(11)).to.equal(first)
    expect(await bytesOf(12)).not.to.equal(first)
    for (const text of ['1101', 'connecting', '.02', 'SLD', '2103']) expect(first).to.contain(text)
  })

  it('whatever is armed at random, no message ever fails to be read', async function () {
    this.timeout(180_000)
    const messages = ['orderStatus', 'openOrder', 'execDetails', 'commissionReport', 'position', 'openOrderEnd', 'execDetailsEnd']
    const seconds = fc.constantFrom(60, 600, 3600)
    const some = fc.subarray(messages, { minLength: 1 })
    const fault = fc.oneof(
      fc.record({ fault: fc.constantFrom('executionsFirst', 'lateExecutions', 'cancelStays', 'readOnly', 'historyLimits'), seconds }),
      fc.record({ fault: fc.constant('commissions'), when: fc.constantFrom('first', 'late', 'never', 'unset'), seconds }),
      fc.record({ fault: fc.constantFrom('loseMessages', 'holdMessages', 'repeatMessages'), messages: some, seconds }),
      fc.record({ fault: fc.constant('endMarkers'), when: fc.constantFrom('late', 'never'), seconds }),
      fc.record({ fault: fc.constant('frames'), style: fc.constantFrom('bytes', 'pieces', 'joined'), seconds }),
      fc.record({ fault: fc.constant('linkDown'), seconds, dataLost: fc.boolean() }),
      fc.record({ fault: fc.constant('halfOpen'), seconds }),
      fc.record({ fault: fc.constant('cancelledButFilled'), silent: fc.boolean() }),
      fc.record({ fault: fc.constant('partialFill'), quantity: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ fault: fc.constant('swallowOrder') }),
      fc.record({ fault: fc.constant('correctExecution'), price: fc.constantFrom(50, 101) }),
      fc.record({ fault: fc.constant('handTrade'), symbol: fc.constant('SPY'), quantity: fc.constantFrom(-7, 7), price: fc.constant(100) }),
    )
    const entry = fc.oneof(
      fc.record({ when: fc.constantFrom('order', 'execution', 'message'), every: fc.integer({ min: 1, max: 4 }), do: fault }),
      fc.record({ each: fc.constantFrom(600, 1800, 7200), do: fault }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 6 }), async (script) => {
        const simulator = await simulate({ script })
        const client = await connect(simulator.port, 7)
        let id = 0
        for (const time of ['09:30', '10:15', '12:00', '15:59', '16:30']) {
          await simulator.clock(monday(time))
          client.api.placeOrder(++id, spy, market(id % 2 === 0 ? 'SELL' : 'BUY', 10))
          client.api.placeOrder(++id, spy, limit('BUY', 5, 101))
          client.api.cancelOrder(id)
          client.api.reqExecutions(id, {})
          client.api.reqAllOpenOrders()
        }
        await fetch(`http://127.0.0.1:${simulator.controlPort}/script`, { method: 'DELETE' })
        await simulator.fault('clear')
        client.listenAnew()
        client.api.reqPositions()
        await client.next(EventName.positionEnd)
        const { positions, executions, orders } = await simulator.state()
        const held = new Map<string, number>()
        for (const { execId, side, shares } of executions) held.set(execId.slice(0, -3), side === 'BUY' ? shares : -shares)
        const sum = [...held.values()].reduce((total, shares) => total + shares, 0)
        expect(positions[0]?.quantity ?? 0).to.equal(sum)
        expect(client.all(EventName.position).map(([, , quantity]) => quantity)).to.deep.equal(sum === 0 ? [] : [sum])
        for (const { filled, totalQuantity } of orders) expect(filled).to.be.at.most(totalQuantity)
        await closeAll()
      }),
      { numRuns: 25 },
    )
  })
})
