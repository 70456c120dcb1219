import { expect } from 'chai'
import fc from 'fast-check'
import { type EventData, event } from '../../domain/events.ts'
import type { Contract } from '../../domain/ports/broker.ts'
import { cashBalancer } from '../../handlers/cash-balancer.ts'
import { closed, configured, continued, dataOf, filled, given, ordered, ready, type Step, type Traded, tuesday } from '../given.ts'
import { deciding, euro, events, executed, held, shows, sighted, yen } from '../shown.ts'

const listing = ({ conId, symbol, currency }: typeof euro, sizeStep: string): Contract => ({
  ...{ conId, symbol, secType: 'CASH', exchange: 'IDEALPRO', primaryExchange: '', currency, localSymbol: `${symbol}.${currency}` },
  ...{ multiplier: '1', sizeStep, minTick: '0.00005' },
})
const pairs = (step = '1') => ({
  EUR: { ofCurrency: [listing(euro, step)], ofBase: [] },
  JPY: { ofCurrency: [], ofBase: [listing(yen, step)] },
})
const rates = { USD: '1', EUR: '1.25', JPY: '0.008' }
const holding = (cash: Record<string, string>, step = '1', parts: Parameters<typeof shows>[0] = {}) =>
  ({
    snapshot: shows({ ...parts, values: { cash: { USD: '50000', ...cash }, exchangeRates: rates } }),
    facts: { pairs: pairs(step) },
  }) as const

type Case = ReturnType<typeof holding>
const balancing = ({ snapshot, facts }: Case, more: object = {}) => deciding(cashBalancer, snapshot, { facts, ...more })
const planned = (...steps: Step[]) => ({
  with: (which: Case, more: object = {}) =>
    dataOf(events(given(ready, ...steps).when(balancing(which, more))), 'OrderPlanned').map(({ symbol, currency, quantity }) => [
      `${symbol}.${currency}`,
      quantity,
    ]),
})
const lines = (which: Case, ...steps: Step[]): EventData<'CashBalanced'>['conversions'] =>
  dataOf(events(given(ready, ...steps).when(balancing(which))), 'CashBalanced')[0]!.conversions

const EUR: Traded = { ...euro, multiplier: '1', sizeStep: '1', minTick: '0.00005' }
const conversion = ordered('abc-1', EUR, {}, { quantity: '-40000', exchange: 'IDEALPRO', shares: [], reduces: true })

