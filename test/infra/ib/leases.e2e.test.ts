import { expect } from 'chai'
import { BrokerUnavailable, type HistoryRequest } from '../../../domain/ports/broker.ts'
import type { Quote } from '../../../infra/ib/quotes.ts'
import { answerEmptySnapshot, contractFields, type ScriptedGateway, sent, startScriptedGateway, until } from './scripted-gateway.ts'
import { failure, keptLog, type SessionUnderTest, sessionAt } from './session-under-test.ts'

const contract = (conId: number) => ({ conId, symbol: `S${conId}`, secType: 'STK', exchange: 'SMART', currency: 'USD' })
const history = (conId: number, changes: Partial<HistoryRequest> = {}): HistoryRequest => ({
  ...{ contract: contract(conId), size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true },
  ...changes,
})
const nothing = () => undefined

describe('broker session: leases', () => {
  let gateway: ScriptedGateway
  let session: SessionUnderTest
  let kept: ReturnType<typeof keptLog>

  const open = async (options: Parameters<typeof sessionAt>[1] = {}) => {
    session = sessionAt(gateway.port, { log: kept.log, ...options })
    await session.start()
  }
  const all = (messageId: number, connection = gateway.last()) => connection.messages.filter(([id]) => Number(id) === messageId)
  const arrived = (messageId: number, count: number) => until(`${count} of message ${messageId}`, () => all(messageId).length === count)
  /** Everything sent so far has arrived. */
  const flushed = () => session.broker.currentTime()
  const position = (conId: number, quantity: number) =>
    gateway.last().send(61, 3, 'DU1', conId, `S${conId}`, ...contractFields.slice(2), quantity, 10)
  const requestOf = (fields: string[], place: number) => Number(fields[place])

  beforeEach(async () => {
    kept = keptLog()
    gateway = await startScriptedGateway()
    answerEmptySnapshot(gateway)
    gateway.answer(sent.currentTime, (_fields, connection) => connection.send(49, 1, 1_795_257_000))
  })
  afterEach(async () => {
    await session.broker.close('the test is over')
    await gateway.close()
  })

  it('give quotes, one subscription for all who listen, cancelled with the last of them', async () => {
    await open()
    const heard: Quote[] = []
    const [one, other] = [session.broker.lease('one'), session.broker.lease('other')]
    one.quotes(contract(1), (quote) => heard.push(quote))
    other.quotes(contract(1), nothing)
    await arrived(sent.marketData, 1)
    const id = requestOf(all(sent.marketData)[0]!, 2)
    gateway.last().send(1, 6, id, 1, 450.25, 100, 0)
    gateway.last().send(1, 6, id, 4, -1, 0, 0) // no price
    gateway.last().send(1, 6, id, 67, 450.5, 100, 0)
    await flushed()
    expect(heard).to.deep.equal([
      { field: 'bid', price: '450.25', delayed: false },
      { field: 'ask', price: '450.5', delayed: true },
    ])
    one.release()
    await flushed()
    expect(all(sent.cancelMarketData)).to.have.length(0)
    other.release()
    await arrived(sent.cancelMarketData, 1)
    expect(requestOf(all(sent.cancelMarketData)[0]!, 2)).to.equal(id)
  })

  it('leave out of the log what IB says of our own cancel, and nothing else', async () => {
    await open()
    const lease = session.broker.lease('one')
    lease.quotes(contract(1), nothing)
    await arrived(sent.marketData, 1)
    const id = requestOf(all(sent.marketData)[0]!, 2)
    lease.release()
    const notices = session.of('notice').length
    gateway.last().send(4, 2, id, 300, "Can't find EId with tickerId", '')
    gateway.last().send(4, 2, id, 366, 'No historical data query found', '')
    gateway.last().send(4, 2, id, 354, 'Requested market data is not subscribed', '')
    gateway.last().send(4, 2, id, 98765, 'something new', '')
    await flushed()
    expect(kept.at('warn').filter((text) => /tickerId|historical data query/.test(text))).to.deep.equal([])
    expect(kept.at('warn').some((text) => text.includes('not subscribed'))).to.equal(true)
    expect(kept.at('warn').some((text) => text.includes('not in the table: something new'))).to.equal(true)
    expect(session.of('notice')).to.have.length(notices)
  })

  it('call off what is open when they end, and leave the others’ alone', async () => {
    await open()
    const [one, other] = [session.broker.lease('one'), session.broker.lease('other')]
    const gone = [one.bars(history(1)), one.contracts(contract(1)), one.bars(history(2))].map(failure)
    const stays = [other.bars(history(2)), other.contracts(contract(3))]
    await arrived(sent.historicalData, 2)
    await arrived(sent.contractDetails, 2)
    one.release()
    for (const error of await Promise.all(gone)) expect(error).to.include({ name: 'BrokerUnavailable', why: 'lost' })
    await arrived(sent.cancelHistoricalData, 1)
    const [first, second] = all(sent.historicalData)
    expect(all(sent.cancelHistoricalData)[0]![2]).to.equal(first![1])
    gateway.last().send(17, second![1]!, 'a', 'b', 0)
    gateway.last().send(52, 1, all(sent.contractDetails)[1]![2]!)
    expect(await Promise.all(stays)).to.deep.equal([[], []])
    expect((await failure(one.bars(history(9)))).message).to.contain('called off')
    expect(() => one.quotes(contract(9), nothing)).to.throw(BrokerUnavailable, 'released')
  })

  it('take nothing while the session is not ready, and nothing waits to be sent later', async () => {
    await open()
    const lease = session.broker.lease('one')
    gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    await session.phase('degraded')
    for (const asked of [lease.bars(history(1)), lease.contracts(contract(1))])
      expect(await failure(asked))
        .to.be.instanceOf(BrokerUnavailable)
        .with.property('why', 'notReady')
    gateway.last().send(4, 2, -1, 1102, 'Connectivity restored', '')
    await session.phase('syncing')
    expect(await failure(lease.bars(history(1)))).to.have.property('why', 'notReady')
    await session.broker.snapshot('DU1')
    await flushed()
    expect([all(sent.historicalData), all(sent.contractDetails)]).to.deep.equal([[], []])
  })

  it('begin and end subscriptions only while the session is ready', async () => {
    await open()
    const [early, late] = [session.broker.lease('early'), session.broker.lease('late')]
    early.quotes(contract(1), nothing)
    await arrived(sent.marketData, 1)
    gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
    await session.phase('degraded')
    early.release()
    late.quotes(contract(2), nothing)
    gateway.last().send(4, 2, -1, 1102, 'Connectivity restored', '')
    await session.phase('syncing')
    await flushed()
    expect([all(sent.marketData).length, all(sent.cancelMarketData).length]).to.deep.equal([1, 0])
    await session.broker.snapshot('DU1')
    await flushed()
    expect([all(sent.marketData).length, all(sent.cancelMarketData).length]).to.deep.equal([2, 1])
  })

  it('neither ask for nor cancel what was left before its turn came', async () => {
    await open({ messagesPerSecond: 40 })
    const lease = session.broker.lease('hasty')
    const asked = Array.from({ length: 40 }, (_, index) => lease.contracts(contract(index)).catch(nothing))
    expect(session.broker.state().waiting.messages).to.be.greaterThan(10)
    const before = all(sent.positions).length
    lease.quotes(contract(1), nothing)()
    lease.positions(nothing)()
    lease.release()
    await Promise.all(asked)
    await session.broker.snapshot('DU1')
    await flushed()
    expect([all(sent.marketData), all(sent.cancelMarketData)]).to.deep.equal([[], []])
    expect(all(sent.positions), 'only the snapshot').to.have.length(before + 1)
  })

  it('listen on over a reconnect: a fresh line has all subscriptions, after the snapshot and not before', async () => {
    await open()
    const lease = session.broker.lease('one')
    const heard: string[] = []
    lease.quotes(contract(1), ({ price }) => heard.push(price))
    lease.positions(nothing)
    await arrived(sent.marketData, 1)
    gateway.last().drop()
    await session.connected(2)
    await flushed()
    expect(all(sent.marketData)).to.have.length(0)
    await session.broker.snapshot('DU1')
    await arrived(sent.marketData, 1)
    gateway.last().send(1, 6, requestOf(all(sent.marketData)[0]!, 2), 4, 7, 100, 0)
    await until('a quote on the fresh line', () => heard.length === 1)
  })

  for (const [code, again] of [
    [1101, true],
    [1102, false],
  ] as const)
    it(`${again ? 'subscribe anew' : 'go on'} after ${code}`, async () => {
      await open()
      session.broker.lease('one').quotes(contract(1), nothing)
      await arrived(sent.marketData, 1)
      gateway.last().send(4, 2, -1, 1100, 'Connectivity lost', '')
      gateway.last().send(4, 2, -1, code, 'Connectivity restored', '')
      await session.phase('syncing')
      await flushed()
      expect(all(sent.marketData)).to.have.length(1)
      await session.broker.snapshot('DU1')
      await flushed()
      expect(all(sent.marketData)).to.have.length(again ? 2 : 1)
      expect(all(sent.cancelMarketData)).to.have.length(again ? 1 : 0)
    })

  it('subscribe anew when a data farm was away, which kills quotes without a word', async () => {
    await open()
    session.broker.lease('one').quotes(contract(1), nothing)
    await arrived(sent.marketData, 1)
    gateway.last().send(4, 2, -1, 2104, 'Market data farm connection is OK', '')
    await flushed()
    expect(all(sent.marketData)).to.have.length(1)
    gateway.last().send(4, 2, -1, 2103, 'Market data farm connection is broken', '')
    gateway.last().send(4, 2, -1, 2104, 'Market data farm connection is OK', '')
    await arrived(sent.marketData, 2)
    expect(session.of('notice').some(({ text }) => text.includes('subscribed anew'))).to.equal(true)
  })

  it('find a subscription that fell silent, and subscribe anew', async () => {
    await open({ silences: { quotes: 60, positions: 60, accountValues: 60 } })
    const lease = session.broker.lease('one')
    lease.quotes(contract(1), nothing)
    lease.positions(nothing)
    lease.accountValues('DU1', nothing)
    const before = all(sent.positions).length
    await until('quotes again', () => all(sent.marketData).length >= 2 && all(sent.cancelMarketData).length >= 1)
    await until('positions again', () => all(sent.positions).length >= before + 2)
    await until('account values again', () => all(sent.accountUpdates).filter(([, , subscribe]) => subscribe === '1').length >= 3)
    const said = session.of('notice').map(({ text }) => text)
    for (const name of ['quotes of S1', 'positions', 'account values of DU1'])
      expect(
        said.some((text) => text.startsWith(`${name} were silent`)),
        name,
      ).to.equal(true)
    expect(session.of('lost')).to.have.length(0)
  })

  it('watch positions and account values beside the snapshots, which stay whole', async () => {
    await open()
    const lease = session.broker.lease('one')
    const heard: string[] = []
    lease.positions(({ contract: { conId }, quantity }) => heard.push(`${conId}: ${quantity}`))
    const values: string[] = []
    lease.accountValues('DU1', (row) => row.kind === 'value' && values.push(`${row.key} ${row.value}`))
    let asked = 0
    gateway.answer(sent.positions, (_fields, connection) => {
      asked += 1
      // the answer comes in two parts, so that a careless second question would end the first
      position(1, asked)
      setTimeout(() => {
        position(2, asked)
        connection.send(62, 1)
      }, 5)
    })
    gateway.answer(sent.accountUpdates, ([, , subscribe, account], connection) => {
      if (subscribe !== '1') return
      connection.send(6, 2, 'NetLiquidation', '5', 'USD', 'DU1')
      connection.send(54, 1, account!)
    })
    const cancels = all(sent.cancelPositions).length
    const snapshots = await Promise.all([session.broker.snapshot('DU1'), session.broker.snapshot('DU1')])
    for (const { positions } of snapshots) expect(positions.map(({ contract: { conId } }) => conId)).to.deep.equal([1, 2])
    await flushed()
    expect(all(sent.cancelPositions)).to.have.length(cancels)
    position(3, 7)
    gateway.last().send(6, 2, 'NetLiquidation', '6', 'USD', 'DU1')
    await flushed()
    expect(heard.at(-1)).to.equal('3: 7')
    expect(values.at(-1)).to.equal('NetLiquidation 6')
    lease.release()
    await arrived(sent.cancelPositions, cancels + 1)
    await until('account values are cancelled', () => all(sent.accountUpdates).at(-1)![2] === '0')
  })

  it('ask identical history once, for all tenants', async () => {
    gateway.answer(sent.historicalData, ([, id], connection) => connection.send(17, id!, 'a', 'b', 0))
    await open()
    const tenants = Array.from({ length: 20 }, (_, index) => session.broker.lease(`tenant ${index}`))
    await Promise.all(tenants.map((lease) => lease.bars(history(1))))
    await session.broker.bars(history(1))
    expect(all(sent.historicalData)).to.have.length(1)
  })

  it('wait for the pacing of IB, and that is seen in the state', async () => {
    gateway.answer(sent.historicalData, ([, id], connection) => connection.send(17, id!, 'a', 'b', 0))
    await open()
    const lease = session.broker.lease('one')
    const asked = Array.from({ length: 7 }, (_, index) => lease.bars(history(1, { duration: `${index + 1} D` })).catch(nothing))
    await arrived(sent.historicalData, 5)
    expect(session.broker.state().waiting).to.deep.equal({ messages: 0, history: 2, dataLines: 0 })
    await until('the two seconds are over', () => all(sent.historicalData).length === 7)
    await Promise.all(asked)
    expect(session.broker.state().waiting.history).to.equal(0)
  })

  it('leave nothing behind: thousands of requests of many tenants, ended in every way', async () => {
    gateway.answer(sent.historicalData, ([, id], connection) => {
      const number = Number(id)
      if (number % 3 === 0) connection.send(17, id!, 'a', 'b', 0)
      if (number % 3 === 1) connection.send(4, 2, id!, 162, 'Historical Market Data Service error', '')
    })
    gateway.answer(sent.contractDetails, ([, , id], connection) => {
      if (Number(id) % 2 === 0) connection.send(52, 1, id!)
    })
    await open({ messagesPerSecond: 1_000_000, deadlines: { connect: 1000, question: 20_000, history: 20_000 } })
    const outcomes: Promise<unknown>[] = []
    for (let tenant = 0; tenant < 100; tenant += 1) {
      const lease = session.broker.lease(`tenant ${tenant}`)
      for (let request = 0; request < 10; request += 1) {
        outcomes.push(lease.bars(history(request)).catch(nothing), lease.contracts(contract(request)).catch(nothing))
        const leave = lease.quotes(contract(request % 50), nothing)
        if (request % 2 === 0) leave()
      }
      lease.positions(nothing)
      lease.accountValues('DU1', nothing)
      if (tenant % 10 === 0) await flushed()
      lease.release()
    }
    await Promise.all(outcomes)
    await flushed()
    await session.broker.snapshot('DU1') // after what was cancelled in turn
    await flushed()
    const { open: left, waiting } = session.broker.state()
    expect({ ...left, ...waiting }).to.deep.equal({
      ...{ questions: 0, subscriptions: 0, listeners: 0, leases: 0, inFlight: 0 },
      ...{ messages: 0, history: 0, dataLines: 0 },
    })
    const subscribed = all(sent.marketData).map((fields) => fields[2])
    const cancelled = all(sent.cancelMarketData).map((fields) => fields[2])
    expect(subscribed.length).to.be.greaterThan(100)
    expect(new Set(cancelled)).to.deep.equal(new Set(subscribed))
    expect(cancelled).to.have.length(subscribed.length)
    const ofPositions = gateway.last().messages.filter(([id]) => [sent.positions, sent.cancelPositions].includes(Number(id) as 61 | 64))
    expect(Number(ofPositions.at(-1)![0]), 'positions are cancelled in the end').to.equal(sent.cancelPositions)
    expect(all(sent.accountUpdates).at(-1)![2], 'account values too').to.equal('0')
    expect(outcomes).to.have.length(2000)
  })
})
