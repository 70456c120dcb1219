import { expect } from 'chai'
import { closePositions, standingTargetsToZero } from '../../../domain/closing/close.ts'
import {
  type Closing,
  exposedOf,
  hasMoreToClose,
  holdersOf,
  leftOpen,
  ordersToEnd,
  unsettledTargets,
} from '../../../domain/closing/holders.ts'
import { allocate } from '../../../domain/commander/commander.ts'
import { isZero, sign, sum } from '../../../domain/decimal.ts'
import { event } from '../../../domain/events.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import {
  accepted,
  booked,
  configured,
  continued,
  dataOf,
  facts,
  given,
  ordered,
  ready,
  request,
  resolved,
  SPY,
  type Step,
  snapshot,
  stands,
  type Traded,
  together,
  tuesday,
  VIXY,
  wants,
} from '../../given.ts'

const now = Date.parse(tuesday)
const all: Closing = { strategies: undefined, includeManual: false }
const only = (...strategies: string[]): Closing => ({ strategies, includeManual: false })
const AAPL: Traded = { ...SPY, conId: 265598, symbol: 'AAPL' }

const round = { decision: 'close-1', step: 'close-1:close', round: 1, dryRun: false }
const closing = (closing: Closing) => (ledger: Ledger) => accepted(closePositions(ledger, closing, round, now))
const halted = event('TradingHalted', { reason: 'enough', publishedAt: tuesday, cancelWorking: false })
const manual = (instrument: Traded, quantity: string) =>
  snapshot({
    holdings: [
      { instrument, quantity, marketPrice: '100' },
      { instrument: SPY, quantity: '80', marketPrice: '100' },
    ],
    manual: [{ conId: instrument.conId, symbol: instrument.symbol, quantity }],
  })
const priced = snapshot({
  holdings: [
    { instrument: SPY, quantity: '100', marketPrice: '100' },
    { instrument: VIXY, quantity: '50', marketPrice: '20' },
  ],
})

