/** Intents that look at the account afresh, through the real session, sockets and the simulated gateway. */
import { expect } from 'chai'
import { type Rig, type RigOptions, startRig, startTrading } from '../rig.ts'
import { onEachStore } from '../stores.ts'

type Audit = { text: string; result: { differences: { kind: string; symbol: string }[] } }

const minutes = (count: number) => count * 60_000

onEachStore('an intent that looks at the account', (store) => {
  let rig: Rig
  const trading = async (options: RigOptions = {}) => {
    rig = await startTrading({ store: store(), ...options })
  }
  afterEach(() => rig?.stop())

  const resultOf = (document: unknown) =>
    (document as { result: Record<string, never> }).result as Record<string, Record<string, unknown>[]>
  const later = (count: number) => rig.driver.runTo(rig.clock.now() + minutes(count))

  it('summary: values, positions, orders and fills, each with its book', async () => {
    await trading()
    await rig.want({ trend: '60', hedge: '40' })
    await rig.run('day-1')
    await rig.fault({ fault: 'handTrade', symbol: 'AAPL', quantity: 5, price: 300 })
    const document = await rig.command('summary')
    expect(document).to.include({ status: 'completed' })
    const { values, positions, open_orders, fills } = resultOf(document)
    expect(values!.find(({ key }) => key === 'NetLiquidation')).to.include({ currency: 'USD' })
    expect(values!.filter(({ key }) => key === 'CashBalance').map(({ currency }) => currency)).to.include.members(['BASE', 'USD'])
    expect(positions!.map(({ symbol, quantity, holders }) => [symbol, quantity, holders])).to.have.deep.members([
      ['SPY', 100, { trend: 60, hedge: 40 }],
      ['AAPL', 5, { manual: 5 }],
    ])
    expect(open_orders).to.deep.equal([])
    expect(fills!.map(({ symbol, quantity, holders }) => [symbol, quantity, holders])).to.deep.equal([
      ['SPY', 100, { trend: 60, hedge: 40 }],
      ['AAPL', 5, { manual: 5 }],
    ])
    expect(fills![0]).to.include({ commissionCurrency: 'USD' })
  })

  it('summary: two orders that wait for the open are two rows', async () => {
    await trading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '60', hedge: '0' })
    await rig.run('evening')
    await rig.want({ trend: '90', hedge: '0' })
    await rig.run('night')
    const { open_orders } = resultOf(await rig.command('summary'))
    expect(open_orders!.map(({ symbol, quantity, holders, orderType }) => [symbol, quantity, holders, orderType])).to.deep.equal([
      ['SPY', 60, { trend: 60 }, 'LMT'],
      ['SPY', 30, { trend: 30 }, 'LMT'],
    ])
  })

  it('cash-balancer: euros and yen become dollars, once, and no book moves', async () => {
    await trading({ cash: { USD: 50_000, EUR: 20_000.5, JPY: -3_000_000 } })
    const before = rig.composed.engine.ledger
    const document = await rig.command('cash-balancer')
    expect(document).to.include({ status: 'completed' })
    expect(resultOf(document)['conversions']!.map(({ currency, verdict, pair }) => [currency, verdict, pair])).to.deep.equal([
      ['EUR', 'order', 'EUR.USD'],
      ['JPY', 'order', 'USD.JPY'],
    ])
    await later(1)
    const { currencies } = (await rig.state()) as unknown as { currencies: { currency: string; cash: number }[] }
    const cash = Object.fromEntries(currencies.map(({ currency, cash: left }) => [currency, left]))
    expect(Math.abs(cash['EUR']!)).to.be.below(0.01)
    expect(cash['JPY']).to.be.within(-30_000, 30_000)
    expect(cash['USD']).to.be.within(40_000, 50_000)
    const closed = await rig.events('OrderClosed')
    expect(closed.map(({ how }) => how)).to.deep.equal(['filled', 'filled'])
    const execution = await rig.composed.documents.get((document!['result'] as { document: string }).document)
    expect(execution).to.include({ status: 'completed', type: 'cash-balancer', trigger: 'manual' })
    await rig.command('reconcile')
    const { books, manual, unexplained, discrepancies } = before
    expect([books, manual, unexplained, discrepancies].map((held) => Object.keys(held))).to.deep.equal([[], [], [], []])
    const again = resultOf(await rig.command('cash-balancer'))['conversions']!
    expect(again.map(({ verdict }) => verdict)).to.not.include('order')
    await later(5)
    expect(resultOf(await rig.command('cash-balancer'))['conversions']!.map(({ code }) => code)).to.deep.equal([
      ...again.flatMap(({ currency }) => (currency === 'EUR' || currency === 'JPY' ? ['BELOW_THRESHOLD'] : [])),
    ])
    const commissions = await rig.events('CommissionReported')
    expect(commissions.map(({ currency }) => currency)).to.deep.equal(['USD', 'USD'])
  })

  it('cash-balancer: an order of which nobody heard again is not given a second time before a person has said what became of it', async () => {
    await trading({ cash: { USD: 50_000, EUR: 20_000 } })
    await rig.fault({ fault: 'swallowOrder' })
    await rig.command('cash-balancer')
    await later(3)
    const [doubted] = await rig.events('OrderUnresolved')
    expect(resultOf(await rig.command('cash-balancer'))['conversions']![0]).to.include({ verdict: 'held', code: 'CONVERSION_UNDER_WAY' })
    expect((await rig.events('OrderPlanned')).length).to.equal(1)
    await rig.command('resolve-order', { orderRef: doubted!.orderRef, as: 'lost', reason: 'the broker was asked by telephone' })
    await rig.command('cash-balancer')
    await later(1)
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['lost', 'filled'])
    const { currencies } = (await rig.state()) as unknown as { currencies: { currency: string; cash: number }[] }
    expect(currencies.find(({ currency }) => currency === 'EUR')!.cash).to.equal(0)
  })

  it('cash-balancer: what was filled while the line was down is counted, and not converted again', async () => {
    await trading({ cash: { USD: 50_000, EUR: 20_000 } })
    await rig.fault({ fault: 'dropConnections', when: 'afterFill' })
    await rig.command('cash-balancer').catch(() => undefined) // the line breaks under the question whether all has arrived
    await rig.driver.connected()
    await later(5)
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['filled'])
    const again = resultOf(await rig.command('cash-balancer'))['conversions']!
    expect(again.map(({ verdict }) => verdict)).to.not.include('order')
    expect((await rig.state()).executions.length).to.equal(1)
  })

  it('cash-balancer: refused while trading is halted', async () => {
    rig = await startRig({ store: store(), cash: { USD: 50_000, EUR: 20_000 } })
    await rig.driver.connected()
    expect(await rig.command('cash-balancer')).to.include({ status: 'refused', code: 'HALTED' })
    expect(await rig.events('OrderPlanned')).to.deep.equal([])
  })

  it('trade-reconciliation: partial fills, a correction, a lost commission and a trade by hand', async () => {
    await trading()
    await rig.want({ trend: '60', hedge: '40' })
    await rig.fault({ fault: 'partialFill', quantity: 30 })
    await rig.run('day-1')
    const audit = async (name: string) => (await rig.command('trade-reconciliation', {}, { id: name })) as unknown as Audit
    expect((await audit('partial')).result).to.deep.include({ executions: 1, orders: 1, not_ours: 0, differences: [] })
    await later(31)
    await rig.fault({ fault: 'correctExecution', shares: 69 })
    await rig.fault({ fault: 'commissions', when: 'never', on: true })
    await rig.fault({ fault: 'handTrade', symbol: 'AAPL', quantity: 5, price: 300 })
    const { result, text } = await audit('later')
    expect(result).to.deep.include({ session: '2020-02-04', executions: 3, orders: 1, not_ours: 1 })
    expect(result.differences.map(({ kind, symbol }) => [kind, symbol])).to.deep.include(['commissionMissing', 'AAPL'])
    expect(text).to.match(/^executions of 2020-02-04: 3, differences: 1$/)
    const { books } = rig.composed.engine.ledger
    expect(Object.values(books).reduce((sum, book) => sum + Number(book[756733]), 0)).to.equal(99)
  })
})
