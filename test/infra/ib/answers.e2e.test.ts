import { expect } from 'chai'
import {
  answerEmptySnapshot,
  commissionMessage,
  contractFields,
  executionMessage,
  type ScriptedGateway,
  sent,
  startScriptedGateway,
  statusMessage,
  until,
} from './scripted-gateway.ts'
import { failure, type SessionUnderTest, sessionAt } from './session-under-test.ts'

describe('broker session: questions and their answers', () => {
  let gateway: ScriptedGateway
  let session: SessionUnderTest
  const asked = (messageId: number) => gateway.last().messages.filter(([id]) => Number(id) === messageId)

  beforeEach(async () => {
    gateway = await startScriptedGateway()
    gateway.answer(sent.currentTime, (_fields, connection) => connection.send(49, 1, 1_795_257_000))
    answerEmptySnapshot(gateway)
    session = sessionAt(gateway.port, { deadlines: { connect: 1000, question: 100, history: 100 } })
    await session.start()
  })
  afterEach(async () => {
    await session.broker.close('the test is over')
    await gateway.close()
  })

  it('calls executions without their end marker timed out, not empty', async () => {
    gateway.answer(sent.executions, ([, , requestId], connection) =>
      connection.send(...executionMessage(Number(requestId), { id: 'e1.01' })),
    )
    const error = await failure(session.broker.snapshot('DU1'))
    expect(error).to.include({ name: 'BrokerUnavailable', why: 'timedOut' })
    expect(error.message).to.contain('reqExecutions')
    expect(session.of('execution')).to.have.length(0)
    expect(session.broker.connected()).to.equal(true)
  })

  for (const [name, messageId] of [
    ['reqAllOpenOrders', sent.allOpenOrders],
    ['reqCompletedOrders', sent.completedOrders],
    ['reqPositions', sent.positions],
    ['reqAccountUpdates', sent.accountUpdates],
  ] as const)
    it(`names ${name} when its answer never comes, and gives up a line on which it may still come`, async () => {
      gateway.answer(messageId, () => undefined)
      const error = await failure(session.broker.snapshot('DU1'))
      expect(error).to.include({ name: 'BrokerUnavailable', why: 'timedOut' })
      expect(error.message).to.contain(name)
      await session.connected(2)
      expect(session.of('lost')[0]!.reason).to.contain(name)
    })

  it('names contracts and bars whose answer never comes, and cancels the bars', async () => {
    expect((await failure(session.broker.contracts(spy))).message).to.contain('reqContractDetails')
    const error = await failure(session.broker.bars(daily))
    expect(error).to.include({ why: 'timedOut' })
    expect(error.message).to.contain('reqHistoricalData')
    await until('the bars are cancelled', () => asked(sent.cancelHistoricalData).length === 1)
    expect(session.broker.connected()).to.equal(true)
  })

  it('names the time when it never comes, and gives up the line', async () => {
    gateway.answer(sent.currentTime, () => undefined)
    expect((await failure(session.broker.currentTime())).message).to.contain('reqCurrentTime')
    await session.connected(2)
  })

  it('fails what is asked when the line breaks, with the reason', async () => {
    gateway.answer(sent.completedOrders, (_fields, connection) => connection.drop())
    const error = await failure(session.broker.snapshot('DU1'))
    expect(error).to.include({ name: 'BrokerUnavailable', why: 'lost' })
    expect(error.message).to.contain('reqCompletedOrders')
  })

  it('collects executions once each, of the account only, with their commissions; live ones go to the listener', async () => {
    gateway.answer(sent.executions, ([, , requestId], connection) => {
      const row = (id: string, account = 'DU1') => connection.send(...executionMessage(Number(requestId), { id, account }))
      connection.send(...commissionMessage('e2.01', 1.25, -30.5))
      row('e1.01')
      connection.send(...commissionMessage('e1.01', 1))
      row('e1.01')
      row('e2.01')
      row('e3.01', 'DU2')
      connection.send(...executionMessage(-1, { id: 'live.01' }))
      connection.send(55, 1, requestId!)
    })
    const snapshot = await session.broker.snapshot('DU1')
    expect(snapshot.executions.map(({ executionId }) => executionId)).to.deep.equal(['e1.01', 'e2.01'])
    expect(snapshot.commissions).to.deep.equal([
      { executionId: 'e1.01', account: 'DU1', commission: '1', currency: 'USD', realizedProfit: undefined },
      { executionId: 'e2.01', account: 'DU1', commission: '1.25', currency: 'USD', realizedProfit: '-30.5' },
    ])
    expect(session.of('execution').map(({ execution }) => execution.executionId)).to.deep.equal(['live.01'])
    await session.broker.snapshot('DU1')
    expect(session.of('commission')).to.have.length(2)
  })

  it('tells a commission that has not come from one of zero', async () => {
    for (const id of ['e1.01', 'e2.01']) gateway.last().send(...executionMessage(-1, { id }))
    gateway.last().send(...commissionMessage('e1.01', '1.7976931348623157E308'))
    gateway.last().send(...commissionMessage('e2.01', 0))
    await session.broker.currentTime()
    expect(session.of('commission').map(({ commission }) => [commission.executionId, commission.commission])).to.deep.equal([
      ['e2.01', '0'],
    ])
  })

  it('joins positions, portfolio and account values', async () => {
    gateway.answer(sent.positions, (_fields, connection) => {
      connection.send(61, 3, 'DU1', ...contractFields, 10.5, '450.123456789')
      connection.send(61, 3, 'DU2', ...contractFields, 99, 1)
      connection.send(61, 3, 'DU1', 1, 'GONE', 'STK', '', 0, '', '', 'SMART', 'USD', 'GONE', 'GONE', 0, 0)
      connection.send(62, 1)
    })
    gateway.answer(sent.accountUpdates, ([, , subscribe, account], connection) => {
      if (subscribe === '0') return
      const value = (key: string, text: string, currency: string) => connection.send(6, 2, key, text, currency, 'DU1')
      value('NetLiquidation', '100000.55', 'USD')
      value('AvailableFunds', '50000', 'USD')
      value('GrossPositionValue', '4726.31', 'USD')
      value('CashBalance', '95274', 'BASE')
      value('CashBalance', '90000', 'USD')
      value('CashBalance', '-5000.5', 'EUR')
      value('ExchangeRate', '1.00', 'BASE')
      value('ExchangeRate', '1.05482', 'EUR')
      const portfolio = [756733, 'SPY', 'STK', '', 0, '', '', 'ARCA', 'USD', 'SPY', 'SPY']
      connection.send(7, 8, ...portfolio, 10.5, 455, 4777.5, 450.12, 51.2, '1.7976931348623157E308', 'DU1')
      connection.send(54, 1, account!)
    })
    const { positions, values } = await session.broker.snapshot('DU1')
    expect(positions).to.deep.equal([
      {
        contract: { conId: 756733, symbol: 'SPY', secType: 'STK', currency: 'USD' },
        quantity: '10.5',
        averageCost: '450.12345679',
        marketPrice: '455',
        marketValue: '4777.5',
        unrealizedProfit: '51.2',
        realizedProfit: undefined,
      },
    ])
    const { all, ...known } = values
    expect(all).to.deep.include({ key: 'NetLiquidation', value: '100000.55', currency: 'USD' })
    expect(all.filter(({ key }) => key === 'CashBalance').map(({ currency }) => currency)).to.include.members(['USD', 'EUR'])
    expect(known).to.deep.equal({
      baseCurrency: 'USD',
      netLiquidation: '100000.55',
      availableFunds: '50000',
      grossPositionValue: '4726.31',
      cash: { USD: '90000', EUR: '-5000.5' },
      exchangeRates: { USD: '1', EUR: '1.05482' },
    })
  })

  it('says of account values that did not come that they are unknown', async () => {
    const { values } = await session.broker.snapshot('DU1')
    expect(values).to.deep.equal({
      baseCurrency: undefined,
      netLiquidation: undefined,
      availableFunds: undefined,
      grossPositionValue: undefined,
      cash: {},
      exchangeRates: {},
      all: [],
    })
  })

  it('takes one snapshot at a time, and asks anew for the second', async () => {
    const both = [session.broker.snapshot('DU1'), session.broker.snapshot('DU1')]
    await Promise.all(both)
    await session.broker.currentTime()
    const questions = gateway.last().messages.map(([id]) => Number(id))
    const one = [7, 16, 99, 61, 64, 6, 6] // as in the test of the order
    expect(questions.slice(1)).to.deep.equal([...one, ...one, ...one, sent.currentTime])
  })

  it('goes on with the next snapshot after one that failed', async () => {
    gateway.answer(sent.executions, ([, , requestId], connection) => {
      if (asked(sent.executions).length === 2) connection.send(4, 2, requestId!, 321, 'invalid', '')
      else connection.send(55, 1, requestId!)
    })
    const first = failure(session.broker.snapshot('DU1'))
    const second = session.broker.snapshot('DU1')
    expect(await first).to.include({ why: 'refused', code: 321 })
    expect((await second).executions).to.deep.equal([])
  })

  it('does not call an answer complete that lacks a row it could not read', async () => {
    gateway.answer(sent.executions, ([, , requestId], connection) => {
      connection.send(...executionMessage(Number(requestId), { id: 'e1.01', side: 'HELD' }))
      connection.send(55, 1, requestId!)
    })
    const error = await failure(session.broker.snapshot('DU1'))
    expect(error.message).to.contain('reqExecutions').and.contain('"HELD"')
    expect(session.of('notice')[0]!.text).to.contain('"HELD"')
  })

  it('does not call an answer complete when the library could not decode a message', async () => {
    gateway.answer(sent.positions, (_fields, connection) => {
      connection.send(61, 3, 'DU1', 756733, 'SPY')
      connection.send(62, 1)
    })
    const error = await failure(session.broker.snapshot('DU1'))
    expect(error).to.include({ why: 'lost' })
    expect(error.message).to.contain('reqPositions').and.contain('Underrun')
  })

  it('asks for a fresh look when a live message could not be read', async () => {
    gateway.last().send(...executionMessage(-1, { id: 'e1.01', time: 'yesterday' }))
    await session.broker.currentTime()
    expect(session.of('link').map(({ state }) => state)).to.deep.equal(['up'])
    expect(session.of('link')[0]!.reason).to.contain('yesterday')
  })

  it('reads daily bars by their date and intraday bars by their start, oldest first', async () => {
    const bars = (requestId: string, ...rows: (string | number)[][]) =>
      gateway.last().send(17, requestId, '20261101  00:00:00', '20261120  00:00:00', rows.length, ...rows.flat())
    gateway.answer(sent.historicalData, ([, requestId]) =>
      bars(requestId!, ['20261119', 1, 3, 0.5, 2, 1000, 1.5, 9], ['20261118', 1, 2, 0.5, 1.5, '-1', 1, 9]),
    )
    expect(await session.broker.bars(daily)).to.deep.equal([
      { start: '2026-11-18', open: 1, high: 2, low: 0.5, close: 1.5, volume: 0 },
      { start: '2026-11-19', open: 1, high: 3, low: 0.5, close: 2, volume: 1000 },
    ])
    const fields = asked(sent.historicalData)[0]!
    expect(fields.slice(2, 5)).to.deep.equal(['756733', 'SPY', 'STK'])
    expect(fields.slice(14, 22)).to.deep.equal(['0', '', '1 day', '5 D', '1', 'TRADES', '2', '0'])

    gateway.answer(sent.historicalData, ([, requestId]) => bars(requestId!, ['1795185000', 1, 3, 0.5, 2, 1000, 1.5, 9]))
    expect((await session.broker.bars({ ...daily, size: '30 mins' }))[0]!.start).to.equal('2026-11-20T14:30:00.000Z')

    gateway.answer(sent.historicalData, ([, requestId]) => bars(requestId!))
    expect(await session.broker.bars({ ...daily, duration: '1 D' })).to.deep.equal([])
  })

  for (const code of [162, 200, 321])
    it(`passes on the broker's no to bars (${code})`, async () => {
      gateway.answer(sent.historicalData, ([, requestId], connection) => connection.send(4, 2, requestId!, code, 'no data', ''))
      const error = await failure(session.broker.bars(daily))
      expect(error).to.include({ name: 'BrokerUnavailable', why: 'refused', code })
      expect(error.message).to.contain('no data')
    })

  it('is not put off by a warning about a question', async () => {
    gateway.answer(sent.historicalData, ([, requestId], connection) => {
      connection.send(4, 2, requestId!, 2174, 'time without zone', '')
      connection.send(17, requestId!, 'a', 'b', 0)
    })
    expect(await session.broker.bars(daily)).to.deep.equal([])
    expect(session.of('notice').map(({ code }) => code)).to.deep.equal([2174])
  })

  it('reports the status of an order whose open order it never saw, as far as it goes', async () => {
    gateway.last().send(...statusMessage(5, 'Submitted', 4, 6))
    await session.broker.currentTime()
    expect(session.of('order')[0]!.sighting).to.deep.equal({
      orderRef: undefined,
      orderId: 5,
      clientId: 7,
      permId: 900,
      account: undefined,
      contract: undefined,
      status: 'Submitted',
      filled: '4',
      remaining: '6',
    })
  })
})

const spy = { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
const daily = { contract: { conId: 756733, ...spy }, size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true }