describe('closing positions', () => {
  it('goes in several orders where one would be larger than an order may be, to the last share', () => {
    const steps = [...ready, priced, booked('trend', SPY, '100'), configured({ 'orders.maximumNotional': 4000 })]
    const planned = dataOf(given(...steps).when(closing(only('trend'))), 'OrderPlanned')
    expect(planned.map(({ quantity, reduces }) => [quantity, reduces])).to.deep.equal([
      ['-33', true],
      ['-33', true],
      ['-34', true],
    ])
  })

  it('sells what the named books hold, at market, marked so that a halt does not stop it, and nothing else', () => {
    const steps = [ready, halted, booked('trend', SPY, '100'), booked('hedge', VIXY, '50'), booked('carry', SPY, '7'), priced]
    const events = given(steps).when(closing(only('trend', 'hedge')))
    const orders = dataOf(events, 'OrderPlanned')
    expect(orders.map(({ symbol, quantity, type, reduces, closing }) => [symbol, quantity, type, reduces, closing])).to.deep.equal([
      ['VIXY', '-50', 'MKT', true, true],
      ['SPY', '-100', 'MKT', true, true],
    ])
    expect(orders[1]!.shares).to.deep.equal([{ strategy: 'trend', quantity: '-100' }])
    expect(dataOf(events, 'AllocationDecided')[0]!.strategies).to.deep.equal([
      { strategy: 'hedge', verdict: 'closed', allocation: '0' },
      { strategy: 'trend', verdict: 'closed', allocation: '0' },
    ])
  })

  it('leaves manual alone: a flatten once sold the shares that somebody had bought by hand', () => {
    const events = given(ready, booked('trend', SPY, '80'), manual(AAPL, '10')).when(closing(all))
    expect(dataOf(events, 'OrderPlanned').map(({ symbol }) => symbol)).to.deep.equal(['SPY'])
  })

  it('sells manual too where it was asked for, as a share of its own', () => {
    const events = given(ready, resolved(AAPL), booked('trend', SPY, '80'), manual(AAPL, '10')).when(
      closing({ ...all, includeManual: true }),
    )
    const apple = dataOf(events, 'OrderPlanned').find(({ symbol }) => symbol === 'AAPL')
    expect(apple).to.deep.include({ symbol: 'AAPL', quantity: '-10', shares: [{ strategy: 'manual', quantity: '-10' }] })
  })

  it('needs neither a fresh snapshot nor a net liquidation', () => {
    const old = snapshot({
      takenAt: '2024-01-02T15:00:00.000Z',
      netLiquidation: undefined,
      holdings: [{ instrument: SPY, quantity: '5', marketPrice: '100' }],
    })
    const events = given(ready, booked('trend', SPY, '5'), old).when(closing(all))
    expect(dataOf(events, 'OrderPlanned')).to.have.length(1)
    expect(dataOf(events, 'AllocationDecided')[0]!.snapshot).to.not.have.property('netLiquidation')
  })

  it('crosses opposite books inside the house: their net of zero once was lost, and repeated for ever', () => {
    const steps = [
      ready,
      booked('trend', SPY, '60'),
      booked('hedge', SPY, '-60'),
      snapshot(),
      wants('trend', [{ instrument: SPY, quantity: '60' }]),
    ]
    const { ledger } = given(steps)
    const events = closing(all)(ledger)
    expect(dataOf(events, 'OrderPlanned')).to.deep.equal([])
    expect(dataOf(events, 'PositionsCrossed')[0]!.moves).to.have.deep.members([
      { strategy: 'trend', quantity: '-60' },
      { strategy: 'hedge', quantity: '60' },
    ])
    expect(hasMoreToClose(continued(ledger, together(...events)), all)).to.equal(false)
  })

  it('counts what is on its way out already, so that asking twice sells once', () => {
    const exit = ordered('abc-9', SPY, { trend: '-100' }, { closing: true })
    const { ledger } = given(ready, booked('trend', SPY, '100'), priced, exit)
    expect(dataOf(closing(all)(ledger), 'OrderPlanned')).to.deep.equal([])
    expect([hasMoreToClose(ledger, all), ordersToEnd(ledger, all)]).to.deep.equal([false, []])
  })

  it('cancels first what works the other way, whoever wanted it', () => {
    const other = ordered('abc-2', SPY, { hedge: '30' })
    const events = given(ready, booked('trend', SPY, '100'), priced, other).when(closing(only('trend')))
    expect(dataOf(events, 'OrderCancelRequested').map(({ orderRef }) => orderRef)).to.deep.equal(['abc-2'])
    expect(dataOf(events, 'OrderPlanned')).to.deep.equal([])
  })

  it('leaves a blocked instrument alone and names it', () => {
    const doubted = [
      ordered('abc-1', SPY, { hedge: '5' }),
      event('OrderUnresolved', { orderRef: 'abc-1', conId: SPY.conId, text: 'not found' }),
    ]
    const { ledger } = given(ready, booked('trend', SPY, '100'), booked('trend', VIXY, '50'), priced, doubted)
    const events = closing(only('trend'))(ledger)
    expect(dataOf(events, 'OrderPlanned').map(({ symbol }) => symbol)).to.deep.equal(['VIXY'])
    expect(dataOf(events, 'AllocationDecided')[0]!.notes.map(({ code, conId }) => [code, conId])).to.deep.equal([['BLOCKED', SPY.conId]])
    expect(leftOpen(ledger, only('trend'), [])).to.include('trend holds 100 SPY (blocked: order abc-1 is unresolved)')
  })

  it('says what is smaller than a size step, and does not try again for ever', () => {
    const { ledger } = given(ready, booked('trend', SPY, '0.4'), priced)
    expect(dataOf(closing(all)(ledger), 'AllocationDecided')[0]!.notes.map(({ code }) => code)).to.deep.equal(['RESIDUAL'])
    expect(hasMoreToClose(ledger, all)).to.equal(false)
    expect(leftOpen(ledger, all, [])).to.equal('trend holds 0.4 SPY')
  })
})

