import { expect } from 'chai'
import { BrokerUnavailable } from '../../../domain/ports/broker.ts'
import {
  answerEmptySnapshot,
  commissionMessage,
  executionMessage,
  frame,
  type ScriptedGateway,
  sent,
  startScriptedGateway,
  statusMessage,
  until,
} from './scripted-gateway.ts'
import { failure, type SessionUnderTest, sessionAt, ticket } from './session-under-test.ts'

describe('broker session: the life of a connection', () => {
  let gateway: ScriptedGateway
  let session: SessionUnderTest

  const open = async (options: Parameters<typeof sessionAt>[1] = {}) => {
    session = sessionAt(gateway.port, options)
    await session.start()
  }
  const all = (connection = gateway.last()) => connection.messages.map(([id]) => Number(id))
  /** Without those of the snapshot with which a session begins. */
  const ids = (connection = gateway.last()) => all(connection).filter((id) => !ofSnapshot.has(id))

  beforeEach(async () => {
    gateway = await startScriptedGateway()
    gateway.answer(sent.currentTime, (_fields, connection) => connection.send(49, 1, 1_795_257_000))
    answerEmptySnapshot(gateway)
  })
  afterEach(async () => {
    await session.broker.close('the test is over')
    await gateway.close()
  })

  it('is connected only when accounts and next order id are both there', async () => {
    gateway.greetWith((_fields, connection) => connection.send(9, 1, 42))
    session = sessionAt(gateway.port)
    session.broker.start(session.hear)
    await until('the client has introduced itself', () => gateway.connections[0]?.clientId === '7')
    gateway.last().send(4, 2, -1, 2104, 'farm OK', '')
    expect(session.broker.connected()).to.equal(false)
    expect(() => session.broker.place(ticket(42)))
      .to.throw(BrokerUnavailable)
      .with.property('why', 'notReady')
    gateway.last().send(15, 1, 'DU1,DU2')
    await session.connected()
    expect(session.reports).to.deep.equal([{ kind: 'connected', managedAccounts: ['DU1', 'DU2'], nextValidId: 42, serverVersion: 178 }])
    expect(ids()).to.deep.equal([71])
  })

  it('gives up a handshake that never completes, and tries again', async () => {
    gateway.greetWith((_fields, connection) => {
      connection.send(15, 1, 'DU1')
      if (gateway.connections.length > 1) connection.send(9, 1, 1)
    })
    session = sessionAt(gateway.port, { deadlines: { connect: 60 } })
    await session.start()
    expect(gateway.connections).to.have.length(2)
    expect(session.reports[0]).to.deep.include({ kind: 'notice', text: 'no complete handshake within 60 ms' })
    expect(session.of('lost')).to.have.length(0)
  })

  it('places nothing while the connection is down, now or later', async () => {
    await open()
    gateway.last().drop()
    await until('the loss is known', () => session.of('lost').length === 1)
    for (const act of [() => session.broker.place(ticket(1)), () => session.broker.cancel(1)])
      expect(act).to.throw(BrokerUnavailable).with.property('why', 'notReady')
    expect(await failure(session.broker.contracts(spy))).to.have.property('why', 'notReady')
    await session.connected(2)
    await session.broker.currentTime()
    expect(ids()).to.deep.equal([71, sent.currentTime])
    expect(session.broker.connected()).to.equal(true)
  })

  it('never sends later what was queued when the line broke', async () => {
    await open()
    const asked = Array.from({ length: 60 }, () => failure(session.broker.contracts(spy)))
    await until('some were sent', () => ids().filter((id) => id === sent.contractDetails).length > 5)
    const first = gateway.last()
    for (let orderId = 1; orderId <= 5; orderId += 1) session.broker.place(ticket(orderId))
    first.drop()
    for (const error of await Promise.all(asked)) expect(error).to.include({ name: 'BrokerUnavailable', why: 'lost' })
    await session.connected(2)
    // more than a second: the message limit would have let the next ones go by now
    const later = performance.now() + 1200
    await until('a second has gone by', () => performance.now() > later)
    await session.broker.currentTime()
    expect(first.messages.filter(([id]) => Number(id) === sent.contractDetails).length).to.be.lessThan(60)
    expect(ids()).to.deep.equal([71, sent.currentTime])
    expect(gateway.last()).not.to.equal(first)
  })

  it('finds a half-open line by its heartbeat and builds a new one', async () => {
    await open({ heartbeat: { every: 30, deadline: 60 } })
    const first = gateway.last()
    await until('a heartbeat was answered', () => ids(first).filter((id) => id === sent.currentTime).length >= 2)
    expect(session.of('lost')).to.have.length(0)
    gateway.answer(sent.currentTime, () => undefined) // the socket stays open, nothing comes any more
    await until('the loss is known', () => session.of('lost').length === 1)
    expect(session.of('lost')[0]!.reason).to.match(/heartbeat.*60 ms/)
    await until('the old socket is closed', () => !first.isOpen())
    await session.connected(2)
  })

  it('waits while its client id is in use, says so once, and connects later with the same one', async () => {
    gateway.greetWith((_fields, connection) => {
      if (gateway.connections.length <= 3) {
        connection.send(4, 2, -1, 326, 'Unable to connect as the client id is already in use.', '')
        return connection.drop()
      }
      connection.send(15, 1, 'DU1')
      connection.send(9, 1, 1)
    })
    session = sessionAt(gateway.port)
    await session.start()
    expect(gateway.connections.map(({ clientId }) => clientId)).to.deep.equal(['7', '7', '7', '7'])
    expect(session.reports.map(({ kind }) => kind)).to.deep.equal(['notice', 'connected'])
    expect(session.of('notice')[0]).to.deep.include({ code: 326 })
    expect(session.of('notice')[0]!.text).to.contain('client id 7').and.contain('waiting')
  })

  it('keeps trying while nobody listens at the port', async () => {
    const { port } = gateway
    await gateway.close()
    session = sessionAt(port)
    session.broker.start(session.hear)
    await until('the failure is reported', () => session.of('notice').length > 0)
    expect(session.of('notice')[0]).to.deep.include({ code: 502 })
    expect(await failure(session.broker.currentTime())).to.include({ why: 'notReady' })
    gateway = await startScriptedGateway()
  })

  it('hands over no order and asks nothing while the gateway has lost IB', async () => {
    await open()
    gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    await until('the link is down', () => session.of('link').length === 1)
    expect(() => session.broker.place(ticket(1))).to.throw(BrokerUnavailable, '1100')
    expect(await failure(session.broker.snapshot('DU1'))).to.have.property('why', 'notReady')
    gateway.last().send(4, 2, -1, 1102, 'Connectivity restored', '')
    await until('the link is up', () => session.of('link').length === 2)
    expect(session.of('link').map(({ state }) => state)).to.deep.equal(['down', 'up'])
    expect(() => session.broker.place(ticket(1))).to.throw(BrokerUnavailable, 'what must be asked first')
    await session.broker.snapshot('DU1')
    session.broker.place(ticket(1))
    await until('the order is there', () => ids().includes(sent.placeOrder))
  })

  it('does not take a message that it could not read for the link to come back', async () => {
    await open()
    gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    gateway.last().send(...executionMessage(-1, { id: 'e1.01', time: 'yesterday' }))
    await until('the message was read', () => session.of('notice').some(({ text }) => text.includes('yesterday')))
    expect(session.of('link').map(({ state }) => state)).to.deep.equal(['down'])
  })

  it('survives a listener that throws, and goes on reporting', async () => {
    await open()
    await session.broker.close('another listener')
    const seen: string[] = []
    session = sessionAt(gateway.port)
    session.broker.start((report) => {
      seen.push(report.kind)
      if (report.kind === 'execution') throw new Error('the listener is broken')
    })
    await until('connected', () => session.broker.connected())
    gateway.last().send(...executionMessage(-1, { id: 'e1.01' }))
    gateway.last().send(...statusMessage(5, 'Filled', 10, 0))
    await until('the status came through', () => seen.includes('order'))
    expect(seen.filter((kind) => kind !== 'session')).to.deep.equal(['connected', 'execution', 'notice', 'order'])
    expect(session.broker.connected()).to.equal(true)
  })

  it('reports a rejection whose details are no JSON, on which the library throws', async () => {
    await open()
    gateway.last().send(4, 2, 5, 201, 'Order rejected - reason: margin', '{not json')
    gateway.last().send(...statusMessage(5, 'Inactive'))
    await until('the status came through', () => session.of('order').length === 1)
    expect(session.of('orderMessage')).to.deep.equal([
      { kind: 'orderMessage', orderId: 5, code: 201, text: 'Order rejected - reason: margin', meaning: 'rejected' },
    ])
    expect(session.of('lost')).to.have.length(0)
  })

  it('keeps the order of reports; a commission before its execution waits for it, and says whose it is', async () => {
    await open()
    gateway.last().send(...statusMessage(5, 'Submitted'))
    gateway.last().send(...commissionMessage('e1.01', 1))
    gateway.last().send(...executionMessage(-1, { id: 'e1.01', side: 'SLD' }))
    gateway.last().send(4, 2, 5, 202, 'Order Canceled - reason:', '')
    gateway.last().send(...statusMessage(5, 'Cancelled', 10, 0))
    await session.broker.currentTime()
    expect(session.reports.slice(1).map(({ kind }) => kind)).to.deep.equal(['order', 'execution', 'commission', 'orderMessage', 'order'])
    expect(session.of('execution')[0]!.execution).to.deep.equal({
      executionId: 'e1.01',
      orderRef: 'abc-1',
      orderId: 5,
      clientId: 7,
      permId: 900,
      account: 'DU1',
      contract: { conId: 756733, symbol: 'SPY', secType: 'STK', currency: 'USD' },
      quantity: '-10',
      price: '450.25',
      time: '2026-11-20T14:30:01.000Z',
    })
    expect(session.of('commission')[0]!.commission).to.deep.equal({
      executionId: 'e1.01',
      account: 'DU1',
      commission: '1',
      currency: 'USD',
      realizedProfit: undefined,
    })
  })

  it('gets the time only after everything that was sent before it', async () => {
    await open()
    gateway.answer(sent.currentTime, (_fields, connection) => {
      connection.send(...executionMessage(-1, { id: 'e1.01' }))
      connection.send(49, 1, 1_795_257_000)
    })
    const times = [session.broker.currentTime(), session.broker.currentTime()]
    expect(await times[0]).to.equal('2026-11-21T10:30:00.000Z')
    expect(session.of('execution').length).to.be.greaterThan(0)
    expect(await times[1]).to.equal('2026-11-21T10:30:00.000Z')
  })

  it('does not let a message about an order touch a question, nor the reverse', async () => {
    await open()
    const asked = session.broker.contracts(spy)
    await until('the question is there', () => ids().includes(sent.contractDetails))
    const requestId = gateway.last().messages.find(([id]) => Number(id) === sent.contractDetails)![2]!
    gateway.last().send(4, 2, 1, 201, 'Order rejected', '')
    gateway.last().send(4, 2, 1, 77777, 'something new', '')
    gateway.last().send(4, 2, requestId, 200, 'No security definition has been found', '')
    expect(await asked).to.deep.equal([])
    expect(session.of('orderMessage').map(({ code, meaning }) => [code, meaning])).to.deep.equal([
      [201, 'rejected'],
      [77777, 'warning'],
    ])
  })

  it('sends an order with every field that we set, always to be transmitted', async () => {
    await open()
    session.broker.place(
      ticket(5, {
        action: 'SELL',
        quantity: '2.5',
        type: 'LMT',
        limitPrice: '450.25',
        timeInForce: 'GTC',
        outsideRegularHours: true,
        algo: { strategy: 'Adaptive', parameters: { adaptivePriority: 'Normal' } },
      }),
    )
    session.broker.place(ticket(6))
    session.broker.cancel(6)
    await until('the cancel is there', () => ids().includes(sent.cancelOrder))
    const [first, second, cancel] = gateway.last().messages.slice(-3)
    const named = (fields: string[]) =>
      Object.fromEntries(Object.entries(placeOrderFields).map(([name, position]) => [name, fields[position]!]))
    const contract = { conId: '756733', symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
    expect(named(first!)).to.deep.equal({
      ...{ ...contract, orderId: '5', action: 'SELL', quantity: '2.5', type: 'LMT', limitPrice: '450.25', timeInForce: 'GTC' },
      ...{ account: 'DU1', orderRef: 'abc-5', transmit: '1', outsideRegularHours: '1', algo: 'Adaptive' },
    })
    expect(first!.slice(82, 86)).to.deep.equal(['Adaptive', '1', 'adaptivePriority', 'Normal'])
    expect(named(second!)).to.deep.equal({
      ...{ ...contract, orderId: '6', action: 'BUY', quantity: '10', type: 'MKT', limitPrice: '', timeInForce: 'DAY' },
      ...{ account: 'DU1', orderRef: 'abc-6', transmit: '1', outsideRegularHours: '0', algo: '' },
    })
    expect(cancel!.slice(0, 3)).to.deep.equal(['4', '1', '6'])
  })

  it('reads frames that come in pieces, and many in one piece', async () => {
    await open()
    const bytes = Buffer.concat([
      frame(statusMessage(5, 'Submitted')),
      frame(executionMessage(-1, { id: 'e1.01' })),
      frame(commissionMessage('e1.01', 1)),
    ])
    for (let place = 0; place < bytes.length; place += 7) {
      gateway.last().write(bytes.subarray(place, place + 7))
      if (place % 21 === 0) await new Promise(setImmediate)
    }
    gateway.last().write(Buffer.concat([bytes, bytes]))
    await until('all of it came', () => session.of('order').length === 3 && session.of('execution').length === 3)
    expect(session.of('commission'), 'the same commission is told once').to.have.length(1)
    expect(session.of('lost')).to.have.length(0)
  })

  it('passes on the warning about too many messages, and builds a fresh line when it is dropped for them', async () => {
    await open()
    gateway.last().send(4, 2, -1, 100, 'Max rate of messages per second has been exceeded', '')
    await session.broker.currentTime()
    expect(session.of('notice').map(({ code }) => code)).to.include(100)
    gateway.last().drop()
    await session.connected(2)
  })

  it('reports the next id as the gateway says it, even when it went back over the night', async () => {
    const ids = [38_103, 38_099]
    gateway.greetWith((_fields, connection) => {
      connection.send(15, 1, 'DU1')
      connection.send(9, 1, ids.shift()!)
    })
    await open()
    gateway.last().drop()
    await session.connected(2)
    expect(session.of('connected').map(({ nextValidId }) => nextValidId)).to.deep.equal([38_103, 38_099])
  })

  it('refuses an order id from the range of its questions', async () => {
    await open()
    expect(() => session.broker.place(ticket(1_000_000_000))).to.throw(RangeError, '1000000000')
    await session.broker.currentTime()
    expect(ids()).to.not.include(sent.placeOrder)
  })

  it('is closed for good', async () => {
    await open()
    const first = gateway.last()
    await session.broker.close('ACCOUNT_MISMATCH')
    await until('the socket is closed', () => !first.isOpen())
    expect(session.reports.at(-1)).to.deep.equal({ kind: 'lost', reason: 'ACCOUNT_MISMATCH' })
    expect(() => session.broker.place(ticket(1))).to.throw(BrokerUnavailable, 'ACCOUNT_MISMATCH')
    const later = performance.now() + 100
    await until('five times the back-off has gone by', () => performance.now() > later)
    expect(gateway.connections).to.have.length(1)
  })

  it('asks all that belongs to a snapshot, in this order', async () => {
    await open()
    await session.broker.currentTime()
    const before = all().length
    const snapshot = await session.broker.snapshot('DU1')
    await session.broker.currentTime()
    expect(snapshot).to.deep.include({ account: 'DU1', executions: [], openOrders: [], completedOrders: [], positions: [] })
    expect(all().slice(before)).to.deep.equal([
      sent.executions,
      sent.allOpenOrders,
      sent.completedOrders,
      sent.positions,
      sent.cancelPositions,
      sent.accountUpdates,
      sent.accountUpdates,
      sent.currentTime,
    ])
  })
})

const ofSnapshot = new Set<number>([
  ...[sent.executions, sent.allOpenOrders, sent.completedOrders, sent.positions, sent.cancelPositions, sent.accountUpdates],
])
const spy = { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }

/** Positions in placeOrder at server version 178. */
const placeOrderFields = {
  ...{ orderId: 1, conId: 2, symbol: 3, secType: 4, exchange: 9, currency: 11, action: 16, quantity: 17, type: 18, limitPrice: 19 },
  ...{ timeInForce: 21, account: 23, orderRef: 26, transmit: 27, outsideRegularHours: 33, algo: 82 },
}
