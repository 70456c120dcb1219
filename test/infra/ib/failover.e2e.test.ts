import { expect } from 'chai'
import { BrokerUnavailable } from '../../../domain/ports/broker.ts'
import { answerEmptySnapshot, type ScriptedGateway, sent, startScriptedGateway, until } from './scripted-gateway.ts'
import { type SessionUnderTest, sessionAt, ticket } from './session-under-test.ts'

/** Longer than the patience, the back-off and the farewell together. */
const longEnough = 1600

describe('broker session: primary and backup gateway', () => {
  const gateways: ScriptedGateway[] = []
  let session: SessionUnderTest

  const open = async (options: Parameters<typeof startScriptedGateway>[0] = {}) => {
    const gateway = await startScriptedGateway(options)
    answerEmptySnapshot(gateway)
    gateway.answer(sent.currentTime, (_fields, connection) => connection.send(49, 1, 1_795_257_000))
    gateways.push(gateway)
    return gateway
  }
  const close = async (gateway: ScriptedGateway) => {
    gateways.splice(gateways.indexOf(gateway), 1)
    await gateway.close()
  }
  const start = async (primary: ScriptedGateway, backup: ScriptedGateway, options: Parameters<typeof sessionAt>[1] = {}) => {
    session = sessionAt(primary.port, {
      backup: { host: '127.0.0.1', port: backup.port },
      failover: { patience: 100, lookEvery: 50 },
      heartbeat: { every: 100, deadline: 400 },
      deadlines: { connect: 400 },
      ...options,
    })
    await session.start()
  }
  const pass = async (milliseconds: number) => {
    const end = performance.now() + milliseconds
    await until('the time has gone by', () => performance.now() > end)
  }
  const at = (gateway: 'primary' | 'backup') => until(`at the ${gateway} gateway`, () => session.broker.state().gateway === gateway)
  const synced = () => session.broker.snapshot('DU1')

  afterEach(async () => {
    await session.broker.close('the test is over')
    for (const gateway of [...gateways]) await close(gateway)
  })

  it('goes to the backup, with the same client id, when the primary is gone and says so', async () => {
    const [primary, backup] = [await open(), await open()]
    await start(primary, backup)
    expect(backup.connections).to.have.length(0)
    await close(primary)
    await at('backup')
    await session.connected(2)
    expect(backup.last().clientId).to.equal('7')
    expect(session.of('notice').map(({ text }) => text)).to.include(
      'the session at the primary gateway is closed: going to the backup gateway',
    )
    expect(() => session.broker.place(ticket(1))).to.throw(BrokerUnavailable, 'what must be asked first')
    await synced()
    session.broker.place(ticket(1))
    await until('the order is at the backup', () => backup.last().messages.some(([id]) => Number(id) === sent.placeOrder))
  })

  it('starts at the backup when nobody listens at the primary', async () => {
    const [primary, backup] = [await open(), await open()]
    await close(primary)
    await start(primary, backup)
    expect(session.broker.state()).to.include({ phase: 'ready', gateway: 'backup' })
  })

  it('gives the primary its patience: a gateway that is back in time is not left', async () => {
    const [primary, backup] = [await open(), await open()]
    await start(primary, backup, { failover: { patience: 5000, lookEvery: 50 } })
    primary.last().drop()
    await session.connected(2)
    expect(session.broker.state().gateway).to.equal('primary')
    expect(backup.connections).to.have.length(0)
  })

  it('does not leave a primary that is merely silent: its session may live on', async () => {
    const [primary, backup] = [await open({ answersGoodbye: false }), await open()]
    await start(primary, backup)
    session.broker.place(ticket(1)) // in flight: it may yet go out there
    primary.fallSilent()
    await until('the loss is known', () => session.of('lost').length === 1)
    await until('it says why it waits', () => session.broker.state().text.includes('may live on'))
    await pass(longEnough)
    expect(backup.connections).to.have.length(0)
    expect(session.broker.state()).to.include({ gateway: 'primary' })
    expect(session.broker.state().phase).to.be.oneOf(['down', 'connecting'])
    await close(primary) // now its machine says so
    await at('backup')
    await session.connected(2)
  })

  it('does not leave a primary where another session has our client id', async () => {
    const [primary, backup] = [await open(), await open()]
    await start(primary, backup)
    primary.greetWith((_fields, connection) => {
      connection.send(4, 2, -1, 326, 'Unable to connect as the client id is already in use.', '')
      connection.drop()
    })
    primary.last().drop()
    await until('it waits for the client id', () => session.told().some((text) => text.includes('326')))
    await until('it says why it does not leave', () => session.broker.state().text.includes('may live on'))
    await pass(400)
    expect(backup.connections).to.have.length(0)
  })

  it('does not leave a primary that has lost IB: it may send later what it took', async () => {
    const [primary, backup] = [await open(), await open()]
    await start(primary, backup)
    primary.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    await session.phase('degraded')
    await pass(400)
    expect(backup.connections).to.have.length(0)
    expect(session.broker.state()).to.include({ phase: 'degraded', gateway: 'primary' })
  })

  describe('back to the primary', () => {
    let primary: ScriptedGateway
    let backup: ScriptedGateway
    let port: number
    const atBackup = async (goodbye = true) => {
      ;[primary, backup] = [await open(), await open({ answersGoodbye: goodbye })]
      port = primary.port
      await start(primary, backup)
      await close(primary)
      await at('backup')
      await session.connected(2)
      await synced()
    }

    it('goes when it answers and nothing is in flight, and leaves the backup first', async () => {
      await atBackup()
      const left = backup.last()
      primary = await open({ port })
      await session.connected(3)
      expect(session.broker.state().gateway).to.equal('primary')
      expect(left.isOpen()).to.equal(false)
      expect(session.of('lost').at(-1)!.reason).to.contain('primary gateway answers again')
      const [look] = primary.connections
      expect(look!.messages, 'a look names no client id').to.deep.equal([])
      expect(primary.last().clientId).to.equal('7')
    })

    it('stays while an order is in flight, and goes when the broker has shown it', async () => {
      await atBackup()
      session.broker.place(ticket(1))
      primary = await open({ port })
      await until('it has looked', () => primary.connections.length >= 3)
      expect(session.broker.state()).to.include({ phase: 'ready', gateway: 'backup' })
      backup.last().send(3, 1, 'Submitted', 0, 10, 0, 900, 0, 0, 7, '', 0)
      await session.connected(3)
      expect(session.broker.state().gateway).to.equal('primary')
    })

    it('stays while a question is open', async () => {
      await atBackup()
      const asked = session.broker.contracts({ symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' })
      primary = await open({ port })
      await until('it has looked', () => primary.connections.length >= 3)
      expect(session.broker.state().gateway).to.equal('backup')
      const question = backup.last().messages.find(([id]) => Number(id) === sent.contractDetails)!
      backup.last().send(52, 1, question[2]!)
      expect(await asked).to.deep.equal([])
      await session.connected(3)
    })

    it('stays with a backup that does not confirm that its session is closed', async () => {
      await atBackup(false)
      primary = await open({ port })
      await until('it left the line', () => session.of('lost').length === 2)
      await until('a fresh line to the backup', () => backup.connections.length === 2)
      expect(session.broker.state().gateway).to.equal('backup')
      expect(primary.connections.every(({ clientId }) => clientId === undefined)).to.equal(true)
    })

    it('looks no more once it is closed, not even when a look is under way', async () => {
      await atBackup()
      primary = await open({ port })
      primary.fallSilent() // the look waits for an answer
      await until('a look is under way', () => primary.connections.length === 1)
      await session.broker.close('the engine stops')
      primary.last().drop()
      await pass(300)
      expect(primary.connections).to.have.length(1)
    })

    it('comes to the backup again when the primary answers and yet cannot be used', async () => {
      await atBackup()
      primary = await open({ port })
      primary.greetWith(() => undefined)
      await until('it tried', () => primary.connections.some(({ clientId }) => clientId === '7'))
      await session.connected(3)
      expect(session.broker.state().gateway).to.equal('backup')
      expect(session.told().some((text) => text.includes('not logged in'))).to.equal(true)
    })
  })
})
