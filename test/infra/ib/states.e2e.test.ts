import { expect } from 'chai'
import { BrokerUnavailable } from '../../../domain/ports/broker.ts'
import { answerEmptySnapshot, type ScriptedGateway, sent, startScriptedGateway, until } from './scripted-gateway.ts'
import { hurried, keptLog, type SessionUnderTest, sessionAt, ticket } from './session-under-test.ts'

const minute = 60_000
/** Of machine time that runs a thousand times faster. */
const impatient = { connect: 50_000, question: 2_000_000 }
/** A Wednesday noon in New York; the nightly restart is at 23:45. */
const wednesday = Date.parse('2026-11-18T17:00:00Z')
const sunday = Date.parse('2026-11-22T17:00:00Z')
const restart = Date.parse('2026-11-19T04:45:00Z')

describe('broker session: its states, as people see them', () => {
  let gateway: ScriptedGateway
  let session: SessionUnderTest
  const kept = { ...keptLog() }

  /** Everything a thousand times faster, so that a minute is 60 ms. */
  const open = (options: Parameters<typeof sessionAt>[1] = {}, factor = 1000, now = wednesday) => {
    Object.assign(kept, keptLog())
    session = sessionAt(gateway.port, {
      ...{ clock: hurried(factor, now), log: kept.log },
      deadlines: { connect: 2000 * factor, question: 2000 * factor, history: 2000 * factor },
      heartbeat: { every: 2000 * factor, deadline: 2000 * factor },
      backOff: { first: 5 * factor, most: 5 * factor },
      ...options,
    })
    session.broker.start(session.hear)
  }
  const tells = (text: string) => until(`it tells: ${text}`, () => session.told().some((told) => told.includes(text)))
  const alerts = (text: string) => until(`it alerts: ${text}`, () => kept.at('error').some((told) => told.includes(text)))
  const synced = async () => {
    await session.connected()
    await session.broker.snapshot('DU1')
  }

  beforeEach(async () => {
    gateway = await startScriptedGateway()
    answerEmptySnapshot(gateway)
    gateway.answer(sent.currentTime, (_fields, connection) => connection.send(49, 1, 1_795_257_000))
  })
  afterEach(async () => {
    await session.broker.close('the test is over')
    await gateway.close()
  })

  it('comes from connecting over syncing to ready, and ends closed', async () => {
    open()
    await session.connected()
    expect(session.broker.state()).to.include({ phase: 'syncing', gateway: 'primary', ordersHeld: undefined })
    for (const act of [() => session.broker.place(ticket(1)), () => session.broker.cancel(1)])
      expect(act).to.throw(BrokerUnavailable, 'what must be asked first').with.property('why', 'notReady')
    await session.broker.snapshot('DU1')
    await session.broker.close('the engine stops')
    expect(session.phases()).to.deep.equal(['connecting', 'syncing', 'ready', 'closed'])
    expect(session.broker.state().text).to.contain('the engine stops')
    expect(session.told()).to.deep.equal([])
  })

  it('is not ready by answers that began before the link came back', async () => {
    open()
    await session.connected()
    gateway.answer(sent.completedOrders, (_fields, connection) => {
      connection.send(4, 2, -1, 1102, 'Connectivity restored', '') // the link was away, and we never heard that it went
      connection.send(102)
    })
    await session.broker.snapshot('DU1')
    expect(session.broker.state().phase).to.equal('syncing')
    gateway.answer(sent.completedOrders, (_fields, connection) => connection.send(102))
    await session.broker.snapshot('DU1')
    expect(session.broker.state().phase).to.equal('ready')
  })

  it('alerts when the questions that come first are not answered to their end', async () => {
    gateway.answer(sent.executions, () => undefined)
    open({ deadlines: { connect: 2_000_000, question: 20_000 } })
    await session.connected()
    await session.broker.snapshot('DU1').catch(() => undefined)
    await alerts('has not been answered')
    expect(session.broker.state().phase).to.equal('syncing')
  })

  it('waits while its client id is in use, says so at once, and alerts when it lasts', async () => {
    gateway.greetWith((_fields, connection) => {
      connection.send(4, 2, -1, 326, 'Unable to connect as the client id is already in use.', '')
      connection.drop()
    })
    open()
    await tells('326')
    expect(session.told()[0]).not.to.match(/for \d/)
    await alerts('for 1 min now')
    expect(session.told()[0]).to.contain('client id 7').and.not.contain('127.0.0.1')
    expect(gateway.connections.every(({ clientId }) => clientId === '7' || clientId === undefined)).to.equal(true)
  })

  it('tells a gateway that is not logged in from one that waits for the second factor', async () => {
    gateway.greetWith(() => undefined)
    open({ deadlines: impatient })
    await tells('is not logged in to IB')
    expect(session.told()[0]).not.to.contain('second factor')
    await tells('second factor')
    await alerts('second factor')
    gateway.greetWith((_fields, connection) => {
      connection.send(15, 1, 'DU1')
      connection.send(9, 1, 1)
    })
    await synced()
    expect(session.broker.state().phase).to.equal('ready')
  })

  it('thinks of the second factor at once on a Sunday, when the login of the week ends', async () => {
    gateway.greetWith(() => undefined)
    open({ deadlines: impatient }, 1000, sunday)
    await tells('second factor')
    expect(session.told().some((text) => text.includes('runs but is not logged in'))).to.equal(false)
  })

  it('calls a gateway that takes the call and says nothing silent, and alerts', async () => {
    gateway.fallSilent()
    open({ deadlines: impatient })
    await alerts('the gateway does not answer')
    expect(session.told().every((text) => text.includes('for '))).to.equal(true)
  })

  it('says that nobody listens, and alerts', async () => {
    const { port } = gateway
    await gateway.close()
    open()
    await alerts('nobody listens at the port')
    gateway = await startScriptedGateway({ port })
    answerEmptySnapshot(gateway)
    await synced()
    expect(session.broker.state().phase).to.equal('ready')
  })

  it('is degraded while the gateway has lost IB, and alerts when that lasts', async () => {
    open()
    await synced()
    gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    await session.phase('degraded')
    expect(session.broker.state().text).to.contain('1100')
    await alerts('the gateway has lost IB')
    expect(gateway.connections, 'the socket is kept').to.have.length(1)
  })

  it('says nothing of a short loss', async () => {
    open({}, 20)
    await synced()
    gateway.last().drop()
    await session.connected(2)
    await session.broker.snapshot('DU1')
    expect(session.told()).to.deep.equal([])
    expect(kept.at('error')).to.deep.equal([])
  })

  it('holds new orders before the nightly restart, calls it by its name, and lets them go on the fresh line', async () => {
    const clock = hurried(500, restart - 6 * minute)
    open({ restartAt: '23:45', clock })
    await synced()
    session.broker.place(ticket(1))
    await until('orders are held', () => session.broker.state().ordersHeld !== undefined)
    expect(session.states.at(-1)).to.include({ phase: 'ready', ordersHeld: session.broker.state().ordersHeld })
    expect(() => session.broker.place(ticket(2)))
      .to.throw(BrokerUnavailable, '23:45')
      .with.property('why', 'notReady')
    session.broker.cancel(1) // what stands can still be taken back
    const { port } = gateway
    await gateway.close()
    await tells('nightly restart')
    expect(session.of('lost')).to.have.length(1)
    expect(session.broker.state().ordersHeld).to.equal(undefined)
    await until('it is past the time', () => clock.now() > restart)
    gateway = await startScriptedGateway({ port })
    answerEmptySnapshot(gateway)
    await session.connected(2)
    await session.broker.snapshot('DU1')
    session.broker.place(ticket(2))
    await until('the order is there', () => gateway.last().messages.some(([id]) => Number(id) === sent.placeOrder))
  })
  it('lets orders go again when the restart does not come', async () => {
    open({ restartAt: '23:45' }, 2000, restart - 6 * minute)
    await synced()
    await until('orders are held', () => session.states.some(({ ordersHeld }) => ordersHeld !== undefined))
    await until('orders go again', () => session.broker.state().ordersHeld === undefined)
    expect(session.states.at(-1)).to.include({ ordersHeld: undefined, tell: false })
    session.broker.place(ticket(1))
  })

  it('asks for a sign of life only when the line is silent', async () => {
    open({ heartbeat: { every: 200, deadline: 2000 } }, 1)
    await synced()
    const asked = () => gateway.last().messages.filter(([id]) => Number(id) === sent.currentTime).length
    const end = performance.now() + 600
    await until('it has talked for a while', () => {
      gateway.last().send(4, 2, -1, 2104, 'farm OK', '')
      return performance.now() > end
    })
    expect(asked()).to.equal(0)
    await until('it asks', () => asked() > 0)
    expect(session.of('lost')).to.have.length(0)
  })

  it('finds a machine that hangs: no answer, no goodbye, and yet a fresh line when it is back', async () => {
    await gateway.close()
    gateway = await startScriptedGateway({ answersGoodbye: false })
    answerEmptySnapshot(gateway)
    open({ heartbeat: { every: 100, deadline: 300 }, deadlines: { connect: 500 }, backOff: { first: 20, most: 20 } }, 1)
    await synced()
    const { port } = gateway
    gateway.fallSilent()
    await until('the loss is known', () => session.of('lost').length === 1)
    await gateway.close()
    gateway = await startScriptedGateway({ port })
    answerEmptySnapshot(gateway)
    await session.connected(2)
  })

  it('spreads its attempts by the chance it is given', async () => {
    await gateway.close()
    const { port } = gateway
    const attempts: number[] = []
    const clock = hurried(1)
    const after = (wait: number, run: () => void) => {
      attempts.push(wait)
      return clock.after(wait, run)
    }
    const chances = [0, 1, 0.5]
    session = sessionAt(port, { clock: { ...clock, after }, backOff: { first: 16, most: 64 }, random: () => chances.shift() ?? 0.5 })
    session.broker.start(session.hear)
    await until('five attempts', () => attempts.filter((wait) => [12, 40, 64].includes(wait)).length >= 5)
    expect(attempts.filter((wait) => [12, 40, 64].includes(wait)).slice(0, 5)).to.deep.equal([12, 40, 64, 64, 64])
    gateway = await startScriptedGateway()
  })
})