describe('standing targets of books that are closed', () => {
  const money = configured({ 'strategies.trend.allocation': 1, 'limits.gross': 4 })
  const zeroed = (ledger: Ledger): Ledger => continued(ledger, together(...standingTargetsToZero(ledger, all, now)))

  it('are 0 wherever the book holds, waits or wants something', () => {
    const steps: Step[] = [
      booked('trend', SPY, '100'),
      ordered('abc-1', VIXY, { hedge: '5' }),
      stands('carry', [{ instrument: VIXY, quantity: '9' }]),
    ]
    const { ledger } = given(ready, steps)
    const set = standingTargetsToZero(ledger, all, now).flatMap(({ type, data }) =>
      type === 'StandingTargetsSet' ? [[data.strategy, data.targets.map(({ symbol, quantity }) => [symbol, quantity])]] : [],
    )
    expect(set).to.deep.equal([
      ['carry', [['VIXY', '0']]],
      ['hedge', [['VIXY', '0']]],
      ['trend', [['SPY', '0']]],
    ])
  })

  it('hold against the signal that was there before: no later decision opens again what was closed', () => {
    const signal = wants('trend', [
      { instrument: SPY, quantity: '100' },
      { instrument: VIXY, quantity: '50' },
    ])
    const { ledger } = given(ready, money, signal, booked('trend', SPY, '100'), priced)
    const decision = accepted(allocate(zeroed(ledger), request(), facts(), now))
    expect(dataOf(decision, 'OrderPlanned').map(({ symbol, quantity }) => [symbol, quantity])).to.deep.equal([['SPY', '-100']])
    expect(dataOf(decision, 'StandingTargetsSet')).to.deep.equal([])
  })

  it('give way to the next signal', () => {
    const signal = wants('trend', [{ instrument: SPY, quantity: '100' }])
    const { ledger } = given(ready, money, signal, booked('trend', SPY, '100'), priced)
    const spokenAgain = continued(zeroed(ledger), wants('trend', [{ instrument: SPY, quantity: '40' }]))
    expect(
      accepted(allocate(spokenAgain, request(), facts(), now)).flatMap(({ type, data }) =>
        type === 'OrderPlanned' ? [data.quantity] : [],
      ),
    ).to.deep.equal(['-60'])
  })

  it('are set once: a second time there is nothing to set', () => {
    const { ledger } = given(ready, wants('trend', [{ instrument: SPY, quantity: '100' }]), booked('trend', SPY, '100'), priced)
    expect(unsettledTargets(ledger, 'trend', now)).to.deep.equal([SPY.conId])
    expect(unsettledTargets(zeroed(ledger), 'trend', now)).to.deep.equal([])
    expect(standingTargetsToZero(zeroed(ledger), all, now)).to.deep.equal([])
  })
})

describe('whom a close-all concerns', () => {
  it('is everybody who holds, waits or wants something, and manual only by its name', () => {
    const { ledger } = given(ready, booked('trend', SPY, '1'), stands('carry', [{ instrument: SPY, quantity: '0' }]), manual(AAPL, '3'))
    expect(holdersOf(ledger, all, now)).to.deep.equal(['trend'])
    expect(holdersOf(ledger, { ...all, includeManual: true }, now)).to.deep.equal(['trend', 'manual'])
    expect(holdersOf(ledger, only('carry'), now)).to.deep.equal([])
  })

  it('has to end every order in which a named book has a share, but no other', () => {
    const orders = [ordered('abc-1', SPY, { trend: '5', hedge: '5' }), ordered('abc-2', VIXY, { hedge: '5' }, { orderId: 2 })]
    const { ledger } = given(ready, orders)
    expect(ordersToEnd(ledger, only('trend')).map(({ orderRef }) => orderRef)).to.deep.equal(['abc-1'])
    expect(ordersToEnd(ledger, all)).to.have.length(2)
    const manuals = given(ready, ordered('abc-3', SPY, { manual: '-5' })).ledger
    expect([ordersToEnd(manuals, all), ordersToEnd(manuals, { ...all, includeManual: true }).length]).to.deep.equal([[], 1])
  })

  it('comes to exactly nothing in every book, whatever they hold', () => {
    const quantities = ['7', '-3', '250', '-41', '0.5']
    for (const [one, other] of quantities.flatMap((first) => quantities.map((second) => [first, second] as const))) {
      const { ledger } = given(ready, booked('trend', SPY, one), booked('hedge', SPY, other), priced)
      const events = closing(all)(ledger)
      for (const strategy of ['trend', 'hedge']) {
        const moved = [
          ...dataOf(events, 'PositionsCrossed').flatMap(({ moves }) => moves),
          ...dataOf(events, 'OrderPlanned').flatMap(({ shares }) => shares),
        ]
        const change = sum(moved.filter((move) => move.strategy === strategy).map(({ quantity }) => quantity))
        const held = exposedOf(ledger, only(strategy))[0]!.held
        expect(isZero(change) || sign(change) === -sign(held), `${strategy} of ${held} by ${change}`).to.equal(true)
        expect(Math.abs(Number(held) + Number(change)), `${strategy} of ${held} by ${change}`).to.be.lessThan(1)
      }
    }
  })
})
