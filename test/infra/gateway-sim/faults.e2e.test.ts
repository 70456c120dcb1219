import { readFileSync } from 'node:fs'
import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { faults } from '../../../infra/gateway-sim/faults.ts'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient } from './client.ts'

const statuses = (client: TestClient): unknown[] => client.all(EventName.orderStatus).map(([, status, filled]) => [status, filled])
const codes = (client: TestClient): unknown[] => client.all(EventName.error).map(([, code, id]) => [id, code])
const shares = (client: TestClient): unknown[] => client.all(EventName.execDetails).map(([, , execution]: Loose) => execution.shares)

describe('gateway simulator, faults', () => {
  afterEach(closeAll)

  const inSession = async () => {
    const simulator = await simulate({ start: monday('10:00') })
    return { simulator, client: await connect(simulator.port, 7) }
  }

  it('dropConnections now breaks one client or all', async () => {
    const { simulator, client } = await inSession()
    const other = await connect(simulator.port, 8)
    await simulator.fault('dropConnections', { when: 'now', clientId: 8 })
    await other.next(EventName.disconnected)
    await client.settled()
    await simulator.fault('dropConnections', { when: 'now' })
    await client.next(EventName.disconnected)
  })

  it('dropConnections beforeAck takes the order but the client hears nothing of it', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('dropConnections', { when: 'beforeAck', clientId: 7 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.disconnected)
    expect([...client.all(EventName.openOrder), ...client.all(EventName.orderStatus), ...client.all(EventName.execDetails)]).to.deep.equal(
      [],
    )
    const again = await connect(simulator.port, 7)
    again.api.reqExecutions(1, {})
    await again.next(EventName.execDetailsEnd)
    expect(shares(again)).to.deep.equal([10])
  })

  it('dropConnections afterAck lets the acknowledgement through and nothing after it', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('dropConnections', { when: 'afterAck' })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.disconnected)
    expect(statuses(client)).to.deep.equal([['Submitted', 0]])
    expect(shares(client)).to.deep.equal([])
    expect((await simulator.state()).orders[0].status).to.equal('Filled')
  })

  it('swallowOrder loses the next order without a trace, and remembers that it came', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('swallowOrder')
    client.api.placeOrder(1, spy, market('BUY', 10, { orderRef: 'lost' }))
    client.api.placeOrder(2, spy, market('BUY', 20, { orderRef: 'kept' }))
    await client.next(EventName.execDetails)
    expect(shares(client)).to.deep.equal([20])
    const { orders, received, nextValidId } = await simulator.state()
    expect(orders).to.have.length(1)
    expect(nextValidId).to.deep.equal({ 7: 3 })
    expect(received).to.deep.equal({
      7: [
        { orderRef: 'lost', count: 1 },
        { orderRef: 'kept', count: 1 },
      ],
    })
  })

  it('rejectNext answers with the given code and text', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('rejectNext', { code: 460, text: 'No trading permissions.' })
    client.api.placeOrder(1, spy, market('BUY', 10))
    const [problem] = await client.next(EventName.error, (_, code, id) => code === 460 && id === 1)
    expect(String(problem)).to.contain('No trading permissions.')
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.execDetails)
  })

  it('partialFill fills a part of the next order that would trade, the rest half an hour later', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('partialFill', { quantity: 4 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(statuses(client)).to.deep.equal([
      ['Submitted', 0],
      ['Submitted', 4],
    ])
    expect((await simulator.state()).nextEventAt).to.equal('2019-06-03T14:30:00.000Z')
    await simulator.clock(monday('10:30'))
    await client.settled()
    expect(shares(client)).to.deep.equal([4, 6])
    const reports = client.all(EventName.commissionReport).map(([report]: Loose) => report.commission)
    expect(reports).to.deep.equal([1, 0])
  })

  it('partialFill of a working order acts at once, and the rest can be cancelled', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, limit('BUY', 10, 90, { orderRef: 'slow' }))
    await client.settled()
    await simulator.fault('partialFill', { orderRef: 'slow', quantity: 3, price: 89.5 })
    client.api.cancelOrder(1)
    await client.next(EventName.error, (_, code) => code === 202)
    expect(statuses(client).slice(1)).to.deep.equal([
      ['Submitted', 3],
      ['Cancelled', 3],
    ])
    expect(client.all(EventName.execDetails)[0]![2]).to.include({ shares: 3, price: 89.5, cumQty: 3 })
  })

  it('lateExecutions shows the status first, and the execution when released', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('lateExecutions')
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.reqExecutions(1, {})
    client.api.reqPositions()
    await client.next(EventName.positionEnd)
    expect(statuses(client).at(-1)).to.deep.equal(['Filled', 10])
    expect(shares(client)).to.deep.equal([])
    expect(client.all(EventName.position)[0]![2]).to.equal(10)
    await simulator.fault('lateExecutions', { on: false })
    await client.next(EventName.commissionReport)
    expect(shares(client)).to.deep.equal([10])
  })

  it('handTrade makes an execution of nobody', async () => {
    const { simulator, client } = await inSession()
    const { execId } = await simulator.fault('handTrade', { symbol: 'AAPL', quantity: -5, price: 180 })
    client.api.reqExecutions(1, {})
    client.api.reqPositions()
    await client.next(EventName.positionEnd)
    const [[requestId, contract, execution]] = client.all(EventName.execDetails) as Loose[]
    expect(requestId).to.equal(1)
    expect(contract.symbol).to.equal('AAPL')
    expect(execution).to.include({ execId, orderId: 0, clientId: 0, orderRef: '', side: 'SLD', shares: 5, price: 180 })
    expect(client.all(EventName.position)[0]![2]).to.equal(-5)
  })

  it('handTrade is told live to client 0 alone', async () => {
    const { simulator, client } = await inSession()
    const zero = await connect(simulator.port, 0)
    await simulator.fault('handTrade', { symbol: 'SPY', quantity: 5 })
    await zero.next(EventName.execDetails)
    await client.settled()
    expect(shares(client)).to.deep.equal([])
  })

  it('position changes what is held and leaves no execution', async () => {
    const { simulator, client } = await inSession()
    client.api.reqPositions()
    await client.next(EventName.positionEnd)
    await simulator.fault('position', { symbol: 'SPY', quantity: 25, price: 80 })
    const [, , quantity, averageCost] = await client.next(EventName.position)
    expect([quantity, averageCost]).to.deep.equal([25, 80])
    const { executions, cash } = await simulator.state()
    expect([executions, cash]).to.deep.equal([[], 100_000])
  })

  it('correctExecution tells a further revision, and puts position and cash right', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, market('BUY', 10))
    const [, , first] = await client.next(EventName.execDetails)
    const { execId } = await simulator.fault('correctExecution', { execId: first.execId, shares: 7, price: 102 })
    expect(execId).to.equal(first.execId.replace(/01$/, '02'))
    await client.next(EventName.execDetails, (_, __, execution) => execution.execId === execId && execution.shares === 7)
    await client.next(EventName.commissionReport, (report) => report.execId === execId)
    const { positions, cash, orders } = await simulator.state()
    expect(positions[0].quantity).to.equal(7)
    expect(cash).to.be.closeTo(100_000 - 7 * 102 - 1, 1e-6)
    expect(orders[0]).to.include({ filled: 7, averagePrice: 102 })
    const third = await simulator.fault('correctExecution', { execId, price: 103 })
    expect(third.execId).to.equal(first.execId.replace(/01$/, '03'))
  })

  it('linkDown and linkUp: notices, silence between, and nothing told twice', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, limit('BUY', 10, 91, { tif: 'GTC' }))
    await client.settled()
    await simulator.fault('linkDown')
    await client.next(EventName.info, (_, code) => code === 1100)
    client.api.reqPositions()
    client.api.placeOrder(2, spy, market('BUY', 10))
    await client.next(EventName.error, (_, code, id) => code === 201 && id === 2)
    await simulator.clock(on(6, '16:00'))
    await client.settled()
    expect(shares(client)).to.deep.equal([])
    expect(client.all(EventName.positionEnd)).to.deep.equal([])
    await simulator.fault('linkUp')
    await client.next(EventName.info, (_, code) => code === 1102)
    client.api.reqExecutions(1, {})
    await client.next(EventName.execDetailsEnd)
    expect(shares(client)).to.deep.equal([10])
    await simulator.fault('linkDown')
    await simulator.fault('linkUp', { dataLost: true })
    await client.next(EventName.info, (_, code) => code === 1101)
  })

  it('whoever connects while IB is lost is told 2110 in place of the farms, and 1102 when it is back', async () => {
    const { simulator } = await inSession()
    await simulator.fault('linkDown')
    const client = await connect(simulator.port, 8)
    await client.settled()
    const codes = (): unknown[] => client.all(EventName.info).flatMap(([, code]) => (Number(code) > 1000 ? [code] : []))
    expect(codes()).to.deep.equal([2110])
    await simulator.fault('linkUp')
    await client.settled()
    expect(codes()).to.deep.equal([2110, 1102])
    const later = await connect(simulator.port, 9)
    await later.next(EventName.info, (_, code) => code === 2104)
  })

  it('refuseConnections breaks new connections until it is off', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('refuseConnections')
    const refused = await connect(simulator.port, 8, { started: false })
    await refused.next(EventName.disconnected)
    await client.settled()
    await simulator.fault('refuseConnections', { on: false })
    await connect(simulator.port, 8)
  })

  it('hangRequests leaves requests unanswered, by name or number, until it is off', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('hangRequests', { messages: ['reqPositions', 99] })
    client.api.reqPositions()
    client.api.reqCompletedOrders(false)
    client.api.reqAllOpenOrders()
    await client.next(EventName.openOrderEnd)
    expect([...client.all(EventName.positionEnd), ...client.all(EventName.completedOrdersEnd)]).to.deep.equal([])
    await simulator.fault('hangRequests', { messages: ['reqPositions'], on: false })
    client.api.reqPositions()
    client.api.reqCompletedOrders(false)
    await client.next(EventName.positionEnd)
    await client.settled()
    expect(client.all(EventName.completedOrdersEnd)).to.deep.equal([])
  })

  it('cancelStays keeps cancels, and a fill may come first', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('cancelStays')
    client.api.placeOrder(1, spy, limit('BUY', 10, 100.5, { orderRef: 'race' }))
    client.api.placeOrder(2, spy, limit('BUY', 10, 90))
    client.api.cancelOrder(1)
    client.api.cancelOrder(2)
    await client.settled()
    expect(codes(client)).to.deep.equal([])
    await simulator.fault('partialFill', { orderRef: 'race', quantity: 10 })
    await simulator.fault('cancelStays', { on: false })
    await client.settled()
    expect(codes(client)).to.deep.equal([
      [1, 10148],
      [2, 202],
    ])
    expect(shares(client)).to.deep.equal([10])
  })

  it('clear disarms everything', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('swallowOrder', { count: 5 })
    await simulator.fault('rejectNext', { code: 201, text: 'no' })
    await simulator.fault('hangRequests', { messages: ['placeOrder'] })
    await simulator.fault('dropConnections', { when: 'beforeAck' })
    await simulator.fault('partialFill', { quantity: 1 })
    await simulator.fault('lateExecutions')
    await simulator.fault('clear')
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.next(EventName.execDetails)
    expect(shares(client)).to.deep.equal([10])
  })

  it('names in one line what is wrong with a fault', async () => {
    const { simulator } = await inSession()
    const wrong = async (body: unknown): Promise<string> => {
      const { status, error } = await simulator.post('/faults', body)
      expect(status, error).to.equal(400)
      expect(error).not.to.contain('\n')
      return error
    }
    expect(await wrong('{')).to.equal('the body is not JSON')
    expect(await wrong([])).to.contain('fault')
    expect(await wrong({})).to.contain('fault: expected string')
    expect(await wrong({ fault: 'fire' })).to.contain('"fire" is not one of dropConnections, ')
    expect(await wrong({ fault: 'toString' })).to.contain('"toString" is not one of')
    expect(await wrong({ fault: 'rejectNext', code: 201 })).to.contain('text: expected string, got nothing')
    expect(await wrong({ fault: 'dropConnections', when: 'later' })).to.equal(
      'when: expected now, onOrder, beforeAck, afterAck, beforeFill or afterFill, got "later"',
    )
    expect(await wrong({ fault: 'partialFill', quantity: -1 })).to.equal('quantity: expected a positive number, got -1')
    expect(await wrong({ fault: 'swallowOrder', counts: 2 })).to.contain('counts: not a field of this fault, which has count')
    expect(await wrong({ fault: 'handTrade', symbol: 'NONE', quantity: 1 })).to.contain('there is no contract "NONE"')
    expect(await wrong({ fault: 'handTrade', symbol: 'AAPL', quantity: 1 })).to.contain('price: needed')
    expect(await wrong({ fault: 'correctExecution', execId: 'x.01' })).to.contain('there is no execution "x.01"')
    expect(await wrong({ fault: 'hangRequests', messages: ['reqAll'] })).to.contain('messages')
  })

  it('are all told in the README, and by the control port itself', async () => {
    const { simulator } = await inSession()
    const readme = readFileSync(new URL('../../../infra/gateway-sim/README.md', import.meta.url), 'utf8')
    const told = (await (await fetch(`http://127.0.0.1:${simulator.controlPort}/faults`)).json()) as Loose
    expect(Object.keys(told.faults)).to.deep.equal(Object.keys(faults))
    for (const { does } of Object.values(told.faults) as Loose[]) expect(does).to.match(/^[A-Z1][^\n]+\.$/)
    for (const name of Object.keys(faults)) expect(readme).to.contain(`\`${name}\``)
  })
})
