import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import { closeAll, connect, type Loose, limit, market, monday, on, simulate, spy, type TestClient } from './client.ts'

/** What was heard of orders and executions, in its order. */
const course = (client: TestClient): unknown[] =>
  client.heard.flatMap(({ name, values }: Loose) => {
    if (name === EventName.orderStatus) return [`${values[1]} ${values[2]}`]
    if (name === EventName.execDetails) return [`execution ${values[2].shares}`]
    if (name === EventName.commissionReport) return [`commission ${values[0].commission}`]
    if (name === EventName.error) return [`error ${values[1]}`]
    return []
  })

describe('gateway simulator, faults of orders and messages', () => {
  afterEach(closeAll)

  const inSession = async () => {
    const simulator = await simulate({ start: monday('10:00') })
    return { simulator, client: await connect(simulator.port, 7) }
  }

  it('executionsFirst: the status of a fill comes after its execution and commission', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('executionsFirst')
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'execution 10', 'commission 1', 'Filled 10'])
    client.listenAnew()
    await simulator.fault('executionsFirst', { on: false })
    client.api.placeOrder(2, spy, market('SELL', 10))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'Filled 10', 'execution 10', 'commission 1'])
  })

  it('executionsFirst and no commission at all: the status comes when it is off', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('executionsFirst')
    await simulator.fault('lateExecutions')
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0'])
    await simulator.fault('executionsFirst', { on: false })
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'Filled 10'])
  })

  it('commissions first, late, never and unset, live and to those who ask', async () => {
    const heard = async (when: string): Promise<unknown[]> => {
      const { simulator, client } = await inSession()
      await simulator.fault('commissions', { when })
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.reqExecutions(1, {})
      await client.next(EventName.execDetailsEnd)
      const during = course(client).slice(2)
      client.listenAnew()
      await simulator.fault('commissions', { when, on: false })
      await client.settled()
      return [during, course(client)]
    }
    const [execution, commission] = ['execution 10', 'commission 1']
    expect(await heard('first')).to.deep.equal([[commission, execution, commission, execution], []])
    expect(await heard('late')).to.deep.equal([
      [execution, execution],
      [commission, commission],
    ])
    expect(await heard('never')).to.deep.equal([[execution, execution], []])
    expect(await heard('unset')).to.deep.equal([[execution, 'commission undefined', execution, 'commission undefined'], []])
  })

  it('repeatMessages: statuses and executions come more than once', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('repeatMessages', { messages: ['orderStatus'] })
    await simulator.fault('repeatMessages', { messages: ['execDetails'], times: 3 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(course(client)).to.deep.equal([
      ...['Submitted 0', 'Submitted 0', 'Filled 10', 'Filled 10'],
      ...['execution 10', 'execution 10', 'execution 10', 'commission 1'],
    ])
    expect((await simulator.state()).positions[0].quantity).to.equal(10)
  })

  it('loseMessages: so many of each, or until it is off', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('loseMessages', { messages: ['openOrder', 'orderStatus'], count: 1 })
    await simulator.fault('loseMessages', { messages: ['execDetails'] })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(course(client)).to.deep.equal(['Filled 10', 'commission 1'])
    await simulator.fault('loseMessages', { messages: ['execDetails'], on: false })
    client.api.reqExecutions(1, {})
    await client.next(EventName.execDetails)
  })

  it('holdMessages: they come when it is off, in their order, and nothing else waits for them', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('holdMessages', { messages: ['orderStatus', 'execDetails'], seconds: 30 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await client.settled()
    expect(course(client)).to.deep.equal(['commission 1'])
    await simulator.post('/clock', { by: 30 })
    await client.settled()
    expect(course(client)).to.deep.equal(['commission 1', 'Submitted 0', 'Filled 10', 'execution 10'])
  })

  it('endMarkers late or never: the lists come, and nobody says that they are complete', async () => {
    const { simulator, client } = await inSession()
    const ask = async (): Promise<void> => {
      client.listenAnew()
      client.api.reqExecutions(1, {})
      client.api.reqOpenOrders()
      client.api.reqCompletedOrders(false)
      client.api.reqPositions()
      client.api.reqAccountSummary(2, 'All', 'NetLiquidation')
      client.api.reqContractDetails(3, spy)
      await client.settled()
    }
    const ends = (): string[] => client.heard.map(({ name }) => name).filter((name) => name.endsWith('End'))
    const all = ['execDetailsEnd', 'openOrderEnd', 'completedOrdersEnd', 'positionEnd', 'accountSummaryEnd', 'contractDetailsEnd']
    await ask()
    expect(ends()).to.deep.equal(all)
    await simulator.fault('endMarkers', { when: 'late' })
    await ask()
    expect(ends()).to.deep.equal([])
    expect(client.all(EventName.contractDetails)).to.have.length(1)
    await simulator.fault('endMarkers', { when: 'late', on: false })
    await client.settled()
    expect(ends()).to.deep.equal(all)
    await simulator.fault('endMarkers', { when: 'never' })
    await ask()
    await simulator.fault('endMarkers', { when: 'never', on: false })
    await client.settled()
    expect(ends()).to.deep.equal([])
    await ask()
    expect(ends()).to.deep.equal(all)
  })

  it('hangRequests late: the answers come when it is off, an order is taken then', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('hangRequests', { messages: ['reqPositions', 'placeOrder'], late: true })
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.reqPositions()
    await client.settled()
    await simulator.clock(monday('10:30'))
    expect((await simulator.state()).orders).to.deep.equal([])
    await simulator.fault('hangRequests', { messages: ['placeOrder'], late: true, on: false })
    await client.next(EventName.execDetails)
    expect(client.all(EventName.positionEnd)).to.deep.equal([])
    expect((await simulator.state()).executions[0].at).to.equal('2019-06-03T14:30:00.000Z')
    await simulator.fault('clear')
    await client.next(EventName.positionEnd)
  })

  it('cancelledButFilled: told as cancelled, and filled all the same', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('cancelledButFilled', { code: 10349, text: 'Order TIF was set to DAY based on order preset.' })
    client.api.placeOrder(1, spy, limit('BUY', 10, 91, { orderRef: 'phantom', tif: 'GTC' }))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'Cancelled 0', 'error 10349'])
    await simulator.clock(on(6, '16:00'))
    await client.settled()
    expect(course(client).slice(3)).to.deep.equal(['Filled 10', 'execution 10', 'commission 1'])
  })

  it('cancelledButFilled of a working order, silent: only its executions are told from then on', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, limit('BUY', 10, 91, { orderRef: 'phantom', tif: 'GTC' }))
    await client.settled()
    await simulator.fault('cancelledButFilled', { orderRef: 'phantom', silent: true })
    await simulator.clock(on(6, '16:00'))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'Cancelled 0', 'error 202', 'execution 10', 'commission 1'])
    expect((await simulator.state()).orders[0]).to.include({ status: 'Filled', filled: 10 })
  })

  it('deactivate: an order that was taken is Inactive, trades no more, and can be cancelled', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, limit('BUY', 10, 100.5, { orderRef: 'idle', tif: 'GTC' }))
    await client.settled()
    await simulator.fault('deactivate', { orderRef: 'idle', text: 'Order rejected - reason:margin' })
    await simulator.clock(on(4, '16:00'))
    await client.settled()
    expect(course(client)).to.deep.equal(['Submitted 0', 'Inactive 0', 'error 201'])
    client.api.cancelOrder(1)
    await client.settled()
    expect(course(client).slice(3)).to.deep.equal(['Cancelled 0', 'error 202'])
    const { error } = await simulator.post('/faults', { fault: 'deactivate', orderRef: 'idle' })
    expect(error).to.equal('orderRef: no order with ref "idle" works')
  })

  it('unknownOrder and handTrade: reports of order ids that nobody used', async () => {
    const { simulator, client } = await inSession()
    await simulator.fault('unknownOrder', { orderId: 4711, clientId: 7 })
    await simulator.fault('handTrade', { symbol: 'SPY', quantity: 3, clientId: 7, orderId: 4712, orderRef: 'whose' })
    await client.next(EventName.commissionReport)
    expect(client.all(EventName.orderStatus)[0]!.slice(0, 3)).to.deep.equal([4711, 'Submitted', 0])
    expect(client.all(EventName.execDetails)[0]![2]).to.include({ orderId: 4712, clientId: 7, orderRef: 'whose', shares: 3 })
    const { orders, positions, nextValidId } = await simulator.state()
    expect([orders, positions[0].quantity, nextValidId]).to.deep.equal([[], 3, {}])
  })

  it('correctExecution takes the last one when none is named', async () => {
    const { simulator, client } = await inSession()
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.placeOrder(2, spy, market('BUY', 20))
    await client.settled()
    const { execId } = await simulator.fault('correctExecution', { shares: 15 })
    await client.next(EventName.execDetails, (_, __, execution) => execution.execId === execId && execution.orderId === 2)
    expect((await simulator.state()).positions[0].quantity).to.equal(25)
  })

  it('seconds: what is armed ends by itself by the time of the market, and a further call takes its place', async () => {
    const { simulator, client } = await inSession()
    const refused = async (id: number): Promise<boolean> => {
      client.listenAnew()
      client.api.placeOrder(id, spy, limit('BUY', 1, 90))
      await client.settled()
      return client.all(EventName.error).length > 0
    }
    await simulator.fault('readOnly', { seconds: 60 })
    await simulator.clock(monday('10:00:59').replace(':00-', '-'))
    expect(await refused(1)).to.equal(true)
    await simulator.fault('readOnly', { seconds: 60 })
    await simulator.clock('2019-06-03T10:01:58-04:00')
    expect(await refused(2)).to.equal(true)
    await simulator.clock('2019-06-03T10:01:59-04:00')
    expect(await refused(3)).to.equal(false)
    await simulator.fault('readOnly', { seconds: 60 })
    await simulator.fault('readOnly', { on: false })
    await simulator.fault('readOnly')
    await simulator.clock(monday('12:00'))
    expect(await refused(4)).to.equal(true)
  })

  it('GET /faults tells what is armed, and nothing when nothing is', async () => {
    const { simulator } = await inSession()
    const armed = async () => ((await (await fetch(`http://127.0.0.1:${simulator.controlPort}/faults`)).json()) as Loose).armed
    expect(await armed()).to.deep.equal({})
    await simulator.fault('loseMessages', { messages: ['position'], count: 2 })
    await simulator.fault('linkDown')
    await simulator.fault('dropConnections', { when: 'afterFill', clientId: 3 })
    const expected = { lose: [{ message: 'position', left: 2 }], linkDown: true, drop: { when: 'afterFill', clientId: 3 } }
    expect(await armed()).to.deep.equal(expected)
    expect((await simulator.state()).misbehaviour).to.deep.equal(expected)
    await simulator.fault('clear')
    expect(await armed()).to.deep.equal({})
  })
})