describe('cash-balancer', () => {
  it('sells euros of a dollar account in the pair as it is listed', () => {
    const order = dataOf(events(given(ready).when(balancing(holding({ EUR: '40000' })))), 'OrderPlanned')[0]!
    expect(order).to.deep.include({ ...{ conId: euro.conId, symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' } })
    expect(order).to.deep.include({
      quantity: '-40000',
      type: 'MKT',
      timeInForce: 'DAY',
      shares: [],
      reduces: true,
      referencePrice: '1.25',
    })
    expect(order).to.include({ decision: 'c1', orderId: 1, account: 'DU1234567' })
  })

  it('buys dollars with yen, by the amount in dollars: the pair is the other way round', () => {
    expect(planned().with(holding({ JPY: '5000000' }))).to.deep.equal([['USD.JPY', '40000']])
    expect(planned().with(holding({ JPY: '-5000000' }))).to.deep.equal([['USD.JPY', '-40000']])
  })

  it('cuts towards zero on both sides, where a debt of 1500.5 was once over-hedged by 2000', () => {
    expect(planned().with(holding({ EUR: '1500.5' }))).to.deep.equal([['EUR.USD', '-1500']])
    expect(planned().with(holding({ EUR: '-1500.5' }))).to.deep.equal([['EUR.USD', '1500']])
    expect(planned().with(holding({ EUR: '-1500.5' }, '1000'))).to.deep.equal([['EUR.USD', '1000']])
    expect(planned().with(holding({ EUR: '-1500.567' }, '0.01'))).to.deep.equal([['EUR.USD', '1500.56']])
  })

  it('makes no order of 0 of what is less than a step', () => {
    const [line] = lines(holding({ EUR: '999' }, '1000'))
    expect(line).to.include({ verdict: 'nothing', code: 'BELOW_STEP' })
    expect(planned().with(holding({ EUR: '999' }, '1000'))).to.deep.equal([])
  })

  it('works until the pair’s own day ends, as the broker tells it, else until 17:00 in New York', () => {
    const until = (hours?: Contract['hours']) => {
      const contract = { ...listing(euro, '1'), ...(hours === undefined ? {} : { hours }) }
      const which = { ...holding({ EUR: '40000' }), facts: { pairs: { EUR: { ofCurrency: [contract], ofBase: [] } } } }
      return dataOf(events(given(ready).when(balancing(which as unknown as Case))), 'OrderPlanned')[0]!.inForceUntil
    }
    expect(until()).to.equal('2024-01-09T22:00:00.000Z')
    const day = [{ open: '2024-01-08T22:15:00.000Z', close: '2024-01-09T18:30:00.000Z' }] // a short one
    expect(until({ from: '2024-01-09', until: '2024-01-09', regular: day, extended: day })).to.equal('2024-01-09T18:30:00.000Z')
  })

  it('leaves alone what is not worth more than the threshold, in base currency', () => {
    expect(planned().with(holding({ EUR: '800' }))).to.deep.equal([])
    expect(planned().with(holding({ EUR: '801' }))).to.deep.equal([['EUR.USD', '-801']])
    expect(planned().with(holding({ EUR: '-801' }))).to.deep.equal([['EUR.USD', '801']])
    expect(planned(configured({ 'cash.threshold': 60_000 })).with(holding({ EUR: '40000' }))).to.deep.equal([])
    expect(lines(holding({ EUR: '800' }))[0]).to.include({ verdict: 'nothing', code: 'BELOW_THRESHOLD', value: '1000' })
  })

  it('never converts the base currency, and names several orders apart', () => {
    const orders = dataOf(events(given(ready).when(balancing(holding({ EUR: '40000', JPY: '5000000' })))), 'OrderPlanned')
    expect(orders.map(({ orderId, orderRef }) => [orderId, orderRef.slice(-2)])).to.deep.equal([
      [1, '-1'],
      [2, '-2'],
    ])
  })

  it('holds what it cannot judge: no rate, no pair, several pairs', () => {
    const { snapshot } = holding({ EUR: '40000', XAU: '7' })
    const codes = (found: object) =>
      dataOf(events(given(ready).when(deciding(cashBalancer, snapshot, { facts: { pairs: found } }))), 'CashBalanced')[0]!.conversions.map(
        ({ currency, verdict, code }) => [currency, verdict, code],
      )
    const one = listing(euro, '1')
    expect(codes({ EUR: { ofCurrency: [], ofBase: [] } })).to.deep.equal([
      ['EUR', 'held', 'PAIR_UNKNOWN'],
      ['XAU', 'held', 'FX_MISSING'],
    ])
    expect(codes({ EUR: { ofCurrency: [one], ofBase: [{ ...one, symbol: 'USD', currency: 'EUR' }] } })[0]).to.include('PAIR_AMBIGUOUS')
    expect(codes({})[0]).to.include('PAIR_NOT_ASKED')
    expect(codes({ EUR: { ofCurrency: [{ ...one, secType: 'STK' }], ofBase: [] } })[0]).to.include('PAIR_UNKNOWN')
  })

  it('orders nothing beside a conversion that is at work, ours or anybody’s', () => {
    const open = sighted('abc-1', euro)
    expect(lines(holding({ EUR: '40000' }, '1', { openOrders: [open] }), conversion)[0]).to.include({ code: 'CONVERSION_UNDER_WAY' })
    expect(lines(holding({ EUR: '40000' }, '1', { openOrders: [sighted('', euro, { orderId: 0 })] }))[0]).to.include({ verdict: 'held' })
    expect(planned(conversion, closed('abc-1', 'rejected')).with(holding({ EUR: '40000' }))).to.deep.equal([['EUR.USD', '-40000']])
  })

  it('trusts no cash that a trade may have changed since: one that ran meanwhile, or a few minutes ago', () => {
    const { ledger } = given(ready)
    const asked = ledger.position
    const meanwhile = continued(ledger, conversion, filled('abc-1', EUR, 'e1.01', {}), closed('abc-1', 'filled', '-40000'))
    const decided = balancing(holding({ EUR: '40000' }), { facts: { pairs: pairs(), asked } })(meanwhile)
    expect(dataOf(events(decided), 'OrderPlanned'), 'two commands that asked at the same time').to.deep.equal([])
    const byHand = event('ForeignExecutionSeen', {
      ...{ conId: euro.conId, symbol: 'EUR', secType: 'CASH', executionId: 'h1.01', orderRef: '', quantity: '-40000', price: '1.25' },
      holder: 'manual',
    })
    const after = balancing(holding({ EUR: '40000' }), { facts: { pairs: pairs(), asked } })(continued(ledger, byHand))
    expect(dataOf(events(after), 'OrderPlanned'), 'a trade by hand').to.deep.equal([])
    const ago = (minutes: number) =>
      executed('h1.01', euro, '-40000', { time: new Date(Date.parse(tuesday) - minutes * 60_000).toISOString() })
    expect(planned().with(holding({ EUR: '40000' }, '1', { executions: [ago(2)] }))).to.deep.equal([])
    expect(planned(byHand).with(holding({ EUR: '40000' }, '1', { executions: [ago(10)] }))).to.deep.equal([['EUR.USD', '-40000']])
  })

  it('is refused while trading is halted; a dry run decides and says so', () => {
    const halted = event('TradingHalted', { reason: 'the news', publishedAt: tuesday, cancelWorking: false })
    expect(given(ready, halted).when(balancing(holding({ EUR: '40000' })))).to.match(/^HALTED .*the news/)
    const dry = events(given(ready, halted).when(balancing(holding({ EUR: '40000' }), { body: { dryRun: true } })))
    expect(dataOf(dry, 'CashBalanced')[0]).to.include({ dryRun: true, wouldRefuse: 'HALTED' })
    expect(dataOf(dry, 'OrderPlanned')).to.deep.equal([])
  })

  it('is refused when the broker names no base currency', () => {
    const { snapshot } = holding({ EUR: '40000' })
    const nameless = { ...snapshot, values: { ...snapshot.values, baseCurrency: undefined } }
    expect(given(ready).when(deciding(cashBalancer, nameless, { facts: { pairs: {} } }))).to.match(/^BASE_CURRENCY_MISSING/)
  })

  it('never asks for more than there is, whatever the amount, the step and the sign', () => {
    const amount = fc.integer({ min: 1, max: 10 ** 9 }).map((cents) => String(cents / 100))
    const step = fc.constantFrom('0.01', '1', '100', '1000', '25000')
    fc.assert(
      fc.property(amount, step, fc.constantFrom('EUR', 'JPY'), fc.boolean(), (size, by, currency, owed) => {
        const cash = owed ? `-${size}` : size
        const [order] = dataOf(events(given(ready).when(balancing(holding({ [currency]: cash }, by)))), 'OrderPlanned')
        if (order === undefined) return true
        const most = currency === 'EUR' ? Number(size) : Number(size) * 0.008
        const towards = (currency === 'EUR') === owed ? 1 : -1
        return Math.sign(Number(order.quantity)) === towards && Math.abs(Number(order.quantity)) <= most + 1e-6
      }),
      { numRuns: 200 },
    )
  })
})

describe('an execution of a currency pair', () => {
  it('moves no book and no manual, however it comes, and leaves nothing unexplained', () => {
    const ledger = continued(given(ready).ledger, conversion, filled('abc-1', EUR, 'e1.01', {}), closed('abc-1', 'filled'))
    expect([ledger.books, ledger.manual, ledger.ours]).to.deep.equal([{}, {}, {}])
    const shown = shows({ positions: [held(euro, '-40000')], executions: [executed('e1.02', euro, '-39999', { orderRef: 'abc-1' })] })
    const decided = events(deciding(cashBalancer, shown, { facts: { pairs: {} } })(ledger))
    expect(dataOf(decided, 'FillReceived')[0]).to.deep.include({ executionId: 'e1.02', quantity: '-39999', shares: [], replaces: 'e1.01' })
    expect(dataOf(decided, 'PositionReconciled')[0]).to.deep.include({ differences: [], manual: [] })
  })
})
